/* Shared mappings: of files at offsets, anonymous across fork, their names in /proc/PID/maps, and mmap's flags. */
#include "shm.h"
#include <sys/stat.h>

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define RW (PROT_READ | PROT_WRITE)

/* The permissions and the name of the mapping that begins at `address`, from /proc/self/maps. */
static const char *maps_of(const void *address)
{
	static char answer[300];
	char *line = (char *)read_text("/proc/self/maps");
	for (; line != NULL && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long start, end, offset, inode;
		char perms[8], device[16], name[256] = "";
		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %255[^\n]", &start, &end, perms, &offset, device, &inode, name) < 6)
			continue;
		if (start != (unsigned long)address)
			continue;
		snprintf(answer, sizeof answer, "%s %lu pages at %lu%s%s", perms, (end - start) / PAGE, offset / PAGE,
			 name[0] ? " " : "", name);
		return answer;
	}
	return "no such mapping";
}

static char *map(size_t pages, int prot, int flags, int fd, off_t page)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, page * PAGE);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static void offsets(void)
{
	int fd = (int)NEED(shm_open("/offsets", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(ftruncate(fd, 8 * PAGE));
	char *all = map(8, RW, MAP_SHARED, fd, 0), *mid = map(3, RW, MAP_SHARED, fd, 3);
	char *private = map(2, RW, MAP_PRIVATE, fd, 4);
	mid[PAGE] = 'm';
	TRUE("page 4 through three mappings", all[4 * PAGE] == 'm' && private[0] == 'm');
	all[5 * PAGE] = 'a';
	TRUE("page 5", mid[2 * PAGE] == 'a' && private[PAGE] == 'a');
	private[0] = 'p';
	TRUE("a private write is nobody else's", all[4 * PAGE] == 'm' && mid[PAGE] == 'm');
	TEXT("maps: the whole", maps_of(all), "rw-s 8 pages at 0 /dev/shm/offsets");
	TEXT("maps: the middle", maps_of(mid), "rw-s 3 pages at 3 /dev/shm/offsets");
	TEXT("maps: private", maps_of(private), "rw-p 2 pages at 4 /dev/shm/offsets");
	NEED(shm_unlink("/offsets"));
	TEXT("maps: unlinked", maps_of(mid), "rw-s 3 pages at 3 /dev/shm/offsets (deleted)");
	NEED(munmap(all + PAGE, PAGE));
	TEXT("maps: below a hole", maps_of(all), "rw-s 1 pages at 0 /dev/shm/offsets (deleted)");
	TEXT("maps: above it", maps_of(all + 2 * PAGE), "rw-s 6 pages at 2 /dev/shm/offsets (deleted)");
	NEED(mprotect(all + 4 * PAGE, PAGE, PROT_READ));
	TEXT("maps: mprotect", maps_of(all + 4 * PAGE), "r--s 1 pages at 4 /dev/shm/offsets (deleted)");
	NEED(mprotect(all + 4 * PAGE, PAGE, RW));
	TEXT("maps: and back, joined", maps_of(all + 2 * PAGE), "rw-s 6 pages at 2 /dev/shm/offsets (deleted)");
	char *next = mmap(mid + 3 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 6 * PAGE);
	TRUE("the next page behind a mapping", next == mid + 3 * PAGE);
	TEXT("maps: joined", maps_of(mid), "rw-s 4 pages at 3 /dev/shm/offsets (deleted)");
	NEED(munmap(mid, 4 * PAGE));
	NEED(munmap(private, 2 * PAGE));
	int other = (int)NEED(syscall(SYS_memfd_create, "maps", 0));
	NEED(ftruncate(other, PAGE));
	char *q = map(1, PROT_READ, MAP_SHARED, other, 0);
	TEXT("maps: a memfd", maps_of(q), "r--s 1 pages at 0 /memfd:maps (deleted)");
	NEED(munmap(q, PAGE));
	NEED(close(other));
	NEED(munmap(all, 8 * PAGE));
	NEED(close(fd));
}

static void child(void *argument)
{
	char *p = argument;
	p[0] = 'c';
	p[3 * PAGE] = 'd';
}

static void child_first(void *argument)
{
	*(char *)argument = 'c';
}

static void grandchild(void *argument)
{
	in_child(child, argument);
}

static void anonymous(void)
{
	char *p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEXT("maps: shared anonymous", maps_of(p), "rw-s 4 pages at 0 /dev/zero (deleted)");
	in_child(grandchild, p);
	TRUE("shared with a grandchild", p[0] == 'c' && p[3 * PAGE] == 'd');
	char *q = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
	TRUE("mremap from length 0 maps it twice", q != MAP_FAILED && q[0] == 'c');
	q[PAGE] = 'q';
	TRUE("the same pages", p[PAGE] == 'q');
	NEED(munmap(q, 2 * PAGE));
	q = mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	TRUE("mremap grows", q != MAP_FAILED && q[3 * PAGE] == 'd');
	READING("but not the object", q + 4 * PAGE, "SIGBUS");
	NEED(munmap(q, 6 * PAGE));
	int zero = (int)NEED(open("/dev/zero", O_RDWR));
	p = map(2, RW, MAP_SHARED, zero, 0);
	TEXT("maps: /dev/zero, shared", maps_of(p), "rw-s 2 pages at 0 /dev/zero (deleted)");
	q = map(2, RW, MAP_SHARED, zero, 0);
	p[0] = 'z';
	TRUE("each mapping of it is an object", q[0] == 0);
	in_child(child_first, p);
	TRUE("shared with a child", p[0] == 'c');
	NEED(close(zero));
	NEED(munmap(p, 2 * PAGE));
	NEED(munmap(q, 2 * PAGE));
}

static void flags(void)
{
	char *room = free_range(4 * PAGE), *p;
	int fd = (int)NEED(syscall(SYS_memfd_create, "flags", 0));
	NEED(ftruncate(fd, 4 * PAGE));
	FAILS("MAP_SHARED_VALIDATE with an unknown flag", (long)mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x2000000, fd, 0), EOPNOTSUPP);
	p = mmap(NULL, PAGE, RW, MAP_SHARED | 0x2000000, fd, 0);
	TRUE("MAP_SHARED with one", p != MAP_FAILED);
	NEED(munmap(p, PAGE));
	FAILS("MAP_SHARED_VALIDATE with MAP_SYNC", (long)mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
	p = mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0);
	TRUE("MAP_SHARED_VALIDATE", p != MAP_FAILED);
	TEXT("is shared", maps_of(p), "rw-s 1 pages at 0 /memfd:flags (deleted)");
	NEED(munmap(p, PAGE));
	FAILS("MAP_SHARED_VALIDATE of anonymous memory", (long)mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS("type 0", (long)mmap(NULL, PAGE, RW, 0, fd, 0), EINVAL);
	FAILS("shared anonymous, length 0", (long)mmap(NULL, 0, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS("shared anonymous, far too long", (long)mmap(NULL, (size_t)-PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), ENOMEM);
	FAILS("a directory", (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, (int)NEED(open("/tmp", O_RDONLY)), 0), ENODEV);
	FAILS("MAP_GROWSDOWN of a file", (long)mmap(NULL, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, fd, 0), EINVAL);
	p = mmap(room, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	TRUE("MAP_FIXED_NOREPLACE where there is room", p == room);
	FAILS("MAP_FIXED_NOREPLACE over its end", (long)mmap(room + PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0), EEXIST);
	FAILS("MAP_FIXED_NOREPLACE unaligned", (long)mmap(room + 1, PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0), EINVAL);
	p = mmap(room + 2 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 2 * PAGE);
	TRUE("MAP_FIXED_NOREPLACE just behind", p == room + 2 * PAGE);
	TEXT("is one with it", maps_of(room), "rw-s 4 pages at 0 /memfd:flags (deleted)");
	NEED(munmap(room, 4 * PAGE));

	unsigned char there[4];
	int fresh = (int)NEED(syscall(SYS_memfd_create, "populate", 0));
	NEED(ftruncate(fresh, 4 * PAGE));
	p = map(4, RW, MAP_SHARED, fresh, 0);
	NEED(mincore(p, 4 * PAGE, there));
	EQUALS("mincore of untouched pages", (there[0] | there[1] | there[2] | there[3]) & 1, 0);
	(void)*(volatile char *)(p + PAGE);
	NEED(mincore(p, 4 * PAGE, there));
	TRUE("of one that was read", (there[1] & 1) == 1 && ((there[0] | there[2] | there[3]) & 1) == 0);
	char *q = map(4, RW, MAP_SHARED | MAP_POPULATE, fresh, 0);
	NEED(mincore(q, 4 * PAGE, there));
	EQUALS("MAP_POPULATE", there[0] & there[1] & there[2] & there[3] & 1, 1);
	NEED(mincore(p, 4 * PAGE, there));
	EQUALS("in the page cache, so in every mapping", there[0] & there[1] & there[2] & there[3] & 1, 1);
	NEED(munmap(p, 4 * PAGE));
	NEED(munmap(q, 4 * PAGE));
	p = map(6, RW, MAP_SHARED | MAP_POPULATE, fresh, 0);
	TRUE("MAP_POPULATE beyond the end of the file", p != MAP_FAILED);
	READING("is SIGBUS only when touched", p + 4 * PAGE, "SIGBUS");
	NEED(munmap(p, 6 * PAGE));
	p = map(2, RW, MAP_PRIVATE | MAP_POPULATE, fresh, 0);
	p[0] = 'p';
	char byte = 1;
	NEED(pread(fresh, &byte, 1, 0));
	EQUALS("a populated private mapping is private", byte, 0);
	NEED(munmap(p, 2 * PAGE));
	NEED(close(fresh));
	NEED(close(fd));
}

static void references(void)
{
	struct stat st;
	int fd = (int)NEED(shm_open("/refs", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(ftruncate(fd, PAGE));
	char *p = map(1, RW, MAP_SHARED, fd, 0);
	NEED(close(fd));
	p[0] = 'k';
	WORKS("write through a mapping whose descriptor is closed", fd = shm_open("/refs", O_RDONLY, 0));
	char byte = 0;
	NEED(read(fd, &byte, 1));
	EQUALS("is seen", byte, 'k');
	EQUALS("blocks", fstat(fd, &st) == 0 ? st.st_blocks : -1, 8);
	NEED(munmap(p, PAGE));
	NEED(shm_unlink("/refs"));
	NEED(close(fd));
}

int main(void)
{
	offsets();
	anonymous();
	flags();
	references();
	return done();
}
