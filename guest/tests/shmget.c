/*
 * shmget(2): keys, flags and what a new segment is like. SHM_HUGETLB is left out: a kernel without hugetlbfs answers
 * EINVAL, the one that the transcripts come from ENOMEM.
 */
#include "shm.h"
#include <sys/stat.h>

int main(void)
{
	time_t start = time(NULL);

	FAILS("a key that nobody has", shmget(KEY, PAGE, 0600), ENOENT);
	FAILS("a key that nobody has, IPC_EXCL alone", shmget(KEY, PAGE, IPC_EXCL | 0600), ENOENT);
	FAILS("create with size 0", shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
	FAILS("create with the greatest size_t", shmget(KEY, (size_t)-1, IPC_CREAT | 0600), EINVAL);

	umask(0777);
	int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0640);
	WORKS("create 5000 bytes", id);
	EQUALS("the first id of a namespace", id, 0);

	struct shmid_ds ds = stat_of(id);
	EQUALS("shm_segsz", ds.shm_segsz, 5000);
	OCTAL("mode, not umasked", ds.shm_perm.mode, 0640);
	TRUE("key", key_of(&ds) == KEY);
	TRUE("cpid is the creator", ds.shm_cpid == getpid());
	EQUALS("lpid", ds.shm_lpid, 0);
	EQUALS("nattch", ds.shm_nattch, 0);
	EQUALS("atime", ds.shm_atime, 0);
	EQUALS("dtime", ds.shm_dtime, 0);
	TRUE("ctime is now", recent(ds.shm_ctime, start));
	TRUE("uid and cuid", ds.shm_perm.uid == geteuid() && ds.shm_perm.cuid == geteuid());
	TRUE("gid and cgid", ds.shm_perm.gid == getegid() && ds.shm_perm.cgid == getegid());

	TRUE("the key again, IPC_CREAT", shmget(KEY, 5000, IPC_CREAT | 0600) == id);
	TRUE("the key again, no flags", shmget(KEY, 5000, 0) == id);
	TRUE("the key again, IPC_EXCL alone is ignored", shmget(KEY, 5000, IPC_EXCL) == id);
	FAILS("IPC_CREAT and IPC_EXCL", shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS("IPC_EXCL comes before the size", shmget(KEY, 5001, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS("larger than the segment", shmget(KEY, 5001, 0600), EINVAL);
	FAILS("larger, though within the last page", shmget(KEY, 8192, IPC_CREAT | 0600), EINVAL);
	TRUE("smaller", shmget(KEY, 1, 0) == id);
	TRUE("size 0", shmget(KEY, 0, 0) == id);
	TRUE("SHM_NORESERVE on an existing one", shmget(KEY, 0, SHM_NORESERVE) == id);
	OCTAL("mode, unchanged by all that", stat_of(id).shm_perm.mode, 0640);

	char *p = attach(id, NULL, 0);
	int zero = 1;
	for (int i = 0; i < 2 * PAGE; i++)
		zero &= p[i] == 0;
	TRUE("a new segment is zero, up to the end of its last page", zero);

	int a = shmget(IPC_PRIVATE, 1, 0600), b = shmget(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0600);
	WORKS("IPC_PRIVATE without IPC_CREAT", a);
	WORKS("IPC_PRIVATE with IPC_CREAT and IPC_EXCL", b);
	TRUE("two private segments differ", a != b);
	ds = stat_of(a);
	EQUALS("the key of a private one", key_of(&ds), 0);
	EQUALS("a segment of one byte", ds.shm_segsz, 1);
	int c = shmget(IPC_PRIVATE, PAGE, SHM_NORESERVE | 0600);
	WORKS("SHM_NORESERVE", c);
	OCTAL("mode with SHM_NORESERVE", stat_of(c).shm_perm.mode, 0600);
	int d = shmget(IPC_PRIVATE, PAGE, 07777 & ~SHM_HUGETLB);
	WORKS("more mode bits than nine", d);
	OCTAL("only nine are kept", stat_of(d).shm_perm.mode, 0777);
	int e = shmget(KEY + 1, PAGE, IPC_CREAT);
	WORKS("mode 0", e);
	OCTAL("mode 0 is kept", stat_of(e).shm_perm.mode, 0);
	int f = shmget(-1, PAGE, IPC_CREAT | 0600);
	WORKS("key -1 is a key", f);
	TRUE("and is found", shmget(-1, 0, 0) == f);
	return done();
}
