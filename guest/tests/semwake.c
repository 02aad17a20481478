/* Who wakes up when: the order of sleepers in semop, stepped one event at a time; GETNCNT and GETZCNT; who operated last. */
#include "sem.h"

static int id;

static void counts(const char *name)
{
	char text[100];
	int length = 0;
	for (int i = 0; i < 3; i++)
		length += snprintf(text + length, sizeof text - (size_t)length, " %d/%d", semctl(id, i, GETNCNT), semctl(id, i, GETZCNT));
	say("%s: values %s, waiting%s", name, values_text(id, 3), text);
}

/* Which child operated last. */
static void last(const char *name, int num, const pid_t *pids, int n)
{
	int pid = semctl(id, num, GETPID);
	for (int i = 0; i < n; i++)
		if (pids[i] == pid) {
			say("%s: %d", name, i);
			return;
		}
	say("%s: %s", name, pid == getpid() ? "the parent" : "another");
}

static pid_t pids[SLEEPERS];
static void sleeper(int i, int num, int value)
{
	sleep_on(i, id, num, value, 0);
	pids[i] = sleeper_pid[i];
}
static void sleeper_two(int i, int num, int value, int num2, int value2)
{
	sleep_on_two(i, id, num, value, num2, value2);
	pids[i] = sleeper_pid[i];
}

int main(void)
{
	id = new_array(3, 0600);

	/* First come, first served, and a small need overtakes a great one. */
	sleeper(0, 0, -3);
	sleeper(1, 0, -1);
	sleeper(2, 0, -1);
	sleeper(3, 0, -2);
	counts("four wait");
	NEED(op(id, 0, 1, 0));
	settled("one");
	NEED(op(id, 0, 2, 0));
	settled("two more");
	NEED(op(id, 0, 2, 0));
	settled("two more");
	NEED(op(id, 0, 2, 0));
	settled("the rest");
	counts("after");
	NEED(set_value(id, 0, 0));

	/* In one step, and who was last. */
	for (int i = 0; i < 6; i++)
		sleeper(i, 1, -1);
	NEED(op(id, 1, 4, 0));
	settled("four of six at once");
	last("the last of them", 1, pids, 6);
	NEED(op(id, 1, 4, 0));
	settled("the others");
	NEED(set_value(id, 1, 0));

	/* Waiting for zero comes before altering. */
	NEED(set_value(id, 2, 2));
	sleeper(0, 2, -3);
	sleeper(1, 2, 0);
	sleeper(2, 2, 0);
	counts("two for zero, one for three");
	NEED(op(id, 2, -1, 0));
	settled("not yet zero");
	NEED(op(id, 2, -1, 0));
	settled("zero");
	sleeper(3, 2, -1);
	NEED(op(id, 2, 3, 0));
	settled("three");
	counts("after");
	NEED(op(id, 2, 1, 0));
	settled("one");

	/* An operation that brings a value to zero lets those through who wait for it, in the same step. */
	NEED(set_value(id, 0, 1));
	sleeper(0, 0, 0);
	sleeper(1, 0, -2);
	NEED(op(id, 0, 1, 0));
	settled("a decrease to zero, then the zero");
	last("who was last", 0, pids, 2);

	/* Complex operations merge the queues. */
	sleeper(0, 0, -1);
	sleeper_two(1, 0, -1, 1, -1);
	sleeper(2, 0, -1);
	sleeper(3, 1, -1);
	counts("one complex among three");
	NEED(op(id, 0, 1, 0));
	settled("the oldest");
	NEED(op(id, 0, 1, 0));
	settled("the complex one lacks the other semaphore");
	NEED(op(id, 1, 1, 0));
	settled("which another takes");
	counts("it sleeps because of the first");
	NEED(semop(id, (struct sembuf[]){ { 0, 1, 0 }, { 1, 1, 0 } }, 2));
	settled("both");
	counts("after");

	/* A complex operation makes another possible, and an older one. */
	sleeper_two(0, 1, -1, 2, 0);
	sleeper_two(1, 0, -1, 1, 1);
	sleeper_two(2, 0, -1, 1, 2);
	counts("three complex");
	NEED(op(id, 0, 1, 0));
	settled("one gives what an older one lacks");
	counts("after");
	NEED(op(id, 0, 1, 0));
	settled("the other");
	counts("after");
	NEED(op(id, 1, -2, 0));

	/* Complex waits for zero. */
	unsigned short ones[3] = { 1, 1, 1 };
	NEED(set_all(id, ones));
	sleeper_two(0, 0, 0, 1, 0);
	sleeper_two(1, 0, 0, 2, 1);
	sleeper(2, 0, 0);
	sleeper(3, 2, -3);
	counts("waits for zero, simple and complex");
	NEED(op(id, 0, -1, 0));
	settled("the first is zero");
	counts("after");
	NEED(op(id, 1, -1, 0));
	settled("the second is zero");
	NEED(op(id, 2, 1, 0));
	settled("three");

	/* SETVAL and SETALL wake too; what is woken sets otime, what is set does not. */
	NEED(set_value(id, 0, 0));
	sleeper(0, 0, -5);
	sleeper(1, 1, -5);
	NEED(set_value(id, 0, 5));
	settled("SETVAL");
	unsigned short fives[3] = { 5, 5, 5 };
	NEED(set_all(id, fives));
	settled("SETALL");
	counts("after");

	/* An operation that has become impossible ends with its error. */
	NEED(set_value(id, 0, 0));
	NEED(set_value(id, 1, 32767));
	sleeper_two(0, 0, -1, 1, 1);
	NEED(op(id, 0, 1, 0));
	settled("out of range once it can be tried");
	counts("after");
	NEED(set_value(id, 0, 0));
	struct sleepy_op late = { id, 2, { { 0, -1, 0 }, { 2, -30000, NOWAIT } } };
	start_sleeper(0, sleepy_semop, &late);
	settled("it sleeps for its first part");
	NEED(op(id, 0, 1, 0));
	settled("IPC_NOWAIT of its second part");
	counts("after");

	/* The same semaphore twice. */
	NEED(set_value(id, 0, 0));
	sleeper_two(0, 0, -1, 0, -1);
	sleeper(1, 0, -1);
	NEED(op(id, 0, 1, 0));
	settled("one of two is not enough");
	NEED(op(id, 0, 2, 0));
	settled("two");
	counts("after");
	no_sleepers();
	return done();
}
