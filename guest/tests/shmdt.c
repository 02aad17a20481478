/* shmdt(2): which addresses it takes and what it changes. */
#include "shm.h"

int main(void)
{
	time_t start = time(NULL);
	int id = new_segment(3 * PAGE, 0600);
	char *p = attach(id, NULL, 0), *q = attach(id, NULL, 0);
	struct shmid_ds before = stat_of(id);

	strcpy(q, "stays");
	FAILS("NULL", shmdt(NULL), EINVAL);
	FAILS("unaligned", shmdt(p + 1), EINVAL);
	FAILS("the middle", shmdt(p + PAGE), EINVAL);
	FAILS("the end", shmdt(p + 3 * PAGE), EINVAL);
	EQUALS("nattch after all that", nattch_of(id), 2);
	WORKS("the base", shmdt(p));
	struct shmid_ds after = stat_of(id);
	EQUALS("nattch", after.shm_nattch, 1);
	TRUE("dtime is now", recent(after.shm_dtime, start));
	TRUE("lpid is the detacher", after.shm_lpid == getpid());
	TRUE("ctime stays", after.shm_ctime == before.shm_ctime);
	READING("the address afterwards", p, "SIGSEGV");
	TEXT("the other attach", q, "stays");
	FAILS("a second time", shmdt(p), EINVAL);
	WORKS("the other", shmdt(q));
	EQUALS("nattch of none", nattch_of(id), 0);
	q = attach(id, NULL, 0);
	TEXT("the content outlives the last detach", q, "stays");
	WORKS("detach again", shmdt(q));

	char *anonymous = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FAILS("a shared mapping that is no segment", shmdt(anonymous), EINVAL);
	static char here;
	FAILS("the program's own data", shmdt((void *)((uintptr_t)&here & ~(uintptr_t)(PAGE - 1))), EINVAL);
	FAILS("an address of the kernel", shmdt((void *)-PAGE), EINVAL);

	p = attach(id, NULL, 0);
	remove_segment(id);
	OCTAL("marked for destruction", stat_of(id).shm_perm.mode, 01600);
	WORKS("the last detach", shmdt(p));
	struct shmid_ds ds;
	FAILS("destroys it", shmctl(id, IPC_STAT, &ds), EINVAL);
	return done();
}
