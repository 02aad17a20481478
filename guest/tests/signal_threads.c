/* Signals to threads and to processes: masks of threads, who takes what, faults and ends of threads; vfork. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

static volatile int ready, stop, count;
static volatile pid_t taken_by;
static void note(int sig) { (void)sig; taken_by = (pid_t)syscall(SYS_gettid); count++; }
static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}
static sigset_t usr1(void)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	return s;
}

static pid_t other_tid;
static void *open_thread(void *unused)
{
	sigset_t s = usr1();
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
	other_tid = (pid_t)syscall(SYS_gettid);
	ready = 1;
	while (!stop)
		nap(5);
	return unused;
}

static void wait_for(int n)
{
	for (int i = 0; i < 200 && count < n; i++)
		nap(5);
}

static void who_takes_it(void)
{
	sigset_t s = usr1(), pending;
	pthread_t thread;

	signal(SIGUSR1, note);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	NEED(pthread_create(&thread, NULL, open_thread, NULL) ? -1 : 0);
	while (!ready)
		nap(5);
	NEED(kill(getpid(), SIGUSR1));
	wait_for(1);
	TRUE("a process's signal goes to a thread that does not block it", taken_by == other_tid);
	NEED(raise(SIGUSR1));
	nap(20);
	EQUALS("a thread's stays its own", count, 1);
	sigpending(&pending);
	EQUALS("pending there", sigismember(&pending, SIGUSR1), 1);
	NEED(syscall(SYS_tgkill, getpid(), other_tid, SIGUSR1));
	wait_for(2);
	EQUALS("tgkill to the other", count, 2);
	FAILS("tgkill in another process", syscall(SYS_tgkill, getppid(), other_tid, SIGUSR1), ESRCH);
	FAILS("tgkill of 0", syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	FAILS("tkill of -1", syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
	FAILS("tkill of signal 65", syscall(SYS_tkill, other_tid, 65), EINVAL);
	stop = 1;
	pthread_join(thread, NULL);
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
	TRUE("its own, at last", count == 3 && taken_by == getpid());
}

/* A signal that is pending for the process goes to whoever unblocks it. */
static void *unblocks(void *unused)
{
	sigset_t s = usr1();
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
	other_tid = (pid_t)syscall(SYS_gettid);
	return unused;
}
static void handed_on(void)
{
	sigset_t s = usr1();
	pthread_t thread;

	count = 0;
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	kill(getpid(), SIGUSR1);
	EQUALS("blocked by all", count, 0);
	NEED(pthread_create(&thread, NULL, unblocks, NULL) ? -1 : 0);
	pthread_join(thread, NULL);
	TRUE("taken by the thread that unblocks it", count == 1 && taken_by == other_tid);
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
}

static __thread sigjmp_buf out;
static volatile int caught;
static void fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	caught += info->si_addr == (void *)24;
	siglongjmp(out, 1);
}
static void *faults(void *unused)
{
	for (int i = 0; i < 10; i++)
		if (sigsetjmp(out, 1) == 0)
			*(volatile int *)24 = i;
	return unused;
}
static void own_faults(void)
{
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	pthread_t a, b;

	NEED(sigaction(SIGSEGV, &action, NULL));
	pthread_create(&a, NULL, faults, NULL);
	pthread_join(a, NULL);
	pthread_create(&b, NULL, faults, NULL);
	faults(NULL);
	pthread_join(b, NULL);
	EQUALS("each thread handles its own faults", caught, 30);
	signal(SIGSEGV, SIG_DFL);
}

static void *waits(void *set)
{
	int sig = 0;
	sigwait(set, &sig);
	return (void *)(long)sig;
}
static void waiters(void)
{
	sigset_t s = usr1();
	pthread_t thread;
	void *got;

	pthread_sigmask(SIG_BLOCK, &s, NULL);
	pthread_create(&thread, NULL, waits, &s);
	nap(30);
	kill(getpid(), SIGUSR1);
	pthread_join(thread, &got);
	EQUALS("sigwait in a thread", (long)got, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
}

static void *forever(void *unused) { for (;;) pause(); return unused; }
static void *spin(void *unused) { for (;;) count++; return unused; }
static void with_threads(const char *name, void (*act)(pid_t), const char *expected)
{
	int status;
	char text[64];
	pid_t pid = (pid_t)NEED(fork());

	if (pid == 0) {
		pthread_t t;
		pthread_create(&t, NULL, forever, NULL);
		pthread_create(&t, NULL, spin, NULL);
		for (;;)
			pause();
	}
	nap(30);
	act(pid);
	NEED(waitpid(pid, &status, WUNTRACED));
	if (WIFSTOPPED(status)) {
		nap(10);
		kill(pid, SIGCONT);
		NEED(waitpid(pid, &status, WCONTINUED));
		snprintf(text, sizeof text, "stopped, %s", WIFCONTINUED(status) ? "continued" : "another end");
		kill(pid, SIGKILL);
		NEED(waitpid(pid, &status, 0));
	} else {
		snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
	}
	check_text(name, text, expected);
}
static void act_term(pid_t pid) { kill(pid, SIGTERM); }
static void act_stop(pid_t pid) { kill(pid, SIGSTOP); }
static void act_kill_stopped(pid_t pid) { kill(pid, SIGSTOP); kill(pid, SIGKILL); }

static void vforked(void)
{
	struct timespec t = { 0, 100000000 };

	count = 0;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		nap(30);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	pid_t child = vfork();
	if (child == 0) {
		/* The parent waits whatever signals come. */
		syscall(SYS_nanosleep, &t, NULL);
		_exit(count);
	}
	int status;
	NEED(waitpid(child, &status, 0));
	EQUALS("a signal does not end vfork's wait", WEXITSTATUS(status), 0);
	wait_for(1);
	EQUALS("it is handled afterwards", count, 1);
	NEED(waitpid(pid, NULL, 0));
}

int main(void)
{
	who_takes_it();
	handed_on();
	own_faults();
	waiters();
	with_threads("a fatal signal ends every thread", act_term, "killed by 15");
	with_threads("SIGSTOP stops every thread", act_stop, "stopped, continued");
	with_threads("SIGKILL ends a stopped process", act_kill_stopped, "killed by 9");
	vforked();
	return done();
}
