/*
 * ring.c: a ring buffer for one producer and one consumer without a lock, in shared memory.
 *
 *   ring                      forks and plays both roles
 *   ring produce, ring consume   one role each, in two processes that meet by key
 *
 * Each index is written by one side only. `tail` is stored with release after the slot is filled, and loaded
 * with acquire before it is read; `head` likewise for slots that are free again. The consumer adds a checksum
 * over all numbers, which the producer knows.
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

#define RING_KEY 0x2119
#define SLOTS 256 /* a power of two: indexes run freely and are masked */
#define COUNT 100000

struct ring {
	_Alignas(64) atomic_uint tail; /* next slot to fill; the producer's */
	_Alignas(64) atomic_uint head; /* next slot to take; the consumer's */
	_Alignas(64) uint32_t slots[SLOTS];
	uint32_t sent; /* the producer's checksum, once it has ended */
};

static uint32_t mix(uint32_t sum, uint32_t value)
{
	return (sum ^ value) * 16777619u;
}

static uint32_t produce(struct ring *ring)
{
	uint32_t sum = 2166136261u;
	for (uint32_t i = 0; i < COUNT; i++) {
		unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
		while (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == SLOTS)
			sched_yield();
		uint32_t value = i * 2654435761u;
		ring->slots[tail % SLOTS] = value;
		atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
		sum = mix(sum, value);
	}
	return sum;
}

static uint32_t consume(struct ring *ring)
{
	uint32_t sum = 2166136261u;
	for (uint32_t i = 0; i < COUNT; i++) {
		unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);
		while (atomic_load_explicit(&ring->tail, memory_order_acquire) == head)
			sched_yield();
		sum = mix(sum, ring->slots[head % SLOTS]);
		atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	}
	return sum;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct ring *attach(int id)
{
	struct ring *ring = shmat(id, NULL, 0);
	if (ring == (void *)-1)
		fail("shmat");
	return ring;
}

static int one_role(int producing)
{
	int id = shmget(RING_KEY, sizeof(struct ring), IPC_CREAT | 0600);
	if (id == -1)
		fail("shmget");
	struct ring *ring = attach(id);
	uint32_t sum = producing ? produce(ring) : consume(ring);
	printf("%s: %d numbers, checksum %08x\n", producing ? "producer" : "consumer", COUNT, (unsigned)sum);
	/* The consumer is the last to look at the ring. */
	if (!producing && shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");
	return 0;
}

static int both_roles(void)
{
	int status;
	int id = shmget(IPC_PRIVATE, sizeof(struct ring), 0600);
	if (id == -1)
		fail("shmget");
	struct ring *ring = attach(id);
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");
	pid_t pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		ring->sent = produce(ring);
		_exit(0);
	}
	uint32_t sum = consume(ring);
	if (waitpid(pid, &status, 0) == -1)
		fail("waitpid");
	printf("%d numbers through %d slots: checksum %08x, %s\n", COUNT, SLOTS, (unsigned)sum,
	       sum == ring->sent ? "as sent" : "NOT as sent");
	return sum == ring->sent ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return both_roles();
	if (argc == 2 && (strcmp(argv[1], "produce") == 0 || strcmp(argv[1], "consume") == 0))
		return one_role(argv[1][0] == 'p');
	fprintf(stderr, "usage: ring [produce|consume]\n");
	return 2;
}
