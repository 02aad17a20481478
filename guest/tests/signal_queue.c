/* Queued signals: order, values, RLIMIT_SIGPENDING; sigwaitinfo and sigtimedwait; fork and exec. */
#include "check.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

static volatile int values[16], sigs[16], count;
static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sigs[count % 16] = sig;
	values[count++ % 16] = info->si_value.sival_int;
}
static void nothing(int sig) { (void)sig; }

static sigset_t set_of(int a, int b)
{
	sigset_t s;
	sigemptyset(&s);
	if (a)
		sigaddset(&s, a);
	if (b)
		sigaddset(&s, b);
	return s;
}

static void queue(int sig, int value)
{
	NEED(sigqueue(getpid(), sig, (union sigval){ .sival_int = value }));
}

static void order(void)
{
	sigset_t all, none = set_of(0, 0);
	static const int sent[] = { 40, 38, 40, SIGUSR1, 38, SIGUSR1 };

	sigfillset(&all);
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO, .sa_mask = all };
	sigaction(40, &action, NULL);
	sigaction(38, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 6; i++)
		queue(sent[i], 100 + i);
	sigprocmask(SIG_SETMASK, &none, NULL);
	EQUALS("real-time signals queue, others merge", count, 5);
	for (int i = 0; i < count; i++)
		say("number %d: %d with %d", i, sigs[i], values[i]);
}

static void waits(void)
{
	siginfo_t info;
	struct timespec soon = { 0, 20000000 }, none = { 0, 0 }, bad = { 0, -1 };
	sigset_t two = set_of(SIGUSR2, 41), empty = set_of(0, 0), old;

	sigprocmask(SIG_SETMASK, &two, &old);
	FAILS("nothing pending", sigtimedwait(&two, &info, &none), EAGAIN);
	FAILS("nor soon", sigtimedwait(&two, &info, &soon), EAGAIN);
	FAILS("a bad time", sigtimedwait(&two, &info, &bad), EINVAL);
	queue(41, 7);
	queue(41, 8);
	EQUALS("sigwaitinfo", sigwaitinfo(&two, &info), 41);
	EQUALS("its code", info.si_code, SI_QUEUE);
	EQUALS("its value", info.si_value.sival_int, 7);
	TRUE("its sender", info.si_pid == getpid());
	kill(getpid(), SIGUSR2);
	EQUALS("the lower one first", sigwaitinfo(&two, &info), SIGUSR2);
	EQUALS("of kill", info.si_code, SI_USER);
	EQUALS("without siginfo", sigtimedwait(&two, NULL, &none), 41);
	raise(41);
	kill(getpid(), SIGUSR2);
	EQUALS("the thread's own before the process's", sigwaitinfo(&two, &info), 41);
	EQUALS("of tkill", info.si_code, SI_TKILL);
	EQUALS("then the process's", sigwaitinfo(&two, &info), SIGUSR2);

	pid_t parent = getpid(), pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct timespec t = { 0, 50000000 };
		nanosleep(&t, NULL);
		sigqueue(parent, 41, (union sigval){ .sival_int = 9 });
		_exit(0);
	}
	EQUALS("woken by it", sigwaitinfo(&two, &info), 41);
	EQUALS("its value", info.si_value.sival_int, 9);
	TRUE("its sender", info.si_pid == pid);
	NEED(waitpid(pid, NULL, 0));
	signal(SIGUSR1, nothing);
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct timespec t = { 0, 50000000 };
		nanosleep(&t, NULL);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	/* The call itself: libc repeats it. */
	FAILS("another signal ends the wait", syscall(SYS_rt_sigtimedwait, &two, &info, NULL, 8), EINTR);
	NEED(waitpid(pid, NULL, 0));
	sigprocmask(SIG_SETMASK, &empty, NULL);
	signal(SIGUSR2, SIG_DFL);
	for (int blocked = 0; blocked < 2; blocked++) {
		pid = (pid_t)NEED(fork());
		if (pid == 0) {
			sigset_t usr2 = set_of(SIGUSR2, 0);
			if (blocked)
				sigprocmask(SIG_BLOCK, &usr2, NULL);
			_exit(sigwaitinfo(&usr2, NULL) == SIGUSR2 ? 5 : 6);
		}
		struct timespec t = { 0, 50000000 };
		nanosleep(&t, NULL);
		kill(pid, SIGUSR2);
		int status;
		NEED(waitpid(pid, &status, 0));
		if (blocked)
			EQUALS("a wait takes a blocked signal that would kill", WEXITSTATUS(status), 5);
		else
			EQUALS("one that is not blocked kills", WTERMSIG(status), SIGUSR2);
	}
}

static void limits(void *argument)
{
	sigset_t rt = set_of(45, 46);
	struct rlimit limit = { 3, 3 };
	siginfo_t info;
	(void)argument;

	NEED(setuid(4321));
	sigprocmask(SIG_SETMASK, &rt, NULL);
	NEED(setrlimit(RLIMIT_SIGPENDING, &limit));
	WORKS("the first", sigqueue(getpid(), 45, (union sigval){ .sival_int = 1 }));
	WORKS("the second", sigqueue(getpid(), 45, (union sigval){ .sival_int = 2 }));
	WORKS("the third", sigqueue(getpid(), 45, (union sigval){ .sival_int = 3 }));
	FAILS("the fourth is too many", sigqueue(getpid(), 45, (union sigval){ .sival_int = 4 }), EAGAIN);
	FAILS("of any number", sigqueue(getpid(), 46, (union sigval){ .sival_int = 5 }), EAGAIN);
	WORKS("kill needs no room", kill(getpid(), 46));
	FAILS("raise does", raise(46), EAGAIN);
	EQUALS("kept", sigwaitinfo(&rt, &info), 45);
	EQUALS("with its value", info.si_value.sival_int, 1);
	WORKS("room again", sigqueue(getpid(), 45, (union sigval){ .sival_int = 6 }));
	for (int i = 0; i < 3; i++) {
		EQUALS("in order", sigwaitinfo(&rt, &info), 45);
		EQUALS("value", info.si_value.sival_int, i == 2 ? 6 : i + 2);
	}
	EQUALS("kill's is there", sigwaitinfo(&rt, &info), 46);
	EQUALS("without its sender", info.si_pid, 0);
	FAILS("nothing left", sigtimedwait(&rt, &info, &(struct timespec){ 0, 0 }), EAGAIN);
}

static void forged(void)
{
	siginfo_t info = { 0 };
	sigset_t usr2 = set_of(SIGUSR2, 0);

	sigprocmask(SIG_BLOCK, &usr2, NULL);
	info.si_code = SI_USER;
	info.si_pid = 12345;
	FAILS("a forged kill", syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info), EPERM);
	info.si_code = SI_TKILL;
	FAILS("a forged tkill", syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info), EPERM);
	info.si_code = SI_QUEUE;
	WORKS("a forged sender", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &info));
	EQUALS("arrives", sigwaitinfo(&usr2, &info), SIGUSR2);
	EQUALS("as it was forged", info.si_pid, 12345);
	info.si_code = 1;
	WORKS("to oneself anything", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &info));
	EQUALS("arrives", sigwaitinfo(&usr2, &info), SIGUSR2);
	EQUALS("with its code", info.si_code, 1);
	info.si_code = -77;
	WORKS("to a thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR2, &info));
	EQUALS("arrives", sigwaitinfo(&usr2, &info), SIGUSR2);
	EQUALS("with its code", info.si_code, -77);
	FAILS("no such process", syscall(SYS_rt_sigqueueinfo, 999999, SIGUSR2, &info), ESRCH);
	FAILS("no such signal", syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
	FAILS("no such thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), 999999, SIGUSR2, &info), ESRCH);
	FAILS("thread 0", syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR2, &info), EINVAL);
	FAILS("no siginfo", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, NULL), EFAULT);
}

static void inherited(const char *self)
{
	sigset_t two = set_of(SIGUSR2, 42), pending;

	sigprocmask(SIG_BLOCK, &two, NULL);
	raise(SIGUSR2);
	queue(42, 5);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		sigpending(&pending);
		if (sigismember(&pending, SIGUSR2) || sigismember(&pending, 42))
			_exit(1);
		signal(SIGUSR1, nothing);
		signal(SIGTERM, SIG_IGN);
		raise(SIGUSR2);
		queue(42, 6);
		execl(self, self, "again", NULL);
		_exit(2);
	}
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("fork clears what is pending, exec keeps it", WEXITSTATUS(status), 0);
	sigpending(&pending);
	EQUALS("the parent's stay", sigismember(&pending, SIGUSR2) + sigismember(&pending, 42), 2);
}

static int again(void)
{
	sigset_t now, pending;
	struct sigaction action;
	siginfo_t info;

	sigprocmask(SIG_SETMASK, NULL, &now);
	TRUE("exec keeps the mask", sigismember(&now, SIGUSR2) && sigismember(&now, 42) && !sigismember(&now, SIGUSR1));
	sigpending(&pending);
	TRUE("and what is pending", sigismember(&pending, SIGUSR2) && sigismember(&pending, 42));
	EQUALS("with its value", sigwaitinfo(&(sigset_t[]){ set_of(42, 0) }[0], &info) == 42 ? info.si_value.sival_int : -1, 6);
	sigaction(SIGUSR1, NULL, &action);
	TRUE("handlers are gone", action.sa_handler == SIG_DFL);
	sigaction(SIGTERM, NULL, &action);
	TRUE("ignored ones are ignored", action.sa_handler == SIG_IGN);
	return check_failures != 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return again();
	order();
	waits();
	in_child(limits, NULL);
	forged();
	inherited(argv[0]);
	return done();
}
