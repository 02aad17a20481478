/* fallocate(2) as tmpfs does it, lseek(2) with SEEK_DATA and SEEK_HOLE, copy_file_range(2) and sendfile(2) between files. */
#include "smaps.h"
#include <sys/sendfile.h>
#include <sys/stat.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#define COLLAPSE_RANGE 8
#define ZERO_RANGE 16
#define INSERT_RANGE 32
#define UNSHARE_RANGE 64
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

static int fd;

static long long blocks(void)
{
	struct stat st;
	NEED(fstat(fd, &st));
	return st.st_blocks / 8;
}

static long long size(void)
{
	struct stat st;
	NEED(fstat(fd, &st));
	return st.st_size;
}

static void precedence(void)
{
	FAILS("no file and no length", fallocate(99, 0, 0, 0), EBADF);
	FAILS("no file and a negative offset", fallocate(99, 0, -1, PAGE), EBADF);
	FAILS("no length and no such mode", fallocate(fd, 128, 0, 0), EINVAL);
	FAILS("no file and a negative position: pread", pread(99, &fd, 1, -1), EINVAL);
	FAILS("pwrite", pwrite(99, &fd, 1, -1), EINVAL);
}

static void modes(void)
{
	WORKS("allocate", fallocate(fd, 0, 0, 2 * PAGE));
	EQUALS("size", size(), 2 * PAGE);
	EQUALS("pages", blocks(), 2);
	WORKS("allocate over pages that are there", fallocate(fd, 0, PAGE, 3 * PAGE));
	EQUALS("size", size(), 4 * PAGE);
	EQUALS("pages", blocks(), 4);
	WORKS("one byte", fallocate(fd, 0, 5 * PAGE + 10, 1));
	EQUALS("size", size(), 5 * PAGE + 11);
	EQUALS("pages", blocks(), 5);
	WORKS("keeping the size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * PAGE, PAGE));
	EQUALS("size", size(), 5 * PAGE + 11);
	EQUALS("pages", blocks(), 6);
	WORKS("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	EQUALS("pages", blocks(), 5);
	WORKS("truncating to the size frees what lies beyond", ftruncate(fd, 5 * PAGE + 11));
	EQUALS("pages", blocks(), 4);
	FAILS("punch without keeping the size", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
	FAILS("zero a range", fallocate(fd, ZERO_RANGE, 0, PAGE), EOPNOTSUPP);
	FAILS("zero a range, keeping the size", fallocate(fd, ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP);
	FAILS("collapse", fallocate(fd, COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
	FAILS("collapse and keep the size", fallocate(fd, COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP);
	FAILS("insert", fallocate(fd, INSERT_RANGE, 0, PAGE), EOPNOTSUPP);
	FAILS("unshare", fallocate(fd, UNSHARE_RANGE, 0, PAGE), EOPNOTSUPP);
	FAILS("punch and zero", fallocate(fd, FALLOC_FL_PUNCH_HOLE | ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP);
	FAILS("an unknown mode", fallocate(fd, 0x1000, 0, PAGE), EOPNOTSUPP);
	FAILS("length 0", fallocate(fd, 0, 0, 0), EINVAL);
	FAILS("a negative offset", fallocate(fd, 0, -1, PAGE), EINVAL);
	FAILS("a negative length", fallocate(fd, 0, 0, -1), EINVAL);
	FAILS("an unknown mode and length 0", fallocate(fd, 0x1000, 0, 0), EINVAL);
	FAILS("beyond the largest file", fallocate(fd, 0, 0x7fffffffffffffffLL - 10, 100), EFBIG);
	int other = (int)NEED(shm_open("/fallocate", O_RDONLY, 0));
	FAILS("a read-only descriptor", fallocate(other, 0, 0, PAGE), EBADF);
	FAILS("with length 0", fallocate(other, 0, 0, 0), EINVAL);
	NEED(close(other));
	FAILS("a closed one", fallocate(other, 0, 0, PAGE), EBADF);
	int pipes[2];
	NEED(pipe(pipes));
	FAILS("a pipe", fallocate(pipes[1], 0, 0, PAGE), ESPIPE);
	other = (int)NEED(open("/dev/null", O_RDWR));
	FAILS("a device", fallocate(other, 0, 0, PAGE), ENODEV);
	NEED(close(other));
	NEED(close(pipes[0]));
	NEED(close(pipes[1]));
}

static void holes(void)
{
	NEED(ftruncate(fd, 0));
	NEED(ftruncate(fd, 10 * PAGE));
	FAILS("no data", lseek(fd, 0, SEEK_DATA), ENXIO);
	EQUALS("all hole", lseek(fd, 0, SEEK_HOLE), 0);
	NEED(pwrite(fd, "x", 1, 3 * PAGE + 50));
	NEED(pwrite(fd, "x", 1, 4 * PAGE));
	NEED(pwrite(fd, "x", 1, 7 * PAGE));
	EQUALS("the first data", lseek(fd, 0, SEEK_DATA), 3 * PAGE);
	EQUALS("data in data", lseek(fd, 3 * PAGE + 7, SEEK_DATA), 3 * PAGE + 7);
	EQUALS("the hole behind", lseek(fd, 3 * PAGE + 7, SEEK_HOLE), 5 * PAGE);
	EQUALS("a hole in a hole", lseek(fd, 5 * PAGE + 9, SEEK_HOLE), 5 * PAGE + 9);
	EQUALS("the next data", lseek(fd, 5 * PAGE + 9, SEEK_DATA), 7 * PAGE);
	EQUALS("the position was set", lseek(fd, 0, SEEK_CUR), 7 * PAGE);
	FAILS("no more data", lseek(fd, 8 * PAGE, SEEK_DATA), ENXIO);
	FAILS("at the end: data", lseek(fd, 10 * PAGE, SEEK_DATA), ENXIO);
	FAILS("at the end: hole", lseek(fd, 10 * PAGE, SEEK_HOLE), ENXIO);
	FAILS("negative", lseek(fd, -1, SEEK_DATA), ENXIO);
	NEED(pwrite(fd, "x", 1, 10 * PAGE - 1));
	EQUALS("data to the end: the hole is the end", lseek(fd, 9 * PAGE, SEEK_HOLE), 10 * PAGE);
	NEED(fallocate(fd, 0, 0, PAGE));
	EQUALS("allocated, never written: it holds no data", lseek(fd, 0, SEEK_DATA), 3 * PAGE);
	EQUALS("but is a hole", lseek(fd, 0, SEEK_HOLE), 0);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	(void)*(volatile char *)p;
	NEED(munmap(p, PAGE));
	EQUALS("a page that was only read through a mapping is data", lseek(fd, 0, SEEK_DATA), PAGE);
	NEED(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 3 * PAGE));
	EQUALS("punched out", lseek(fd, 0, SEEK_DATA), 4 * PAGE);
	int pipes[2];
	NEED(pipe(pipes));
	FAILS("SEEK_DATA in a pipe", lseek(pipes[0], 0, SEEK_DATA), ESPIPE);
	NEED(close(pipes[0]));
	NEED(close(pipes[1]));
}

static long copy(int in, off_t *from, int out, off_t *to, size_t length, unsigned flags)
{
	return copy_file_range(in, from, out, to, length, flags);
}

static void copying(void)
{
	char text[32] = "";
	off_t from = 4, to = PAGE;
	NEED(ftruncate(fd, 0));
	NEED(pwrite(fd, "0123456789abcdef", 16, 0));
	int out = (int)NEED(syscall(SYS_memfd_create, "copy", 0));
	FAILS("to another file system", copy(fd, NULL, out, NULL, 6, 0), EXDEV);
	NEED(close(out));
	out = (int)NEED(shm_open("/copy", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(shm_unlink("/copy"));
	NEED(lseek(fd, 0, SEEK_SET));
	EQUALS("copy_file_range by positions", copy(fd, NULL, out, NULL, 6, 0), 6);
	EQUALS("position of the source", lseek(fd, 0, SEEK_CUR), 6);
	EQUALS("position of the target", lseek(out, 0, SEEK_CUR), 6);
	EQUALS("by offsets, more than there is", copy(fd, &from, out, &to, 100, 0), 12);
	TRUE("offsets moved", from == 16 && to == PAGE + 12);
	EQUALS("positions did not", lseek(fd, 0, SEEK_CUR) * 100 + lseek(out, 0, SEEK_CUR), 606);
	NEED(pread(out, text, 31, PAGE));
	TEXT("content", text, "456789abcdef");
	EQUALS("at the end of the source", copy(fd, &from, out, &to, 100, 0), 0);
	from = 0, to = 8;
	EQUALS("within one file", copy(fd, &from, fd, &to, 8, 0), 8);
	from = 0, to = 4;
	FAILS("within one file, overlapping", copy(fd, &from, fd, &to, 8, 0), EINVAL);
	FAILS("a flag", copy(fd, NULL, out, NULL, 1, 1), EINVAL);
	int again = (int)NEED(shm_open("/fallocate", O_RDONLY, 0));
	FAILS("a target that cannot be written", copy(out, NULL, again, NULL, 1, 0), EBADF);
	NEED(close(again));
	again = (int)NEED(shm_open("/fallocate", O_WRONLY | O_APPEND, 0));
	FAILS("a target that appends", copy(out, NULL, again, NULL, 1, 0), EBADF);
	FAILS("a source that cannot be read", copy(again, NULL, out, NULL, 1, 0), EBADF);
	NEED(close(again));
	int pipes[2];
	NEED(pipe(pipes));
	FAILS("into a pipe", copy(fd, NULL, pipes[1], NULL, 1, 0), EINVAL);
	int dir = (int)NEED(open("/tmp", O_RDONLY));
	FAILS("from a directory", copy(dir, NULL, out, NULL, 1, 0), EISDIR);
	FAILS("a closed descriptor", copy(99, NULL, out, NULL, 1, 0), EBADF);
	FAILS("a bad offset", copy(fd, (off_t *)16, out, NULL, 1, 0), EFAULT);

	from = 0;
	NEED(ftruncate(out, 0));
	NEED(lseek(out, 0, SEEK_SET));
	EQUALS("sendfile", sendfile(out, fd, &from, 5), 5);
	EQUALS("its offset", from, 5);
	EQUALS("again", sendfile(out, fd, &from, 5), 5);
	memset(text, 0, sizeof text);
	NEED(pread(out, text, 31, 0));
	TEXT("content", text, "0123456701");
	NEED(close(dir));
	NEED(close(out));
	NEED(close(pipes[0]));
	NEED(close(pipes[1]));
}

/* Pages of the file that are mapped after a hole was punched, of four that were. */
static long left_by(long offset, long length)
{
	NEED(ftruncate(fd, 0));
	NEED(ftruncate(fd, 4 * PAGE));
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = (char)('a' + i);
	NEED(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length));
	long pages = rss(p) * 1024 / PAGE;
	NEED(munmap(p, 4 * PAGE));
	return pages;
}

static void unmapping(void)
{
	EQUALS("a hole of page 1", left_by(PAGE, PAGE), 3);
	EQUALS("of parts of pages 1 and 2", left_by(PAGE + 10, PAGE), 4);
	EQUALS("of a part of page 1", left_by(PAGE + 10, 10), 4);
	EQUALS("of the beginning of page 1", left_by(PAGE, 10), 4);
	EQUALS("of pages 1 and 2 and a part of 3", left_by(PAGE, 2 * PAGE + 10), 2);
	/* Linux takes the end of these, -1, for a large number. */
	EQUALS("of a part of page 0", left_by(10, 10), 1);
	EQUALS("of the beginning of page 0", left_by(0, 10), 0);
}

int main(void)
{
	fd = (int)NEED(shm_open("/fallocate", O_RDWR | O_CREAT | O_EXCL, 0600));
	precedence();
	modes();
	holes();
	copying();
	unmapping();
	NEED(close(fd));
	NEED(shm_unlink("/fallocate"));
	return done();
}
