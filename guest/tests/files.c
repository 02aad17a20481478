/* Files: open, read, write, seek, truncate, descriptors, devices. */
#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define NAME "/tmp/file"

static void regular(void)
{
	char buffer[64];
	struct stat st;

	FAILS("open what is not there", open(NAME, O_RDONLY), ENOENT);
	FAILS("open below what is not there", open("/tmp/none/x", O_RDWR | O_CREAT, 0600), ENOENT);
	int fd = open(NAME, O_RDWR | O_CREAT | O_EXCL, 0640);
	WORKS("create", fd);
	FAILS("O_EXCL again", open(NAME, O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
	EQUALS("write", write(fd, "hello, file", 11), 11);
	EQUALS("read at the end", read(fd, buffer, 10), 0);
	EQUALS("seek to the start", lseek(fd, 0, SEEK_SET), 0);
	EQUALS("read", read(fd, buffer, 5), 5);
	TRUE("what was written", memcmp(buffer, "hello", 5) == 0);
	EQUALS("position", lseek(fd, 0, SEEK_CUR), 5);
	EQUALS("pread", pread(fd, buffer, 64, 7), 4);
	EQUALS("does not move", lseek(fd, 0, SEEK_CUR), 5);
	EQUALS("pwrite", pwrite(fd, "FILE", 4, 7), 4);
	EQUALS("SEEK_END", lseek(fd, -4, SEEK_END), 7);
	FAILS("before the start", lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS("whence 99", lseek(fd, 0, 99), EINVAL);
	EQUALS("seek beyond the end", lseek(fd, 5000, SEEK_SET), 5000);
	EQUALS("write there", write(fd, "x", 1), 1);
	NEED(fstat(fd, &st));
	EQUALS("size", st.st_size, 5001);
	OCTAL("mode", st.st_mode, S_IFREG | 0640);
	EQUALS("links", st.st_nlink, 1);
	TRUE("owner", st.st_uid == geteuid() && st.st_gid == getegid());
	EQUALS("the gap reads as zero", pread(fd, buffer, 1, 4000) == 1 ? buffer[0] : -1, 0);
	WORKS("ftruncate", ftruncate(fd, 3));
	EQUALS("size", lseek(fd, 0, SEEK_END), 3);
	WORKS("ftruncate grows", ftruncate(fd, 8192));
	EQUALS("with zeroes", pread(fd, buffer, 8, 0) == 8 ? buffer[3] | buffer[7] : -1, 0);
	FAILS("negative size", ftruncate(fd, -1), EINVAL);
	struct iovec parts[] = { { "gather ", 7 }, { NULL, 0 }, { "these", 5 } };
	NEED(lseek(fd, 0, SEEK_SET));
	EQUALS("writev", writev(fd, parts, 3), 12);
	NEED(lseek(fd, 0, SEEK_SET));
	char one[3], two[20];
	struct iovec into[] = { { one, 3 }, { two, 9 } };
	EQUALS("readv", readv(fd, into, 2), 12);
	TRUE("in order", memcmp(one, "gat", 3) == 0 && memcmp(two, "her these", 9) == 0);
	FAILS("read into a bad address", read(fd, (void *)16, 10), EFAULT);
	FAILS("write from a bad address", write(fd, (void *)16, 10), EFAULT);
	WORKS("close", close(fd));
	FAILS("close again", close(fd), EBADF);
	FAILS("read a closed one", read(fd, buffer, 1), EBADF);

	fd = (int)NEED(open(NAME, O_RDONLY));
	FAILS("write a read-only one", write(fd, "x", 1), EBADF);
	FAILS("ftruncate a read-only one", ftruncate(fd, 0), EINVAL);
	NEED(close(fd));
	fd = (int)NEED(open(NAME, O_WRONLY | O_APPEND));
	FAILS("read a write-only one", read(fd, buffer, 1), EBADF);
	NEED(lseek(fd, 0, SEEK_SET));
	NEED(write(fd, "end", 3));
	EQUALS("O_APPEND writes at the end", lseek(fd, 0, SEEK_CUR), 8195);
	NEED(close(fd));
	fd = (int)NEED(open(NAME, O_RDWR | O_TRUNC));
	EQUALS("O_TRUNC", lseek(fd, 0, SEEK_END), 0);
	NEED(write(fd, "open", 4));
	WORKS("unlink while open", unlink(NAME));
	FAILS("the name is gone", stat(NAME, &st), ENOENT);
	EQUALS("the file is not", pread(fd, buffer, 4, 0), 4);
	NEED(close(fd));
	FAILS("unlink again", unlink(NAME), ENOENT);
}

static void descriptors(void)
{
	char byte;
	int fd = (int)NEED(open(NAME, O_RDWR | O_CREAT, 0600));
	int copy = (int)NEED(dup(fd));
	TRUE("dup takes the lowest free number", copy == fd + 1);
	NEED(write(fd, "abc", 3));
	EQUALS("a dup shares the position", lseek(copy, 0, SEEK_CUR), 3);
	EQUALS("dup2", dup2(fd, 40), 40);
	EQUALS("dup2 onto itself", dup2(fd, fd), fd);
	FAILS("dup of a closed one", dup(41), EBADF);
	EQUALS("F_DUPFD", fcntl(fd, F_DUPFD, 50), 50);
	EQUALS("F_GETFD", fcntl(fd, F_GETFD), 0);
	WORKS("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC));
	EQUALS("F_GETFD", fcntl(fd, F_GETFD), FD_CLOEXEC);
	EQUALS("F_GETFD of the dup", fcntl(copy, F_GETFD), 0);
	EQUALS("F_GETFL access mode", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	WORKS("F_SETFL", fcntl(fd, F_SETFL, O_APPEND));
	TRUE("F_GETFL of the dup", (fcntl(copy, F_GETFL) & O_APPEND) != 0);
	int other = (int)NEED(open(NAME, O_RDONLY));
	EQUALS("a second open has its own position", lseek(other, 0, SEEK_CUR), 0);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(read(other, &byte, 1));
		_exit(0);
	}
	NEED(waitpid(pid, NULL, 0));
	EQUALS("a child shares it", lseek(other, 0, SEEK_CUR), 1);
	FAILS("ioctl on a file", ioctl(fd, TIOCGWINSZ, &byte), ENOTTY);
	NEED(close(40));
	NEED(close(50));
	NEED(close(copy));
	NEED(close(fd));
	NEED(close(other));
	NEED(unlink(NAME));
}

static void devices(void)
{
	char buffer[100];
	int null = (int)NEED(open("/dev/null", O_RDWR)), zero = (int)NEED(open("/dev/zero", O_RDWR));
	int random = (int)NEED(open("/dev/urandom", O_RDONLY));
	struct stat st;

	EQUALS("read /dev/null", read(null, buffer, 100), 0);
	EQUALS("write /dev/null", write(null, buffer, 100), 100);
	memset(buffer, 1, 100);
	EQUALS("read /dev/zero", read(zero, buffer, 100), 100);
	TRUE("zeroes", buffer[0] == 0 && buffer[99] == 0);
	EQUALS("read /dev/urandom", read(random, buffer, 100), 100);
	int different = 0;
	for (int i = 1; i < 100; i++)
		different += buffer[i] != buffer[0];
	TRUE("random", different > 50);
	NEED(stat("/dev/null", &st));
	TRUE("a character device", S_ISCHR(st.st_mode));
	TRUE("its number is 1:3", st.st_rdev == 0x103);
	NEED(close(null));
	NEED(close(zero));
	NEED(close(random));
}

int main(void)
{
	umask(0);
	regular();
	descriptors();
	devices();
	return done();
}
