/* remap_file_pages(2), which Linux has emulated by mappings since 4.0. */
#include "shm.h"

#define RW (PROT_READ | PROT_WRITE)

static int remap(volatile void *start, size_t size, int prot, size_t page, int flags)
{
	return (int)syscall(SYS_remap_file_pages, start, size, prot, page, flags);
}

int main(void)
{
	struct shmid_ds ds;
	unsigned char there[4];
	int fd = (int)NEED(syscall(SYS_memfd_create, "remap", 0));
	NEED(ftruncate(fd, 4 * PAGE));
	/* volatile: the compiler does not know that its pages are one. */
	volatile char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	NEED((void *)p == MAP_FAILED ? -1 : 0);
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = (char)('a' + i);
	WORKS("page 0 shows page 3", remap(p, PAGE, 0, 3, 0));
	TRUE("so it does", p[0] == 'd' && p[PAGE] == 'b' && p[3 * PAGE] == 'd');
	p[0] = 'x';
	TRUE("the same page", p[3 * PAGE] == 'x');
	WORKS("page 2 shows page 1", remap(p + 2 * PAGE, PAGE, 0, 1, 0));
	TRUE("so it does", p[2 * PAGE] == 'b');
	WORKS("an address within a page", remap(p + 7, PAGE, 0, 0, 0));
	TRUE("is that of the page", p[0] == 'a');
	FAILS("protection", remap(p, PAGE, PROT_READ, 0, 0), EINVAL);
	FAILS("size 0", remap(p, 0, 0, 0, 0), EINVAL);
	FAILS("less than a page", remap(p, 100, 0, 0, 0), EINVAL);
	FAILS("an offset that wraps", remap(p, 2 * PAGE, 0, (size_t)-1, 0), EINVAL);
	FAILS("nothing mapped", remap(free_range(PAGE), PAGE, 0, 0, 0), EINVAL);
	WORKS("over several mappings of the file", remap(p, 4 * PAGE, 0, 0, 0));
	TRUE("in order again", p[0] == 'a' && p[PAGE] == 'b' && p[2 * PAGE] == 'c');
	NEED(mprotect((char *)p + 3 * PAGE, PAGE, PROT_READ));
	FAILS("over mappings with other rights", remap(p, 4 * PAGE, 0, 0, 0), EINVAL);
	WORKS("one of them", remap(p + 3 * PAGE, PAGE, 0, 0, 0));
	TRUE("shows it", p[3 * PAGE] == 'a');
	WRITING("with its rights", p + 3 * PAGE, "SIGSEGV");
	NEED(munmap((char *)p + 2 * PAGE, PAGE));
	FAILS("over a hole", remap(p, 4 * PAGE, 0, 0, 0), EINVAL);
	WORKS("beyond the end of the file", remap(p, PAGE, 0, 100, 0));
	READING("is SIGBUS", p, "SIGBUS");
	NEED(munmap((char *)p, 2 * PAGE));
	NEED(munmap((char *)p + 3 * PAGE, PAGE));
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	FAILS("a private mapping", remap(p, PAGE, 0, 1, 0), EINVAL);
	NEED(munmap((char *)p, 2 * PAGE));
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FAILS("anonymous memory", remap(p, PAGE, 0, 1, 0), EINVAL);
	NEED(munmap((char *)p, 2 * PAGE));
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p[PAGE] = 's';
	WORKS("shared anonymous memory", remap(p, PAGE, 0, 1, 0));
	TRUE("shows it", p[0] == 's');
	NEED(munmap((char *)p, 2 * PAGE));

	int id = new_segment(2 * PAGE, 0600);
	p = attach(id, NULL, 0);
	p[PAGE] = 'v';
	WORKS("an attach", remap(p, PAGE, 0, 1, 0));
	TRUE("shows it", p[0] == 'v');
	EQUALS("nattch counts the mapping", nattch_of(id), 2);
	NEED(mincore((char *)p, 2 * PAGE, there));
	WORKS("shmdt", shmdt((char *)p));
	EQUALS("leaves it: it is not where an attach of its page would be", nattch_of(id), 1);
	NEED(munmap((char *)p, PAGE));
	EQUALS("nattch", nattch_of(id), 0);
	remove_segment(id);
	NEED(close(fd));

	/* An attach's page belongs to the attach wherever it lies, and becomes one mapping with what it continues. */
	id = new_segment(4 * PAGE, 0600);
	volatile char *q = attach(id, NULL, 0);
	WORKS("an attach: page 1 shows itself", remap(q + PAGE, PAGE, 0, 1, 0));
	EQUALS("nattch", nattch_of(id), 2);
	WORKS("page 0 shows itself", remap(q, PAGE, 0, 0, 0));
	EQUALS("nattch", nattch_of(id), 2);
	WORKS("page 3 shows page 0", remap(q + 3 * PAGE, PAGE, 0, 0, 0));
	EQUALS("nattch", nattch_of(id), 3);
	q[0] = 'z';
	TRUE("so it does", q[3 * PAGE] == 'z');
	WORKS("page 3 shows itself again", remap(q + 3 * PAGE, PAGE, 0, 3, 0));
	EQUALS("nattch", nattch_of(id), 2);
	WORKS("page 1 shows page 2", remap(q + PAGE, PAGE, 0, 2, 0));
	EQUALS("nattch", nattch_of(id), 3);
	WORKS("shmdt", shmdt((char *)q));
	EQUALS("what shows another page stays", nattch_of(id), 1);
	READING("page 0", q, "SIGSEGV");
	READING("page 1", q + PAGE, "ok");
	READING("page 2", q + 2 * PAGE, "SIGSEGV");
	NEED(munmap((char *)q + PAGE, PAGE));
	EQUALS("nattch", nattch_of(id), 0);
	q = attach(id, NULL, SHM_RDONLY);
	FAILS("an attach for reading", remap(q, PAGE, 0, 1, 0), EINVAL);
	NEED(shmdt((char *)q));

	/* Each attach is a file of its own, so two of them side by side are not one. */
	char *side = free_range(8 * PAGE);
	q = attach(id, side, 0);
	attach(id, side + 4 * PAGE, 0);
	FAILS("over two attaches", remap(side + 2 * PAGE, 4 * PAGE, 0, 0, 0), EINVAL);
	EQUALS("nattch", nattch_of(id), 2);
	WORKS("over one", remap(side, 4 * PAGE, 0, 0, 0));
	WORKS("a page of it", remap(side, PAGE, 0, 3, 0));
	WORKS("and all of it again", remap(side, 4 * PAGE, 0, 0, 0));
	EQUALS("nattch", nattch_of(id), 2);
	NEED(shmdt(side));
	NEED(shmdt(side + 4 * PAGE));

	/* The old mapping goes first, and takes along a segment that is to be destroyed, which the new one does not find then. */
	q = attach(id, NULL, 0);
	remove_segment(id);
	WORKS("a part of the last attach of a removed segment", remap(q, PAGE, 0, 1, 0));
	FAILS("the whole of it", remap(q, 4 * PAGE, 0, 0, 0), EINVAL);
	FAILS("the segment is gone", shmctl(id, IPC_STAT, &ds), EINVAL);
	READING("so is the memory", q + PAGE, "SIGSEGV");
	return done();
}
