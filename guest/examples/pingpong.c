/* pingpong.c: two processes pass a word back and forth, asleep on a futex while it is the other's turn. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* riscv32 has no futex call with a 32-bit time_t. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

#define ROUNDS 1000

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Sleeps until the word is `mine`. FUTEX_WAIT looks again under the kernel's lock, so no wake-up is missed. */
static void wait_for(atomic_int *word, int mine)
{
	int seen;
	while ((seen = atomic_load(word)) != mine)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void pass_to(atomic_int *word, int other)
{
	atomic_store(word, other);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int main(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (id == -1)
		fail("shmget");
	atomic_int *word = shmat(id, NULL, 0);
	if (word == (void *)-1)
		fail("shmat");
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");
	int *count = (int *)word + 1;

	pid_t pid = fork();
	if (pid == -1)
		fail("fork");
	int mine = pid == 0, other = !mine;
	for (int i = 0; i < ROUNDS; i++) {
		wait_for(word, mine);
		/* Not atomic: whose turn it is owns it. */
		++*count;
		pass_to(word, other);
	}
	if (pid == 0)
		return 0;
	if (waitpid(pid, NULL, 0) == -1)
		fail("waitpid");
	printf("%d turns of two processes: the count is %d\n", 2 * ROUNDS, *count);
	return *count != 2 * ROUNDS;
}
