/* shmat(2): addresses, ids, what it changes, the bytes behind the segment's end. */
#include "shm.h"

int main(void)
{
	time_t start = time(NULL);
	int id = new_segment(5000, 0600);
	struct shmid_ds before = stat_of(id);

	void *brk_before = sbrk(0);
	char *p = shmat(id, NULL, 0);
	TRUE("attach where the kernel likes", p != (void *)-1);
	TRUE("on a page boundary", (uintptr_t)p % PAGE == 0);
	TRUE("the break does not move", sbrk(0) == brk_before);
	struct shmid_ds after = stat_of(id);
	EQUALS("nattch", after.shm_nattch, 1);
	TRUE("lpid is the attacher", after.shm_lpid == getpid());
	TRUE("atime is now", recent(after.shm_atime, start));
	EQUALS("dtime", after.shm_dtime, 0);
	TRUE("ctime stays", after.shm_ctime == before.shm_ctime);

	strcpy(p, "one frame");
	char *q = attach(id, NULL, 0), *r = attach(id, NULL, SHM_RDONLY);
	TRUE("three attaches at three addresses", p != q && q != r && p != r);
	EQUALS("nattch of three", nattch_of(id), 3);
	TEXT("the second reads what the first wrote", q, "one frame");
	TEXT("and the read-only one too", r, "one frame");
	q[0] = 'O';
	TEXT("and the other way", p, "One frame");

	WRITING("a byte at the end of the segment", p + 4999, "ok");
	WRITING("a byte behind it, in its last page", p + 5000, "ok");
	WRITING("the last byte of that page", p + 2 * PAGE - 1, "ok");
	p[2 * PAGE - 1] = 'z';
	TRUE("is shared as well", q[2 * PAGE - 1] == 'z');
	char *alone = free_range(8 * PAGE);
	TRUE("attach with room behind it", attach(id, alone, 0) == alone);
	READING("the page behind the segment", alone + 2 * PAGE, "SIGSEGV");

	char *room = free_range(8 * PAGE);
	TRUE("attach at a free address", shmat(id, room, 0) == room);
	FAILS("where something is mapped", (long)shmat(id, room, 0), EINVAL);
	FAILS("where it would reach into a mapping", (long)shmat(id, room - PAGE, 0), EINVAL);
	TRUE("just below", shmat(id, room - 2 * PAGE, 0) == room - 2 * PAGE);
	FAILS("unaligned", (long)shmat(id, room + 4 * PAGE + 1, 0), EINVAL);
	FAILS("at an address of the kernel", (long)shmat(id, (void *)-PAGE, 0), EINVAL);

	FAILS("id -1", (long)shmat(-1, NULL, 0), EINVAL);
	FAILS("an id that never was", (long)shmat(id + 1, NULL, 0), EINVAL);
	FAILS("a wrong sequence number", (long)shmat(id + 32768, NULL, 0), EINVAL);
	FAILS("the greatest id", (long)shmat(0x7fffffff, NULL, 0), EINVAL);
	int gone = new_segment(PAGE, 0600);
	remove_segment(gone);
	FAILS("a destroyed id", (long)shmat(gone, NULL, 0), EINVAL);
	FAILS("a destroyed id, unaligned", (long)shmat(gone, (void *)1, 0), EINVAL);

	int doomed = new_segment(PAGE, 0600);
	char *first = attach(doomed, NULL, 0);
	strcpy(first, "still here");
	remove_segment(doomed);
	char *second = shmat(doomed, NULL, 0);
	TRUE("attach one that is marked for destruction", second != (void *)-1);
	TEXT("its content", second, "still here");
	WORKS("detach one", shmdt(first));
	EQUALS("nattch of the other", nattch_of(doomed), 1);
	WORKS("detach the other", shmdt(second));
	FAILS("now it is destroyed", (long)shmat(doomed, NULL, 0), EINVAL);
	return done();
}
