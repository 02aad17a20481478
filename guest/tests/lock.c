/* shmctl(2): SHM_LOCK and SHM_UNLOCK. */
#include "shm.h"
#include <sys/resource.h>

static int of_root;

static void limit(rlim_t bytes)
{
	struct rlimit r = { bytes, bytes };
	NEED(setrlimit(RLIMIT_MEMLOCK, &r));
}

static void as_owner(void *argument)
{
	(void)argument;
	FAILS("user, root's segment: SHM_LOCK", shmctl(of_root, SHM_LOCK, NULL), EPERM);
	FAILS("user, root's segment: SHM_UNLOCK", shmctl(of_root, SHM_UNLOCK, NULL), EPERM);
	int id = new_segment(4 * PAGE, 0600);
	int none = new_segment(4 * PAGE, 0000);
	limit(4 * PAGE);
	WORKS("owner, within RLIMIT_MEMLOCK", shmctl(id, SHM_LOCK, NULL));
	OCTAL("mode", stat_of(id).shm_perm.mode, 02600);
	FAILS("owner, a second one over it", shmctl(none, SHM_LOCK, NULL), ENOMEM);
	WORKS("owner, unlock", shmctl(id, SHM_UNLOCK, NULL));
	WORKS("owner, mode 0, lock", shmctl(none, SHM_LOCK, NULL));
	WORKS("owner, mode 0, unlock", shmctl(none, SHM_UNLOCK, NULL));
	limit(4 * PAGE - 1);
	FAILS("owner, over RLIMIT_MEMLOCK", shmctl(id, SHM_LOCK, NULL), ENOMEM);
	limit(0);
	FAILS("owner, RLIMIT_MEMLOCK 0", shmctl(id, SHM_LOCK, NULL), EPERM);
	WORKS("owner, unlock with RLIMIT_MEMLOCK 0", shmctl(id, SHM_UNLOCK, NULL));
	remove_segment(id);
	remove_segment(none);
}

int main(void)
{
	of_root = new_segment(PAGE, 0666);
	WORKS("SHM_LOCK", shmctl(of_root, SHM_LOCK, NULL));
	OCTAL("mode has SHM_LOCKED", stat_of(of_root).shm_perm.mode, 02666);
	WORKS("SHM_LOCK again", shmctl(of_root, SHM_LOCK, NULL));
	struct shmid_ds ds = stat_of(of_root);
	ds.shm_perm.mode = 0644;
	WORKS("IPC_SET", shmctl(of_root, IPC_SET, &ds));
	OCTAL("keeps SHM_LOCKED", stat_of(of_root).shm_perm.mode, 02644);
	char *p = attach(of_root, NULL, 0);
	strcpy(p, "locked");
	TEXT("a locked segment works", p, "locked");
	WORKS("SHM_UNLOCK", shmctl(of_root, SHM_UNLOCK, NULL));
	OCTAL("mode", stat_of(of_root).shm_perm.mode, 0644);
	WORKS("SHM_UNLOCK again", shmctl(of_root, SHM_UNLOCK, NULL));
	FAILS("SHM_LOCK of a bad id", shmctl(-1, SHM_LOCK, NULL), EINVAL);
	NEED(shmctl(of_root, SHM_LOCK, NULL));
	remove_segment(of_root);
	OCTAL("locked and removed", stat_of(of_root).shm_perm.mode, 03644);
	NEED(shmdt(p));
	FAILS("destroyed", shmctl(of_root, IPC_STAT, &ds), EINVAL);
	of_root = new_segment(PAGE, 0666);
	in_child_as(1000, 1000, as_owner, NULL);
	NEED(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 }));
	WORKS("root, RLIMIT_MEMLOCK 0", shmctl(of_root, SHM_LOCK, NULL));
	return done();
}
