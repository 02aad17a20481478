/*
 * many.c: a picture with something in it: three segments, one attached twice, one split into three VMAs by
 * mprotect, one with a hole. Prints each segment's nattch and its lines of /proc/self/maps.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define PAGE 4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int create(key_t key, size_t size)
{
	int id = shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
	if (id == -1)
		fail("shmget");
	return id;
}

static char *attach(int id, int flags)
{
	char *p = shmat(id, NULL, flags);
	if (p == (void *)-1)
		fail("shmat");
	return p;
}

static void show(const char *name, int id)
{
	struct shmid_ds ds;
	if (shmctl(id, IPC_STAT, &ds) == -1)
		fail("shmctl");
	printf("%s: segment %d, %zu bytes, nattch %lu\n", name, id, (size_t)ds.shm_segsz, (unsigned long)ds.shm_nattch);
}

int main(void)
{
	int twice = create(0x100, PAGE), split = create(0x101, 5 * PAGE), hole = create(0x102, 4 * PAGE);

	char *writable = attach(twice, 0), *readable = attach(twice, SHM_RDONLY);
	strcpy(writable, "seen twice");
	if (strcmp(readable, "seen twice") != 0)
		return 1;

	char *p = attach(split, 0);
	memset(p, 's', 5 * PAGE);
	if (mprotect(p + PAGE, 2 * PAGE, PROT_READ) == -1)
		fail("mprotect");

	char *q = attach(hole, 0);
	q[0] = q[3 * PAGE] = 'h';
	if (munmap(q + PAGE, PAGE) == -1)
		fail("munmap");

	show("attached twice", twice);
	show("split in three", split);
	show("with a hole", hole);
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");
	if (!maps)
		fail("/proc/self/maps");
	while (fgets(line, sizeof line, maps))
		if (strstr(line, "/SYSV"))
			fputs(line, stdout);
	fclose(maps);
	for (int i = 0; i < 3; i++)
		if (shmctl((int[]){ twice, split, hole }[i], IPC_RMID, NULL) == -1)
			fail("shmctl");
	return 0;
}
