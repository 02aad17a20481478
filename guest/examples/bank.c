/*
 * bank.c: two tellers move money between accounts in shared memory. Without a lock some is lost, or
 * comes out of nothing.
 *
 *   bank [--lock] [transfers]      also: compile with -DLOCKED to make --lock the default
 *
 * A transfer reads two balances, thinks, and writes both back. When the other teller does the same in between,
 * its change is overwritten. The lock is one atomic flag. Exit status 1 when the sum is wrong.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LOCKED
#define LOCK_BY_DEFAULT 1
#else
#define LOCK_BY_DEFAULT 0
#endif

#define ACCOUNTS 4
#define START 1000
#define TELLERS 2

struct bank {
	atomic_flag lock;
	atomic_int ready;
	volatile int balance[ACCOUNTS];
};

static void transfer(struct bank *bank, int from, int to, int amount)
{
	int a = bank->balance[from], b = bank->balance[to];
	/* The other teller may run now. */
	sched_yield();
	bank->balance[from] = a - amount;
	bank->balance[to] = b + amount;
}

static void teller(struct bank *bank, uint32_t seed, int transfers, int locked)
{
	/* Start together. */
	atomic_fetch_add(&bank->ready, 1);
	while (atomic_load(&bank->ready) < TELLERS)
		sched_yield();
	for (int i = 0; i < transfers; i++) {
		seed = seed * 1664525u + 1013904223u;
		int from = (int)(seed >> 16) % ACCOUNTS, to = (from + 1 + (int)(seed >> 24) % (ACCOUNTS - 1)) % ACCOUNTS;
		if (locked)
			while (atomic_flag_test_and_set_explicit(&bank->lock, memory_order_acquire))
				sched_yield();
		transfer(bank, from, to, (int)(seed >> 8) % 100);
		if (locked)
			atomic_flag_clear_explicit(&bank->lock, memory_order_release);
	}
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	int locked = LOCK_BY_DEFAULT, transfers = 1000;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--lock") == 0)
			locked = 1;
		else
			transfers = atoi(argv[i]);
	}
	int id = shmget(IPC_PRIVATE, sizeof(struct bank), 0600);
	if (id == -1)
		fail("shmget");
	struct bank *bank = shmat(id, NULL, 0);
	if (bank == (void *)-1)
		fail("shmat");
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");
	for (int i = 0; i < ACCOUNTS; i++)
		bank->balance[i] = START;

	for (uint32_t i = 0; i < TELLERS; i++) {
		pid_t pid = fork();
		if (pid == -1)
			fail("fork");
		if (pid == 0) {
			teller(bank, i + 1, transfers, locked);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	int sum = 0;
	for (int i = 0; i < ACCOUNTS; i++)
		sum += bank->balance[i];
	int lost = ACCOUNTS * START - sum;
	printf("%d tellers, %d transfers each, %s: %d in the bank, %d %s\n", TELLERS, transfers,
	       locked ? "with a lock" : "without a lock", sum, abs(lost), lost < 0 ? "out of nothing" : "lost");
	return lost != 0;
}
