/* mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2). libc aligns mprotect's arguments; the raw call does not. */
#include "shm.h"
#include <sys/stat.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static int is_all(const char *p, char value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return 0;
	return 1;
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, RW, ANON, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static void anonymous(void)
{
	char *p = map(10 * PAGE);
	TRUE("new memory is zero", is_all(p, 0, 10 * PAGE));
	memset(p, 'a', 10 * PAGE);
	FAILS("length 0", (long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	FAILS("neither private nor shared", (long)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS("MAP_FIXED unaligned", (long)mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	FAILS("a length beyond the address space", (long)mmap(NULL, (size_t)-PAGE, RW, ANON, -1, 0), ENOMEM);
	TRUE("a hint that is taken moves", mmap(p, PAGE, RW, ANON, -1, 0) != p);
	FAILS("MAP_FIXED_NOREPLACE on a mapping", (long)mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);

	TRUE("MAP_FIXED replaces", mmap(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + 2 * PAGE);
	TRUE("with zeroes", is_all(p + 2 * PAGE, 0, PAGE));
	TRUE("and no more than asked", p[2 * PAGE - 1] == 'a' && p[3 * PAGE] == 'a');
	FAILS("munmap unaligned", munmap(p + 1, PAGE), EINVAL);
	FAILS("munmap length 0", munmap(p, 0), EINVAL);
	WORKS("munmap a hole", munmap(p + 4 * PAGE, 2 * PAGE));
	READING("the hole", p + 4 * PAGE, "SIGSEGV");
	READING("before it", p + 4 * PAGE - 1, "ok");
	READING("behind it", p + 6 * PAGE, "ok");
	WORKS("munmap over the hole", munmap(p, 10 * PAGE));
	WORKS("munmap of nothing", munmap(p, 10 * PAGE));
}

static void protection(void)
{
	char *p = map(4 * PAGE);
	p[PAGE] = 'x';
	WORKS("read-only", mprotect(p + PAGE, PAGE, PROT_READ));
	READING("reads", p + PAGE, "ok");
	WRITING("does not write", p + PAGE, "SIGSEGV");
	WRITING("its neighbours do", p + 2 * PAGE, "ok");
	WORKS("PROT_NONE", mprotect(p + PAGE, PAGE, PROT_NONE));
	READING("does not read", p + PAGE, "SIGSEGV");
	WORKS("all again", mprotect(p, 4 * PAGE, RW));
	TRUE("kept its content", p[PAGE] == 'x');
	FAILS("mprotect unaligned", syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL);
	WORKS("mprotect length 0", mprotect(p, 0, RW));
	NEED(munmap(p + 3 * PAGE, PAGE));
	FAILS("mprotect over the end", mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	WRITING("changes what is before the end", p, "SIGSEGV");
	NEED(munmap(p, 3 * PAGE));
}

static void remapping(void)
{
	char *p = map(4 * PAGE);
	memset(p, 'r', 4 * PAGE);
	TRUE("mremap shrinks in place", mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	READING("what was cut off", p + 2 * PAGE, "SIGSEGV");
	char *q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	TRUE("mremap grows", q != MAP_FAILED);
	TRUE("with the old content", is_all(q, 'r', 2 * PAGE));
	TRUE("and zeroes behind", is_all(q + 2 * PAGE, 0, 62 * PAGE));
	FAILS("mremap unaligned", (long)mremap(q + 1, PAGE, PAGE, 0), EINVAL);
	FAILS("mremap to 0", (long)mremap(q, PAGE, 0, 0), EINVAL);
	FAILS("mremap of nothing", (long)mremap(free_range(PAGE), PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	char *room = free_range(8 * PAGE);
	TRUE("MREMAP_FIXED", mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
	TRUE("has the content", is_all(room, 'r', PAGE));
	READING("the old place", q, "SIGSEGV");
	NEED(munmap(room, PAGE));
	NEED(munmap(q + PAGE, 63 * PAGE));
}

static void advice(void)
{
	char *p = map(2 * PAGE);
	memset(p, 'd', 2 * PAGE);
	WORKS("MADV_DONTNEED", madvise(p, PAGE, MADV_DONTNEED));
	TRUE("gives zeroes", is_all(p, 0, PAGE) && is_all(p + PAGE, 'd', PAGE));
	FAILS("madvise unaligned", madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS("advice 999", madvise(p, PAGE, 999), EINVAL);
	NEED(munmap(p, 2 * PAGE));
}

static void shared_child(void *argument)
{
	char *p = argument;
	strcpy(p, "from the child");
}

static void sharing(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *q = map(PAGE);
	NEED(p == MAP_FAILED ? -1 : 0);
	in_child(shared_child, p);
	in_child(shared_child, q);
	TEXT("a shared mapping", p, "from the child");
	TEXT("a private mapping", q, "");
	NEED(munmap(p, PAGE));
	NEED(munmap(q, PAGE));
}

static void files(void)
{
	char text[32];
	int fd = (int)NEED(open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600));
	NEED(ftruncate(fd, PAGE + 100));
	NEED(pwrite(fd, "file content", 12, 0));
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char *s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	TRUE("map a file", p != MAP_FAILED && s != MAP_FAILED);
	TRUE("private: its content", memcmp(p, "file content", 12) == 0);
	TRUE("zero behind its end", is_all(p + PAGE + 100, 0, PAGE - 100));
	READING("a page behind its end", p + 2 * PAGE, "SIGBUS");
	p[0] = 'F';
	NEED(pread(fd, text, 4, 0));
	TRUE("a private write stays private", memcmp(text, "file", 4) == 0 && s[0] == 'f');
	s[5] = 'C';
	NEED(pread(fd, text, 12, 0));
	TRUE("a shared write is in the file", memcmp(text, "file Content", 12) == 0);
	NEED(pwrite(fd, "F", 1, 0));
	TRUE("a write to the file is in the shared mapping", s[0] == 'F');
	char *o = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	TRUE("at an offset", o != MAP_FAILED && o[0] == 0);
	s[PAGE] = 'o';
	TRUE("the same page", o[0] == 'o');
	FAILS("an unaligned offset", (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100), EINVAL);
	NEED(close(fd));
	TRUE("after close the mapping stays", memcmp(s, "File Content", 12) == 0);
	FAILS("a closed descriptor", (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), EBADF);
	fd = (int)NEED(open("/tmp/mapped", O_RDONLY));
	FAILS("write a shared mapping of a read-only descriptor", (long)mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
	TRUE("a private one is fine", mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	NEED(close(fd));
	NEED(unlink("/tmp/mapped"));
	TRUE("after unlink the mapping stays", memcmp(s, "File Content", 12) == 0);
	NEED(munmap(s, 2 * PAGE));
	NEED(munmap(p, 3 * PAGE));
}

int main(void)
{
	anonymous();
	protection();
	remapping();
	advice();
	sharing();
	files();
	return done();
}
