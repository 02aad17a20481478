/* shmctl(2): IPC_SET and IPC_RMID. */
#include "shm.h"

int main(void)
{
	time_t start = time(NULL);
	int id = (int)NEED(shmget(KEY, 5000, IPC_CREAT | 0600));
	struct shmid_ds ds = stat_of(id);

	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1001;
	ds.shm_perm.cuid = 1002;
	ds.shm_perm.cgid = 1003;
	ds.shm_perm.mode = 07644;
	ds.shm_segsz = 1;
	ds.shm_nattch = 9;
	ds.shm_cpid = 9;
	ds.shm_ctime = 0;
	WORKS("IPC_SET", shmctl(id, IPC_SET, &ds));
	ds = stat_of(id);
	EQUALS("sets uid", ds.shm_perm.uid, 1000);
	EQUALS("sets gid", ds.shm_perm.gid, 1001);
	EQUALS("not cuid", ds.shm_perm.cuid, 0);
	EQUALS("not cgid", ds.shm_perm.cgid, 0);
	OCTAL("nine bits of the mode", ds.shm_perm.mode, 0644);
	EQUALS("not segsz", ds.shm_segsz, 5000);
	EQUALS("not nattch", ds.shm_nattch, 0);
	TRUE("not cpid", ds.shm_cpid == getpid());
	TRUE("ctime is now", recent(ds.shm_ctime, start));
	TRUE("not the key", key_of(&ds) == KEY && shmget(KEY, 0, 0) == id);
	ds.shm_perm.uid = (uid_t)-1;
	FAILS("IPC_SET with uid -1", shmctl(id, IPC_SET, &ds), EINVAL);
	FAILS("IPC_SET of a bad id", shmctl(id + 1, IPC_SET, &ds), EINVAL);

	WORKS("IPC_RMID of one that nobody has attached", shmctl(id, IPC_RMID, NULL));
	FAILS("IPC_STAT of it", shmctl(id, IPC_STAT, &ds), EINVAL);
	FAILS("IPC_RMID again", shmctl(id, IPC_RMID, NULL), EINVAL);
	FAILS("its key", shmget(KEY, 0, 0), ENOENT);

	id = (int)NEED(shmget(KEY, PAGE, IPC_CREAT | 0600));
	char *p = attach(id, NULL, 0);
	strcpy(p, "old");
	WORKS("IPC_RMID of an attached one, its buffer ignored", raw_shmctl(id, IPC_RMID, (void *)1));
	ds = stat_of(id);
	OCTAL("mode has SHM_DEST", ds.shm_perm.mode, 01600);
	EQUALS("the key is 0", key_of(&ds), 0);
	FAILS("the key finds nothing", shmget(KEY, 0, 0), ENOENT);
	WORKS("IPC_RMID again", shmctl(id, IPC_RMID, NULL));
	int next = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	WORKS("the key is free for a new one", next);
	TRUE("with another id", next != id);
	char *q = attach(next, NULL, 0);
	TEXT("of its own", q, "");
	TEXT("beside the old one", p, "old");
	ds.shm_perm.mode = 0666;
	WORKS("IPC_SET of a marked one", shmctl(id, IPC_SET, &ds));
	OCTAL("keeps SHM_DEST", stat_of(id).shm_perm.mode, 01666);
	WORKS("shmdt of the marked one", shmdt(p));
	FAILS("destroys it", shmctl(id, IPC_STAT, &ds), EINVAL);
	TRUE("and leaves the new one", shmget(KEY, 0, 0) == next);
	return done();
}
