/* Time: the clocks, sleeping, the processor time. */
#include "check.h"
#include <sched.h>
#include <sys/time.h>
#include <time.h>

static long long nanoseconds(clockid_t clock)
{
	struct timespec t;
	NEED(clock_gettime(clock, &t));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void)
{
	struct timespec t;

	int ordered = 1;
	long long last = nanoseconds(CLOCK_MONOTONIC);
	for (int i = 0; i < 1000; i++) {
		long long now = nanoseconds(CLOCK_MONOTONIC);
		ordered &= now >= last;
		last = now;
	}
	TRUE("CLOCK_MONOTONIC never goes back", ordered);
	TRUE("CLOCK_REALTIME is after 2001", nanoseconds(CLOCK_REALTIME) > 978307200000000000LL);
	WORKS("CLOCK_BOOTTIME", clock_gettime(CLOCK_BOOTTIME, &t));
	WORKS("CLOCK_MONOTONIC_RAW", clock_gettime(CLOCK_MONOTONIC_RAW, &t));
	WORKS("CLOCK_REALTIME_COARSE", clock_gettime(CLOCK_REALTIME_COARSE, &t));
	FAILS("clock 99", clock_gettime(99, &t), EINVAL);
	WORKS("clock_getres", clock_getres(CLOCK_MONOTONIC, &t));
	EQUALS("1 ns", t.tv_sec * 1000000000LL + t.tv_nsec, 1);
	struct timeval tv;
	WORKS("gettimeofday", gettimeofday(&tv, NULL));
	TRUE("agrees with time", tv.tv_sec - time(NULL) <= 1 && time(NULL) - tv.tv_sec <= 1);

	long long before = nanoseconds(CLOCK_MONOTONIC);
	struct timespec ten_ms = { 0, 10000000 }, rest = { 7, 7 };
	WORKS("nanosleep 10 ms", nanosleep(&ten_ms, &rest));
	TRUE("took at least as long", nanoseconds(CLOCK_MONOTONIC) - before >= 10000000);
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	FAILS("10^9 ns", nanosleep(&bad, NULL), EINVAL);
	FAILS("-1 s", nanosleep(&negative, NULL), EINVAL);
	NEED(clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_nsec += 5000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	EQUALS("TIMER_ABSTIME in 5 ms", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	TRUE("is past then", nanoseconds(CLOCK_MONOTONIC) >= t.tv_sec * 1000000000LL + t.tv_nsec);
	t.tv_sec = 0;
	EQUALS("TIMER_ABSTIME in the past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	TEXT("clock 99", errno_name(clock_nanosleep(99, 0, &ten_ms, NULL)), "EINVAL");

	long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	NEED(nanosleep(&ten_ms, NULL));
	long long slept = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	TRUE("sleeping takes no processor time", slept < 5000000);
	cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	for (volatile int i = 0; i < 1000000; i++)
		;
	TRUE("working does", nanoseconds(CLOCK_PROCESS_CPUTIME_ID) > cpu);

	/* Two sleepers wake in the order of their times, not of their starts. */
	before = nanoseconds(CLOCK_MONOTONIC);
	pid_t slow = (pid_t)NEED(fork());
	if (slow == 0) {
		struct timespec long_one = { 0, 120000000 };
		nanosleep(&long_one, NULL);
		_exit(1);
	}
	pid_t quick = (pid_t)NEED(fork());
	if (quick == 0) {
		struct timespec short_one = { 0, 20000000 };
		nanosleep(&short_one, NULL);
		_exit(2);
	}
	TRUE("the shorter sleep ends first", wait(NULL) == quick);
	TRUE("then the longer", wait(NULL) == slow);
	long long both = nanoseconds(CLOCK_MONOTONIC) - before;
	TRUE("side by side", both >= 120000000);
	EQUALS("sleep returns", sleep(0), 0);
	EQUALS("sched_yield", sched_yield(), 0);
	return done();
}
