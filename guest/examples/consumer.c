/*
 * consumer.c: finds the producer's segment by its key, waits for records and prints them.
 *
 * It may start before the producer has created the segment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

#include "segment.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The segment's id; tries again every millisecond, ten seconds long, while nobody has the key. */
static int find_segment(void)
{
	const struct timespec millisecond = { .tv_nsec = 1000000 };
	for (int tries = 0; tries < 10000; tries++) {
		int id = shmget(SEGMENT_KEY, sizeof(struct segment), 0600);
		if (id != -1)
			return id;
		if (errno != ENOENT)
			fail("consumer: shmget");
		nanosleep(&millisecond, NULL);
	}
	fprintf(stderr, "consumer: no producer came\n");
	exit(1);
}

int main(void)
{
	/* Line by line, also into a pipe: what the two processes print appears in the order in which it happens. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	int id = find_segment();
	struct segment *segment = shmat(id, NULL, 0);
	if (segment == (void *)-1)
		fail("consumer: shmat");
	printf("consumer: attached segment %d\n", id);

	for (unsigned i = 0; i < RECORDS; i++) {
		while (atomic_load_explicit(&segment->written, memory_order_acquire) <= i)
			sched_yield();
		const struct record *record = &segment->records[i];
		printf("consumer: read \"%s\" with %u\n", record->text, (unsigned)record->number);
		atomic_store(&segment->taken, i + 1);
	}
	if (shmdt(segment) == -1)
		fail("consumer: shmdt");
	return 0;
}
