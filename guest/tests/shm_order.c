/* Which error comes first, and what a call that fails leaves behind; segments that are destroyed but attached. */
#include "shm.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

static int id;

static void as_user(void *argument)
{
	char *mapped = argument;
	FAILS("user: no permission, unaligned", (long)shmat(id, (void *)1, 0), EINVAL);
	FAILS("user: no permission, where something is mapped", (long)shmat(id, mapped, 0), EACCES);
	FAILS("user: no permission, SHM_REMAP with NULL", (long)shmat(id, NULL, SHM_REMAP), EINVAL);
	FAILS("user: no permission, too large", shmget(KEY, 100 * PAGE, 0600), EINVAL);
	FAILS("user: no permission, IPC_CREAT|IPC_EXCL", shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS("user: no permission, IPC_CREAT", shmget(KEY, PAGE, IPC_CREAT | 0600), EACCES);
	FAILS("user: IPC_SET of a bad pointer", raw_shmctl(id, IPC_SET, (void *)1), EFAULT);
	struct shmid_ds ds;
	memset(&ds, 0xff, sizeof ds);
	FAILS("user: IPC_SET of an invalid uid", raw_shmctl(id, IPC_SET, &ds), EPERM);
	FAILS("user: IPC_RMID of another's", shmctl(id, IPC_RMID, NULL), EPERM);
	FAILS("user: SHM_STAT of another's, bad pointer", raw_shmctl(id % 32768, SHM_STAT, (void *)1), EACCES);
	WORKS("user: SHM_STAT_ANY", raw_shmctl(id % 32768, SHM_STAT_ANY, &ds) == id ? 0 : -1);
	FAILS("user: SHM_STAT_ANY, bad pointer", raw_shmctl(id % 32768, SHM_STAT_ANY, (void *)1), EFAULT);
}

/* A call that fails changes nothing. */
static void no_trace(void)
{
	struct shmid_ds before = stat_of(id), after;
	char *p = attach(id, NULL, 0);
	struct shmid_ds attached = stat_of(id);
	FAILS("a failed shmat", (long)shmat(id, p, 0), EINVAL);
	after = stat_of(id);
	TRUE("leaves nattch and lpid", after.shm_nattch == attached.shm_nattch && after.shm_lpid == attached.shm_lpid);
	FAILS("a failed shmdt", shmdt(p + PAGE), EINVAL);
	TRUE("leaves dtime", stat_of(id).shm_dtime == before.shm_dtime);
	WORKS("shmdt", shmdt(p));
}

static void limits(void *argument)
{
	struct rlimit as = { 0, 0 };
	(void)argument;
	/* The limit of address space. */
	NEED(setrlimit(RLIMIT_AS, &as));
	FAILS("no address space left", (long)shmat(id, NULL, 0), ENOMEM);
	EQUALS("nattch", nattch_of(id), 0);
	FAILS("no address space left, no such id", (long)shmat(id + 1, NULL, 0), EINVAL);
}

/* vm.max_map_count is the whole machine's: recording this lowers it for a moment. */
static void map_count(void *argument)
{
	(void)argument;
	write_number("/proc/sys/vm/max_map_count", "40");
	int made = 0;
	char *last = NULL;
	for (int i = 0; i < 100; i++) {
		char *p = shmat(id, NULL, 0);
		if (p == (void *)-1)
			break;
		last = p;
		made++;
	}
	TRUE("as many attaches as vm.max_map_count lets", made > 10 && made < 42);
	EQUALS("nattch is their number", nattch_of(id) - made, 0);
	FAILS("one more", (long)shmat(id, NULL, 0), ENOMEM);
	FAILS("a hole would be one more", munmap(last + PAGE, PAGE), ENOMEM);
	FAILS("a split too", mprotect(last + PAGE, PAGE, PROT_READ), ENOMEM);
	EQUALS("nattch", nattch_of(id) - made, 0);
	WORKS("the end of one can go", munmap(last + 2 * PAGE, PAGE));
	WORKS("shmdt", shmdt(last));
	WORKS("one more again", (long)shmat(id, NULL, 0));
	write_number("/proc/sys/vm/max_map_count", "65530");
}

/* Marked for destruction, and attached. */
static void destroyed(void)
{
	struct shmid_ds ds;
	struct shm_info info;
	int doomed = (int)NEED(shmget(KEY + 1, 2 * PAGE, IPC_CREAT | 0640));
	char *p = attach(doomed, NULL, 0);
	strcpy(p, "doomed");
	remove_segment(doomed);
	EQUALS("doomed: SHM_STAT finds it", shmctl(doomed % 32768, SHM_STAT, &ds), doomed);
	OCTAL("doomed: mode", ds.shm_perm.mode, 01640);
	NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EQUALS("doomed: its pages are counted", info.shm_tot, 2 + 3);
	FAILS("doomed: IPC_SET of an invalid gid", (ds.shm_perm.gid = (gid_t)-1, shmctl(doomed, IPC_SET, &ds)), EINVAL);
	WORKS("doomed: SHM_LOCK", shmctl(doomed, SHM_LOCK, NULL));
	OCTAL("doomed: mode", stat_of(doomed).shm_perm.mode, 03640);
	WORKS("doomed: SHM_UNLOCK", shmctl(doomed, SHM_UNLOCK, NULL));
	char *q = attach(doomed, NULL, SHM_RDONLY);
	TEXT("doomed: another attach", q, "doomed");
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		for (;;)
			pause();
	}
	WORKS("doomed: shmdt", shmdt(p));
	WORKS("doomed: shmdt", shmdt(q));
	EQUALS("doomed: the child keeps it", nattch_of(doomed), 2);
	NEED(kill(pid, SIGKILL));
	NEED(waitpid(pid, NULL, 0));
	FAILS("doomed: gone with the child", shmctl(doomed, IPC_STAT, &ds), EINVAL);
	NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EQUALS("doomed: its pages are free", info.shm_tot, 3);
}

/* Under shm_rmid_forced. */
static void *creator(void *made)
{
	*(int *)made = new_segment(PAGE, 0600);
	return NULL;
}

static void forced(void)
{
	struct shmid_ds ds;
	pthread_t thread;
	int made;

	write_number("/proc/sys/kernel/shm_rmid_forced", "1");
	int mine = new_segment(PAGE, 0600);
	char *room = free_range(4 * PAGE);
	char *wall = mmap(room, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	FAILS("forced: an attach that fails", (long)shmat(mine, wall, 0), EINVAL);
	FAILS("forced: destroys the segment", shmctl(mine, IPC_STAT, &ds), EINVAL);
	mine = new_segment(PAGE, 0600);
	FAILS("forced: an attach that is not begun", (long)shmat(mine, wall + 1, 0), EINVAL);
	WORKS("forced: does not", shmctl(mine, IPC_STAT, &ds));
	NEED(munmap(wall, PAGE));
	NEED(pthread_create(&thread, NULL, creator, &made) == 0 ? 0 : -1);
	NEED(pthread_join(thread, NULL) == 0 ? 0 : -1);
	/* The thread is joined before it has quite gone. */
	for (int i = 0; i < 1000 && shmctl(made, IPC_STAT, &ds) == 0; i++)
		sched_yield();
	FAILS("forced: a thread's segment goes with the thread", shmctl(made, IPC_STAT, &ds), EINVAL);
	WORKS("forced: the process's does not", shmctl(mine, IPC_STAT, &ds));
	char *p = attach(mine, NULL, 0);
	remove_segment(mine);
	OCTAL("forced: marked all the same", stat_of(mine).shm_perm.mode, 01600);
	NEED(shmdt(p));
	FAILS("forced: gone", shmctl(mine, IPC_STAT, &ds), EINVAL);
	write_number("/proc/sys/kernel/shm_rmid_forced", "0");
}

int main(void)
{
	char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	id = (int)NEED(shmget(KEY, 3 * PAGE, IPC_CREAT | 0600));
	in_child_as(1000, 1000, as_user, mapped);
	FAILS("no such id, unaligned", (long)shmat(id + 1, (void *)1, 0), EINVAL);
	FAILS("no such id, where something is mapped", (long)shmat(id + 1, mapped, 0), EINVAL);
	FAILS("beyond the end of the address space", (long)shmat(id, (void *)-(2 * PAGE), 0), EINVAL);
	FAILS("size 0 of a key that nobody has, without IPC_CREAT", shmget(KEY + 9, 0, 0), ENOENT);
	no_trace();
	in_child(limits, NULL);
	in_child(map_count, NULL);
	destroyed();
	forced();
	return done();
}
