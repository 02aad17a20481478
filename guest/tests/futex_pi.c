/* FUTEX_LOCK_PI and its kin: the kernel hands a lock from owner to sleeper, and does so when the owner dies. */
#include "shm.h"
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define RW (PROT_READ | PROT_WRITE)

static volatile unsigned *word, *other;
static volatile int *order, *state;

static long futex(volatile void *at, int operation, const struct timespec *timeout)
{
	return syscall(SYS_futex, at, operation, 0, timeout, NULL, 0);
}

static unsigned tid(void)
{
	return (unsigned)syscall(SYS_gettid);
}

static void moment(void)
{
	struct timespec t = { 0, 30000000 };
	nanosleep(&t, NULL);
}

static int status_of(pid_t pid)
{
	int status;
	NEED(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void alone(void)
{
	struct timespec past = { 0, 0 }, wrong = { 0, -1 };
	*word = 0;
	WORKS("lock a free one", futex(word, FUTEX_LOCK_PI, NULL));
	EQUALS("it holds the owner", *word == tid(), 1);
	FAILS("lock it again", futex(word, FUTEX_LOCK_PI, NULL), EDEADLK);
	FAILS("try it again", futex(word, FUTEX_TRYLOCK_PI, NULL), EDEADLK);
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	EQUALS("it is free", *word, 0);
	FAILS("unlock a free one", futex(word, FUTEX_UNLOCK_PI, NULL), EPERM);
	WORKS("try a free one", futex(word, FUTEX_TRYLOCK_PI, NULL));
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	*word = FUTEX_OWNER_DIED;
	WORKS("lock one whose owner died", futex(word, FUTEX_LOCK_PI, NULL));
	EQUALS("the mark stays", *word == (tid() | FUTEX_OWNER_DIED), 1);
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	EQUALS("and goes", *word, 0);
	*word = FUTEX_WAITERS;
	WORKS("lock a free one with the mark of waiters", futex(word, FUTEX_LOCK_PI, NULL));
	EQUALS("it holds the owner alone", *word == tid(), 1);
	*word = 0x3ffffff0;
	FAILS("lock one of nobody's", futex(word, FUTEX_LOCK_PI, NULL), ESRCH);
	EQUALS("it was marked", *word, 0x3ffffff0 | FUTEX_WAITERS);
	FAILS("unlock one of somebody else's", futex(word, FUTEX_UNLOCK_PI, NULL), EPERM);
	*word = 0;
	FAILS("a bad time", futex(word, FUTEX_LOCK_PI, &wrong), EINVAL);
	WORKS("a time that is over, of a free one", futex(word, FUTEX_LOCK_PI, &past));
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	WORKS("FUTEX_LOCK_PI2", futex(word, FUTEX_LOCK_PI2, NULL));
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	FAILS("FUTEX_LOCK_PI with a clock", futex(word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, NULL), ENOSYS);
	FAILS("unaligned", futex((char *)word + 2, FUTEX_LOCK_PI, NULL), EINVAL);
	FAILS("nowhere", futex((void *)16, FUTEX_LOCK_PI, NULL), EFAULT);
	FAILS("unlock nowhere", futex((void *)16, FUTEX_UNLOCK_PI, NULL), EFAULT);
	volatile unsigned *ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FAILS("a read-only word", futex(ro, FUTEX_LOCK_PI, NULL), EFAULT);
	NEED(munmap((void *)ro, PAGE));
	*other = 0;
	WORKS("a private one", futex(other, FUTEX_LOCK_PI_PRIVATE, NULL));
	WORKS("unlock", futex(other, FUTEX_UNLOCK_PI_PRIVATE, NULL));
}

/* A child that locks, notes when it had the lock, and unlocks; or dies with it. */
static pid_t locker(int number, int dies)
{
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		state[number] = 1;
		long r = futex(word, FUTEX_LOCK_PI, NULL);
		if (r == -1)
			_exit(50);
		int died = (*word & FUTEX_OWNER_DIED) != 0, mine = (*word & FUTEX_TID_MASK) == tid();
		order[++order[0]] = number;
		if (dies == 1)
			_exit(60 + died);
		if (dies == 2)
			raise(SIGKILL);
		*word &= ~FUTEX_OWNER_DIED;
		r = futex(word, FUTEX_UNLOCK_PI, NULL);
		_exit(r == 0 && mine ? 10 + died : 51);
	}
	while (state[number] == 0)
		sched_yield();
	moment();
	return pid;
}

static void fresh(void)
{
	memset((void *)order, 0, 64 * sizeof(int));
	memset((void *)state, 0, 64 * sizeof(int));
	*word = *other = 0;
}

static void handing_over(void)
{
	fresh();
	NEED(futex(word, FUTEX_LOCK_PI, NULL));
	pid_t a = locker(1, 0), b = locker(2, 0), c = locker(3, 0);
	EQUALS("marked as waited for", *word == (tid() | FUTEX_WAITERS), 1);
	EQUALS("nobody had it", order[0], 0);
	FAILS("a plain wake", syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	FAILS("a plain requeue", syscall(SYS_futex, word, FUTEX_REQUEUE, 0, 1, other, 0), EINVAL);
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	EQUALS("first: exit", status_of(a), 10);
	EQUALS("second: exit", status_of(b), 10);
	EQUALS("third: exit", status_of(c), 10);
	EQUALS("in the order of their coming", order[1] * 100 + order[2] * 10 + order[3], 123);
	EQUALS("free", *word, 0);
}

static void dying(void)
{
	/* The owner holds a lock that is in no robust list. Its sleepers get it all the same. */
	fresh();
	pid_t owner = (pid_t)NEED(fork());
	if (owner == 0) {
		NEED(futex(word, FUTEX_LOCK_PI, NULL));
		state[0] = 1;
		while (state[0] == 1)
			sched_yield();
		_exit(70);
	}
	while (state[0] == 0)
		sched_yield();
	pid_t a = locker(1, 1), b = locker(2, 2), c = locker(3, 0);
	state[0] = 2;
	EQUALS("the owner exits", status_of(owner), 70);
	EQUALS("the first one gets it, told of it, and exits", status_of(a), 61);
	EQUALS("the second one is killed with it", status_of(b), -9);
	EQUALS("the third one gets it, told of it", status_of(c), 11);
	EQUALS("in the order of their coming", order[1] * 100 + order[2] * 10 + order[3], 123);
	EQUALS("free", *word, 0);
}

static void giving_up(void)
{
	fresh();
	pid_t owner = (pid_t)NEED(fork());
	if (owner == 0) {
		NEED(futex(word, FUTEX_LOCK_PI, NULL));
		state[0] = 1;
		while (state[0] == 1)
			sched_yield();
		_exit(futex(word, FUTEX_UNLOCK_PI, NULL) == 0 ? 70 : 71);
	}
	while (state[0] == 0)
		sched_yield();
	struct timespec past = { 1, 0 }, soon;
	FAILS("a time that is over", futex(word, FUTEX_LOCK_PI, &past), ETIMEDOUT);
	NEED(clock_gettime(CLOCK_REALTIME, &soon));
	soon.tv_nsec += 20000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_nsec -= 1000000000, soon.tv_sec++;
	FAILS("a time of the wall clock", futex(word, FUTEX_LOCK_PI, &soon), ETIMEDOUT);
	NEED(clock_gettime(CLOCK_MONOTONIC, &soon));
	FAILS("FUTEX_LOCK_PI2: a time of the monotonic clock", futex(word, FUTEX_LOCK_PI2, &soon), ETIMEDOUT);
	FAILS("try", futex(word, FUTEX_TRYLOCK_PI, NULL), EAGAIN);
	EQUALS("the mark stays", (*word & FUTEX_WAITERS) != 0, 1);
	pid_t sleeper = locker(1, 0);
	NEED(kill(sleeper, SIGKILL));
	EQUALS("a sleeper is killed", status_of(sleeper), -9);
	state[0] = 2;
	EQUALS("unlocked with nobody waiting: exit", status_of(owner), 70);
	EQUALS("free", *word, 0);

	/* Two tasks that wait for each other. */
	fresh();
	NEED(futex(word, FUTEX_LOCK_PI, NULL));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(futex(other, FUTEX_LOCK_PI, NULL));
		state[0] = 1;
		long r = futex(word, FUTEX_LOCK_PI, NULL);
		NEED(futex(word, FUTEX_UNLOCK_PI, NULL));
		NEED(futex(other, FUTEX_UNLOCK_PI, NULL));
		_exit(r == 0 ? 80 : 81);
	}
	while (state[0] == 0)
		sched_yield();
	moment();
	FAILS("a lock whose owner waits for the caller", futex(other, FUTEX_LOCK_PI, NULL), EDEADLK);
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	EQUALS("the other one goes on: exit", status_of(pid), 80);

	/* A word that does not agree with the sleepers. */
	fresh();
	NEED(futex(word, FUTEX_LOCK_PI, NULL));
	sleeper = locker(1, 0);
	unsigned was = *word;
	*word = (unsigned)sleeper | FUTEX_WAITERS;
	FAILS("the word names somebody else", futex(word, FUTEX_LOCK_PI, NULL), EINVAL);
	*word = was;
	WORKS("unlock", futex(word, FUTEX_UNLOCK_PI, NULL));
	EQUALS("exit", status_of(sleeper), 10);
	*word = 0;
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		state[1] = 2;
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(0);
	}
	while (state[1] != 2)
		sched_yield();
	moment();
	*word = 0x3ffffff0;
	FAILS("lock a word with plain sleepers", futex(word, FUTEX_LOCK_PI, NULL), EINVAL);
	*word = tid();
	FAILS("unlock it", futex(word, FUTEX_UNLOCK_PI, NULL), EINVAL);
	EQUALS("the plain sleeper is woken", syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	EQUALS("exit", status_of(pid), 0);
}

int main(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	word = (void *)p;
	other = (void *)(p + 64);
	order = (void *)(p + 1024);
	state = (void *)(p + 2048);
	alone();
	handing_over();
	dying();
	giving_up();
	return done();
}
