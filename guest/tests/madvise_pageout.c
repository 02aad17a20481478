/*
 * MADV_PAGEOUT of shared memory without swap: a page that nobody has written leaves memory, one that was written stays, and so does
 * what somebody else maps or SHM_LOCK holds.
 */
#include "shm.h"
#include <sched.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define RW (PROT_READ | PROT_WRITE)

static long resident(void)
{
	struct shm_info info;
	NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	return (long)info.shm_rss;
}

static int look(const volatile char *p)
{
	return *p;
}

int main(void)
{
	/* Fresh pages wait in lists of each processor, and only this one's is emptied. */
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	NEED(sched_setaffinity(0, sizeof set, &set));

	int id = new_segment(8 * PAGE, 0600);
	char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, 0);
	EQUALS("read", look(p) + look(p + PAGE), 0);
	p[2 * PAGE] = 'w';
	EQUALS("three pages", resident(), 3);
	WORKS("MADV_PAGEOUT", madvise(p, 4 * PAGE, MADV_PAGEOUT));
	EQUALS("what was read is gone", resident(), 1);
	EQUALS("what was written is not", p[2 * PAGE], 'w');
	EQUALS("read again", look(p), 0);
	EQUALS("is there again", resident(), 2);
	EQUALS("read through both attaches", look(q), 0);
	WORKS("MADV_PAGEOUT", madvise(p, PAGE, MADV_PAGEOUT));
	EQUALS("what is mapped twice stays", resident(), 2);
	NEED(shmdt(q));
	NEED(shmctl(id, SHM_LOCK, NULL));
	WORKS("MADV_PAGEOUT of a locked segment", madvise(p, PAGE, MADV_PAGEOUT));
	EQUALS("it stays", resident(), 2);
	NEED(shmctl(id, SHM_UNLOCK, NULL));
	WORKS("MADV_PAGEOUT of an unlocked one", madvise(p, PAGE, MADV_PAGEOUT));
	EQUALS("it goes", resident(), 1);
	NEED(mlock(p, PAGE));
	FAILS("MADV_PAGEOUT of locked memory", madvise(p, PAGE, MADV_PAGEOUT), EINVAL);
	NEED(munlock(p, PAGE));
	NEED(munmap(p + 5 * PAGE, PAGE));
	FAILS("over a hole", madvise(p, 8 * PAGE, MADV_PAGEOUT), ENOMEM);
	EQUALS("before and behind it is paged out", resident(), 1);
	remove_segment(id);
	NEED(shmdt(p));

	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 'p', 4 * PAGE);
	WORKS("private memory", madvise(p, 4 * PAGE, MADV_PAGEOUT));
	EQUALS("keeps its data", p[3 * PAGE], 'p');
	NEED(munmap(p, 4 * PAGE));
	return done();
}
