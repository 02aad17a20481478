/* futex(2): FUTEX_WAIT and FUTEX_WAKE between processes; a shared futex is keyed by the page, not the address. */
#include "shm.h"
#include <linux/futex.h>
#include <sched.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

static long futex(volatile void *word, int operation, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

int main(void)
{
	int status;
	int id = new_segment(PAGE, 0600);
	volatile int *here = (volatile int *)(void *)attach(id, NULL, 0);
	volatile int *there = (volatile int *)(void *)attach(id, NULL, 0);
	struct timespec soon = { 0, 2000000 }, past = { 0, 0 }, wrong = { 0, 1000000000 };
	static volatile int own;

	FAILS("the word has another value", futex(here, FUTEX_WAIT, 1, NULL), EAGAIN);
	FAILS("private: another value", futex(&own, FUTEX_WAIT_PRIVATE, 1, NULL), EAGAIN);
	FAILS("nobody wakes it", futex(here, FUTEX_WAIT, 0, &soon), ETIMEDOUT);
	FAILS("private: nobody wakes it", futex(&own, FUTEX_WAIT_PRIVATE, 0, &soon), ETIMEDOUT);
	FAILS("a timeout of 0", futex(here, FUTEX_WAIT, 0, &past), ETIMEDOUT);
	FAILS("a timeout of 10^9 nanoseconds", futex(here, FUTEX_WAIT, 0, &wrong), EINVAL);
	EQUALS("wake nobody", futex(here, FUTEX_WAKE, 1, NULL), 0);
	FAILS("unaligned", futex((volatile char *)here + 1, FUTEX_WAIT, 0, NULL), EINVAL);
	FAILS("unaligned wake", futex((volatile char *)here + 2, FUTEX_WAKE, 1, NULL), EINVAL);
	FAILS("a bad address", futex((void *)16, FUTEX_WAIT, 0, NULL), EFAULT);
	FAILS("an unknown operation", futex(here, 99, 0, NULL), ENOSYS);

	/* A child sleeps at one address of the word, the parent wakes it at another. */
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		long r;
		do
			r = futex(here, FUTEX_WAIT, 0, NULL);
		while (r == -1 && errno == EINTR);
		_exit(r == 0 ? 11 : 12);
	}
	while (futex(there, FUTEX_WAKE, 1, NULL) == 0)
		sched_yield();
	NEED(waitpid(pid, &status, 0));
	EQUALS("woken through another address: exit", WEXITSTATUS(status), 11);

	/* Three sleepers; two are woken, then the rest. */
	here[1] = here[2] = 0;
	for (int i = 0; i < 3; i++)
		if (NEED(fork()) == 0) {
			__atomic_fetch_add(&here[2], 1, __ATOMIC_SEQ_CST);
			while (futex(&here[1], FUTEX_WAIT, 0, NULL) == -1 && errno == EINTR)
				;
			__atomic_fetch_sub(&here[2], 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
	while (here[2] != 3)
		sched_yield();
	struct timespec while_they_fall_asleep = { 0, 50000000 };
	nanosleep(&while_they_fall_asleep, NULL);
	EQUALS("wake two of three", futex(&here[1], FUTEX_WAKE, 2, NULL), 2);
	NEED(wait(&status));
	NEED(wait(&status));
	EQUALS("one is left", here[2], 1);
	EQUALS("wake all", futex(&here[1], FUTEX_WAKE, 0x7fffffff, NULL), 1);
	NEED(wait(&status));
	EQUALS("none is left", here[2], 0);

	/* Private memory after fork: the same address, but another page once it is written. */
	own = 0;
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		here[3] = 1;
		own = 0;
		struct timespec a_while = { 0, 30000000 };
		long r = futex(&own, FUTEX_WAIT, 0, &a_while);
		_exit(r == -1 && errno == ETIMEDOUT ? 21 : 22);
	}
	while (here[3] == 0)
		sched_yield();
	int woken = 0;
	for (int i = 0; i < 20; i++) {
		woken += (int)futex(&own, FUTEX_WAKE, 1, NULL);
		sched_yield();
	}
	EQUALS("a wake does not reach the child's copy", woken, 0);
	NEED(waitpid(pid, &status, 0));
	EQUALS("which times out: exit", WEXITSTATUS(status), 21);

	/* A lock made of them, as libc's is: 0 free, 1 taken, 2 taken and waited for. */
	volatile int *lock = &here[8];
	here[9] = 0;
	for (int i = 0; i < 4; i++)
		if (NEED(fork()) == 0) {
			for (int n = 0; n < 500; n++) {
				int c = 0;
				if (!__atomic_compare_exchange_n(lock, &c, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
					while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
						futex(lock, FUTEX_WAIT, 2, NULL);
				int seen = here[9];
				if (n % 16 == 0)
					sched_yield();
				here[9] = seen + 1;
				if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
					futex(lock, FUTEX_WAKE, 1, NULL);
			}
			_exit(0);
		}
	while (wait(&status) > 0)
		;
	EQUALS("four processes, 500 rounds each under a lock", here[9], 2000);
	return done();
}
