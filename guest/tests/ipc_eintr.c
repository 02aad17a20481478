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

int main(void)
{
	sem = new_array(2, 0600);
	queue = new_queue(0600);
	interrupt("semop, with SA_RESTART and without", in_semop);
	interrupt("semtimedop of two parts", in_semtimedop);
	EQUALS("nobody waits", semctl(sem, 0, GETNCNT), 0);
	interrupt("msgrcv", in_msgrcv);
	NEED(send_bytes(queue, 7, 100, 0));
	content("nobody received", queue);
	struct msqid_ds ds = queue_stat(queue);
	ds.msg_qbytes = 100;
	NEED(msgctl(queue, IPC_SET, &ds));
	interrupt("msgsnd", in_msgsnd);
	EQUALS("received", receive(queue, 100, 7, 0), 100);
	content("nobody sent", queue);
	return done();
}
