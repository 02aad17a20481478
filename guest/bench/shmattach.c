/* shmattach.c: shmat, one write, shmdt. */
#include "bench.h"
#include <sys/ipc.h>
#include <sys/shm.h>

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 100000);
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (id == -1)
		return 1;
	uint32_t sum = 0;
	for (long i = 0; i < n; i++) {
		volatile uint32_t *p = shmat(id, NULL, 0);
		if (p == (void *)-1)
			return 1;
		sum = mix(sum, *p += 3);
		if (shmdt((void *)p) == -1)
			return 1;
	}
	if (shmctl(id, IPC_RMID, NULL) == -1)
		return 1;
	return report("shmattach", sum);
}
