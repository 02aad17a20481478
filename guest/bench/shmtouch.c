/* shmtouch.c: touches every page of a new segment of 1 MiB, 256 pages an iteration. */
#include "bench.h"
#include <sys/ipc.h>
#include <sys/shm.h>

enum { SIZE = 1024 * 1024, PAGE = 4096 };

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 100);
	uint32_t sum = 0;
	for (long i = 0; i < n; i++) {
		int id = shmget(IPC_PRIVATE, SIZE, 0600);
		volatile uint8_t *p = shmat(id, NULL, 0);
		if (p == (void *)-1 || shmctl(id, IPC_RMID, NULL) == -1)
			return 1;
		for (uint32_t at = 0; at < SIZE; at += PAGE)
			sum += ++p[at];
		if (shmdt((void *)p) == -1)
			return 1;
	}
	return report("shmtouch", sum);
}
