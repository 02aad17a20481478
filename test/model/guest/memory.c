/* The operations of a worker on its memory, whatever is mapped there, and accesses to it. */
#include "memory.h"
#include "model.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

void do_munmap(long *a)
{
	say_result(munmap((void *)a[0], (size_t)a[1] * PAGE));
}

/* mprotect address pages protection */
void do_mprotect(long *a)
{
	say_result(mprotect((void *)a[0], (size_t)a[1] * PAGE, (int)a[2]));
}

/* mremap variable address pages pages flags address */
void do_mremap(long *a)
{
	void *old = (void *)a[1];
	/* libc passes the new address with MREMAP_FIXED alone. */
	void *new = (void *)syscall(SYS_mremap, old, (size_t)a[2] * PAGE, (size_t)a[3] * PAGE, (int)a[4], (void *)a[5]);

	if (new != MAP_FAILED && new == old)
		say("in place ");
	say_new_address(a[0], new);
}

void do_madvise(long *a)
{
	say_result(madvise((void *)a[0], (size_t)a[1] * PAGE, (int)a[2]));
}

void do_mlock(long *a)
{
	say_result(mlock((void *)a[0], (size_t)a[1] * PAGE));
}

void do_munlock(long *a)
{
	say_result(munlock((void *)a[0], (size_t)a[1] * PAGE));
}

/* mlock2 address pages flags */
void do_mlock2(long *a)
{
	say_result(syscall(SYS_mlock2, a[0], (size_t)a[1] * PAGE, (int)a[2]));
}

void do_mlockall(long *a)
{
	say_result(mlockall((int)a[0]));
}

void do_munlockall(long *a)
{
	(void)a;
	say_result(munlockall());
}

/* remap_file_pages address pages protection page flags */
void do_remap_file_pages(long *a)
{
	say_result(syscall(SYS_remap_file_pages, a[0], (size_t)a[1] * PAGE, (int)a[2], (size_t)a[3], (int)a[4]));
}

/* Up to here a hint is rounded up or not, as CONFIG_LSM_MMAP_MIN_ADDR says. */
#define LOW_HINT 0x10000

void *hint_of(long address, long flags)
{
	const int hint = !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE));

	return hint && (unsigned long)address < LOW_HINT ? NULL : (void *)address;
}

/* mmap variable address pages protection flags: anonymous memory */
void do_mmap(long *a)
{
	const int flags = (int)a[4] | MAP_ANONYMOUS;

	say_new_address(a[0], mmap(hint_of(a[1], flags), (size_t)a[2] * PAGE, (int)a[3], flags, -1, 0));
}

/* mincore address pages */
void do_mincore(long *a)
{
	unsigned char pages[ARENA_PAGES];
	size_t count = (size_t)a[1] % ARENA_PAGES;

	if (mincore((void *)a[0], count * PAGE, pages) < 0) {
		say("%s", name_of_errno(errno));
		return;
	}
	for (size_t i = 0; i < count; i++)
		say("%d", pages[i] & 1);
}

/* get address: what write(2) reads there */
void do_get(long *a)
{
	unsigned value = 0;

	if (write(scratch[1], (void *)a[0], sizeof value) < 0)
		say("%s", name_of_errno(errno));
	else if (read(scratch[0], &value, sizeof value) == sizeof value)
		say("%u", value);
}

/* put address value: what read(2) writes there */
void do_put(long *a)
{
	unsigned value = (unsigned)a[1];

	if (write(scratch[1], &value, sizeof value) != sizeof value) {
		say("%s", name_of_errno(errno));
		return;
	}
	say_result(read(scratch[0], (void *)a[0], sizeof value));
	/* After EFAULT the value is still in the pipe. */
	while (read(scratch[0], &value, sizeof value) > 0)
		;
}

static void access_memory(long address, long value)
{
	if (value)
		*(volatile unsigned *)address = (unsigned)value;
	else
		say("%u", *(volatile unsigned *)address);
}

/* touch address value: the worker itself writes the value, or reads when it is 0; it may die of it */
void do_touch(long *a)
{
	access_memory(a[0], a[1]);
	if (a[1])
		say("ok");
}

/* probe address value: the same in a child */
void do_probe(long *a)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		access_memory(a[0], a[1]);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		say("%s", name_of_errno(errno));
	else
		say("%s", WIFSIGNALED(status) ? name_of_signal(WTERMSIG(status)) : "ok");
}

static sigjmp_buf before;
static siginfo_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault = *info;
	siglongjmp(before, signal);
}

/* guard address value: the same with a handler, which leaves the access by siglongjmp */
void do_guard(long *a)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	const struct sigaction standard = { .sa_handler = SIG_DFL };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	int signal = sigsetjmp(before, 1);
	if (signal == 0) {
		access_memory(a[0], a[1]);
		if (a[1])
			say("ok");
	} else {
		say("%s, code %d, %s", name_of_signal(signal), fault.si_code,
		    (long)fault.si_addr == a[0] ? "there" : "elsewhere");
	}
	sigaction(SIGSEGV, &standard, NULL);
	sigaction(SIGBUS, &standard, NULL);
}
