/* pingpong.c: two processes pass a word in shared memory to and fro, each yielding the processor while it waits. */
#include "bench.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10000);
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	atomic_long *turn = shmat(id, NULL, 0);
	if (turn == (void *)-1 || shmctl(id, IPC_RMID, NULL) == -1)
		return 1;
	/* On one processor, or the two would never meet in the scheduler; where that is not possible, as it comes. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);

	pid_t pid = fork();
	if (pid == -1)
		return 1;
	int me = pid == 0;
	for (long i = 0; i < n; i++) {
		while (atomic_load(turn) % 2 != me)
			sched_yield();
		atomic_fetch_add(turn, 1);
	}
	if (pid == 0)
		return 0;
	wait(NULL);
	return report("pingpong", (uint32_t)*turn);
}
