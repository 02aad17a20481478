/* sigaltstack(2) and SA_ONSTACK; handlers without room for their frame. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
/* The call itself: libc judges its arguments, too. */
#define sigaltstack(ss, old) syscall(SYS_sigaltstack, ss, old)
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char *stack, *other;
#define SIZE 65536

static long set_stack(void *sp, size_t size, unsigned flags)
{
	stack_t ss = { .ss_sp = sp, .ss_size = size, .ss_flags = (int)flags };
	return sigaltstack(&ss, NULL);
}
static volatile int on_alt, flags_inside, error_inside, nested_on_alt;
static sigjmp_buf out;
static volatile int jumps;

static int inside(const char *base, const volatile void *p)
{
	return (uintptr_t)p >= (uintptr_t)base && (uintptr_t)p < (uintptr_t)base + SIZE;
}

static void look(int sig)
{
	volatile char here = (char)sig;
	stack_t now, wanted = { .ss_sp = other, .ss_size = SIZE };

	on_alt = inside(stack, &here);
	sigaltstack(NULL, &now);
	flags_inside = now.ss_flags;
	errno = 0;
	error_inside = sigaltstack(&wanted, NULL) == -1 ? errno : 0;
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	else
		nested_on_alt = on_alt;
}

static void use(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	NEED(sigaction(sig, &action, NULL));
}

static void alternate(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = SIZE }, old;

	WORKS("none at first", sigaltstack(NULL, &old));
	EQUALS("SS_DISABLE", old.ss_flags, SS_DISABLE);
	use(SIGUSR1, look, SA_ONSTACK);
	use(SIGUSR2, look, SA_ONSTACK);
	raise(SIGUSR2);
	EQUALS("SA_ONSTACK without one: the normal stack", on_alt, 0);
	set_stack(NULL, 0, SS_DISABLE);
	WORKS("set", sigaltstack(&ss, NULL));
	NEED(sigaltstack(NULL, &old));
	TRUE("as it was given", old.ss_sp == stack && old.ss_size == SIZE && old.ss_flags == 0);
	raise(SIGUSR1);
	EQUALS("the nested handler runs on it, too", nested_on_alt, 1);
	EQUALS("SS_ONSTACK inside", flags_inside, SS_ONSTACK);
	EQUALS("it cannot be changed inside", error_inside, EPERM);
	use(SIGUSR2, look, 0);
	raise(SIGUSR2);
	EQUALS("without SA_ONSTACK: the normal stack", on_alt, 0);
	EQUALS("where it can be changed", error_inside, 0);
	EQUALS("not SS_ONSTACK there", flags_inside, 0);
	/* The return puts back the alternate stack that the frame says. */
	NEED(sigaltstack(NULL, &old));
	TRUE("and the old one is back after the return", old.ss_sp == stack && old.ss_size == SIZE);
	FAILS("too small", set_stack(stack, 2000, 0), ENOMEM);
	FAILS("unknown flags", set_stack(stack, SIZE, 4), EINVAL);
	FAILS("both flags", set_stack(stack, SIZE, 3), EINVAL);
	WORKS("SS_ONSTACK is taken as 0", set_stack(stack, SIZE, SS_ONSTACK));
	FAILS("not readable", sigaltstack((stack_t *)8, NULL), EFAULT);
	WORKS("disabled", set_stack(NULL, 0, SS_DISABLE));
	NEED(sigaltstack(NULL, &old));
	EQUALS("SS_DISABLE again", old.ss_flags, SS_DISABLE);
}

static void disarmed(int sig)
{
	volatile char here = (char)sig;
	stack_t now;

	on_alt = inside(stack, &here);
	sigaltstack(NULL, &now);
	flags_inside = now.ss_flags;
}

static void autodisarm(void)
{
	stack_t old;

	WORKS("SS_AUTODISARM", set_stack(stack, SIZE, (int)SS_AUTODISARM));
	use(SIGUSR1, disarmed, SA_ONSTACK);
	raise(SIGUSR1);
	EQUALS("on it", on_alt, 1);
	EQUALS("disabled inside", flags_inside, SS_DISABLE);
	NEED(sigaltstack(NULL, &old));
	TRUE("and back afterwards", old.ss_sp == stack && old.ss_flags == (int)SS_AUTODISARM);
	set_stack(NULL, 0, SS_DISABLE);
}

static volatile int sum;
static int __attribute__((noinline)) deep(int n)
{
	volatile char room[1024];
	room[n % 1024] = (char)n;
	sum += room[n % 1024];
	return n == 0 ? 0 : deep(n + 1) + room[(n + 1) % 1024];
}

static void overflowed(int sig, siginfo_t *info, void *context)
{
	volatile char here = (char)sig;
	(void)context;
	(void)info;
	on_alt = inside(stack, &here);
	siglongjmp(out, 1);
}

static void overflow(void)
{
	struct sigaction action = { .sa_sigaction = overflowed, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	setrlimit(RLIMIT_STACK, &(struct rlimit){ 256 << 10, 8 << 20 });
	NEED(set_stack(stack, SIZE, 0));
	NEED(sigaction(SIGSEGV, &action, NULL));
	for (volatile int i = 0; i < 3; i++) {
		on_alt = 0;
		if (sigsetjmp(out, 1) == 0)
			deep(1);
		else
			jumps++;
	}
	EQUALS("a stack overflow caught on the alternate stack, three times", jumps, 3);
	EQUALS("on it", on_alt, 1);
}

static void runaway(int sig)
{
	volatile char room[4096];

	room[sig] = 1;
	raise(sig);
	sum += room[sig];
}

/* Its own frame is smaller than the kernel's, so it is a kernel's frame that comes to the end of the stack. */
static void small(int sig)
{
	raise(sig);
}

static void no_room(void *how)
{
	int kind = *(int *)how;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_STACK, &(struct rlimit){ 256 << 10, 8 << 20 });
	if (kind == 0) {
		/* A handler that overflows the stack it runs on: no frame for SIGSEGV's handler. */
		use(SIGSEGV, look, 0);
		deep(1);
	} else if (kind == 1) {
		/* Nested without end: at last a frame does not fit, and SIGSEGV is forced. */
		use(SIGUSR1, runaway, SA_NODEFER);
		raise(SIGUSR1);
	} else if (kind == 2) {
		/* The same on an alternate stack: it is never left. */
		NEED(set_stack(stack, SIZE, 0));
		use(SIGUSR1, small, SA_NODEFER | SA_ONSTACK);
		raise(SIGUSR1);
	} else if (kind == 3) {
		/* An alternate stack that is not mapped. */
		char *gone = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		NEED(set_stack(gone, SIZE, 0));
		use(SIGUSR1, look, SA_ONSTACK);
		raise(SIGUSR1);
	} else if (kind == 4) {
		/* The same, and SIGSEGV has a handler on the normal stack. */
		char *gone = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		NEED(set_stack(gone, SIZE, 0));
		struct sigaction action = { .sa_sigaction = overflowed, .sa_flags = SA_SIGINFO };
		NEED(sigaction(SIGSEGV, &action, NULL));
		use(SIGUSR1, look, SA_ONSTACK);
		if (sigsetjmp(out, 1) == 0)
			raise(SIGUSR1);
		_exit(4);
	} else if (kind == 5) {
		/* A handler that is nowhere. */
		use(SIGUSR1, (void (*)(int))8, 0);
		raise(SIGUSR1);
	} else {
		/* An alternate stack whose end wraps around. */
		set_stack((void *)-65536l, SIZE + 65536, 0);
		use(SIGUSR1, look, SA_ONSTACK);
		raise(SIGUSR1);
	}
	_exit(9);
}

static void ends(const char *name, int kind)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0)
		no_room(&kind);
	NEED(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		say("%s: killed by %d", name, WTERMSIG(status));
	else
		say("%s: exit %d", name, WEXITSTATUS(status));
}

int main(void)
{
	stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	alternate();
	autodisarm();
	overflow();
	set_stack(NULL, 0, SS_DISABLE);
	signal(SIGSEGV, SIG_DFL);
	ends("SIGSEGV's handler without a stack", 0);
	ends("handlers nested without end", 1);
	ends("nested without end on an alternate stack", 2);
	ends("an alternate stack without access", 3);
	ends("the same with a handler for SIGSEGV", 4);
	ends("a handler that is not mapped", 5);
	ends("an alternate stack at the end of memory", 6);
	return done();
}
