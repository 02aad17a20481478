/* A read fault of a file that is shared memory maps what the page cache has around it too, 64 KiB at most; attaches get one page at a time. */
#include "smaps.h"
#include <sys/stat.h>

#define AROUND 16

/* Pages that are mapped of the VMA at an address. */
static long resident(const char *address)
{
	return rss(address) * 1024 / PAGE;
}

static int has_page(int fd, long page)
{
	return lseek(fd, page * PAGE, SEEK_DATA) == page * PAGE;
}

static long blocks(int fd)
{
	struct stat st;
	NEED(fstat(fd, &st));
	return (long)st.st_blocks * 512 / PAGE;
}

/* A range that begins with a multiple of 64 KiB. */
static char *aligned_range(size_t pages)
{
	char *p = free_range((pages + AROUND) * PAGE);
	return (char *)(((unsigned long)p + AROUND * PAGE - 1) & ~(AROUND * PAGE - 1));
}

static char *map(char *at, long pages, int protection, int flags, int fd, long page)
{
	return (char *)NEED((long)mmap(at, (size_t)pages * PAGE, protection, flags | MAP_FIXED, fd, page * PAGE));
}

static int full(const char *name, long pages)
{
	static char block[PAGE] = "page";
	int fd = (int)NEED(memfd_create(name, 0));
	for (long i = 0; i < pages; i++)
		NEED(pwrite(fd, block, PAGE, i * PAGE));
	return fd;
}

static void child(void *p)
{
	volatile char c = ((char *)p)[3 * PAGE];
	(void)c;
	EQUALS("a child's read of anonymous shared memory", resident(p), AROUND);
}

int main(void)
{
	char *p = aligned_range(48);
	volatile char c;

	/* Attaches. */
	int id = new_segment(32 * PAGE, 0600);
	char *q = attach(id, p, 0);
	for (int i = 0; i < 32; i++)
		q[i * PAGE] = 1;
	WORKS("shmdt", shmdt(q));
	q = attach(id, p, 0);
	c = q[5 * PAGE];
	EQUALS("an attach, read", resident(q), 1);
	WORKS("shmdt", shmdt(q));
	NEED(shmctl(id, IPC_RMID, NULL));

	/* Files. */
	int fd = full("full", 40);
	map(p, 40, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	c = p[20 * PAGE];
	EQUALS("shared, read", resident(p), AROUND);
	c = p[31 * PAGE];
	EQUALS("the last of these", resident(p), AROUND);
	c = p[32 * PAGE];
	EQUALS("the first of the next, up to the end of the mapping", resident(p), AROUND + 8);
	p[0] = 'w';
	EQUALS("a write fault maps one page", resident(p), AROUND + 9);
	c = p[PAGE];
	EQUALS("a read beside it maps the others", resident(p), 40);
	map(p, 40, PROT_READ, MAP_PRIVATE, fd, 0);
	c = p[20 * PAGE];
	EQUALS("private, read", resident(p), AROUND);
	map(p + 5 * PAGE, 32, PROT_READ, MAP_SHARED, fd, 3);
	c = p[6 * PAGE];
	EQUALS("a mapping that begins in the midst of 64 KiB: from there on", resident(p + 5 * PAGE), AROUND);
	TRUE("each page is the file's", memcmp(p + 9 * PAGE, "page", 4) == 0);
	NEED(munmap(p, 48 * PAGE));
	map(p, 40, PROT_READ, MAP_SHARED, fd, 0);
	NEED(ftruncate(fd, 18 * PAGE + 1));
	c = p[17 * PAGE];
	EQUALS("up to the end of the file", resident(p), 3);
	READING("behind it", p + 19 * PAGE, "SIGBUS");
	NEED(munmap(p, 40 * PAGE));
	NEED(close(fd));

	/* Holes stay holes, and what is only reserved is not there yet. */
	fd = (int)NEED(memfd_create("holes", 0));
	NEED(ftruncate(fd, 16 * PAGE));
	NEED(pwrite(fd, "x", 1, 2 * PAGE));
	NEED(pwrite(fd, "x", 1, 9 * PAGE));
	NEED(fallocate(fd, 0, 12 * PAGE, 2 * PAGE));
	map(p, 16, PROT_READ, MAP_SHARED, fd, 0);
	c = p[9 * PAGE];
	EQUALS("two pages of a file with holes", resident(p), 2);
	EQUALS("its pages", blocks(fd), 4);
	c = p[5 * PAGE];
	EQUALS("a hole gets a page of its own", resident(p), 3);
	EQUALS("its pages then", blocks(fd), 5);
	TRUE("which is data now", has_page(fd, 5));
	TRUE("a reserved one is none", !has_page(fd, 12));
	c = p[12 * PAGE];
	EQUALS("until it is read", resident(p), 4);
	NEED(munmap(p, 16 * PAGE));
	NEED(close(fd));

	map(p, 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 16 * PAGE);
	in_child(child, p);
	(void)c;
	return done();
}
