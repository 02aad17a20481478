/* msync(2) and mincore(2): flags, holes, locked memory, what is resident. */
#include "shm.h"
#include <sys/stat.h>

#define RW (PROT_READ | PROT_WRITE)

static void sync_flags(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	WORKS("MS_SYNC", msync(p, 4 * PAGE, MS_SYNC));
	WORKS("MS_ASYNC", msync(p, 4 * PAGE, MS_ASYNC));
	WORKS("MS_INVALIDATE", msync(p, 4 * PAGE, MS_INVALIDATE));
	WORKS("no flag", msync(p, 4 * PAGE, 0));
	WORKS("length 0", msync(p, 0, MS_SYNC));
	WORKS("length 0 of nothing", msync((char *)PAGE, 0, MS_SYNC));
	FAILS("MS_SYNC and MS_ASYNC", msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	FAILS("an unknown flag", msync(p, PAGE, 8), EINVAL);
	FAILS("unaligned", msync(p + 1, PAGE, MS_SYNC), EINVAL);
	FAILS("unaligned with length 0", msync(p + 1, 0, MS_SYNC), EINVAL);
	FAILS("a length that wraps", msync(p, (size_t)-PAGE, MS_SYNC), ENOMEM);
	WORKS("a length that is rounded up", msync(p, 1, MS_SYNC));
	NEED(munmap(p + PAGE, PAGE));
	FAILS("over a hole", msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	FAILS("over a hole, MS_ASYNC", msync(p, 4 * PAGE, MS_ASYNC), ENOMEM);
	FAILS("in the hole", msync(p + PAGE, PAGE, MS_SYNC), ENOMEM);
	NEED(mlock(p + 2 * PAGE, PAGE));
	FAILS("MS_INVALIDATE of locked memory", msync(p + 2 * PAGE, PAGE, MS_INVALIDATE), EBUSY);
	WORKS("MS_SYNC of it", msync(p + 2 * PAGE, PAGE, MS_SYNC));
	FAILS("a hole before locked memory", msync(p + PAGE, 2 * PAGE, MS_INVALIDATE), EBUSY);
	NEED(munmap(p + 3 * PAGE, PAGE));
	FAILS("locked memory before a hole", msync(p + 2 * PAGE, 2 * PAGE, MS_INVALIDATE), EBUSY);
	NEED(munmap(p, PAGE));
	NEED(munmap(p + 2 * PAGE, PAGE));
	p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WORKS("private memory without rights", msync(p, PAGE, MS_SYNC));
	NEED(munmap(p, PAGE));
}

static int resident(char *p, size_t pages)
{
	unsigned char there[16];
	int bits = 0;
	NEED(mincore(p, pages * PAGE, there));
	for (size_t i = 0; i < pages; i++)
		bits |= (there[i] & 1) << i;
	return bits;
}

static void residence(void)
{
	unsigned char there[16];
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	EQUALS("fresh private memory", resident(p, 4), 0);
	p[2 * PAGE] = 'x';
	EQUALS("after a write", resident(p, 4), 4);
	NEED(madvise(p, 4 * PAGE, MADV_DONTNEED));
	EQUALS("after MADV_DONTNEED", resident(p, 4), 0);
	FAILS("unaligned", mincore(p + 1, PAGE, there), EINVAL);
	WORKS("length 0", mincore(p, 0, there));
	WORKS("a length that is rounded up", mincore(p, 1, there));
	FAILS("a bad vector", mincore(p, PAGE, (unsigned char *)16), EFAULT);
	FAILS("a length beyond all memory", mincore(p, (size_t)-PAGE, there), ENOMEM);
	NEED(munmap(p + PAGE, PAGE));
	FAILS("over a hole", mincore(p, 4 * PAGE, there), ENOMEM);
	EQUALS("up to it", resident(p, 1), 0);
	NEED(munmap(p, PAGE));
	NEED(munmap(p + 2 * PAGE, 2 * PAGE));

	int fd = (int)NEED(syscall(SYS_memfd_create, "there", 0));
	NEED(ftruncate(fd, 8 * PAGE));
	p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 4 * PAGE);
	NEED(pwrite(fd, "x", 1, 4 * PAGE));
	EQUALS("a page that was written by write(2)", resident(p, 8), 16);
	EQUALS("through another mapping", resident(q, 2), 1);
	p[0] = 1;
	NEED(madvise(p, PAGE, MADV_DONTNEED));
	EQUALS("MADV_DONTNEED leaves the page cache", resident(p, 8), 17);
	NEED(ftruncate(fd, PAGE));
	EQUALS("truncated", resident(p, 8), 1);
	NEED(munmap(p, 8 * PAGE));
	NEED(munmap(q, 2 * PAGE));
	NEED(close(fd));
}

/* In the child, another user: a file that he may map and not write. */
static void stranger(void *argument)
{
	EQUALS("a file of another user that may not be written", resident(argument, 4), 15);
}

static void writer(void *argument)
{
	EQUALS("one that may be written", resident(argument, 4), 2);
}

static void who_may_know(void)
{
	int fd = (int)NEED(open("/dev/shm/known", O_RDWR | O_CREAT, 0644));
	NEED(ftruncate(fd, 4 * PAGE));
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	p[PAGE] = 1;
	EQUALS("the owner of a file", resident(p, 4), 2);
	in_child_as(1000, 1000, stranger, p);
	NEED(fchmod(fd, 0666));
	in_child_as(1000, 1000, writer, p);
	NEED(munmap(p, 4 * PAGE));
	NEED(close(fd));
	NEED(unlink("/dev/shm/known"));
}

int main(void)
{
	sync_flags();
	residence();
	who_may_know();
	return done();
}
