/* SIGCHLD with its siginfo; stop and continue; process groups; children that are not waited for. */
#include "check.h"
#include <signal.h>
#include <time.h>

static volatile int codes[16], statuses[16], count, right_pid;
static volatile pid_t child;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	codes[count % 16] = info->si_code;
	statuses[count++ % 16] = info->si_status;
	right_pid = info->si_pid == child;
}

static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static void on_child(int flags)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };
	NEED(sigaction(SIGCHLD, &action, NULL));
	count = 0;
}

static const char *code_name(int code)
{
	static const char *const names[] = { "?", "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED" };
	return names[code >= 1 && code <= 6 ? code : 0];
}

static void told(const char *name, const char *code, int status)
{
	char text[100], expected[100];

	for (int i = 0; i < 100 && count == 0; i++)
		nap(10);
	snprintf(text, sizeof text, "%d %s %d %s", count, code_name(codes[0]), statuses[0], right_pid ? "of the child" : "of another");
	snprintf(expected, sizeof expected, "1 %s %d of the child", code, status);
	check_text(name, text, expected);
	count = 0;
}

static void start(void (*body)(void))
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &old);
	child = (pid_t)NEED(fork());
	if (child == 0) {
		signal(SIGCHLD, SIG_DFL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		body();
		_exit(9);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void body_exit(void) { _exit(42); }
static void body_wait(void) { for (;;) pause(); }
static void body_stop(void) { raise(SIGSTOP); _exit(5); }
static void body_tstp(void) { setpgid(0, 0); raise(SIGTSTP); _exit(6); }
static void body_orphan(void) { setsid(); raise(SIGTSTP); _exit(7); }
static void body_orphan_stop(void) { setsid(); raise(SIGSTOP); _exit(8); }

static int waited(int options)
{
	int status = -1;
	pid_t got;

	do
		got = waitpid(child, &status, options);
	while (got == -1 && errno == EINTR);
	return got == child ? status : got == 0 ? -2 : -3;
}

static void endings(void)
{
	on_child(0);
	start(body_exit);
	told("exit", "CLD_EXITED", 42);
	EQUALS("waited for", WEXITSTATUS(waited(0)), 42);
	start(body_wait);
	kill(child, SIGTERM);
	told("SIGTERM", "CLD_KILLED", SIGTERM);
	EQUALS("waited for", WTERMSIG(waited(0)), SIGTERM);
	start(body_wait);
	kill(child, SIGKILL);
	told("SIGKILL", "CLD_KILLED", SIGKILL);
	EQUALS("waited for", WTERMSIG(waited(0)), SIGKILL);
}

static void stopping(void)
{
	int status;
	siginfo_t info;

	on_child(0);
	start(body_wait);
	EQUALS("nothing to tell", waited(WNOHANG | WUNTRACED), -2);
	kill(child, SIGSTOP);
	told("SIGSTOP", "CLD_STOPPED", SIGSTOP);
	EQUALS("without WUNTRACED nothing", waited(WNOHANG), -2);
	status = waited(WUNTRACED);
	TRUE("stopped", WIFSTOPPED(status));
	EQUALS("by", WSTOPSIG(status), SIGSTOP);
	EQUALS("told once", waited(WNOHANG | WUNTRACED), -2);
	kill(child, SIGUSR1);
	EQUALS("a stopped process takes no signal", waited(WNOHANG), -2);
	kill(child, SIGCONT);
	for (int i = 0; i < 100 && count == 0; i++)
		nap(10);
	TRUE("then it is killed by it", WTERMSIG(waited(0)) == SIGUSR1);

	on_child(0);
	start(body_wait);
	kill(child, SIGSTOP);
	TRUE("stopped", WIFSTOPPED(waited(WUNTRACED)));
	count = 0;
	kill(child, SIGCONT);
	told("SIGCONT", "CLD_CONTINUED", SIGCONT);
	NEED(waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOWAIT));
	EQUALS("waitid WCONTINUED", info.si_code, CLD_CONTINUED);
	status = waited(WCONTINUED);
	TRUE("waitpid WCONTINUED", WIFCONTINUED(status));
	EQUALS("told once", waited(WNOHANG | WCONTINUED), -2);
	kill(child, SIGCONT);
	nap(20);
	EQUALS("SIGCONT to a running one tells nothing", count, 0);
	kill(child, SIGSTOP);
	TRUE("stopped again", WIFSTOPPED(waited(WUNTRACED)));
	kill(child, SIGKILL);
	EQUALS("SIGKILL ends a stopped one", WTERMSIG(waited(0)), SIGKILL);

	on_child(SA_NOCLDSTOP);
	start(body_stop);
	TRUE("raise(SIGSTOP)", WIFSTOPPED(waited(WUNTRACED)));
	nap(20);
	EQUALS("SA_NOCLDSTOP: no SIGCHLD for a stop", count, 0);
	kill(child, SIGCONT);
	told("but for the end", "CLD_EXITED", 5);
	waited(0);
}

static void groups(void)
{
	int status;

	on_child(0);
	start(body_tstp);
	status = waited(WUNTRACED);
	EQUALS("SIGTSTP stops", WIFSTOPPED(status) ? WSTOPSIG(status) : -1, SIGTSTP);
	kill(-child, SIGCONT);
	EQUALS("and goes on", WEXITSTATUS(waited(0)), 6);
	start(body_orphan);
	status = waited(WUNTRACED);
	EQUALS("in an orphaned group SIGTSTP does nothing", WIFEXITED(status) ? WEXITSTATUS(status) : -1, 7);
	start(body_orphan_stop);
	status = waited(WUNTRACED);
	EQUALS("SIGSTOP does", WIFSTOPPED(status) ? WSTOPSIG(status) : -1, SIGSTOP);
	kill(child, SIGCONT);
	EQUALS("and goes on", WEXITSTATUS(waited(0)), 8);
	FAILS("no such group", kill(-999999, SIGTERM), ESRCH);
}

static void pending_pairs(void)
{
	sigset_t both, pending;

	sigemptyset(&both);
	sigaddset(&both, SIGCONT);
	sigaddset(&both, SIGTSTP);
	sigprocmask(SIG_BLOCK, &both, NULL);
	raise(SIGTSTP);
	sigpending(&pending);
	EQUALS("SIGTSTP pending", sigismember(&pending, SIGTSTP), 1);
	raise(SIGCONT);
	sigpending(&pending);
	EQUALS("SIGCONT takes it away", sigismember(&pending, SIGTSTP), 0);
	EQUALS("and is pending itself", sigismember(&pending, SIGCONT), 1);
	raise(SIGTSTP);
	sigpending(&pending);
	EQUALS("SIGTSTP takes SIGCONT away", sigismember(&pending, SIGCONT), 0);
	signal(SIGTSTP, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &both, NULL);
}

static void unwanted(void)
{
	signal(SIGCHLD, SIG_IGN);
	start(body_exit);
	FAILS("SIG_IGN: nobody to wait for", waitpid(child, NULL, 0), ECHILD);
	on_child(SA_NOCLDWAIT);
	start(body_exit);
	FAILS("SA_NOCLDWAIT: the same", waitpid(child, NULL, 0), ECHILD);
	EQUALS("but SIGCHLD comes", count, 1);
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	endings();
	stopping();
	groups();
	pending_pairs();
	unwanted();
	return done();
}
