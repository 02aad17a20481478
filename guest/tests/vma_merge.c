/*
 * Which private areas become one, as /proc/self/maps shows: neighbours whose pages may have come from different ancestors stay
 * apart (anon_vma), also when their rights are the same again.
 */
#include "shm.h"

#define RW (PROT_READ | PROT_WRITE)
#define ARENA ((char *)0x20000000)
#define PAGES 16

static char *at(int page)
{
	return ARENA + page * PAGE;
}

static void map(int page, int pages, int prot)
{
	NEED(mmap(at(page), (size_t)pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
}

static void touch_page(int page)
{
	*at(page) = 1;
}

static void clear(void)
{
	NEED(munmap(ARENA, PAGES * PAGE));
}

/* The areas of the arena: first page, pages, rights. */
static void areas(const char *name)
{
	char line[300] = "";

	for (const char *row = read_text("/proc/self/maps"), *end; (end = strchr(row, '\n')) != NULL; row = end + 1) {
		unsigned long from, to;
		char access[8];
		if (sscanf(row, "%lx-%lx %7s", &from, &to, access) != 3 || from < (unsigned long)ARENA || from >= (unsigned long)at(PAGES))
			continue;
		snprintf(line + strlen(line), sizeof line - strlen(line), " [%lu %lu %s]", (from - (unsigned long)ARENA) / PAGE,
			 (to - from) / PAGE, access);
	}
	say("%s:%s", name, line);
}

static void child_maps(void *argument)
{
	(void)argument;
	map(2, 2, RW);
	areas("a child's new neighbour of an inherited area");
	touch_page(2);
	areas("written");
	map(6, 2, RW);
	map(8, 2, RW);
	areas("its own are one");
}

static void child_splits(void *argument)
{
	(void)argument;
	NEED(mprotect(at(2), 2 * PAGE, PROT_READ));
	areas("a child splits an inherited area");
	NEED(mprotect(at(2), 2 * PAGE, RW));
	areas("whose pieces are one again");
}

static void child_opens(void *argument)
{
	(void)argument;
	NEED(mprotect(at(2), 2 * PAGE, RW));
	areas("a child gives an untouched neighbour the same rights");
}

static void forks(void)
{
	map(0, 2, RW);
	touch_page(0);
	in_child(child_maps, NULL);
	map(2, 2, RW);
	areas("the parent's new neighbour");
	clear();
	map(0, 6, RW);
	touch_page(0);
	in_child(child_splits, NULL);
	clear();
	map(0, 2, RW);
	map(2, 2, PROT_READ);
	touch_page(0);
	in_child(child_opens, NULL);
	NEED(mprotect(at(2), 2 * PAGE, RW));
	areas("the parent does");
	clear();
	map(0, 4, RW);
	in_child(child_maps, NULL);
	clear();
}

static void neighbours(void)
{
	map(0, 2, RW);
	map(3, 2, RW);
	touch_page(0);
	touch_page(3);
	map(2, 1, RW);
	areas("between two that were written");
	clear();
	map(0, 2, RW);
	map(3, 2, RW);
	touch_page(0);
	map(2, 1, RW);
	areas("between two, of which one was");
	clear();
	map(0, 2, RW);
	map(2, 2, PROT_READ);
	touch_page(0);
	NEED(mprotect(at(2), 2 * PAGE, RW));
	touch_page(2);
	areas("read-only, then writable, then written");
	NEED(mprotect(at(2), 2 * PAGE, PROT_READ));
	NEED(mprotect(at(2), 2 * PAGE, RW));
	areas("and again");
	clear();
	map(0, 2, RW);
	map(2, 2, PROT_READ);
	NEED(mprotect(at(2), PAGE, RW));
	touch_page(1);
	areas("untouched");
	clear();
	/* A later neighbour takes over the one's anon_vma in the hope that they become one. */
	map(0, 2, RW);
	touch_page(0);
	map(2, 2, RW | PROT_EXEC);
	touch_page(2);
	areas("two with different rights, both written");
	NEED(mprotect(at(2), 2 * PAGE, RW));
	areas("made the same");
	clear();
	map(0, 2, RW);
	touch_page(0);
	map(3, 1, RW);
	touch_page(3);
	map(2, 1, PROT_READ);
	NEED(mprotect(at(2), PAGE, RW));
	areas("a gap that closes between strangers");
	clear();
}

static void move(int from, int pages, int to, int flags)
{
	NEED(mremap(at(from), (size_t)pages * PAGE, (size_t)pages * PAGE, MREMAP_MAYMOVE | flags, at(to)) == at(to) ? 0 : -1);
}

static void child_moves(void *argument)
{
	(void)argument;
	move(8, 2, 2, MREMAP_FIXED);
	areas("a child moves an inherited area beside another");
}

static void moves(void)
{
	map(0, 2, RW);
	map(8, 2, RW);
	move(8, 2, 2, MREMAP_FIXED);
	areas("moved beside another, both untouched");
	clear();
	map(0, 2, RW);
	map(8, 2, RW);
	touch_page(8);
	move(8, 2, 2, MREMAP_FIXED);
	areas("written, beside an untouched one");
	move(2, 2, 8, MREMAP_FIXED);
	map(2, 2, RW);
	areas("back, and a new one in its place");
	clear();
	map(0, 4, RW);
	touch_page(0);
	touch_page(2);
	move(2, 2, 8, MREMAP_FIXED);
	areas("the half of a written one");
	move(8, 2, 2, MREMAP_FIXED);
	areas("and back");
	clear();
	map(0, 2, RW);
	touch_page(0);
	map(8, 2, RW);
	touch_page(8);
	move(8, 2, 2, MREMAP_FIXED);
	areas("one written beside another");
	clear();
	map(0, 2, RW);
	touch_page(0);
	map(8, 2, RW);
	in_child(child_moves, NULL);
	touch_page(9);
	in_child(child_moves, NULL);
	clear();
	map(0, 2, RW);
	touch_page(0);
	move(0, 2, 4, MREMAP_FIXED | MREMAP_DONTUNMAP);
	areas("DONTUNMAP");
	map(2, 2, RW);
	areas("a new one between the old place and the new");
	clear();
	map(0, 2, RW);
	touch_page(0);
	map(3, 2, RW);
	touch_page(3);
	NEED(mremap(at(0), 2 * PAGE, 3 * PAGE, 0) == at(0) ? 0 : -1);
	areas("grown up to a stranger");
	clear();
	map(0, 2, RW);
	touch_page(0);
	map(3, 2, RW);
	NEED(mremap(at(0), 2 * PAGE, 3 * PAGE, 0) == at(0) ? 0 : -1);
	areas("grown up to an untouched one");
	clear();
}

/* Memory that becomes read-only counts for overcommit no more, if nothing private is there yet, so it may join what never did. */
static void accounts(void)
{
	map(0, 2, RW);
	NEED(mprotect(at(0), 2 * PAGE, PROT_READ));
	map(2, 2, PROT_READ);
	areas("read-only before anything was written");
	NEED(mprotect(at(0), 4 * PAGE, RW));
	areas("all of it writable again");
	clear();
	map(0, 2, RW);
	touch_page(0);
	NEED(mprotect(at(0), 2 * PAGE, PROT_READ));
	map(2, 2, PROT_READ);
	areas("read-only after a page was written");
	NEED(mprotect(at(0), 4 * PAGE, RW));
	areas("all of it writable again");
	clear();
}

int main(void)
{
	forks();
	neighbours();
	moves();
	accounts();
	return done();
}
