/* Handlers and sleeps in semop, msgrcv and msgsnd: EINTR, SA_RESTART or not. */
#include "msg.h"
#include "sem.h"

static int sem, queue;

static void handler(int signal)
{
	(void)signal;
}

static void handle(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	NEED(sigaction(SIGUSR1, &action, NULL));
}

static int with_restart(void *argument)
{
	handle(SA_RESTART);
	return ((int (*)(void))argument)();
}

static int without(void *argument)
{
	handle(0);
	return ((int (*)(void))argument)();
}

static int in_semop(void)
{
	return op(sem, 0, -1, SEM_UNDO);
}

static int in_semtimedop(void)
{
	struct sembuf sops[2] = { { 0, -1, 0 }, { 1, -1, 0 } };
	return semtimedop(sem, sops, 2, &(struct timespec){ 1000, 0 });
}

static int in_msgrcv(void)
{
	return (int)msgrcv(queue, &got, 100, 7, 0);
}

static int in_msgsnd(void)
{
	return send_bytes(queue, 1, 100, 0);
}

static void interrupt(const char *name, int (*call)(void))
{
	start_sleeper(0, with_restart, (void *)call);
	start_sleeper(1, without, (void *)call);
	settle_one(0);
	settle_one(1);
	NEED(kill(sleeper_pid[0], SIGUSR1));
	NEED(kill(sleeper_pid[1], SIGUSR1));
	settled(name);
}

/*
 * A stop and a continuation, without any handler: semop ends with EINTR all the same (signal(7)), the messages' calls begin again
 * and go on sleeping.
 */
static void stop_and_continue(const char *name, int (*call)(void))
{
	char text[80];

	start_sleeper(0, without, (void *)call);
	settle_one(0);
	NEED(kill(sleeper_pid[0], SIGSTOP));
	NEED(waitpid(sleeper_pid[0], NULL, WUNTRACED));
	EQUALS("it is stopped", state_of(sleeper_pid[0]), 'T');
	snprintf(text, sizeof text, "%s: while it is stopped", name);
	settled(text);
	NEED(kill(sleeper_pid[0], SIGCONT));
	/* Not by waitpid(), which takes its end when that has come by then. */
	while (state_of(sleeper_pid[0]) == 'T')
		usleep(200);
	/* From T by R to S, or to its end. */
	for (int i = 0; i < 50; i++)
		usleep(1000);
	snprintf(text, sizeof text, "%s: after SIGCONT", name);
	settled(text);
}

int main(void)
{
	sem = new_array(2, 0600);
	queue = new_queue(0600);
	interrupt("semop, with SA_RESTART and without", in_semop);
	interrupt("semtimedop of two parts", in_semtimedop);
	EQUALS("nobody waits", semctl(sem, 0, GETNCNT), 0);
	stop_and_continue("semop", in_semop);
	stop_and_continue("semtimedop of two parts", in_semtimedop);
	interrupt("msgrcv", in_msgrcv);
	stop_and_continue("msgrcv", in_msgrcv);
	no_sleepers();
	NEED(send_bytes(queue, 7, 100, 0));
	content("nobody received", queue);
	struct msqid_ds ds = queue_stat(queue);
	ds.msg_qbytes = 100;
	NEED(msgctl(queue, IPC_SET, &ds));
	interrupt("msgsnd", in_msgsnd);
	stop_and_continue("msgsnd", in_msgsnd);
	no_sleepers();
	EQUALS("received", receive(queue, 100, 7, 0), 100);
	content("nobody sent", queue);
	return done();
}
