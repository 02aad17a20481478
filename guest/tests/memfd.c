/* memfd_create(2): flags, names, modes, and every seal against every operation that it forbids. */
#include "shm.h"
#include <sys/stat.h>

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1
#define MFD_ALLOW_SEALING 2
#define MFD_HUGETLB 4
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 16
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif

#define RW (PROT_READ | PROT_WRITE)

static int memfd(const char *name, unsigned flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

/* A memfd of two pages that can be sealed. */
static int sealable(void)
{
	int fd = (int)NEED(memfd("sealed", MFD_ALLOW_SEALING | MFD_EXEC));
	NEED(ftruncate(fd, 2 * PAGE));
	return fd;
}

static long map_shared(int fd, int prot)
{
	void *p = mmap(NULL, PAGE, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	NEED(munmap(p, PAGE));
	return 0;
}

static void flags(void)
{
	char name[300], link[300], path[64];
	struct stat st;
	int fd;

	memset(name, 'n', sizeof name);
	FAILS("an unknown flag", memfd("x", 0x20), EINVAL);
	FAILS("MFD_EXEC and MFD_NOEXEC_SEAL", memfd("x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
	FAILS("a bad name", memfd((char *)16, 0), EFAULT);
	name[250] = 0;
	FAILS("a name of 250", memfd(name, 0), EINVAL);
	name[249] = 0;
	WORKS("a name of 249", fd = memfd(name, 0));
	NEED(close(fd));
	WORKS("an empty name", fd = memfd("", 0));
	NEED(close(fd));

	fd = (int)NEED(memfd("a/b c", 0));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = NEED(readlink(path, link, sizeof link - 1));
	link[n] = 0;
	TEXT("the name in /proc/self/fd", link, "/memfd:a/b c (deleted)");
	NEED(fstat(fd, &st));
	OCTAL("mode", st.st_mode, S_IFREG | 0777);
	EQUALS("links", st.st_nlink, 0);
	EQUALS("size", st.st_size, 0);
	EQUALS("close on exec", fcntl(fd, F_GETFD), 0);
	EQUALS("access mode", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	EQUALS("without MFD_ALLOW_SEALING it is sealed against seals", fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	FAILS("F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	/* Another open file description of the same inode. */
	int again = open(path, O_RDONLY);
	WORKS("open it again through /proc", again);
	EQUALS("same inode", fstat(again, &st) == 0 && st.st_nlink == 0, 1);
	FAILS("F_ADD_SEALS on a read-only descriptor", fcntl(again, F_ADD_SEALS, 0), EPERM);
	NEED(close(again));
	NEED(close(fd));

	fd = (int)NEED(memfd("x", MFD_CLOEXEC));
	EQUALS("MFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
	NEED(close(fd));
	fd = (int)NEED(memfd("x", MFD_NOEXEC_SEAL));
	NEED(fstat(fd, &st));
	OCTAL("MFD_NOEXEC_SEAL: mode", st.st_mode & 07777, 0666);
	EQUALS("its seals", fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	FAILS("fchmod to executable", fchmod(fd, 0777), EPERM);
	WORKS("fchmod otherwise", fchmod(fd, 0600));
	WORKS("and it can be sealed further", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	NEED(close(fd));
	fd = (int)NEED(memfd("x", MFD_EXEC | MFD_ALLOW_SEALING));
	EQUALS("MFD_ALLOW_SEALING: no seals", fcntl(fd, F_GET_SEALS), 0);
	NEED(close(fd));

	fd = (int)NEED(open("/tmp/file", O_RDWR | O_CREAT, 0600));
	EQUALS("a file of tmpfs is sealed against seals", fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	FAILS("and so takes none", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	NEED(close(fd));
	NEED(unlink("/tmp/file"));
	fd = (int)NEED(open("/dev/null", O_RDWR));
	FAILS("F_GET_SEALS of a device", fcntl(fd, F_GET_SEALS), EINVAL);
	FAILS("F_ADD_SEALS of a device", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EINVAL);
	NEED(close(fd));
}

static void seal_seal(void)
{
	int fd = sealable();
	FAILS("an unknown seal", fcntl(fd, F_ADD_SEALS, 0x40), EINVAL);
	WORKS("no seal", fcntl(fd, F_ADD_SEALS, 0));
	WORKS("F_SEAL_SEAL", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	FAILS("then F_SEAL_WRITE", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	FAILS("even F_SEAL_SEAL again", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), EPERM);
	EQUALS("seals", fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	NEED(close(fd));
}

static void seal_size(void)
{
	char byte = 'x';
	int fd = sealable();
	WORKS("F_SEAL_SHRINK", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	FAILS("shrink", ftruncate(fd, PAGE), EPERM);
	WORKS("the same size", ftruncate(fd, 2 * PAGE));
	WORKS("grow", ftruncate(fd, 3 * PAGE));
	WORKS("punch a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	NEED(close(fd));

	fd = sealable();
	WORKS("F_SEAL_GROW", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	FAILS("grow", ftruncate(fd, 3 * PAGE), EPERM);
	FAILS("write at the end", pwrite(fd, &byte, 1, 2 * PAGE), EPERM);
	char two[PAGE];
	memset(two, 'y', sizeof two);
	/* Each page is asked for itself. */
	EQUALS("write over the end", pwrite(fd, two, PAGE, PAGE + 1), PAGE - 1);
	EQUALS("write up to the end", pwrite(fd, two, PAGE, PAGE), PAGE);
	FAILS("fallocate beyond the end", fallocate(fd, 0, 0, 3 * PAGE), EPERM);
	FAILS("even keeping the size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE), EPERM);
	WORKS("fallocate within", fallocate(fd, 0, 0, 2 * PAGE));
	WORKS("shrink", ftruncate(fd, PAGE));
	FAILS("grow back", ftruncate(fd, 2 * PAGE), EPERM);
	NEED(close(fd));
}

static void seal_write(void)
{
	char byte = 'x';
	int fd = sealable();
	NEED(pwrite(fd, &byte, 1, 0));
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	FAILS("F_SEAL_WRITE while it is mapped shared and writable", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	EQUALS("no seal was added", fcntl(fd, F_GET_SEALS), 0);
	FAILS("with another seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), EBUSY);
	EQUALS("neither", fcntl(fd, F_GET_SEALS), 0);
	WORKS("mprotect read-only", mprotect(p, PAGE, PROT_READ));
	FAILS("it could be made writable again", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	NEED(munmap(p, PAGE));
	/* A shared mapping made read-only keeps the right to become writable, unless the seal was there first. */
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	WORKS("a private mapping does not matter", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	p[0] = 'p';
	TRUE("and stays writable", p[0] == 'p');
	NEED(munmap(p, PAGE));
	FAILS("write", pwrite(fd, &byte, 1, 0), EPERM);
	FAILS("write of a bad address", pwrite(fd, (char *)16, 1, 0), EPERM);
	EQUALS("write nothing", pwrite(fd, &byte, 0, 0), 0);
	FAILS("punch a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
	WORKS("fallocate", fallocate(fd, 0, 0, PAGE));
	WORKS("grow", ftruncate(fd, 4 * PAGE));
	WORKS("shrink", ftruncate(fd, PAGE));
	FAILS("map shared and writable", map_shared(fd, RW), EPERM);
	WORKS("map shared for reading", map_shared(fd, PROT_READ));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	TRUE("with the content", p[0] == 'x');
	FAILS("mprotect it writable", mprotect(p, PAGE, RW), EACCES);
	NEED(munmap(p, PAGE));
	WORKS("a second F_SEAL_WRITE", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	NEED(close(fd));
}

static void seal_future_write(void)
{
	char byte = 'z';
	int fd = sealable();
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	WORKS("F_SEAL_FUTURE_WRITE while mapped", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EQUALS("seals", fcntl(fd, F_GET_SEALS), F_SEAL_FUTURE_WRITE);
	p[0] = 'm';
	TRUE("the mapping stays writable", p[0] == 'm');
	FAILS("write", pwrite(fd, &byte, 1, 0), EPERM);
	FAILS("punch a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
	FAILS("map shared and writable", map_shared(fd, RW), EPERM);
	WORKS("map shared for reading", map_shared(fd, PROT_READ));
	FAILS("F_SEAL_WRITE is still refused", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	WORKS("mprotect the old one read-only", mprotect(p, PAGE, PROT_READ));
	WORKS("and writable again", mprotect(p, PAGE, RW));
	NEED(munmap(p, PAGE));
	WORKS("F_SEAL_WRITE", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	NEED(close(fd));
}

static void seal_exec(void)
{
	struct stat st;
	int fd = sealable();
	WORKS("F_SEAL_EXEC", fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	EQUALS("on an executable memfd it brings the others", fcntl(fd, F_GET_SEALS),
	       F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
	FAILS("fchmod without x", fchmod(fd, 0600), EPERM);
	WORKS("fchmod with the same x bits", fchmod(fd, 0755 | 0111));
	NEED(fstat(fd, &st));
	OCTAL("mode", st.st_mode & 0777, 0755);
	NEED(close(fd));
	fd = sealable();
	NEED(fchmod(fd, 0600));
	WORKS("F_SEAL_EXEC when nobody may execute", fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	EQUALS("it comes alone", fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	NEED(close(fd));
}

/* All descriptors of a memfd share one set of pages, of seals and of sizes; a child has it by fork. */
static void child(void *argument)
{
	int fd = *(int *)argument;
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, PAGE);
	NEED(p == MAP_FAILED ? -1 : 0);
	p[7] = 'c';
	WORKS("a child seals", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
}

static void sharing(void)
{
	char byte = 0;
	int fd = sealable();
	in_child(child, &fd);
	EQUALS("read what it wrote", pread(fd, &byte, 1, PAGE + 7), 1);
	EQUALS("byte", byte, 'c');
	EQUALS("its seal", fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK);
	NEED(close(fd));
}

int main(void)
{
	umask(0);
	flags();
	seal_seal();
	seal_size();
	seal_write();
	seal_future_write();
	seal_exec();
	sharing();
	return done();
}
