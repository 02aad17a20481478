/* A full tmpfs: ENOSPC from write(2), fallocate(2) and for names, SIGBUS for a page through a mapping; all of it comes back. */
#include "shm.h"
#include <sys/stat.h>
#include <sys/statvfs.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#define RW (PROT_READ | PROT_WRITE)

static struct statvfs space(void)
{
	struct statvfs fs;
	NEED(statvfs("/dev/shm", &fs));
	return fs;
}

static void blocks(void)
{
	static char bytes[4 * PAGE];
	struct stat st;
	struct statvfs before = space();
	long long free_pages = (long long)before.f_bfree;
	int fd = (int)NEED(shm_open("/full", O_RDWR | O_CREAT | O_EXCL, 0600));

	EQUALS("block size", before.f_bsize, PAGE);
	TRUE("nothing is used", before.f_bfree == before.f_blocks && before.f_bavail == before.f_bfree);
	FAILS("fallocate more than there is", fallocate(fd, 0, 0, (free_pages + 1) * PAGE), ENOSPC);
	TRUE("nothing was taken", space().f_bfree == before.f_bfree);
	EQUALS("size", fstat(fd, &st) == 0 ? st.st_size : -1, 0);
	WORKS("a size beyond all space", ftruncate(fd, (free_pages + 10) * PAGE));
	TRUE("takes nothing", space().f_bfree == before.f_bfree);
	WORKS("fallocate all but two pages", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (free_pages - 2) * PAGE));
	EQUALS("free", space().f_bfree, 2);
	FAILS("fallocate three", fallocate(fd, 0, (free_pages - 2) * PAGE, 3 * PAGE), ENOSPC);
	EQUALS("gives back what it took", space().f_bfree, 2);
	memset(bytes, 'x', sizeof bytes);
	EQUALS("write four pages", pwrite(fd, bytes, 4 * PAGE, free_pages * PAGE), 2 * PAGE);
	EQUALS("free", space().f_bfree, 0);
	FAILS("write one byte more", pwrite(fd, bytes, 1, (free_pages + 2) * PAGE), ENOSPC);
	EQUALS("write where a page is", pwrite(fd, bytes, 10, free_pages * PAGE), 10);
	char byte = 'y';
	EQUALS("read a hole", pread(fd, &byte, 1, (free_pages + 5) * PAGE), 1);
	EQUALS("byte", byte, 0);
	char *p = mmap(NULL, 10 * PAGE, RW, MAP_SHARED, fd, free_pages * PAGE);
	NEED(p == MAP_FAILED ? -1 : 0);
	READING("a page that is there", p, "ok");
	READING("read a hole through a mapping", p + 5 * PAGE, "SIGBUS");
	WRITING("write one", p + 5 * PAGE, "SIGBUS");
	FAILS("read(2) into one", pread(fd, p + 5 * PAGE, 1, 0), EFAULT);
	char *q = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, (free_pages + 5) * PAGE);
	WRITING("a private mapping of a hole", q, "SIGBUS");
	int memfd = (int)NEED(syscall(SYS_memfd_create, "elsewhere", 0));
	EQUALS("a memfd is not of this file system", write(memfd, bytes, PAGE), PAGE);
	NEED(close(memfd));
	WORKS("punch a page", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	EQUALS("free", space().f_bfree, 1);
	WRITING("then the hole can be written", p + 5 * PAGE, "ok");
	WRITING("but no other", p + 6 * PAGE, "SIGBUS");
	NEED(munmap(q, PAGE));
	WORKS("unlink", shm_unlink("/full"));
	EQUALS("free while it is open", space().f_bfree, 0);
	NEED(close(fd));
	EQUALS("free while it is mapped", space().f_bfree, 0);
	NEED(munmap(p, 10 * PAGE));
	TRUE("all is free", space().f_bfree == before.f_bfree);
}

static void inodes(void)
{
	char name[64];
	struct stat st;
	struct statvfs before = space();
	long n = 0;
	int fd = (int)NEED(shm_open("/one", O_RDWR | O_CREAT | O_EXCL, 0600));
	EQUALS("a file is an inode", before.f_ffree - space().f_ffree, 1);
	NEED(link("/dev/shm/one", "/dev/shm/two"));
	EQUALS("so is a second name", before.f_ffree - space().f_ffree, 2);
	NEED(symlink("one", "/dev/shm/link"));
	NEED(mkdir("/dev/shm/dir", 0700));
	EQUALS("a link, a directory", before.f_ffree - space().f_ffree, 4);
	NEED(unlink("/dev/shm/two"));
	NEED(unlink("/dev/shm/link"));
	EQUALS("unlinked", before.f_ffree - space().f_ffree, 2);
	/* Names are made in the directory, so that one readdir less is needed to take them away. */
	for (;; n++) {
		snprintf(name, sizeof name, "/dev/shm/dir/%ld", n);
		if (mknod(name, S_IFREG | 0600, 0) == -1)
			break;
	}
	EQUALS("no more files: errno", errno, ENOSPC);
	EQUALS("ffree", space().f_ffree, 0);
	FAILS("shm_open", shm_open("/none", O_RDWR | O_CREAT, 0600), ENOSPC);
	FAILS("link", link("/dev/shm/one", "/dev/shm/two"), ENOSPC);
	FAILS("mkdir", mkdir("/dev/shm/other", 0700), ENOSPC);
	FAILS("symlink", symlink("x", "/dev/shm/other"), ENOSPC);
	WORKS("open what is there", close(shm_open("/one", O_RDWR | O_CREAT, 0600)));
	WORKS("rename", rename("/dev/shm/one", "/dev/shm/uno"));
	FAILS("the file that could not be made", stat("/dev/shm/none", &st), ENOENT);
	while (n-- > 0) {
		snprintf(name, sizeof name, "/dev/shm/dir/%ld", n);
		NEED(unlink(name));
	}
	NEED(rmdir("/dev/shm/dir"));
	NEED(unlink("/dev/shm/uno"));
	EQUALS("an open file keeps its inode", before.f_ffree - space().f_ffree, 1);
	NEED(close(fd));
	TRUE("all inodes are free", before.f_ffree == space().f_ffree);
}

int main(void)
{
	blocks();
	inodes();
	return done();
}
