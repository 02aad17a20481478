/* shmctl(2): IPC_INFO and SHM_INFO. */
#include "shm.h"
#include <limits.h>

static void show(const char *name)
{
	struct shm_info info;
	memset(&info, 0xff, sizeof info);
	long index = NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info));
	say("%s: highest index %ld, used_ids %d, shm_tot %lu, shm_rss %lu, shm_swp %lu", name, index, info.used_ids,
	    info.shm_tot, info.shm_rss, info.shm_swp);
}

static void as_user(void *argument)
{
	struct shminfo info;
	(void)argument;
	WORKS("IPC_INFO needs no permission", shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info));
	show("SHM_INFO needs no permission");
}

int main(void)
{
	struct shminfo info;

	memset(&info, 0xff, sizeof info);
	EQUALS("IPC_INFO without segments returns", shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info), 0);
	TRUE("shmmax", info.shmmax == ULONG_MAX - (1UL << 24));
	EQUALS("shmmin", info.shmmin, 1);
	EQUALS("shmmni", info.shmmni, 4096);
	EQUALS("shmseg", info.shmseg, 4096);
	TRUE("shmall", info.shmall == ULONG_MAX - (1UL << 24));
	show("no segments");

	int a = new_segment(5000, 0600);
	show("one of 5000 bytes");
	int b = new_segment(3 * PAGE, 0600);
	int c = new_segment(1, 0600);
	show("three");
	EQUALS("IPC_INFO returns the highest index", shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info), 2);
	EQUALS("whatever the id is", shmctl(77, IPC_INFO, (struct shmid_ds *)(void *)&info), 2);
	FAILS("unless it is negative", shmctl(-1, IPC_INFO, (struct shmid_ds *)(void *)&info), EINVAL);
	char *p = attach(b, NULL, 0);
	show("attached");
	p[0] = 1;
	show("one page touched");
	p[2 * PAGE] = 1;
	show("two pages touched");
	(void)((volatile char *)p)[PAGE];
	show("the third read");
	remove_segment(b);
	show("removed but attached");
	NEED(shmdt(p));
	show("destroyed");
	remove_segment(c);
	show("without the last");
	remove_segment(a);
	show("without any");
	write_number("/proc/sys/kernel/shmmni", "100");
	shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info);
	EQUALS("shmmni as written", info.shmmni, 100);
	EQUALS("shmseg follows", info.shmseg, 100);
	NEED(new_segment(PAGE, 0600));
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
