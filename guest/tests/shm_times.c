/* atime, dtime, ctime, lpid: which call moves which. */
#include "shm.h"
#include <sys/resource.h>

static int id;
static struct shmid_ds last;

/* Lets a second pass, so that a new time is another. */
static void later(void)
{
	time_t t = time(NULL);
	last = stat_of(id);
	while (time(NULL) < t + 2)
		usleep(100000);
}

/* What moved since `later`. */
static void moved(const char *what)
{
	struct shmid_ds ds = stat_of(id);
	say("%s: moves%s%s%s, lpid %s, cpid %s", what, ds.shm_atime != last.shm_atime ? " atime" : "",
	    ds.shm_dtime != last.shm_dtime ? " dtime" : "", ds.shm_ctime != last.shm_ctime ? " ctime" : "",
	    ds.shm_lpid == 0 ? "0" : ds.shm_lpid == getpid() ? "self" : "other", ds.shm_cpid == getpid() ? "self" : "other");
}

static void quit(void *argument)
{
	(void)argument;
}

static void leave(void *argument)
{
	NEED(shmdt(argument));
}

int main(void)
{
	struct shmid_ds ds;
	id = new_segment(3 * PAGE, 0600);
	later();
	moved("nothing");
	later();
	char *p = attach(id, NULL, 0);
	moved("shmat");
	later();
	p[0] = 1;
	moved("a write");
	later();
	in_child(quit, NULL);
	moved("fork and exit");
	later();
	in_child(leave, p);
	moved("fork and shmdt");
	later();
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	moved("a split by mprotect");
	later();
	NEED(munmap(p + PAGE, PAGE));
	moved("a hole");
	later();
	ds = stat_of(id);
	ds.shm_perm.mode = 0644;
	NEED(shmctl(id, IPC_SET, &ds));
	moved("IPC_SET");
	later();
	NEED(shmctl(id, IPC_SET, &ds));
	moved("IPC_SET of the same");
	later();
	NEED(shmctl(id, SHM_LOCK, NULL));
	moved("SHM_LOCK");
	later();
	NEED(shmctl(id, SHM_UNLOCK, NULL));
	moved("SHM_UNLOCK");
	later();
	NEED(shmctl(id, IPC_STAT, &ds));
	moved("IPC_STAT");
	later();
	NEED(shmget(IPC_PRIVATE, 1, 0600));
	moved("another's shmget");
	later();
	remove_segment(id);
	moved("IPC_RMID");
	later();
	char *q = attach(id, NULL, SHM_RDONLY);
	moved("shmat of a marked one");
	later();
	NEED(shmdt(p));
	moved("shmdt of two pieces");
	NEED(shmdt(q));
	return done();
}
