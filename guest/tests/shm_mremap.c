/* mremap(2) of an attach: growth beyond the segment, MREMAP_FIXED, MREMAP_DONTUNMAP, a second mapping by old size 0; what nattch and shmdt make of it. */
#include "shm.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static int id;

static char *remap(char *p, size_t old, size_t new, int flags, char *to)
{
	return mremap(p, old, new, flags, to);
}

int main(void)
{
	id = new_segment(3 * PAGE, 0600);

	/* Smaller. */
	char *p = attach(id, NULL, 0);
	strcpy(p, "first");
	strcpy(p + PAGE, "second");
	strcpy(p + 2 * PAGE, "third");
	TRUE("shrink", remap(p, 3 * PAGE, 2 * PAGE, 0, 0) == p);
	EQUALS("shrink: nattch", nattch_of(id), 1);
	READING("shrink: behind", p + 2 * PAGE, "SIGSEGV");
	TRUE("grow back in place", remap(p, 2 * PAGE, 3 * PAGE, 0, 0) == p);
	TEXT("grow back: the segment's page", p + 2 * PAGE, "third");
	EQUALS("grow back: nattch", nattch_of(id), 1);
	WORKS("shmdt", shmdt(p));

	/* Beyond the segment. */
	char *room = free_range(16 * PAGE);
	p = attach(id, room, 0);
	TRUE("grow beyond the segment, in place", remap(p, 3 * PAGE, 5 * PAGE, 0, 0) == p);
	EQUALS("beyond: nattch", nattch_of(id), 1);
	READING("beyond: the last page of the segment", p + 2 * PAGE, "ok");
	READING("beyond: read the page behind", p + 3 * PAGE, "SIGBUS");
	WRITING("beyond: write the one after", p + 4 * PAGE, "SIGBUS");
	EQUALS("beyond: the segment is as large as it was", (long)stat_of(id).shm_segsz, 3 * PAGE);
	WORKS("beyond: shmdt", shmdt(p));
	EQUALS("beyond: nattch", nattch_of(id), 0);
	READING("beyond: nothing stays", p + 4 * PAGE, "SIGSEGV");
	p = attach(id, room, 0);
	char *wall = mmap(room + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	FAILS("no room and not MAYMOVE", (long)remap(p, 3 * PAGE, 4 * PAGE, 0, 0), ENOMEM);
	char *q = remap(p, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0);
	TRUE("moved and grown", q != MAP_FAILED && q != p);
	TEXT("moved: content", q + 2 * PAGE, "third");
	READING("moved: behind the segment", q + 3 * PAGE, "SIGBUS");
	READING("moved: the old place", p, "SIGSEGV");
	FAILS("moved: shmdt of the old base", shmdt(p), EINVAL);
	WORKS("moved: shmdt of the new base", shmdt(q));
	EQUALS("moved: nattch", nattch_of(id), 0);
	NEED(munmap(wall, PAGE));

	/* To a fixed place. */
	p = attach(id, room, 0);
	char *to = room + 8 * PAGE;
	TRUE("MREMAP_FIXED", remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	TEXT("fixed: content", to + PAGE, "second");
	EQUALS("fixed: nattch", nattch_of(id), 1);
	FAILS("MREMAP_FIXED without MAYMOVE", (long)remap(to, PAGE, PAGE, MREMAP_FIXED, room), EINVAL);
	FAILS("MREMAP_FIXED onto itself", (long)remap(to, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE), EINVAL);
	FAILS("MREMAP_FIXED unaligned", (long)remap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + 1), EINVAL);
	FAILS("an unknown flag", (long)remap(to, PAGE, PAGE, 8, room), EINVAL);
	FAILS("unaligned", (long)remap(to + 1, PAGE, PAGE, MREMAP_MAYMOVE, room), EINVAL);
	FAILS("to size 0", (long)remap(to, PAGE, 0, MREMAP_MAYMOVE, room), EINVAL);
	FAILS("nothing there", (long)remap(room, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), EFAULT);
	/* The middle page alone: three VMAs, one of them elsewhere. */
	TRUE("the middle page alone", remap(to + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
	EQUALS("middle: nattch", nattch_of(id), 3);
	TEXT("middle: content", room, "second");
	FAILS("middle: shmdt where it is", shmdt(room), EINVAL);
	WORKS("middle: shmdt of the base takes the two others", shmdt(to));
	EQUALS("middle: nattch", nattch_of(id), 1);
	WORKS("middle: shmdt a page below where it is", shmdt(room - PAGE));
	EQUALS("middle: nattch", nattch_of(id), 0);

	/* Over another attach. */
	p = attach(id, room, 0);
	q = attach(id, to, 0);
	EQUALS("two attaches", nattch_of(id), 2);
	TRUE("one moved over the other", remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	EQUALS("one moved over the other: nattch", nattch_of(id), 1);
	WORKS("shmdt", shmdt(q));
	p = attach(id, room, 0);
	int marked = new_segment(PAGE, 0600);
	q = attach(marked, to, 0);
	remove_segment(marked);
	TRUE("over the last attach of a marked one", remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	struct shmid_ds ds;
	FAILS("which destroys it", shmctl(marked, IPC_STAT, &ds), EINVAL);
	WORKS("shmdt", shmdt(q));

	/* A second mapping of the same pages. */
	p = attach(id, room, 0);
	q = remap(p, 0, 3 * PAGE, MREMAP_MAYMOVE, 0);
	TRUE("old size 0 maps it again", q != MAP_FAILED && q != p);
	EQUALS("again: nattch", nattch_of(id), 2);
	strcpy(q, "twice");
	TEXT("again: one memory", p, "twice");
	WORKS("again: shmdt of the second", shmdt(q));
	EQUALS("again: nattch", nattch_of(id), 1);
	TRUE("old size 0, one page from the middle", remap(p + PAGE, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	TEXT("from the middle: content", to, "second");
	EQUALS("from the middle: nattch", nattch_of(id), 2);
	WORKS("shmdt", shmdt(p));
	EQUALS("the page from the middle stays", nattch_of(id), 1);
	WORKS("shmdt a page below", shmdt(to - PAGE));
	EQUALS("nattch", nattch_of(id), 0);

	/* A piece that comes to lie where it belongs becomes one with its neighbours, as far as none of them has to go. */
	p = attach(id, room, 0);
	q = remap(p + PAGE, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	EQUALS("a second page 1: nattch", nattch_of(id), 2);
	TRUE("over the first", remap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) == p + PAGE);
	EQUALS("with page 0: nattch", nattch_of(id), 2);
	pid_t pid = fork();
	NEED(pid);
	if (pid == 0)
		_exit(nattch_of(id));
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("with page 0, forked: nattch", WEXITSTATUS(status), 4);
	TRUE("the last one, away", remap(p + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EQUALS("the last one, away: nattch", nattch_of(id), 2);
	TRUE("and back", remap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PAGE) == p + 2 * PAGE);
	EQUALS("and back: nattch", nattch_of(id), 1);
	TRUE("the first one, away", remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EQUALS("the first one, away: nattch", nattch_of(id), 2);
	TRUE("the first one, back", remap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	EQUALS("the first one, back: nattch", nattch_of(id), 1);
	char *other = attach(id, to, 0);
	TRUE("a page of another attach", remap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	EQUALS("a page of another attach: nattch", nattch_of(id), 3);
	WORKS("shmdt of that page", shmdt(p));
	EQUALS("shmdt of that page: nattch", nattch_of(id), 2);
	WORKS("shmdt of the others of its attach", shmdt(to));
	EQUALS("shmdt of the others of its attach: nattch", nattch_of(id), 1);
	WORKS("shmdt of the two behind", shmdt(p));
	EQUALS("nattch", nattch_of(id), 0);

	/* MREMAP_DONTUNMAP. */
	p = attach(id, room, 0);
	strcpy(p, "kept");
	FAILS("DONTUNMAP without MAYMOVE", (long)remap(p, 3 * PAGE, 3 * PAGE, MREMAP_DONTUNMAP, 0), EINVAL);
	FAILS("DONTUNMAP with another size", (long)remap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), EINVAL);
	q = remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	TRUE("DONTUNMAP", q != MAP_FAILED && q != p);
	EQUALS("DONTUNMAP: nattch", nattch_of(id), 2);
	TEXT("DONTUNMAP: the new place", q, "kept");
	TEXT("DONTUNMAP: the old place faults the same pages in", p, "kept");
	WORKS("DONTUNMAP: shmdt of the old place", shmdt(p));
	EQUALS("DONTUNMAP: nattch", nattch_of(id), 1);
	TEXT("DONTUNMAP: the new place stays", q, "kept");
	TRUE("DONTUNMAP to a fixed place",
	     remap(q, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to);
	WORKS("shmdt of the fixed place", shmdt(to));
	WORKS("and of the old one", shmdt(q));
	EQUALS("nattch", nattch_of(id), 0);

	/* Two VMAs of one attach, after mprotect. */
	p = attach(id, room, 0);
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	EQUALS("split: nattch", nattch_of(id), 3);
	FAILS("split: grow over the pieces", (long)remap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0), EFAULT);
	TRUE("split: shrink over the pieces", remap(p, 3 * PAGE, PAGE, 0, 0) == p);
	EQUALS("split: nattch", nattch_of(id), 1);
	WORKS("shmdt", shmdt(p));

	/* A read-only attach stays one. */
	p = attach(id, room, SHM_RDONLY);
	q = remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	WRITING("a moved read-only attach", q, "SIGSEGV");
	FAILS("mprotect(PROT_WRITE) on it", mprotect(q, PAGE, PROT_READ | PROT_WRITE), EACCES);
	WORKS("shmdt", shmdt(q));

	/* lpid and times follow the pieces. */
	p = attach(id, room, 0);
	TRUE("atime of an attach", stat_of(id).shm_atime != 0);
	remove_segment(id);
	q = remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	TEXT("a marked one survives a move", q, "kept");
	OCTAL("marked", stat_of(id).shm_perm.mode, 01600);
	NEED(munmap(q, 3 * PAGE));
	FAILS("munmap of all of it destroys it", shmctl(id, IPC_STAT, &ds), EINVAL);
	return done();
}
