/* alarm, setitimer, getitimer, timer_create and their kin. */
#include "check.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile int count, value, code, overrun_right;
static timer_t timer;
static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	code = info->si_code;
	value = info->si_code == SI_TIMER ? info->si_value.sival_int : 0;
	overrun_right = info->si_overrun == timer_getoverrun(timer);
}

static void wait_for(int n)
{
	struct timespec t = { 0, 5000000 };
	for (int i = 0; i < 400 && count < n; i++)
		nanosleep(&t, NULL);
}

static void real(void)
{
	struct itimerval v = { { 0, 0 }, { 0, 30000 } }, old;

	WORKS("getitimer", getitimer(ITIMER_REAL, &old));
	EQUALS("off", old.it_value.tv_sec + old.it_value.tv_usec, 0);
	EQUALS("alarm before", alarm(100), 0);
	EQUALS("alarm again", alarm(50), 100);
	EQUALS("alarm off", alarm(0), 50);
	EQUALS("no alarm", alarm(0), 0);
	WORKS("setitimer", setitimer(ITIMER_REAL, &v, &old));
	EQUALS("pause", pause(), -1);
	EQUALS("SIGALRM", count, 1);
	EQUALS("si_code", code, SI_KERNEL);
	NEED(getitimer(ITIMER_REAL, &old));
	EQUALS("once", old.it_value.tv_sec + old.it_value.tv_usec, 0);
	v.it_interval.tv_usec = 20000;
	count = 0;
	NEED(setitimer(ITIMER_REAL, &v, NULL));
	wait_for(3);
	TRUE("periodic", count >= 3);
	NEED(getitimer(ITIMER_REAL, &old));
	EQUALS("its period", old.it_interval.tv_usec, 20000);
	TRUE("what is left", old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 20000);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		getitimer(ITIMER_REAL, &old);
		_exit(old.it_value.tv_usec == 0 ? 0 : 1);
	}
	int status;
	while (waitpid(pid, &status, 0) == -1)
		;
	EQUALS("not for a child", WEXITSTATUS(status), 0);
	v.it_value.tv_usec = 0;
	NEED(setitimer(ITIMER_REAL, &v, &old));
	EQUALS("the old period", old.it_interval.tv_usec, 20000);
	NEED(getitimer(ITIMER_REAL, &old));
	EQUALS("off", old.it_value.tv_usec + old.it_interval.tv_usec, 0);
	v.it_value.tv_usec = 1000000;
	FAILS("too many microseconds", setitimer(ITIMER_REAL, &v, NULL), EINVAL);
	v.it_value.tv_usec = -1;
	FAILS("negative ones", setitimer(ITIMER_REAL, &v, NULL), EINVAL);
	v.it_value.tv_usec = 0;
	FAILS("no such timer", setitimer(3, &v, NULL), EINVAL);
	FAILS("no such timer", getitimer(-1, &v), EINVAL);
}

static void cpu(int which, int sig, const char *name)
{
	struct itimerval v = { { 0, 0 }, { 0, 20000 } };
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	count = 0;
	NEED(sigaction(sig, &action, NULL));
	NEED(setitimer(which, &v, NULL));
	for (volatile long i = 0; i < 4000000000l / (sizeof(long) == 4 ? 2 : 1) && count == 0; i++)
		;
	EQUALS(name, count, 1);
	EQUALS("its code", code, SI_KERNEL);
}

static void posix(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = { .sival_int = 77 } };
	struct itimerspec v = { { 0, 0 }, { 0, 20000000 } }, old;
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigset_t usr1;

	count = 0;
	NEED(sigaction(SIGUSR1, &action, NULL));
	WORKS("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
	NEED(timer_gettime(timer, &old));
	EQUALS("off", old.it_value.tv_sec + old.it_value.tv_nsec, 0);
	WORKS("timer_settime", timer_settime(timer, 0, &v, NULL));
	wait_for(1);
	EQUALS("its signal", count, 1);
	EQUALS("si_code", code, SI_TIMER);
	EQUALS("its value", value, 77);
	NEED(timer_gettime(timer, &old));
	EQUALS("once", old.it_value.tv_sec + old.it_value.tv_nsec, 0);
	v.it_interval.tv_nsec = 1000000;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	NEED(timer_settime(timer, 0, &v, NULL));
	struct timespec t = { 0, 60000000 };
	nanosleep(&t, NULL);
	count = 0;
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	TRUE("blocked for long: one signal", count >= 1);
	TRUE("and its overrun", overrun_right);
	v.it_value.tv_nsec = 0;
	NEED(timer_settime(timer, 0, &v, &old));
	EQUALS("its period was", old.it_interval.tv_nsec, 1000000);
	count = 0;
	clock_gettime(CLOCK_REALTIME, &v.it_value);
	v.it_interval.tv_nsec = 0;
	timer_t second;
	event.sigev_value.sival_int = 78;
	NEED(timer_create(CLOCK_REALTIME, &event, &second));
	NEED(timer_settime(second, TIMER_ABSTIME, &v, NULL));
	wait_for(1);
	EQUALS("a point of time that has passed", value, 78);
	WORKS("timer_delete", timer_delete(second));
	event.sigev_notify = SIGEV_NONE;
	NEED(timer_create(CLOCK_REALTIME, &event, &second));
	v.it_value = (struct timespec){ 100, 0 };
	NEED(timer_settime(second, 0, &v, NULL));
	NEED(timer_gettime(second, &old));
	EQUALS("SIGEV_NONE counts", old.it_value.tv_sec, 99);
	WORKS("timer_delete", timer_delete(second));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	FAILS("no such signal", timer_create(CLOCK_REALTIME, &event, &second), EINVAL);
	event.sigev_signo = SIGUSR1;
	FAILS("no such clock", timer_create(99, &event, &second), EINVAL);
	v.it_value.tv_nsec = 1000000000;
	FAILS("too many nanoseconds", timer_settime(timer, 0, &v, NULL), EINVAL);
	WORKS("timer_delete", timer_delete(timer));
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	NEED(sigaction(SIGALRM, &action, NULL));
	real();
	cpu(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
	cpu(ITIMER_PROF, SIGPROF, "ITIMER_PROF");
	posix();
	return done();
}
