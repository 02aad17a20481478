/*
 * Code that a program makes at run time, and what happens to its pages: rewritten, unmapped and mapped anew, protected, copied on
 * write, shared at two addresses and by two processes, written by system calls. Whoever calls it executes what is there now.
 */
#include "shm.h"
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>

typedef int function(int);

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define RX (PROT_READ | PROT_EXEC)
/* Enough that the code is hot. */
#define CALLS 800

static void fence(void)
{
#ifdef __riscv
	__asm__ volatile("fence.i" ::: "memory");
#else
	__builtin___clear_cache(0, 0);
#endif
}

/* The code of `int f(int x) { return x + n; }`, n < 2048, in at most 8 bytes. */
static size_t make(unsigned char *code, int n)
{
#if defined(__riscv)
	uint32_t words[] = { 0x00050513u | (uint32_t)n << 20, 0x00008067 };
	memcpy(code, words, 8);
	return 8;
#elif defined(__x86_64__)
	code[0] = 0x8d;
	code[1] = 0x87;
	memcpy(code + 2, &n, 4);
	code[6] = 0xc3;
	return 7;
#else
#error "no code for this machine"
#endif
}

static void put(void *at, int n)
{
	make(at, n);
	fence();
}

/* What CALLS calls add up to: CALLS * n for f(x) = x + n. -1 when they do not agree. */
static int call(void *at)
{
	function *volatile f = (function *)at;
	int sum = 0;

	for (int i = 0; i < CALLS; i++)
		sum = f(sum);
	return sum % CALLS == 0 ? sum / CALLS : -1;
}

static void calls(void *at)
{
	call(at);
}

static const char *death(int status)
{
	return WIFSIGNALED(status) ? touch_name(WTERMSIG(status)) : "no signal";
}

/* The signal that calling it ends with. */
static const char *calling(void *at)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		calls(at);
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0));
	return death(status);
}

static char *map(void *at, int prot, int flags)
{
	char *p = mmap(at, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static void rewritten(void)
{
	char *p = map(NULL, RWX, 0);
	int right = 0;

	for (int n = 0; n < 40; n++) {
		put(p, n);
		right += call(p) == n;
	}
	EQUALS("one place, 40 functions", right, 40);
	/* Many places of one page, each written while the others are hot. */
	right = 0;
	for (int n = 0; n < 40; n++) {
		put(p + n * 64, n);
		for (int m = 0; m <= n; m += 13)
			right += call(p + m * 64) == m;
	}
	/* Every 13th is called: one of 13 rounds, then two, three, and four in the last. */
	EQUALS("40 places", right, 13 * 1 + 13 * 2 + 13 * 3 + 4);
	NEED(munmap(p, PAGE));
}

static void mapped(void)
{
	char *p = map(NULL, RWX, 0);
	int right = 0;

	for (int n = 1; n <= 20; n++) {
		put(p, n);
		right += call(p) == n;
		NEED(munmap(p, PAGE));
		NEED(map(p, RWX, MAP_FIXED) == p ? 0 : -1);
	}
	EQUALS("unmapped and mapped again with other code", right, 20);
	right = 0;
	for (int n = 1; n <= 20; n++) {
		char *other = map(NULL, RWX, 0);
		put(other, 100 + n);
		put(p, n);
		right += call(p) == n && call(other) == 100 + n;
		NEED(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p ? 0 : -1);
		right += call(p) == 100 + n;
	}
	EQUALS("another page of code moved to its place", right, 40);
	put(p, 7);
	EQUALS("hot", call(p), 7);
	NEED(munmap(p, PAGE));
	TEXT("calling what is not there any more", calling(p), "SIGSEGV");
}

static void protected(void)
{
	char *p = map(NULL, RWX, 0);
	int right = 0;

	for (int n = 1; n <= 20; n++) {
		NEED(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		put(p, n);
		NEED(mprotect(p, PAGE, RX));
		right += call(p) == n;
	}
	EQUALS("writable and executable in turn", right, 20);
	NEED(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	TEXT("calling hot code that is not executable", calling(p), "SIGSEGV");
	NEED(mprotect(p, PAGE, PROT_NONE));
	TEXT("calling hot code without any access", calling(p), "SIGSEGV");
	NEED(mprotect(p, PAGE, RX));
	EQUALS("executable again", call(p), 20);
	WRITING("writing to it", p, "SIGSEGV");
	NEED(mprotect(p, PAGE, RWX));
	NEED(madvise(p, PAGE, MADV_DONTNEED));
	put(p, 33);
	EQUALS("dropped by MADV_DONTNEED, and written", call(p), 33);
	NEED(munmap(p, PAGE));
}

static __attribute__((noinline, aligned(4096))) int text(int x)
{
	return x + 1;
}

static void child_rewrites(void *argument)
{
	char *p = argument;
	EQUALS("child: inherited", call(p), 1);
	put(p, 2);
	EQUALS("child: rewritten", call(p), 2);
}

static void forked(void)
{
	char *p = map(NULL, RWX, 0);

	put(p, 1);
	EQUALS("parent", call(p), 1);
	in_child(child_rewrites, p);
	EQUALS("parent: after the child rewrote its copy", call(p), 1);

	/* The parent writes first, and the child keeps what it had. */
	int go[2];
	char byte;
	NEED(pipe(go));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(call(p) == 1 ? 0 : -1);
		NEED(read(go[0], &byte, 1));
		_exit(call(p));
	}
	put(p, 3);
	EQUALS("parent: rewritten", call(p), 3);
	NEED(write(go[1], "x", 1));
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("child: kept", WEXITSTATUS(status), 1);
	NEED(munmap(p, PAGE));

	/* The program's own text, a private mapping of its file. */
	function *volatile f = text;
	char *start = (char *)((uintptr_t)f & -(uintptr_t)PAGE);
	EQUALS("text", call((void *)f), 1);
	NEED(mprotect(start, PAGE, RWX));
	in_child(child_rewrites, (void *)f);
	EQUALS("text: after the child rewrote its copy", call((void *)f), 1);
	NEED(mprotect(start, PAGE, RX));
}

/* Two processes run different code at one address, in turn. */
static void alternating(void)
{
	char *p = map(NULL, RWX, 0);
	pid_t pids[3];

	for (int k = 0; k < 3; k++) {
		pids[k] = (pid_t)NEED(fork());
		if (pids[k] != 0)
			continue;
		int right = 0;
		for (int round = 0; round < 20; round++) {
			put(p, 10 * k + round % 3);
			sched_yield();
			right += call(p) == 10 * k + round % 3;
		}
		_exit(right);
	}
	for (int k = 0; k < 3; k++) {
		int status;
		NEED(waitpid(pids[k], &status, 0));
		EQUALS("a process with code of its own at that address", WEXITSTATUS(status), 20);
	}
	NEED(munmap(p, PAGE));
}

struct twice { char *writable, *executable; };

static void write_for_parent(void *argument)
{
	struct twice *t = argument;
	EQUALS("another process: executes it too", call(t->executable), 5);
	put(t->writable, 6);
	EQUALS("another process: rewrites it", call(t->executable), 6);
}

static void shared(void)
{
	int id = (int)NEED(shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700));
	struct twice t = { shmat(id, NULL, 0), shmat(id, NULL, SHM_EXEC | SHM_RDONLY) };
	int right = 0;

	NEED(t.writable == (char *)-1 || t.executable == (char *)-1 ? -1 : 0);
	NEED(shmctl(id, IPC_RMID, NULL));
	for (int n = 1; n <= 20; n++) {
		put(t.writable, n);
		right += call(t.executable) == n;
	}
	EQUALS("written at one address, executed at another", right, 20);
	TEXT("executing where it is writable", calling(t.writable), "SIGSEGV");
	put(t.writable, 5);
	EQUALS("hot", call(t.executable), 5);
	in_child(write_for_parent, &t);
	EQUALS("what another process wrote", call(t.executable), 6);
	NEED(shmdt(t.writable));
	NEED(shmdt(t.executable));
}

/* Code that system calls write. */
static void by_calls(void)
{
	int fd = (int)NEED(open("/tmp/code", O_RDWR | O_CREAT | O_TRUNC, 0700));
	unsigned char code[8];
	int right = 0;

	NEED(ftruncate(fd, PAGE));
	char *p = mmap(NULL, PAGE, RX, MAP_SHARED, fd, 0), *q = map(NULL, RWX, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	for (int n = 1; n <= 20; n++) {
		size_t length = make(code, n);
		NEED(pwrite(fd, code, length, 0));
		fence();
		right += call(p) == n;
		NEED(pread(fd, q, length, 0));
		fence();
		right += call(q) == n;
	}
	EQUALS("by write(2) into a mapped file, by read(2) into memory", right, 40);
	NEED(munmap(p, PAGE));
	NEED(munmap(q, PAGE));
	NEED(close(fd));
}

#define FIXED ((void *)0x30000000)

static void make_fixed(int n)
{
	char *p = map(FIXED, RWX, MAP_FIXED);
	put(p, n);
	EQUALS("code at a fixed address", call(p), n);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		make_fixed(atoi(argv[1]));
		if (argc == 2)
			return check_failures;
		execv("/proc/self/exe", (char *[]){ argv[0], argv[2], argc > 3 ? argv[3] : NULL, NULL });
		return 100;
	}
	rewritten();
	mapped();
	protected();
	forked();
	alternating();
	shared();
	by_calls();

	/* Each image puts other code there. */
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		make_fixed(50);
		execv("/proc/self/exe", (char *[]){ "code_pages", "51", "52", "53", NULL });
		_exit(100);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("after exec, exec and exec", WEXITSTATUS(status), 0);
	return done();
}
