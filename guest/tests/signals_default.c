/* kill(2) and the default actions of signals; ignored and blocked ones; no handlers. */
#include "check.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

static volatile int *shared;

/* How a child ends that is sent a signal; it would exit with 9. */
static void sent(const char *name, int signal)
{
	int status;
	shared[0] = shared[1] = 0;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		shared[0] = 1;
		while (shared[1] == 0)
			sched_yield();
		_exit(9);
	}
	while (shared[0] == 0)
		sched_yield();
	NEED(kill(pid, signal));
	shared[1] = 1;
	NEED(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		say("%s: killed by %d", name, WTERMSIG(status));
	else
		say("%s: exit %d", name, WEXITSTATUS(status));
}

static void body_trap(void) { __builtin_trap(); }
static void body_abort(void) { abort(); }
static void body_null(void) { *(volatile int *)8 = 1; }
static void body_code(void) { *(volatile char *)(void *)&body_null = 1; }
static void body_jump(void) { ((void (*)(void))16)(); }
static char data[64];
static void body_data(void) { ((void (*)(void))(void *)data)(); }
static void body_ignored(void) { signal(SIGTERM, SIG_IGN); raise(SIGTERM); raise(SIGTERM); _exit(12); }
static void body_default(void) { signal(SIGTERM, SIG_IGN); signal(SIGTERM, SIG_DFL); raise(SIGTERM); }
static void body_blocked(void)
{
	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	sigpending(&pending);
	_exit(sigismember(&pending, SIGTERM) ? 13 : 14);
}
static void body_unblocked(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(15);
}
static void body_unignorable(void)
{
	_exit(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL ? 16 : 17);
}

static void ends(const char *name, void (*body)(void))
{
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		body();
		_exit(9);
	}
	NEED(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		say("%s: killed by %d", name, WTERMSIG(status));
	else
		say("%s: exit %d", name, WEXITSTATUS(status));
}

static void as_user(void *argument)
{
	(void)argument;
	FAILS("another user's process", kill(getppid(), SIGTERM), EPERM);
	FAILS("even signal 0", kill(getppid(), 0), EPERM);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared == MAP_FAILED ? -1 : 0);

	sent("SIGHUP", SIGHUP);
	sent("SIGINT", SIGINT);
	sent("SIGQUIT", SIGQUIT);
	sent("SIGILL", SIGILL);
	sent("SIGTRAP", SIGTRAP);
	sent("SIGABRT", SIGABRT);
	sent("SIGBUS", SIGBUS);
	sent("SIGFPE", SIGFPE);
	sent("SIGKILL", SIGKILL);
	sent("SIGUSR1", SIGUSR1);
	sent("SIGSEGV", SIGSEGV);
	sent("SIGUSR2", SIGUSR2);
	sent("SIGPIPE", SIGPIPE);
	sent("SIGALRM", SIGALRM);
	sent("SIGTERM", SIGTERM);
	sent("SIGCHLD is ignored", SIGCHLD);
	sent("SIGCONT is ignored", SIGCONT);
	sent("SIGURG is ignored", SIGURG);
	sent("SIGWINCH is ignored", SIGWINCH);
	sent("a real-time signal", 40);
	sent("signal 0", 0);

	ends("an illegal instruction", body_trap);
	ends("abort", body_abort);
	ends("a write to page 0", body_null);
	ends("a write to code", body_code);
	ends("a jump to page 0", body_jump);
	ends("a jump to data", body_data);
	ends("an ignored SIGTERM", body_ignored);
	ends("SIG_DFL again", body_default);
	ends("a blocked SIGTERM is pending", body_blocked);
	ends("an unblocked one kills", body_unblocked);
	ends("SIGKILL cannot be ignored", body_unignorable);

	WORKS("kill(self, 0)", kill(getpid(), 0));
	FAILS("signal 65", kill(getpid(), 65), EINVAL);
	FAILS("signal -1", kill(getpid(), -1), EINVAL);
	FAILS("a process that is not there", kill(999999, SIGTERM), ESRCH);
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
