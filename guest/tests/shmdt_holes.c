/* shmdt(2) when munmap, mprotect, mmap or mremap have been at the attach: pieces, holes, moves. */
#include "shm.h"

static int id;

/* A new attach of five pages with free room around it. */
static char *attach_apart(void)
{
	char *room = free_range(16 * PAGE);
	return attach(id, room + 4 * PAGE, 0);
}

int main(void)
{
	id = new_segment(5 * PAGE, 0600);

	char *p = attach_apart();
	NEED(munmap(p + 2 * PAGE, PAGE));
	EQUALS("a hole in the middle: nattch", nattch_of(id), 2);
	READING("the hole", p + 2 * PAGE, "SIGSEGV");
	FAILS("shmdt of the second piece", shmdt(p + 3 * PAGE), EINVAL);
	WORKS("shmdt of the base removes both", shmdt(p));
	EQUALS("nattch", nattch_of(id), 0);
	READING("the second piece is gone", p + 4 * PAGE, "SIGSEGV");

	p = attach_apart();
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	EQUALS("a three-way mprotect split: nattch", nattch_of(id), 3);
	WORKS("shmdt removes all three", shmdt(p));
	EQUALS("nattch", nattch_of(id), 0);

	p = attach_apart();
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	NEED(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
	EQUALS("pieces with the same rights again do not merge: nattch", nattch_of(id), 3);
	WORKS("shmdt removes all three", shmdt(p));

	p = attach_apart();
	NEED(munmap(p, PAGE));
	EQUALS("without its first page: nattch", nattch_of(id), 1);
	FAILS("shmdt of the next page", shmdt(p + PAGE), EINVAL);
	WORKS("shmdt of the original base", shmdt(p));
	EQUALS("nattch", nattch_of(id), 0);

	p = attach_apart();
	NEED(munmap(p + 4 * PAGE, PAGE));
	EQUALS("without its last page: nattch", nattch_of(id), 1);
	WORKS("shmdt of the base", shmdt(p));

	p = attach_apart();
	NEED(munmap(p, 5 * PAGE));
	EQUALS("munmap of all of it: nattch", nattch_of(id), 0);
	FAILS("shmdt after that", shmdt(p), EINVAL);

	p = attach_apart();
	NEED(mmap(p, 5 * PAGE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	EQUALS("MAP_FIXED over all of it: nattch", nattch_of(id), 0);
	FAILS("shmdt of what is there now", shmdt(p), EINVAL);
	NEED(munmap(p, 5 * PAGE));

	p = attach_apart();
	NEED(mmap(p + PAGE, PAGE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	EQUALS("MAP_FIXED over a page: nattch", nattch_of(id), 2);
	WORKS("shmdt leaves that page", shmdt(p));
	READING("it is there", p + PAGE, "ok");
	READING("its neighbour is not", p, "SIGSEGV");
	NEED(munmap(p + PAGE, PAGE));

	p = attach_apart();
	strcpy(p, "moved");
	char *room = free_range(16 * PAGE) + 8 * PAGE;
	char *moved = mremap(p, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	TRUE("mremap moves the attach", moved == room);
	EQUALS("nattch", nattch_of(id), 1);
	TEXT("its content", moved, "moved");
	FAILS("shmdt of the old base", shmdt(p), EINVAL);
	WORKS("shmdt of the new base", shmdt(moved));
	EQUALS("nattch", nattch_of(id), 0);

	p = attach_apart();
	strcpy(p, "kept");
	WORKS("MADV_DONTNEED", madvise(p, 5 * PAGE, MADV_DONTNEED));
	TEXT("keeps the data", p, "kept");
	char *other = attach_apart();
	NEED(munmap(p, PAGE));
	WORKS("two attaches, one with a hole: shmdt of the whole one", shmdt(other));
	EQUALS("leaves the other alone: nattch", nattch_of(id), 1);
	WORKS("shmdt of the one with the hole", shmdt(p));
	EQUALS("nattch", nattch_of(id), 0);
	return done();
}
