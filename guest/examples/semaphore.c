/*
 * semaphore.c: a counter in shared memory behind a System V semaphore. Each worker takes it with SEM_UNDO; one of them is killed while it
 * holds it, and the kernel gives it back.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 3
#define ROUNDS 500

union semun { int val; };

static int sem;

static void change(int by)
{
	struct sembuf op = { 0, (short)by, SEM_UNDO };
	if (semop(sem, &op, 1) == -1) {
		perror("semop");
		exit(1);
	}
}

int main(void)
{
	int shm = shmget(IPC_PRIVATE, sizeof(int), 0600);
	volatile int *counter = shmat(shm, NULL, 0);
	sem = semget(IPC_PRIVATE, 1, 0600);
	if (counter == (void *)-1 || sem == -1 || semctl(sem, 0, SETVAL, (union semun){ 1 }) == -1) {
		perror("semaphore");
		return 1;
	}
	pid_t killed = fork();
	if (killed == 0) {
		change(-1);
		kill(getpid(), SIGKILL);
	}
	waitpid(killed, NULL, 0);
	printf("killed while it held the semaphore: the value is %d again\n", semctl(sem, 0, GETVAL));
	for (int i = 0; i < WORKERS; i++) {
		if (fork() != 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			change(-1);
			int old = *counter;
			if (round % 100 == 0)
				usleep(1);
			*counter = old + 1;
			change(1);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	printf("%d workers, %d rounds each: the counter is %d\n", WORKERS, ROUNDS, *counter);
	semctl(sem, 0, IPC_RMID);
	shmctl(shm, IPC_RMID, NULL);
	return 0;
}
