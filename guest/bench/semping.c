/* semping.c: two processes let each other go on in turn, by semop on two semaphores of one array. */
#include "bench.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

static int id;

static void op(int num, int value)
{
	struct sembuf sop = { (unsigned short)num, (short)value, 0 };
	if (semop(id, &sop, 1) == -1)
		_exit(1);
}

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10000);
	id = semget(IPC_PRIVATE, 2, 0600);
	if (id == -1)
		return 1;
	/* On one processor, as here. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);

	pid_t pid = fork();
	if (pid == -1)
		return 1;
	int me = pid == 0;
	for (long i = 0; i < n; i++) {
		if (me)
			op(1, -1);
		op(!me, 1);
		if (!me)
			op(0, -1);
	}
	if (pid == 0)
		return 0;
	wait(NULL);
	uint32_t left = (uint32_t)semctl(id, 0, GETVAL) + (uint32_t)semctl(id, 1, GETVAL);
	semctl(id, 0, IPC_RMID);
	return report("semping", left + (uint32_t)n);
}
