/*
 * Robust lists, by hand: what the kernel does with the locks of a thread that dies: those of its list, the one that it was
 * about to take or leave, and lists that lie.
 */
#include "shm.h"
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif
#define RW (PROT_READ | PROT_WRITE)

/* A lock as libc has it: a node in the list, and the word at a fixed distance. */
struct lock {
	struct robust_list node;
	volatile unsigned word;
};

static struct shared {
	volatile int ready;
	struct robust_list_head head;
	struct lock lock[3000];
} *shared;

static long futex(volatile void *word, int operation, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void start_list(void)
{
	shared->head.list.next = &shared->head.list;
	shared->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	shared->head.list_op_pending = NULL;
	NEED(syscall(SYS_set_robust_list, &shared->head, sizeof shared->head));
}

static void add(struct lock *lock, unsigned word)
{
	lock->word = word;
	lock->node.next = shared->head.list.next;
	shared->head.list.next = &lock->node;
}

/* Forks a child that prepares its list and dies; the way of its death is the argument. */
static void die(void (*prepare)(void), int how)
{
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		start_list();
		prepare();
		shared->ready = 1;
		if (how == 0)
			_exit(0);
		if (how == 1)
			raise(SIGKILL);
		if (how == 2)
			*(volatile int *)8 = 1;
		execl("/proc/self/exe", "robust_list", "nothing", NULL);
		_exit(9);
	}
	NEED(waitpid(pid, NULL, 0));
}

static unsigned tid(void)
{
	return (unsigned)syscall(SYS_gettid);
}

static void three(void)
{
	add(&shared->lock[0], tid());
	add(&shared->lock[1], tid() | FUTEX_WAITERS);
	add(&shared->lock[2], tid() + 1);
	shared->lock[3].word = tid();
}

static void held(void)
{
	static const char *const ways[] = { "exit", "SIGKILL", "SIGSEGV", "exec" };
	char name[64];
	for (int how = 0; how < 4; how++) {
		memset(shared, 0, sizeof *shared);
		die(three, how);
		snprintf(name, sizeof name, "%s: a lock", ways[how]);
		EQUALS(name, shared->lock[0].word, FUTEX_OWNER_DIED);
		snprintf(name, sizeof name, "%s: one with waiters", ways[how]);
		EQUALS(name, shared->lock[1].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
		snprintf(name, sizeof name, "%s: another's", ways[how]);
		TRUE(name, shared->lock[2].word != 0 && (shared->lock[2].word & FUTEX_OWNER_DIED) == 0);
		snprintf(name, sizeof name, "%s: one that is not in the list", ways[how]);
		TRUE(name, shared->lock[3].word != 0 && (shared->lock[3].word & FUTEX_OWNER_DIED) == 0);
	}
}

static void taking(void)
{
	shared->lock[0].word = tid();
	shared->head.list_op_pending = &shared->lock[0].node;
}

static void taking_in_list(void)
{
	add(&shared->lock[0], tid());
	add(&shared->lock[1], tid());
	shared->head.list_op_pending = &shared->lock[0].node;
}

static void leaving(void)
{
	shared->lock[0].word = 0;
	shared->head.list_op_pending = &shared->lock[0].node;
}

static void others_pending(void)
{
	shared->lock[0].word = 77 | FUTEX_WAITERS;
	shared->head.list_op_pending = &shared->lock[0].node;
}

static void bad_pending(void)
{
	add(&shared->lock[0], tid());
	shared->head.list_op_pending = (struct robust_list *)16;
}

/* One sleeper on the word; how many the death of another task wakes. */
static int sleeper_woken_by(void (*prepare)(void), unsigned word)
{
	static struct timespec a_while = { 0, 200000000 }, moment = { 0, 30000000 };
	int status;
	memset(shared, 0, sizeof *shared);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		shared->lock[0].word = word;
		shared->ready = 2;
		/* The word changes before the wait, or not: the sleeper sleeps on what it saw. */
		long r = futex(&shared->lock[0].word, FUTEX_WAIT, (int)word, &a_while);
		_exit(r == 0 ? 1 : errno == ETIMEDOUT ? 0 : 2);
	}
	while (shared->ready != 2)
		sched_yield();
	nanosleep(&moment, NULL);
	die(prepare, 0);
	NEED(waitpid(pid, &status, 0));
	return WEXITSTATUS(status);
}

static unsigned sleeping_on;

static void owner_with_waiters(void)
{
	add(&shared->lock[0], tid() | FUTEX_WAITERS);
}

static void owner_without(void)
{
	add(&shared->lock[0], tid());
}

static void owner_of_pi(void)
{
	add(&shared->lock[0], tid() | FUTEX_WAITERS);
	shared->head.list.next = (struct robust_list *)((char *)shared->head.list.next + 1);
}

static void pending(void)
{
	memset(shared, 0, sizeof *shared);
	die(taking, 1);
	EQUALS("the pending lock", shared->lock[0].word, FUTEX_OWNER_DIED);
	memset(shared, 0, sizeof *shared);
	die(taking_in_list, 1);
	EQUALS("pending and in the list", shared->lock[0].word, FUTEX_OWNER_DIED);
	EQUALS("the other one", shared->lock[1].word, FUTEX_OWNER_DIED);
	memset(shared, 0, sizeof *shared);
	die(leaving, 1);
	EQUALS("pending and free", shared->lock[0].word, 0);
	memset(shared, 0, sizeof *shared);
	die(others_pending, 1);
	EQUALS("pending and another's", shared->lock[0].word, 77 | FUTEX_WAITERS);
	memset(shared, 0, sizeof *shared);
	die(bad_pending, 1);
	EQUALS("a pending lock nowhere", shared->lock[0].word, FUTEX_OWNER_DIED);

	sleeping_on = 5 | FUTEX_WAITERS;
	EQUALS("a sleeper of a lock with waiters is woken", sleeper_woken_by(owner_with_waiters, sleeping_on), 1);
	EQUALS("without the mark it is not", sleeper_woken_by(owner_without, sleeping_on), 0);
	EQUALS("of a PI lock it is not", sleeper_woken_by(owner_of_pi, sleeping_on), 0);
	EQUALS("of a pending free lock it is", sleeper_woken_by(leaving, sleeping_on), 1);
	EQUALS("of another's pending lock it is not", sleeper_woken_by(others_pending, sleeping_on), 0);
}

static void circle(void)
{
	add(&shared->lock[0], tid());
	add(&shared->lock[1], tid());
	shared->lock[0].node.next = &shared->lock[1].node;
}

static void too_many(void)
{
	for (int i = 0; i < 3000; i++)
		add(&shared->lock[2999 - i], tid());
}

static void broken(void)
{
	add(&shared->lock[0], tid());
	shared->lock[0].node.next = (struct robust_list *)16;
	add(&shared->lock[1], tid());
	shared->head.list_op_pending = &shared->lock[2].node;
	shared->lock[2].word = tid();
}

static void bad_word(void)
{
	add(&shared->lock[0], tid());
	/* A lock whose word lies in no memory ends the walk. */
	struct robust_list *bad = (struct robust_list *)((char *)&shared->lock[1] + 2);
	bad->next = shared->head.list.next;
	shared->head.list.next = bad;
	add(&shared->lock[2], tid());
	shared->lock[2].node.next = bad;
}

static void bad_head(void)
{
	NEED(syscall(SYS_set_robust_list, (void *)16, sizeof shared->head));
}

static void kernel_head(void)
{
	NEED(syscall(SYS_set_robust_list, (void *)-4096L, sizeof shared->head));
}

static void read_only(void)
{
	add(&shared->lock[0], tid());
	NEED(mprotect(shared, sizeof *shared, PROT_READ));
	_exit(0);
}

static void lies(void)
{
	int marked = 0;
	memset(shared, 0, sizeof *shared);
	die(circle, 0);
	TRUE("a circle ends", shared->lock[0].word == FUTEX_OWNER_DIED && shared->lock[1].word == FUTEX_OWNER_DIED);
	memset(shared, 0, sizeof *shared);
	die(too_many, 0);
	for (int i = 0; i < 3000; i++)
		marked += shared->lock[i].word == FUTEX_OWNER_DIED;
	EQUALS("of 3000 locks are marked", marked, 2048);
	TRUE("the first ones", shared->lock[2047].word == FUTEX_OWNER_DIED && shared->lock[2048].word != FUTEX_OWNER_DIED);
	memset(shared, 0, sizeof *shared);
	die(broken, 0);
	EQUALS("a list that leads nowhere: before", shared->lock[1].word, FUTEX_OWNER_DIED);
	EQUALS("the last one", shared->lock[0].word, FUTEX_OWNER_DIED);
	TRUE("the pending one is left alone", shared->lock[2].word != FUTEX_OWNER_DIED);
	memset(shared, 0, sizeof *shared);
	die(bad_word, 0);
	EQUALS("before an unaligned lock", shared->lock[2].word, FUTEX_OWNER_DIED);
	TRUE("behind it nothing is done", shared->lock[0].word != FUTEX_OWNER_DIED);
	die(bad_head, 0);
	die(kernel_head, 0);
	TRUE("a head nowhere is no harm", 1);
	memset(shared, 0, sizeof *shared);
	die(read_only, 0);
	TRUE("a lock that cannot be written stays", shared->lock[0].word != FUTEX_OWNER_DIED);
}

static void get_of(void *argument)
{
	void *head;
	size_t length;
	FAILS("another user's list", syscall(SYS_get_robust_list, *(pid_t *)argument, &head, &length), EPERM);
	WORKS("one's own", syscall(SYS_get_robust_list, 0, &head, &length));
}

static void calls(void)
{
	struct robust_list_head head, *got = NULL;
	size_t length = 0;
	pid_t self = getpid();
	FAILS("a wrong size", syscall(SYS_set_robust_list, &head, sizeof head - 1), EINVAL);
	FAILS("size 0", syscall(SYS_set_robust_list, &head, 0), EINVAL);
	WORKS("set", syscall(SYS_set_robust_list, &head, sizeof head));
	WORKS("get", syscall(SYS_get_robust_list, 0, &got, &length));
	TRUE("what was set", got == &head && length == sizeof head);
	WORKS("get by pid", syscall(SYS_get_robust_list, self, &got, &length));
	FAILS("of nobody", syscall(SYS_get_robust_list, 0x3fffffff, &got, &length), ESRCH);
	FAILS("to a bad address", syscall(SYS_get_robust_list, 0, (void *)16, &length), EFAULT);
	FAILS("length to a bad address", syscall(SYS_get_robust_list, 0, &got, (void *)16), EFAULT);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		got = &head;
		NEED(syscall(SYS_get_robust_list, 0, &got, &length));
		_exit(got == NULL ? 0 : 1);
	}
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("a child has none: exit", WEXITSTATUS(status), 0);
	in_child_as(1000, 1000, get_of, &self);
	WORKS("unset", syscall(SYS_set_robust_list, NULL, sizeof head));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	shared = mmap(NULL, sizeof *shared, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared == MAP_FAILED ? -1 : 0);
	calls();
	held();
	pending();
	lies();
	return done();
}
