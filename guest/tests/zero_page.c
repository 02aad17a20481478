/* The zero page: private memory that was only read holds no frame of its own, and is no reason for fork to copy entries. */
#include "smaps.h"
#include <sys/resource.h>

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 8

static char *fresh(int protection)
{
	char *p = mmap(NULL, PAGES * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static int resident(char *p)
{
	unsigned char there[PAGES];
	int bits = 0;
	NEED(mincore(p, PAGES * PAGE, there));
	for (int i = 0; i < PAGES; i++)
		bits |= (there[i] & 1) << i;
	return bits;
}

static int look(const volatile char *p, int page)
{
	return p[page * PAGE];
}

static void reading(void)
{
	char *p = fresh(RW);
	EQUALS("nothing is there", resident(p), 0);
	EQUALS("reads", look(p, 0) + look(p, 3), 0);
	EQUALS("the pages are there", resident(p), 9);
	EQUALS("and count for nothing", rss(p), 0);
	p[3 * PAGE + 1] = 7;
	EQUALS("a write gets a page", rss(p), 4);
	EQUALS("of zeros", p[3 * PAGE] + p[3 * PAGE + 2], 0);
	EQUALS("and nobody else sees it", p[1], 0);
	NEED(munmap(p + 3 * PAGE, PAGE));
	EQUALS("it can be unmapped", rss(p), 0);
	NEED(munmap(p, PAGES * PAGE));
}

static void kernel_access(void)
{
	int fds[2];
	char *p = fresh(RW);
	NEED(pipe(fds));
	EQUALS("write(2) reads it", NEED(write(fds[1], p + PAGE, 4)), 4);
	EQUALS("the page is there", resident(p), 2);
	EQUALS("and counts for nothing", rss(p), 0);
	EQUALS("read(2) writes it", NEED(read(fds[0], p + PAGE, 4)), 4);
	EQUALS("which gets a page", rss(p), 4);
	NEED(madvise(p, PAGES * PAGE, MADV_DONTNEED));
	EQUALS("MADV_DONTNEED", resident(p), 0);
	NEED(munmap(p, PAGES * PAGE));
}

/* In the child: of two mappings, one of them was only read. */
static void child(void *argument)
{
	char *p = ((char **)argument)[0], *q = ((char **)argument)[1];
	EQUALS("what was only read is not copied", resident(p), 0);
	EQUALS("beside what was written it is", resident(q), 20);
	EQUALS("the child reads", look(p, 1), 0);
	p[PAGE] = 3;
	q[2 * PAGE] = 4;
	EQUALS("the child writes", p[PAGE] + q[2 * PAGE], 7);
}

static void a_fork(void)
{
	char *p = fresh(RW), *q = fresh(RW), *both[2] = { p, q };
	/* A wall between them: neighbours would become one. */
	NEED(mprotect(q + 7 * PAGE, PAGE, PROT_NONE));
	EQUALS("reads", look(p, 1) + look(q, 2), 0);
	q[4 * PAGE] = 1;
	in_child(child, both);
	EQUALS("the parent's are as they were", p[PAGE] + q[2 * PAGE], 0);
	EQUALS("it writes too", p[PAGE] = 5, 5);
	NEED(munmap(p, PAGES * PAGE));
	NEED(munmap(q, PAGES * PAGE));
}

static void populating(void)
{
	char *p = fresh(RW), *q = fresh(PROT_READ);
	NEED(madvise(p, 4 * PAGE, 22));
	EQUALS("MADV_POPULATE_READ", resident(p), 15);
	EQUALS("counts for nothing", rss(p), 0);
	NEED(madvise(p, 2 * PAGE, 23));
	EQUALS("MADV_POPULATE_WRITE gets pages", rss(p), 8);
	NEED(mlock(q, 2 * PAGE));
	EQUALS("mlock of memory that may only be read", resident(q), 3);
	EQUALS("counts for nothing", rss(q), 0);
	NEED(mprotect(q, 2 * PAGE, RW));
	EQUALS("when it may be written its pages are made", rss(q), 8);
	EQUALS("of zeros", q[0] + q[PAGE], 0);
	NEED(munmap(p, PAGES * PAGE));
	NEED(munmap(q, PAGES * PAGE));
}

static void moving(void)
{
	char *p = fresh(RW), *to = fresh(PROT_NONE);
	EQUALS("reads", look(p, 5), 0);
	EQUALS("mremap", mremap(p, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to, 1);
	EQUALS("it moves along", resident(to), 32);
	to[5 * PAGE] = 2;
	EQUALS("and can be written", rss(to), 4);
	NEED(munmap(to, PAGES * PAGE));
}

static void elsewhere(void)
{
	int fd = (int)NEED(open("/dev/zero", O_RDWR));
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE, fd, 0);
	EQUALS("/dev/zero, private: reads", look(p, 0), 0);
	EQUALS("the page is there", resident(p), 1);
	EQUALS("and counts for nothing", rss(p), 0);
	p[0] = 1;
	EQUALS("a write gets a page", rss(p), 4);
	NEED(munmap(p, PAGES * PAGE));
	NEED(close(fd));
	p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EQUALS("shared memory: reads", look(p, 0), 0);
	EQUALS("which gets a page", rss(p), 4);
	NEED(munmap(p, PAGES * PAGE));
}

int main(void)
{
	reading();
	kernel_access();
	a_fork();
	populating();
	moving();
	elsewhere();
	return done();
}
