/* /proc/sys/kernel/shm_rmid_forced: segments go with their last attach or their creator. */
#include "shm.h"

static void creates(void *argument)
{
	int *ids = argument;
	ids[0] = new_segment(PAGE, 0600);
	ids[1] = new_segment(PAGE, 0600);
	attach(ids[1], NULL, 0);
	ids[2] = new_segment(PAGE, 0600);
}

int main(void)
{
	struct shmid_ds ds;
	int before = new_segment(PAGE, 0600);
	int holder = new_segment(PAGE, 0600);
	int *ids = (int *)(void *)attach(holder, NULL, 0);

	in_child(creates, ids);
	int orphan = ids[0];
	WORKS("without it, a dead creator's segment stays", shmctl(orphan, IPC_STAT, &ds));
	write_number("/proc/sys/kernel/shm_rmid_forced", "1");
	TEXT("shm_rmid_forced", read_text("/proc/sys/kernel/shm_rmid_forced"), "1");
	FAILS("turning it on destroys the orphan", shmctl(orphan, IPC_STAT, &ds), EINVAL);
	WORKS("a never-attached one of a living creator stays", shmctl(before, IPC_STAT, &ds));

	char *p = attach(before, NULL, 0);
	WORKS("detach", shmdt(p));
	FAILS("the last detach destroys it", shmctl(before, IPC_STAT, &ds), EINVAL);

	in_child(creates, ids);
	FAILS("never attached: gone with its creator", shmctl(ids[0], IPC_STAT, &ds), EINVAL);
	FAILS("attached by the creator only: gone with it", shmctl(ids[1], IPC_STAT, &ds), EINVAL);
	FAILS("the third one too", shmctl(ids[2], IPC_STAT, &ds), EINVAL);
	WORKS("one that is still attached stays", shmctl(holder, IPC_STAT, &ds));
	write_number("/proc/sys/kernel/shm_rmid_forced", "0");
	WORKS("turned off: detach", shmdt(ids));
	WORKS("turned off: it stays", shmctl(holder, IPC_STAT, &ds));
	return done();
}
