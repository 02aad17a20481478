/* SEM_UNDO: adjustments at exit, by every kind of death; fork, exec, threads, unshare; what voids them; their limits. */
#include "sem.h"
#include <pthread.h>
#include <sched.h>

static int id;
static const char *self;

static void undo(int num, int value)
{
	NEED(op(id, num, value, SEM_UNDO));
}

static void values(const char *name, const char *expected)
{
	TEXT(name, values_text(id, 3), expected);
}

static void exits(void *argument)
{
	(void)argument;
	undo(0, -2);
	undo(1, 3);
	NEED(op(id, 2, 1, 0));
	if (argument)
		values("while it lives", "8 13 11");
}

static void killed(void *argument)
{
	(void)argument;
	undo(0, 5);
	kill(getpid(), SIGKILL);
}

static void forks(void *argument)
{
	(void)argument;
	undo(0, 1);
	in_child(exits, NULL);
	values("fork does not copy the adjustments", "11 10 11");
}

static void execs(void *argument)
{
	(void)argument;
	undo(1, 4);
	execl(self, self, "after", (char *)NULL);
	_exit(9);
}

static void *thread(void *argument)
{
	(void)argument;
	undo(2, 6);
	return NULL;
}

static void threads(void *argument)
{
	pthread_t t;
	(void)argument;
	NEED(pthread_create(&t, NULL, thread, NULL) == 0 ? 0 : -1);
	NEED(pthread_join(t, NULL) == 0 ? 0 : -1);
	values("threads share the list: a thread's end undoes nothing", "10 10 16");
}

static void sets(void *argument)
{
	(void)argument;
	undo(0, 1);
	undo(1, 1);
	NEED(set_value(id, 0, 20));
}

static void parent_sets(void *argument)
{
	int *pipes = argument;
	char c;
	undo(0, 1);
	undo(1, 1);
	NEED(write(pipes[1], "x", 1));
	NEED(read(pipes[2], &c, 1));
}

static void below(void *argument)
{
	(void)argument;
	undo(0, 7);
	NEED(op(id, 0, -15, 0));
}

static void above(void *argument)
{
	(void)argument;
	undo(0, -8);
	NEED(set_value(id, 1, 0));
	NEED(op(id, 0, 32765, 0));
}

static void limits(void *argument)
{
	(void)argument;
	NEED(set_value(id, 0, 0));
	undo(0, 32767);
	NEED(op(id, 0, -32767, 0));
	undo(0, 1);
	NEED(op(id, 0, -1, 0));
	FAILS("an adjustment below -32768", op(id, 0, 1, SEM_UNDO), ERANGE);
	EQUALS("changes nothing", value_of(id, 0), 0);
	NEED(set_value(id, 0, 32767));
	NEED(set_value(id, 1, 32767));
	undo(1, -32767);
	NEED(op(id, 1, 1, 0));
	FAILS("an adjustment above 32767", op(id, 1, -1, SEM_UNDO), ERANGE);
	FAILS("in a later part", semop(id, (struct sembuf[]){ { 2, 1, SEM_UNDO }, { 1, -1, SEM_UNDO } }, 2), ERANGE);
	NEED(set_value(id, 1, 10));
}

static void unshares(void *argument)
{
	(void)argument;
	undo(1, 2);
	WORKS("unshare of CLONE_SYSVSEM", unshare(CLONE_SYSVSEM));
	values("makes the adjustments at once", "10 10 10");
	undo(1, 1);
	FAILS("with a bad flag", unshare(0x40000001), EINVAL);
	values("not when it fails", "10 11 10");
}

static void many(void *argument)
{
	(void)argument;
	int b = new_array(1, 0600);
	NEED(op(b, 0, 4, SEM_UNDO));
	undo(2, 1);
	NEED(semctl(b, 0, IPC_RMID));
	undo(2, 1);
}

static void fails(void *argument)
{
	(void)argument;
	FAILS("an operation that fails adjusts nothing", op(id, 0, -100, SEM_UNDO | NOWAIT), EAGAIN);
	FAILS("nor one that fails in its second part",
	      semop(id, (struct sembuf[]){ { 1, -1, SEM_UNDO }, { 0, -100, SEM_UNDO | NOWAIT } }, 2), EAGAIN);
	FAILS("SEM_UNDO on no array", op(99, 0, 1, SEM_UNDO), EINVAL);
	FAILS("SEM_UNDO and EFBIG", op(id, 3, 1, SEM_UNDO), EFBIG);
}

static int holds(void *argument)
{
	(void)argument;
	undo(1, -4);
	undo(0, -10);
	return op(id, 2, -100, 0);
}

static void reset(void)
{
	unsigned short all[3] = { 10, 10, 10 };
	NEED(set_all(id, all));
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1) {
		id = semget(KEY, 3, 0);
		values("exec keeps the adjustments", "10 14 10");
		return 0;
	}
	id = (int)NEED(semget(KEY, 3, IPC_CREAT | 0666));
	reset();
	in_child(exits, &id);
	values("exit undoes", "10 10 11");
	TRUE("as the process that ended", semctl(id, 0, GETPID) != getpid() && semctl(id, 0, GETPID) == semctl(id, 1, GETPID));
	reset();
	in_child(killed, NULL);
	values("so does SIGKILL", "10 10 10");
	in_child(forks, NULL);
	values("each undoes its own", "10 10 11");
	reset();
	in_child(execs, NULL);
	values("after exec and exit", "10 10 10");
	in_child(threads, NULL);
	values("the last thread's end undoes", "10 10 10");
	in_child(sets, NULL);
	values("SETVAL voids the adjustments of one semaphore", "20 10 10");
	reset();
	int pipes[4];
	NEED(pipe(pipes));
	NEED(pipe(pipes + 2));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		parent_sets(pipes);
		_exit(0);
	}
	char c;
	NEED(read(pipes[0], &c, 1));
	values("its adjustments are pending", "11 11 10");
	reset();
	NEED(write(pipes[3], "x", 1));
	NEED(waitpid(pid, NULL, 0));
	values("SETALL voids those of all processes", "10 10 10");
	in_child(below, NULL);
	values("a value stops at 0", "0 10 10");
	reset();
	in_child(above, NULL);
	values("and at SEMVMX", "32767 0 10");
	reset();
	in_child(limits, NULL);
	values("after the limits", "32767 10 10");
	reset();
	in_child(unshares, NULL);
	values("and what came later at exit", "10 10 10");
	in_child(many, NULL);
	values("an array that is gone", "10 10 10");
	in_child(fails, NULL);
	values("failures", "10 10 10");
	reset();

	/* A sleeper is woken by an exit. */
	start_sleeper(0, holds, NULL);
	settle_one(0);
	sleep_on(1, id, 1, -9, 0);
	sleep_on(2, id, 0, -9, SEM_UNDO);
	settled("one holds");
	values("what it left", "0 6 10");
	NEED(kill(sleeper_pid[0], SIGKILL));
	settled("its death wakes the others");
	values("after them", "10 1 10");
	return done();
}
