/* futex_waitv(2): sleeping on several futexes at once. */
#include "shm.h"
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define RW (PROT_READ | PROT_WRITE)

struct waiter {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static volatile uint32_t *words;
static volatile int *asleep;

static long waitv(struct waiter *list, unsigned n, unsigned flags, struct timespec *timeout, int clock)
{
	/* struct timespec is that of a 64-bit time on every target of these tests. */
	return syscall(SYS_futex_waitv, list, n, flags, timeout, clock);
}

static long wake(volatile uint32_t *word)
{
	return syscall(SYS_futex, word, FUTEX_WAKE, 9, NULL, NULL, 0);
}

static void fill(struct waiter *list, int n)
{
	memset(list, 0, (size_t)n * sizeof *list);
	for (int i = 0; i < n; i++) {
		list[i].uaddr = (uintptr_t)&words[i * 4];
		list[i].flags = 2;
	}
}

static int woken_by(int n, int which)
{
	int status;
	*asleep = 0;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct waiter list[128];
		fill(list, n);
		*asleep = 1;
		long r = waitv(list, (unsigned)n, 0, NULL, 0);
		_exit(r < 0 ? 255 : (int)r);
	}
	while (*asleep == 0)
		sched_yield();
	struct timespec moment = { 0, 30000000 };
	nanosleep(&moment, NULL);
	EQUALS("woken", wake(&words[which * 4]), 1);
	NEED(waitpid(pid, &status, 0));
	for (int i = 0; i < n; i++)
		if (wake(&words[i * 4]) != 0)
			EQUALS("left behind", i, -1);
	return WEXITSTATUS(status);
}

int main(void)
{
	struct waiter list[129];
	struct timespec past = { 0, 0 }, wrong = { 0, 1000000000 }, soon;

	words = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(words == MAP_FAILED ? -1 : 0);
	asleep = (volatile int *)(words + 1000);
	fill(list, 128);
	FAILS("a flag", waitv(list, 1, 1, NULL, 0), EINVAL);
	FAILS("no futex", waitv(list, 0, 0, NULL, 0), EINVAL);
	FAILS("129 futexes", waitv(list, 129, 0, NULL, 0), EINVAL);
	FAILS("no list", waitv(NULL, 1, 0, NULL, 0), EINVAL);
	FAILS("a bad list", waitv((void *)16, 1, 0, NULL, 0), EFAULT);
	FAILS("a bad clock", waitv(list, 1, 0, &past, 7), EINVAL);
	FAILS("a bad time", waitv(list, 1, 0, &wrong, CLOCK_MONOTONIC), EINVAL);
	FAILS("a time nowhere", waitv(list, 1, 0, (void *)16, CLOCK_MONOTONIC), EFAULT);
	FAILS("a time that is over", waitv(list, 3, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	NEED(clock_gettime(CLOCK_MONOTONIC, &soon));
	FAILS("a time that comes", waitv(list, 3, 0, &soon, CLOCK_MONOTONIC), ETIMEDOUT);
	FAILS("of the wall clock", waitv(list, 3, 0, &soon, CLOCK_REALTIME), ETIMEDOUT);
	list[1].val = 1;
	FAILS("the second word has another value", waitv(list, 3, 0, NULL, 0), EAGAIN);
	list[2].flags = 0;
	FAILS("a word of 8 bits comes first", waitv(list, 3, 0, NULL, 0), EINVAL);
	list[2].flags = 3 | 0x40;
	FAILS("an unknown flag", waitv(list, 3, 0, NULL, 0), EINVAL);
	fill(list, 3);
	list[2].reserved = 1;
	FAILS("reserved bits", waitv(list, 3, 0, NULL, 0), EINVAL);
	fill(list, 3);
	list[2].uaddr = 16;
	FAILS("a word nowhere", waitv(list, 3, 0, NULL, 0), EFAULT);
	list[2].uaddr = (uintptr_t)words + 2;
	FAILS("unaligned", waitv(list, 3, 0, NULL, 0), EINVAL);
	fill(list, 2);
	list[0].flags = list[1].flags = 2 | FUTEX_PRIVATE_FLAG;
	FAILS("private ones", waitv(list, 2, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	EQUALS("of one, the only", woken_by(1, 0), 0);
	EQUALS("of three, the second", woken_by(3, 1), 1);
	EQUALS("of 128, the last", woken_by(128, 127), 127);
	return done();
}
