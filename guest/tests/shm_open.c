/* shm_open(3) and shm_unlink(3): files of /dev/shm, their modes, sizes, owners and names. */
#include "shm.h"
#include <sys/stat.h>
#include <sys/statfs.h>

#define NAME "/posix"
#define RW (PROT_READ | PROT_WRITE)

static int open_again(int flags)
{
	int fd = shm_open(NAME, flags, 0);
	if (fd >= 0)
		NEED(close(fd));
	return fd;
}

static void names(void)
{
	char name[300];
	memset(name, 'n', sizeof name);
	FAILS("open what is not there", shm_open(NAME, O_RDWR, 0), ENOENT);
	FAILS("unlink what is not there", shm_unlink(NAME), ENOENT);
	FAILS("a slash in the name", shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
	FAILS("no name", shm_open("/", O_RDWR | O_CREAT, 0600), EINVAL);
	FAILS("a dot", shm_open("/.", O_RDWR | O_CREAT, 0600), EINVAL);
	FAILS("two dots", shm_open("/..", O_RDWR | O_CREAT, 0600), EINVAL);
	name[256] = 0;
	FAILS("256 characters", shm_open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	name[255] = 0;
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	WORKS("255 characters", fd);
	NEED(close(fd));
	NEED(shm_unlink(name));
	WORKS("no slash at all", fd = shm_open("plain", O_RDWR | O_CREAT, 0600));
	NEED(close(fd));
	WORKS("is the same as one", shm_unlink("/plain"));
}

static void life(void)
{
	struct stat st;
	struct statfs fs;
	char text[64] = "", path[64];

	umask(022);
	int fd = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0666);
	WORKS("create", fd);
	FAILS("O_EXCL again", open_again(O_RDWR | O_CREAT | O_EXCL), EEXIST);
	WORKS("O_CREAT again", open_again(O_RDWR | O_CREAT));
	NEED(fstat(fd, &st));
	OCTAL("mode after umask 022", st.st_mode, S_IFREG | 0644);
	EQUALS("size", st.st_size, 0);
	EQUALS("links", st.st_nlink, 1);
	EQUALS("close on exec", fcntl(fd, F_GETFD), FD_CLOEXEC);
	NEED(fstatfs(fd, &fs));
	EQUALS("it is on tmpfs", fs.f_type == 0x01021994, 1);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	EQUALS("its path", readlink(path, text, sizeof text), strlen("/dev/shm/posix"));
	TEXT("is", text, "/dev/shm/posix");

	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	TRUE("mapped before it has a size", p != MAP_FAILED);
	WRITING("a touch is SIGBUS", p, "SIGBUS");
	WORKS("ftruncate", ftruncate(fd, PAGE + 1));
	WRITING("then it works", p, "ok");
	WRITING("to the end of the last page", p + 2 * PAGE - 1, "ok");
	strcpy(p, "written");
	EQUALS("blocks of 512 bytes", fstat(fd, &st) == 0 ? st.st_blocks : -1, 16);

	int other = shm_open(NAME, O_RDONLY, 0);
	WORKS("open read-only", other);
	FAILS("map it writable", (long)mmap(NULL, PAGE, RW, MAP_SHARED, other, 0), EACCES);
	char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other, 0);
	TEXT("the other mapping", q, "written");
	FAILS("mprotect it writable", mprotect(q, PAGE, RW), EACCES);
	FAILS("ftruncate a read-only descriptor", ftruncate(other, 0), EINVAL);
	WORKS("unlink", shm_unlink(NAME));
	FAILS("gone", open_again(O_RDWR), ENOENT);
	NEED(fstat(fd, &st));
	EQUALS("links", st.st_nlink, 0);
	memset(text, 0, sizeof text);
	NEED(readlink(path, text, sizeof text));
	TEXT("its path", text, "/dev/shm/posix (deleted)");
	int fresh = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
	WORKS("the name is free", fresh);
	NEED(ftruncate(fresh, PAGE));
	char *r = mmap(NULL, PAGE, RW, MAP_SHARED, fresh, 0);
	TEXT("another object", r, "");
	strcpy(p, "still shared");
	NEED(close(fd));
	NEED(close(other));
	TEXT("the old one lives in its mappings", q, "still shared");
	NEED(munmap(p, 2 * PAGE));
	TEXT("as long as one is left", q, "still shared");
	NEED(munmap(q, PAGE));
	NEED(munmap(r, PAGE));
	NEED(close(fresh));
	fd = shm_open(NAME, O_RDWR | O_TRUNC, 0);
	WORKS("O_TRUNC", fd);
	EQUALS("size", fstat(fd, &st) == 0 ? st.st_size : -1, 0);
	NEED(close(fd));
	NEED(shm_unlink(NAME));
}

static void as_other(void *unused)
{
	(void)unused;
	FAILS("other: read and write", open_again(O_RDWR), EACCES);
	WORKS("other: read", open_again(O_RDONLY));
	FAILS("other: truncate", open_again(O_RDONLY | O_TRUNC), EACCES);
	FAILS("other: unlink in the sticky directory", shm_unlink(NAME), EPERM);
	int own = shm_open("/own", O_RDWR | O_CREAT, 0600);
	WORKS("other: an object of its own", own);
	WORKS("other: unlink that", shm_unlink("/own"));
}

static void as_group(void *unused)
{
	(void)unused;
	FAILS("group: read", open_again(O_RDONLY), EACCES);
	FAILS("group: write", open_again(O_RDWR), EACCES);
}

static void as_owner(void *unused)
{
	(void)unused;
	int fd = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0604);
	WORKS("owner: create", fd);
	WORKS("owner: read and write", open_again(O_RDWR));
	NEED(fchmod(fd, 0004));
	FAILS("owner without bits: read", open_again(O_RDONLY), EACCES);
	WORKS("owner: fchmod back", fchmod(fd, 0604));
}

static void permissions(void)
{
	umask(0);
	in_child_as(1000, 1000, as_owner, NULL);
	in_child_as(1001, 1001, as_other, NULL);
	in_child_as(1002, 1000, as_group, NULL);
	WORKS("root: read and write", open_again(O_RDWR));
	WORKS("root: unlink", shm_unlink(NAME));
}

int main(void)
{
	names();
	life();
	permissions();
	return done();
}
