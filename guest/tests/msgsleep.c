/* Sleeping in msgsnd and msgrcv, stepped one event at a time: who receives, who may send, EIDRM, permissions, kill, stop. */
#include "msg.h"

static int id;

static void set(unsigned long qbytes, unsigned mode)
{
	struct msqid_ds ds = queue_stat(id);
	ds.msg_qbytes = qbytes;
	ds.msg_perm.mode = mode;
	NEED(msgctl(id, IPC_SET, &ds));
}

static int user_receives(void *argument)
{
	(void)argument;
	NEED(setgid(1000));
	NEED(setuid(1000));
	return (int)msgrcv(id, &got, 100, 0, 0);
}

static int user_sends(void *argument)
{
	(void)argument;
	NEED(setgid(1000));
	NEED(setuid(1000));
	sent.type = 1;
	return msgsnd(id, &sent, 100, 0);
}

static int receives_at_once(void *argument)
{
	(void)argument;
	return (int)syscall(SYS_msgrcv, id, (void *)8, 100, 0, 0);
}

int main(void)
{
	id = new_queue(0666);

	/* Receivers: the first that wants such a message. */
	sleepy_receiver(0, id, 100, 2, 0);
	sleepy_receiver(1, id, 100, 0, 0);
	sleepy_receiver(2, id, 100, 0, 0);
	sleepy_receiver(3, id, 100, -3, 0);
	NEED(send_bytes(id, 3, 10, 0));
	settled("type 3");
	content("past the queue", id);
	NEED(send_bytes(id, 2, 11, 0));
	settled("type 2");
	NEED(send_bytes(id, 9, 12, 0));
	settled("type 9");
	NEED(send_bytes(id, 4, 13, 0));
	settled("type 4");
	content("nobody wants it", id);
	NEED(send_bytes(id, 1, 14, 0));
	settled("type 1");
	sleepy_receiver(0, id, 100, 4, MSG_EXCEPT);
	NEED(send_bytes(id, 4, 15, 0));
	settled("type 4 is not wanted");
	NEED(send_bytes(id, 5, 16, 0));
	settled("type 5 is");
	content("two of type 4", id);
	NEED(receive(id, 100, 0, 0));
	NEED(receive(id, 100, 0, 0));

	/* A receiver whose buffer is too small gets E2BIG, the next one the message. */
	sleepy_receiver(0, id, 5, 0, 0);
	sleepy_receiver(1, id, 5, 0, MSG_NOERROR);
	sleepy_receiver(2, id, 100, 0, 0);
	NEED(send_bytes(id, 1, 20, 0));
	settled("twenty bytes");
	NEED(send_bytes(id, 1, 20, 0));
	settled("twenty bytes");
	start_sleeper(0, receives_at_once, NULL);
	settle_one(0);
	NEED(send_bytes(id, 1, 20, 0));
	settled("a receiver without memory");
	content("it is lost", id);
	TRUE("lrpid", queue_stat(id).msg_lrpid > 0);

	/* Senders: each goes on when its message fits. */
	set(100, 0666);
	NEED(send_bytes(id, 1, 90, 0));
	sleepy_sender(0, id, 95, 2);
	sleepy_sender(1, id, 20, 3);
	sleepy_sender(2, id, 60, 4);
	settled("three senders");
	content("full", id);
	NEED(send_bytes(id, 1, 10, 0));
	EQUALS("received", receive(id, 100, 1, 0), 90);
	settled("ninety bytes of room");
	content("what fits", id);
	EQUALS("received", receive(id, 100, 3, 0), 20);
	settled("twenty more");
	EQUALS("received", receive(id, 100, 4, 0), 60);
	settled("sixty more");
	EQUALS("received", receive(id, 100, 1, 0), 10);
	settled("the last ten");
	content("all", id);
	while (receive(id, 100, 0, IPC_NOWAIT) != -1)
		;
	content("empty", id);

	/* A larger queue lets senders go on. */
	NEED(send_bytes(id, 1, 100, 0));
	sleepy_sender(0, id, 100, 2);
	sleepy_sender(1, id, 150, 3);
	set(200, 0666);
	settled("msg_qbytes raised");
	content("full", id);
	set(50, 0666);
	settled("and lowered");
	content("more than fits", id);
	EQUALS("received", receive(id, 100, 1, 0), 100);
	settled("still too much");
	set(1000, 0666);
	settled("raised again");
	while (receive(id, 1000, 0, IPC_NOWAIT) != -1)
		;

	/* Stricter permissions end the sleep of whom they exclude: receivers at once, senders when they are woken. */
	set(100, 0666);
	start_sleeper(0, user_receives, NULL);
	sleepy_receiver(1, id, 100, 5, 0);
	settled("a user and root receive");
	set(100, 0600);
	settled("for root alone");
	no_sleepers();
	set(100, 0666);
	NEED(send_bytes(id, 1, 50, 0));
	start_sleeper(0, user_sends, NULL);
	settled("a user sends");
	set(100, 0600);
	settled("for root alone, and full");
	EQUALS("received", receive(id, 100, 1, 0), 50);
	settled("with room");
	set(100, 0666);

	/* The end of the queue, of a sleeper. */
	NEED(send_bytes(id, 1, 100, 0));
	sleepy_sender(0, id, 10, 1);
	sleepy_sender(1, id, 10, 1);
	sleepy_receiver(2, id, 100, 7, 0);
	sleepy_receiver(3, id, 100, 7, 0);
	NEED(kill(sleeper_pid[0], SIGKILL));
	NEED(kill(sleeper_pid[2], SIGTERM));
	settled("two killed");
	NEED(kill(sleeper_pid[1], SIGSTOP));
	NEED(waitpid(sleeper_pid[1], NULL, WUNTRACED));
	NEED(kill(sleeper_pid[3], SIGSTOP));
	NEED(waitpid(sleeper_pid[3], NULL, WUNTRACED));
	NEED(kill(sleeper_pid[1], SIGCONT));
	NEED(kill(sleeper_pid[3], SIGCONT));
	settled("stopped and continued, they go on sleeping");
	NEED(send_bytes(id, 7, 0, 0));
	settled("one message received");
	sleepy_receiver(3, id, 100, 7, 0);
	remove_queue(id);
	settled("IPC_RMID");
	return done();
}
