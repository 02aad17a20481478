/* Handlers: what they are told, what they block, what they leave unchanged, and how they can leave. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

static volatile int count, last_code, last_pid, last_uid, deepest, depth, order[16];
static volatile int blocked_usr1, blocked_usr2, on_null;
static sigjmp_buf out;

static void note(int sig, siginfo_t *info, void *context)
{
	sigset_t now;

	order[count++ % 16] = sig;
	last_code = info->si_code;
	last_pid = info->si_pid;
	last_uid = (int)info->si_uid;
	on_null = context == NULL || info->si_signo != sig;
	sigprocmask(SIG_SETMASK, NULL, &now);
	blocked_usr1 = sigismember(&now, SIGUSR1);
	blocked_usr2 = sigismember(&now, SIGUSR2);
}

static void again(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (count++ < 3)
		raise(sig);
	depth--;
}

static void install(int sig, void (*handler)(int, siginfo_t *, void *), int flags, int also)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	if (also)
		sigaddset(&action.sa_mask, also);
	NEED(sigaction(sig, &action, NULL));
}

static void install_simple(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	NEED(sigaction(sig, &action, NULL));
}

static void told(void)
{
	install(SIGUSR1, note, 0, SIGUSR2);
	NEED(kill(getpid(), SIGUSR1));
	EQUALS("kill runs the handler before it returns", count, 1);
	EQUALS("si_code of kill", last_code, SI_USER);
	TRUE("si_pid is the sender", last_pid == getpid());
	EQUALS("si_uid is the sender's", last_uid, getuid());
	EQUALS("siginfo and context are there", on_null, 0);
	EQUALS("the signal itself is blocked meanwhile", blocked_usr1, 1);
	EQUALS("and what sa_mask says", blocked_usr2, 1);
	NEED(raise(SIGUSR1));
	EQUALS("si_code of raise", last_code, SI_TKILL);
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUALS("afterwards nothing is blocked", sigismember(&now, SIGUSR1) + sigismember(&now, SIGUSR2), 0);
	install(SIGUSR1, note, SA_NODEFER, 0);
	raise(SIGUSR1);
	EQUALS("SA_NODEFER does not block it", blocked_usr1, 0);
	install(SIGUSR1, note, SA_NODEFER, SIGUSR1);
	raise(SIGUSR1);
	EQUALS("unless sa_mask does", blocked_usr1, 1);
}

static void nesting(void)
{
	count = deepest = 0;
	install_simple(SIGUSR2, again, 0);
	raise(SIGUSR2);
	EQUALS("raised in its own handler: deferred", deepest, 1);
	EQUALS("and run afterwards, every time", count, 4);
	count = deepest = 0;
	install_simple(SIGUSR2, again, SA_NODEFER);
	raise(SIGUSR2);
	EQUALS("with SA_NODEFER: nested", deepest, 4);
}

static void oneshot(void)
{
	struct sigaction old;

	count = 0;
	install(SIGUSR1, note, SA_RESETHAND, 0);
	raise(SIGUSR1);
	NEED(sigaction(SIGUSR1, NULL, &old));
	TRUE("SA_RESETHAND: SIG_DFL after one", old.sa_handler == SIG_DFL);
	TRUE("the flags stay", (old.sa_flags & (int)SA_RESETHAND) != 0 && (old.sa_flags & SA_SIGINFO) != 0);
	EQUALS("it ran", count, 1);
	EQUALS("SA_RESETHAND blocks it meanwhile", blocked_usr1, 1);
}

static void several(void)
{
	static const int sent[] = { SIGUSR2, SIGTERM, SIGUSR1, SIGHUP, 40, 35 };
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	count = 0;
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < 6; i++) {
		struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
		NEED(sigaction(sent[i], &action, NULL));
		NEED(kill(getpid(), sent[i]));
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
	EQUALS("all of them ran", count, 6);
	/* Frames are pushed from the lowest number on, so the highest runs first. */
	for (int i = 0; i < 6; i++) {
		char name[32];
		static const int expected[] = { 40, 35, 15, 12, 10, 1 };
		snprintf(name, sizeof name, "in this order, %d", i + 1);
		EQUALS(name, order[i], expected[i]);
	}
	count = 0;
	sigfillset(&all);
	for (size_t i = 0; i < 6; i++) {
		struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO, .sa_mask = all };
		NEED(sigaction(sent[i], &action, NULL));
	}
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < 6; i++)
		NEED(kill(getpid(), sent[i]));
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; i < 6; i++) {
		char name[40];
		static const int expected[] = { 1, 10, 12, 15, 35, 40 };
		snprintf(name, sizeof name, "one at a time with full masks, %d", i + 1);
		EQUALS(name, order[i], expected[i]);
	}
}

/* Everything that a handler clobbers must come back. */
static volatile double sink;
static void clobber(int sig)
{
	double x = sig;
	for (int i = 0; i < 40; i++)
		x = x * 1.25 + i / 3.0;
	sink = x;
	errno = 77;
}

static void state(void)
{
	double a = 1.0 / 3, b = 2.0 / 7, c = 5.0 / 11, d = 7.0 / 13;
	long p = 0x1234567, q = -99, r = 1 << 20;

	install_simple(SIGUSR1, clobber, 0);
	for (int i = 0; i < 200; i++) {
		a += 0.5; b *= 1.001; c -= a; d += b * c;
		p ^= q + i; q += r; r ^= p << 1;
		if (i % 50 == 0)
			raise(SIGUSR1);
	}
	double a2 = 1.0 / 3, b2 = 2.0 / 7, c2 = 5.0 / 11, d2 = 7.0 / 13;
	long p2 = 0x1234567, q2 = -99, r2 = 1 << 20;
	for (int i = 0; i < 200; i++) {
		a2 += 0.5; b2 *= 1.001; c2 -= a2; d2 += b2 * c2;
		p2 ^= q2 + i; q2 += r2; r2 ^= p2 << 1;
	}
	TRUE("integer state comes back", p == p2 && q == q2 && r == r2);
	TRUE("floating-point state comes back", a == a2 && b == b2 && c == c2 && d == d2);
}

static void unmask(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)info;
	count++;
	sigaddset(&uc->uc_sigmask, SIGTERM);
	sigdelset(&uc->uc_sigmask, sig);
}

static void context_mask(void)
{
	sigset_t now;

	count = 0;
	install(SIGUSR1, unmask, 0, 0);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUALS("uc_sigmask is what is blocked after the return", sigismember(&now, SIGTERM), 1);
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, NULL);
}

static void leave(int sig)
{
	siglongjmp(out, sig);
}

static void leaving(void)
{
	sigset_t now;
	volatile int times = 0;

	install_simple(SIGUSR1, leave, 0);
	int got = sigsetjmp(out, 1);
	if (times++ < 3)
		raise(SIGUSR1);
	EQUALS("siglongjmp out of a handler, again and again", times, 4);
	EQUALS("its value", got, SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUALS("and the mask is back", sigismember(&now, SIGUSR1), 0);
	if (sigsetjmp(out, 0) == 0)
		raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUALS("without savemask it stays blocked", sigismember(&now, SIGUSR1), 1);
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, NULL);
}

static void actions(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN }, old;

	FAILS("sigaction of 0", sigaction(0, &action, NULL), EINVAL);
	FAILS("sigaction of 65", sigaction(65, &action, NULL), EINVAL);
	FAILS("sigaction of SIGKILL", sigaction(SIGKILL, &action, NULL), EINVAL);
	FAILS("sigaction of SIGSTOP", sigaction(SIGSTOP, &action, NULL), EINVAL);
	WORKS("looking at SIGKILL", sigaction(SIGKILL, NULL, &old));
	sigfillset(&action.sa_mask);
	action.sa_handler = leave;
	action.sa_flags = SA_RESTART | SA_ONSTACK;
	NEED(sigaction(SIGUSR1, &action, NULL));
	NEED(sigaction(SIGUSR1, NULL, &old));
	TRUE("flags read back", (old.sa_flags & (SA_RESTART | SA_ONSTACK | SA_SIGINFO)) == (SA_RESTART | SA_ONSTACK));
	EQUALS("SIGKILL is never in sa_mask", sigismember(&old.sa_mask, SIGKILL), 0);
	EQUALS("SIGSTOP neither", sigismember(&old.sa_mask, SIGSTOP), 0);
	EQUALS("SIGTERM is", sigismember(&old.sa_mask, SIGTERM), 1);

	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR2, leave);
	raise(SIGUSR2);
	kill(getpid(), SIGUSR2);
	sigpending(&pending);
	EQUALS("blocked and pending", sigismember(&pending, SIGUSR2), 1);
	signal(SIGUSR2, SIG_IGN);
	sigpending(&pending);
	EQUALS("ignoring it drops it", sigismember(&pending, SIGUSR2), 0);
	raise(SIGUSR2);
	sigpending(&pending);
	EQUALS("ignored but blocked: kept", sigismember(&pending, SIGUSR2), 1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigpending(&pending);
	EQUALS("unblocked: gone", sigismember(&pending, SIGUSR2), 0);
	FAILS("sigprocmask how", sigprocmask(99, &set, NULL), EINVAL);
	WORKS("sigprocmask how without a set", sigprocmask(99, NULL, &set));
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigprocmask(SIG_SETMASK, NULL, &pending);
	EQUALS("SIGKILL cannot be blocked", sigismember(&pending, SIGKILL) + sigismember(&pending, SIGSTOP), 0);
}

int main(void)
{
	told();
	nesting();
	oneshot();
	several();
	state();
	context_mask();
	leaving();
	actions();
	return done();
}
