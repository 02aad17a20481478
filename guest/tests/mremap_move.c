/* mremap: MREMAP_DONTUNMAP, and moves of more than one mapping (6.17); the order of its checks. */
#include "shm.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* libc passes the new address with MREMAP_FIXED alone. */
static char *remap(void *old, size_t old_size, size_t new_size, int flags, void *new)
{
	return (char *)syscall(SYS_mremap, old, old_size, new_size, flags, new);
}

static char *room(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

static void checks(void)
{
	char *p = room(4), *free = free_range(16 * PAGE);
	int move = MREMAP_MAYMOVE;

	FAILS("nothing mapped", remap(free, PAGE, PAGE, move, 0), EFAULT);
	FAILS("nothing mapped, DONTUNMAP", remap(free, PAGE, PAGE, move | MREMAP_DONTUNMAP, 0), EFAULT);
	FAILS("DONTUNMAP with another size", remap(p, PAGE, 2 * PAGE, move | MREMAP_DONTUNMAP, 0), EINVAL);
	FAILS("DONTUNMAP without MAYMOVE", remap(p, PAGE, PAGE, MREMAP_DONTUNMAP, 0), EINVAL);
	FAILS("DONTUNMAP, a hint that is not aligned", remap(p, PAGE, PAGE, move | MREMAP_DONTUNMAP, free + 1), EINVAL);
	FAILS("DONTUNMAP, a hint in the old range", remap(p, PAGE, PAGE, move | MREMAP_DONTUNMAP, p), EINVAL);
	FAILS("an unknown flag", remap(p, PAGE, PAGE, move | 8, 0), EINVAL);
	NEED(munmap(p, 4 * PAGE));
}

static void keep_the_old(void)
{
	char *p = room(2);
	char *target = free_range(2 * PAGE);

	p[0] = 1;
	p[PAGE] = 2;
	TRUE("DONTUNMAP moves to the hint",
	     remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, target) == target);
	EQUALS("the pages are there", target[0] * 10 + target[PAGE], 12);
	EQUALS("the old range is empty memory", p[0] + p[PAGE], 0);
	TRUE("DONTUNMAP of the first of two pages, fixed",
	     remap(target, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, p) == p);
	EQUALS("it is there, the other stays", p[0] * 10 + target[PAGE], 12);
	NEED(munmap(p, 2 * PAGE));
	NEED(munmap(target, 2 * PAGE));

	int id = new_segment(2 * PAGE, 0600);
	p = attach(id, NULL, 0);
	target = free_range(2 * PAGE);
	p[0] = 3;
	TRUE("DONTUNMAP of an attach",
	     remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, target) == target);
	EQUALS("both are attaches", nattch_of(id), 2);
	EQUALS("both show the segment", p[0] * 10 + target[0], 33);
	WORKS("shmdt of the old", shmdt(p));
	EQUALS("one is left", nattch_of(id), 1);
	WORKS("shmdt of the new", shmdt(target));
	remove_segment(id);
}

static void several(void)
{
	char *p = room(6);
	char *target = free_range(8 * PAGE);

	for (int i = 0; i < 6; i++)
		p[i * PAGE] = (char)(i + 1);
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	NEED(munmap(p + 3 * PAGE, PAGE));
	FAILS("several mappings, resized", remap(p, 6 * PAGE, 7 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target), EFAULT);
	FAILS("several mappings, anywhere", remap(p, 6 * PAGE, 7 * PAGE, MREMAP_MAYMOVE, 0), EFAULT);
	TRUE("several mappings, moved", remap(p, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	EQUALS("the first", target[0], 1);
	READING("the second is read only", target + PAGE, "ok");
	WRITING("so it is", target + PAGE, "SIGSEGV");
	READING("the hole came along", target + 3 * PAGE, "SIGSEGV");
	EQUALS("the last", target[5 * PAGE], 6);
	READING("nothing is left", p, "SIGSEGV");
	FAILS("the range may not begin with a hole",
	      remap(target + 3 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p), EFAULT);
	TRUE("it may end with one", remap(target + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	EQUALS("moved back", p[0], 3);
	NEED(munmap(target, 6 * PAGE));
	NEED(munmap(p, PAGE));
}

/* An attach moves by itself alone: its file has a get_unmapped_area of its own. */
static void an_attach_among_others(void)
{
	int id = new_segment(PAGE, 0600);
	char *p = room(4), *target = free_range(4 * PAGE);
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	attach(id, p + PAGE, SHM_REMAP);
	FAILS("an attach and what follows it", remap(p + PAGE, 2 * PAGE, 2 * PAGE, flags, target), EFAULT);
	p[0] = 7;
	FAILS("an attach after something else", remap(p, 2 * PAGE, 2 * PAGE, flags, target), EFAULT);
	READING("which has moved", p, "SIGSEGV");
	EQUALS("to its new place", target[0], 7);
	EQUALS("the attach has not", nattch_of(id), 1);
	NEED(munmap(p + 2 * PAGE, 2 * PAGE));
	FAILS("an attach and a hole", remap(p + PAGE, 2 * PAGE, 2 * PAGE, flags, target + PAGE), EFAULT);
	TRUE("an attach alone", remap(p + PAGE, PAGE, PAGE, flags, target + PAGE) == target + PAGE);
	NEED(munmap(target, 2 * PAGE));
	remove_segment(id);
}

static void shrinking(void)
{
	char *p = room(4);

	NEED(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	WORKS("shrinking over several mappings", remap(p, 4 * PAGE, PAGE, 0, 0) == (char *)-1 ? -1 : 0);
	READING("the rest is gone", p + PAGE, "SIGSEGV");
	NEED(munmap(p, PAGE));

	p = room(4);
	char *target = free_range(4 * PAGE);
	NEED(munmap(p + 2 * PAGE, PAGE));
	FAILS("moving and shrinking to two mappings",
	      remap(p, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target), EFAULT);
	TRUE("moving and shrinking to one", remap(p, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	READING("nothing is left of the others", p + 3 * PAGE, "SIGSEGV");
}

int main(void)
{
	checks();
	keep_the_old();
	several();
	an_attach_among_others();
	shrinking();
	return done();
}
