/*
 * Truncation and hole punching under mappings: pages leave every address space, shared or private; a later access
 * beyond the end is SIGBUS, within it zeroes.
 */
#include "shm.h"
#include <sched.h>
#include <setjmp.h>
#include <signal.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#define RW (PROT_READ | PROT_WRITE)

static int fd;

static char *map(size_t pages, int prot, int flags, off_t page)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, page * PAGE);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static void fill(void)
{
	char bytes[PAGE];
	NEED(ftruncate(fd, 0));
	for (int i = 0; i < 4; i++) {
		memset(bytes, 'a' + i, PAGE);
		NEED(pwrite(fd, bytes, PAGE, i * PAGE));
	}
}

static void shrink(void)
{
	fill();
	char *s = map(6, RW, MAP_SHARED, 0), *p = map(6, RW, MAP_PRIVATE, 0), *o = map(2, RW, MAP_SHARED, 2);
	p[2 * PAGE] = 'P';
	p[0] = 'Q';
	TRUE("all of it is mapped", s[3 * PAGE] == 'd' && p[3 * PAGE] == 'd' && o[PAGE] == 'd' && p[2 * PAGE] == 'P');
	READING("behind the end", s + 4 * PAGE, "SIGBUS");
	WORKS("shrink to one page and a half", ftruncate(fd, PAGE + PAGE / 2));
	READING("shared: the first page", s, "ok");
	TRUE("shared: the half page keeps its half", s[PAGE] == 'b' && s[PAGE + PAGE / 2 - 1] == 'b');
	TRUE("shared: the rest is zero", s[PAGE + PAGE / 2] == 0 && s[2 * PAGE - 1] == 0);
	READING("shared: a page behind", s + 2 * PAGE, "SIGBUS");
	WRITING("shared: a write behind", s + 2 * PAGE, "SIGBUS");
	READING("at another offset", o, "SIGBUS");
	READING("private: a page behind", p + 3 * PAGE, "SIGBUS");
	READING("private: a copied page behind", p + 2 * PAGE, "SIGBUS");
	TRUE("private: a copy within stays", p[0] == 'Q' && p[1] == 'a');
	s[2 * PAGE - 1] = 'x';
	WORKS("grow again", ftruncate(fd, 4 * PAGE));
	TRUE("the pages are new", s[2 * PAGE] == 0 && o[0] == 0 && p[2 * PAGE] == 0);
	/* What was written between the end and the end of its page is gone, or not: tmpfs zeroes it when it grows. */
	s[3 * PAGE] = 'n';
	TRUE("and shared", o[PAGE] == 'n' && p[3 * PAGE] == 'n');
	NEED(munmap(s, 6 * PAGE));
	NEED(munmap(p, 6 * PAGE));
	NEED(munmap(o, 2 * PAGE));
}

static void punch(void)
{
	fill();
	char *s = map(4, RW, MAP_SHARED, 0), *p = map(4, RW, MAP_PRIVATE, 0);
	(void)*(volatile char *)(s + PAGE);
	p[PAGE] = 'P';
	(void)*(volatile char *)(p + 2 * PAGE);
	WORKS("punch two pages", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE));
	TRUE("shared: zeroes there", s[PAGE] == 0 && s[3 * PAGE - 1] == 0);
	TRUE("shared: the rest stays", s[0] == 'a' && s[3 * PAGE] == 'd');
	TRUE("private: a copy stays", p[PAGE] == 'P' && p[PAGE + 1] == 'b');
	TRUE("private: what was only read is zero", p[2 * PAGE] == 0);
	WORKS("punch parts of pages", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 3 * PAGE + 100));
	TRUE("the edges stay", s[99] == 'a' && s[100] == 0 && s[3 * PAGE + 199] == 0 && s[3 * PAGE + 200] == 'd');
	WORKS("punch beyond the end", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8 * PAGE, PAGE));
	EQUALS("size", lseek(fd, 0, SEEK_END), 4 * PAGE);
	memset(s, 'r', 4 * PAGE);
	WORKS("MADV_REMOVE", madvise(s + PAGE, PAGE, MADV_REMOVE));
	TRUE("punches the file", s[PAGE] == 0 && s[PAGE - 1] == 'r' && s[2 * PAGE] == 'r');
	FAILS("MADV_REMOVE of a private mapping", madvise(p, PAGE, MADV_REMOVE), EACCES);
	NEED(munmap(p, 4 * PAGE));
	NEED(mprotect(s, 4 * PAGE, PROT_READ));
	WORKS("MADV_REMOVE of a mapping that may become writable", madvise(s, PAGE, MADV_REMOVE));
	NEED(munmap(s, 4 * PAGE));
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FAILS("MADV_REMOVE of anonymous memory", madvise(p, PAGE, MADV_REMOVE), EINVAL);
	NEED(munmap(p, PAGE));
	s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(s, 's', 2 * PAGE);
	WORKS("MADV_REMOVE of shared anonymous memory", madvise(s, PAGE, MADV_REMOVE));
	TRUE("is zero", s[0] == 0 && s[PAGE] == 's');
	WORKS("MADV_DONTNEED there", madvise(s + PAGE, PAGE, MADV_DONTNEED));
	TRUE("keeps the data", s[PAGE] == 's');
	NEED(munmap(s, 2 * PAGE));
}

/* The pages leave the address spaces of other processes too, while they run. */
static void others(void)
{
	int status;
	volatile char *flag = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fill();
	char *s = map(4, RW, MAP_SHARED, 0), *p = map(4, RW, MAP_PRIVATE, 0);
	for (int way = 0; way < 3; way++) {
		flag[0] = flag[1] = 0;
		fill();
		pid_t pid = (pid_t)NEED(fork());
		if (pid == 0) {
			char *mine = (way == 1 ? p : s) + 3 * PAGE;
			if (way == 2)
				(void)*(volatile char *)mine;
			else
				*mine = 'M';
			flag[0] = 1;
			while (flag[1] == 0)
				sched_yield();
			_exit(*(volatile char *)mine == 0 ? 40 : 41);
		}
		while (flag[0] == 0)
			sched_yield();
		NEED(ftruncate(fd, PAGE));
		flag[1] = 1;
		NEED(waitpid(pid, &status, 0));
		EQUALS(way == 0   ? "a child's written shared page: signal"
		       : way == 1 ? "its private copy: signal"
				  : "a page that it had read: signal",
		       WIFSIGNALED(status) ? WTERMSIG(status) : 0, 7);
	}
	/* The kernel's own accesses answer EFAULT. */
	int pipes[2];
	NEED(pipe(pipes));
	FAILS("write(2) from a page that is gone", write(pipes[1], s + 3 * PAGE, 1), EFAULT);
	NEED(write(pipes[1], "x", 1));
	FAILS("read(2) into a page that is gone", read(pipes[0], s + 3 * PAGE, 1), EFAULT);
	NEED(munmap(s, 4 * PAGE));
	NEED(munmap(p, 4 * PAGE));
}

static sigjmp_buf out;
static siginfo_t fault;

static void caught(int signal, siginfo_t *info, void *context)
{
	(void)context;
	(void)signal;
	fault = *info;
	siglongjmp(out, 1);
}

/* An access under a handler that leaves it by siglongjmp, and what the handler was told. */
static void meets(const char *name, volatile char *where, int write)
{
	memset(&fault, 0, sizeof fault);
	if (sigsetjmp(out, 1) == 0) {
		if (write)
			*where = 1;
		else
			(void)*where;
		say("%s: no fault", name);
		return;
	}
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("%s: %s, %s, si_addr %s, the signal is %s again", name, fault.si_signo == SIGBUS ? "SIGBUS" : "another",
	    fault.si_code == BUS_ADRERR ? "BUS_ADRERR" : "another code", fault.si_addr == (void *)where ? "says where" : "is wrong",
	    sigismember(&mask, SIGBUS) ? "still blocked" : "free");
}

static void with_handler(void)
{
	const struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	int memfd = (int)NEED(syscall(SYS_memfd_create, "cut", 0));

	NEED(sigaction(SIGBUS, &action, NULL));
	fill();
	char *s = map(4, RW, MAP_SHARED, 0), *p = map(4, RW, MAP_PRIVATE, 0);
	s[3 * PAGE] = 'S';
	p[3 * PAGE] = 'P';
	meets("before", s + 3 * PAGE + 5, 1);
	NEED(ftruncate(fd, PAGE));
	meets("shared, a write", s + 3 * PAGE + 5, 1);
	meets("shared, a read", s + PAGE, 0);
	meets("private, its copy is gone too", p + 3 * PAGE + 7, 0);
	meets("private, a write", p + 2 * PAGE - 1, 1);
	meets("the last byte that is left", s + PAGE - 1, 1);
	NEED(ftruncate(fd, 4 * PAGE));
	meets("grown again", s + 3 * PAGE + 5, 1);
	char *m = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, memfd, 0);
	meets("an empty memfd", m, 1);
	NEED(ftruncate(memfd, 1));
	meets("with one byte, all of its page", m + PAGE - 1, 1);
	meets("but no more", m + PAGE, 1);
	NEED(munmap(m, 2 * PAGE));
	NEED(munmap(s, 4 * PAGE));
	NEED(munmap(p, 4 * PAGE));
	signal(SIGBUS, SIG_DFL);
}

int main(void)
{
	fd = (int)NEED(shm_open("/cut", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(shm_unlink("/cut"));
	shrink();
	punch();
	others();
	with_handler();
	return done();
}
