/*
 * robust.c: a worker is killed while it changes shared data under a lock. The lock is robust: the kernel finds it in the dead
 * thread's robust list and marks it, the next one to lock it is told (EOWNERDEAD), repairs the data and goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two accounts: whoever holds the lock may see them out of balance, nobody else. */
static struct shared {
	pthread_mutex_t lock;
	int a, b;
	volatile int half_way;
} *shared;

static void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(1);
}

/* Locks, and repairs what a dead owner left half done. */
static void lock_and_repair(const char *who)
{
	int error = pthread_mutex_lock(&shared->lock);
	if (error == EOWNERDEAD) {
		printf("%s: the owner died; a + b is %d\n", who, shared->a + shared->b);
		shared->b = 100 - shared->a;
		error = pthread_mutex_consistent(&shared->lock);
	}
	if (error != 0)
		fail("pthread_mutex_lock", error);
}

int main(void)
{
	pthread_mutexattr_t attr;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap", errno);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	int error = pthread_mutex_init(&shared->lock, &attr);
	if (error != 0)
		fail("pthread_mutex_init", error);
	shared->a = 100;
	/* What is in a buffer at fork would be printed twice. */
	setvbuf(stdout, NULL, _IOLBF, 0);

	pid_t pid = fork();
	if (pid == -1)
		fail("fork", errno);
	if (pid == 0) {
		lock_and_repair("worker");
		shared->a -= 30;
		shared->half_way = 1;
		for (;;)
			sched_yield();
	}
	while (!shared->half_way)
		sched_yield();
	printf("worker: took 30 from a, and is killed before it gives them to b\n");
	kill(pid, SIGKILL);
	lock_and_repair("parent");
	printf("parent: repaired: a %d, b %d\n", shared->a, shared->b);
	pthread_mutex_unlock(&shared->lock);
	waitpid(pid, NULL, 0);
	error = pthread_mutex_lock(&shared->lock);
	printf("parent: locked again: %s\n", error == 0 ? "nothing to tell" : strerror(error));
	return error != 0;
}
