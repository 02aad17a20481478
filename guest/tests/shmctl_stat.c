/* shmctl(2): IPC_STAT, SHM_STAT, SHM_STAT_ANY; bad ids, commands and pointers. */
#include "shm.h"

static int id, index_of_id;

static void as_user(void *argument)
{
	struct shmid_ds ds;
	(void)argument;
	FAILS("user, mode 0600 of root: IPC_STAT", shmctl(id, IPC_STAT, &ds), EACCES);
	FAILS("user, mode 0600 of root: SHM_STAT", shmctl(index_of_id, SHM_STAT, &ds), EACCES);
	memset(&ds, 0, sizeof ds);
	TRUE("user, mode 0600 of root: SHM_STAT_ANY", shmctl(index_of_id, SHM_STAT_ANY, &ds) == id);
	EQUALS("and its size", ds.shm_segsz, 5000);
	FAILS("user: bad pointer after the permission", raw_shmctl(id, IPC_STAT, (void *)1), EACCES);
}

int main(void)
{
	time_t start = time(NULL);
	struct shmid_ds ds;

	remove_segment(new_segment(PAGE, 0600));
	id = (int)NEED(shmget(KEY, 5000, IPC_CREAT | 0600));
	index_of_id = id % 32768;
	char *p = attach(id, NULL, 0);

	memset(&ds, 0xff, sizeof ds);
	WORKS("IPC_STAT", shmctl(id, IPC_STAT, &ds));
	TRUE("key", key_of(&ds) == KEY);
	EQUALS("uid", ds.shm_perm.uid, 0);
	EQUALS("gid", ds.shm_perm.gid, 0);
	EQUALS("cuid", ds.shm_perm.cuid, 0);
	EQUALS("cgid", ds.shm_perm.cgid, 0);
	OCTAL("mode", ds.shm_perm.mode, 0600);
	EQUALS("segsz", ds.shm_segsz, 5000);
	EQUALS("nattch", ds.shm_nattch, 1);
	TRUE("cpid and lpid", ds.shm_cpid == getpid() && ds.shm_lpid == getpid());
	TRUE("atime and ctime", recent(ds.shm_atime, start) && recent(ds.shm_ctime, start));
	EQUALS("dtime", ds.shm_dtime, 0);
	EQUALS("IPC_STAT returns", shmctl(id, IPC_STAT, &ds), 0);

	memset(&ds, 0, sizeof ds);
	TRUE("SHM_STAT of the index returns the id", shmctl(index_of_id, SHM_STAT, &ds) == id);
	EQUALS("segsz", ds.shm_segsz, 5000);
	TRUE("SHM_STAT_ANY too", shmctl(index_of_id, SHM_STAT_ANY, &ds) == id);
	FAILS("SHM_STAT of an index that is not in use", shmctl(index_of_id + 1, SHM_STAT, &ds), EINVAL);
	FAILS("SHM_STAT of the removed index", shmctl(index_of_id - 1, SHM_STAT, &ds), EINVAL);
	FAILS("SHM_STAT of index -1", shmctl(-1, SHM_STAT, &ds), EINVAL);

	FAILS("id -1", shmctl(-1, IPC_STAT, &ds), EINVAL);
	FAILS("an id that never was", shmctl(id + 1, IPC_STAT, &ds), EINVAL);
	FAILS("a wrong sequence number", shmctl(id + 32768, IPC_STAT, &ds), EINVAL);
	FAILS("the removed id", shmctl(id - 1, IPC_STAT, &ds), EINVAL);
	FAILS("command 99", raw_shmctl(id, 99, &ds), EINVAL);
	FAILS("command -1", raw_shmctl(id, -1 & ~0x100, &ds), EINVAL);
	FAILS("command 99 on a bad id", raw_shmctl(-1, 99, &ds), EINVAL);

	FAILS("IPC_STAT to NULL", raw_shmctl(id, IPC_STAT, NULL), EFAULT);
	FAILS("IPC_STAT to a bad address", raw_shmctl(id, IPC_STAT, (void *)-PAGE), EFAULT);
	FAILS("IPC_STAT of a bad id to NULL", raw_shmctl(-1, IPC_STAT, NULL), EINVAL);
	FAILS("SHM_STAT to NULL", raw_shmctl(index_of_id, SHM_STAT, NULL), EFAULT);
	FAILS("IPC_SET from NULL", raw_shmctl(id, IPC_SET, NULL), EFAULT);
	FAILS("IPC_SET of an id that never was, from NULL", raw_shmctl(id + 1, IPC_SET, NULL), EFAULT);
	FAILS("IPC_SET of id -1 from NULL", raw_shmctl(-1, IPC_SET, NULL), EINVAL);
	FAILS("IPC_STAT of an id that never was, to NULL", raw_shmctl(id + 1, IPC_STAT, NULL), EINVAL);
	FAILS("IPC_INFO to NULL", raw_shmctl(0, IPC_INFO, NULL), EFAULT);
	FAILS("SHM_INFO to NULL", raw_shmctl(0, SHM_INFO, NULL), EFAULT);
	char *ro = attach(id, NULL, SHM_RDONLY);
	FAILS("IPC_STAT into a read-only attach", raw_shmctl(id, IPC_STAT, ro), EFAULT);
	WORKS("IPC_STAT into an attach of the segment itself", raw_shmctl(id, IPC_STAT, p + PAGE - 8));
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
