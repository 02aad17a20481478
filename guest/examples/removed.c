/* removed.c: destroyed but attached. After IPC_RMID a segment has no key and the mode bit SHM_DEST; it still works. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define KEY 0xdead

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void show(const char *when, int id)
{
	struct shmid_ds ds;
	if (shmctl(id, IPC_STAT, &ds) == -1)
		printf("%-20s %s\n", when, strerror(errno));
	else
		printf("%-20s mode %o, nattch %lu, key finds %s\n", when, (unsigned)ds.shm_perm.mode,
		       (unsigned long)ds.shm_nattch, shmget(KEY, 0, 0) == id ? "it" : "nothing");
}

int main(void)
{
	int id = shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600);
	if (id == -1)
		fail("shmget");
	char *first = shmat(id, NULL, 0);
	if (first == (void *)-1)
		fail("shmat");
	strcpy(first, "still here");
	show("attached:", id);
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");
	show("removed:", id);
	char *second = shmat(id, NULL, 0);
	if (second == (void *)-1)
		fail("shmat");
	show("attached once more:", id);
	printf("%-20s %s\n", "its content:", second);
	if (shmdt(first) == -1 || shmdt(second) == -1)
		fail("shmdt");
	show("both detached:", id);
	return 0;
}
