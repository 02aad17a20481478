/* How a sleep in semop ends: EIDRM, a timeout, a kill, stop and continue; threads; IPC_SET does not end it. */
#include "sem.h"

static int id;

static int timed(void *argument)
{
	struct timespec t = { 0, 20000000 };
	struct sembuf sop = { 0, -1, 0 };
	(void)argument;
	return semtimedop(id, &sop, 1, &t);
}

static int timed_in_time(void *argument)
{
	struct timespec t = { 1000, 0 };
	struct sembuf sop = { 0, -1, 0 };
	(void)argument;
	return semtimedop(id, &sop, 1, &t);
}

static int forever(void *argument)
{
	struct timespec t = { 0x7fffffffffff, 999999999 };
	struct sembuf sop = { 0, -1, 0 };
	(void)argument;
	return semtimedop(id, &sop, 1, &t);
}

int main(void)
{
	id = new_array(2, 0600);
	sleep_on(0, id, 0, -1, 0);
	sleep_on(1, id, 1, -1, SEM_UNDO);
	sleep_on_two(2, id, 0, -1, 1, -1);
	NEED(set_value(id, 0, 0));
	sleep_on_two(3, id, 0, 0, 1, -1);
	remove_array(id);
	settled("IPC_RMID");

	id = new_array(2, 0600);
	start_sleeper(0, timed, NULL);
	start_sleeper(1, timed_in_time, NULL);
	start_sleeper(2, forever, NULL);
	TRUE("the timed one returns", waitpid(sleeper_pid[0], NULL, 0) == sleeper_pid[0]);
	TEXT("with", errno_name(sleeper_results[0].error), "EAGAIN");
	sleeper_pid[0] = 0;
	settled("the others wait on");
	EQUALS("counted", semctl(id, 0, GETNCNT), 2);
	NEED(op(id, 0, 1, 0));
	settled("one in time");
	NEED(op(id, 0, 1, 0));
	settled("the other too");

	sleep_on(0, id, 0, -1, 0);
	sleep_on_two(1, id, 0, -1, 1, -1);
	sleep_on(2, id, 0, -1, 0);
	NEED(kill(sleeper_pid[0], SIGKILL));
	settled("killed");
	EQUALS("no longer counted", semctl(id, 0, GETNCNT), 2);
	NEED(op(id, 0, 1, 0));
	settled("who is dead takes nothing");
	EQUALS("value", value_of(id, 0), 0);
	NEED(kill(sleeper_pid[1], SIGTERM));
	settled("the complex one killed");
	sleep_on(3, id, 1, -1, 0);
	NEED(op(id, 1, 1, 0));
	settled("the queues are apart again");

	/* "semop() and semtimedop() can fail with EINTR after the process is stopped and resumed by SIGCONT." */
	sleep_on(0, id, 0, -1, 0);
	NEED(kill(sleeper_pid[0], SIGSTOP));
	NEED(waitpid(sleeper_pid[0], NULL, WUNTRACED));
	EQUALS("a stopped one waits no longer", semctl(id, 0, GETNCNT), 0);
	NEED(kill(sleeper_pid[0], SIGCONT));
	settled("continued");

	/* Signals that are ignored, blocked or without effect. */
	sleep_on(0, id, 0, -1, 0);
	NEED(kill(sleeper_pid[0], SIGCHLD));
	NEED(kill(sleeper_pid[0], SIGCONT));
	settled("SIGCHLD and SIGCONT");
	NEED(op(id, 0, 1, 0));
	settled("still in the queue");

	/* Permissions are looked at once. */
	struct semid_ds ds = sem_stat_of(id);
	union semun arg = { .buf = &ds };
	sleep_on(0, id, 0, -1, 0);
	ds.sem_perm.mode = 0;
	NEED(semctl(id, 0, IPC_SET, arg));
	settled("IPC_SET");
	NEED(op(id, 0, 1, 0));
	settled("and woken");

	/* A lowered limit does not concern sleepers. */
	sleep_on_two(0, id, 0, -1, 1, 1);
	write_number("/proc/sys/kernel/sem", "1 1 1 1");
	NEED(op(id, 0, 1, 0));
	settled("limits lowered");
	EQUALS("value", value_of(id, 1), 1);
	no_sleepers();
	return done();
}
