/* SIGSEGV and SIGBUS: si_code and si_addr; repairing a fault in its handler; faults of blocked and ignored signals. */
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>

static sigjmp_buf out;
static volatile int sig_seen, code_seen, faults;
static void *volatile addr_seen;

static void caught(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sig_seen = sig;
	code_seen = info->si_code;
	addr_seen = info->si_addr;
	siglongjmp(out, 1);
}

static const char *code_name(int sig, int code)
{
	if (sig == SIGSEGV)
		return code == SEGV_MAPERR ? "SEGV_MAPERR" : code == SEGV_ACCERR ? "SEGV_ACCERR" : "SEGV another code";
	if (sig == SIGBUS)
		return code == BUS_ADRERR ? "BUS_ADRERR" : code == BUS_ADRALN ? "BUS_ADRALN" : "BUS another code";
	return sig == 0 ? "no fault" : "another signal";
}

/* One access; the fault it meets by name, and whether si_addr says where. */
static void meets(const char *name, volatile char *where, int kind, const char *expected)
{
	char text[100];

	sig_seen = 0;
	addr_seen = NULL;
	if (sigsetjmp(out, 1) == 0) {
		if (kind == 'r')
			(void)*where;
		else if (kind == 'w')
			*where = 1;
		else
			((void (*)(void))(unsigned long)where)();
	}
	snprintf(text, sizeof text, "%s%s", code_name(sig_seen, code_seen),
		sig_seen == 0 || addr_seen == (void *)where ? "" : " at another address");
	check_text(name, text, expected);
}

static char *page_to_open;
static void opens(int sig, siginfo_t *info, void *context)
{
	(void)context;
	(void)sig;
	faults++;
	if (info->si_addr == page_to_open + 100)
		mprotect(page_to_open, 4096, PROT_READ | PROT_WRITE);
}

static void forced(void *how)
{
	sigset_t set;
	int kind = *(int *)how;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	if (kind == 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	else if (kind == 1)
		signal(SIGSEGV, SIG_IGN);
	else if (kind == 2)
		raise(SIGSEGV);
	*(volatile int *)16 = 1;
	_exit(9);
}

static void again(int sig)
{
	(void)sig;
	*(volatile int *)16 = 1;
}

static void ends(const char *name, int kind)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct sigaction action = { .sa_handler = kind == 3 ? again : SIG_DFL };
		NEED(sigaction(SIGSEGV, &action, NULL));
		forced(&kind);
	}
	NEED(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		say("%s: killed by %d", name, WTERMSIG(status));
	else
		say("%s: exit %d", name, WEXITSTATUS(status));
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	NEED(sigaction(SIGSEGV, &action, NULL));
	NEED(sigaction(SIGBUS, &action, NULL));

	meets("a read of page 0", (char *)8, 'r', "SEGV_MAPERR");
	meets("a write to page 0", (char *)8, 'w', "SEGV_MAPERR");
	meets("a jump to page 0", (char *)16, 'x', "SEGV_MAPERR");
	meets("a write to code", (char *)(unsigned long)&ends, 'w', "SEGV_ACCERR");
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	meets("fresh memory", p + 5, 'w', "no fault");
	meets("a jump to data", p + 4096, 'x', "SEGV_ACCERR");
	mprotect(p + 4096, 4096, PROT_READ);
	meets("a write to read-only memory", p + 4096 + 77, 'w', "SEGV_ACCERR");
	meets("a read of it", p + 4096 + 77, 'r', "no fault");
	mprotect(p + 4096, 4096, PROT_NONE);
	meets("a read of PROT_NONE", p + 4096 + 78, 'r', "SEGV_ACCERR");
	munmap(p + 4096, 4096);
	meets("a read of a hole", p + 4096 + 79, 'r', "SEGV_MAPERR");
	meets("beside it", p + 8192, 'w', "no fault");

	int id = (int)NEED(shmget(IPC_PRIVATE, 8192, 0600));
	char *rw = shmat(id, NULL, 0), *ro = shmat(id, NULL, SHM_RDONLY);
	shmctl(id, IPC_RMID, NULL);
	meets("a write to a segment", rw + 4099, 'w', "no fault");
	meets("through a read-only attach", ro + 4099, 'w', "SEGV_ACCERR");
	meets("a read through it", ro + 4099, 'r', "no fault");
	shmdt(rw);
	meets("a write after shmdt", rw + 1, 'w', "SEGV_MAPERR");

	int fd = (int)NEED(open("/tmp/fault", O_RDWR | O_CREAT | O_TRUNC, 0600));
	NEED(ftruncate(fd, 100));
	char *f = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *c = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	meets("a file's last page beyond its end", f + 200, 'w', "no fault");
	meets("a page behind it", f + 4096 + 3, 'w', "BUS_ADRERR");
	meets("a read of it", f + 4096 + 4, 'r', "BUS_ADRERR");
	meets("of a private mapping", c + 4096 + 5, 'r', "BUS_ADRERR");
	NEED(ftruncate(fd, 8192));
	meets("the file is longer now", f + 4096 + 3, 'w', "no fault");
	NEED(ftruncate(fd, 0));
	meets("and empty", f + 3, 'r', "BUS_ADRERR");

	page_to_open = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	action.sa_sigaction = opens;
	NEED(sigaction(SIGSEGV, &action, NULL));
	page_to_open[100] = 42;
	EQUALS("a fault repaired by its handler: once", faults, 1);
	EQUALS("and the write has happened", page_to_open[100], 42);

	ends("a fault with SIGSEGV blocked", 0);
	ends("a fault with SIGSEGV ignored", 1);
	ends("raise(SIGSEGV)", 2);
	ends("a fault in SIGSEGV's handler", 3);
	return done();
}
