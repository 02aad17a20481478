/*
 * producer.c: creates a segment, writes records into it, waits until they are taken, and removes it.
 *
 * Run it with consumer.c, in either order: the consumer waits for the key to appear.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "segment.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(void)
{
	/* Line by line, also into a pipe: what the two processes print appears in the order in which it happens. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	int id = shmget(SEGMENT_KEY, sizeof(struct segment), IPC_CREAT | IPC_EXCL | 0600);
	if (id == -1)
		fail("producer: shmget");
	struct segment *segment = shmat(id, NULL, 0);
	if (segment == (void *)-1)
		fail("producer: shmat");
	printf("producer: created segment %d of %zu bytes\n", id, sizeof *segment);

	for (uint32_t i = 0; i < RECORDS; i++) {
		struct record *record = &segment->records[i];
		record->number = i * i;
		snprintf(record->text, sizeof record->text, "record %u", (unsigned)i);
		printf("producer: wrote \"%s\" with %u\n", record->text, (unsigned)record->number);
		/* Release: whoever sees the new count sees the record. */
		atomic_store_explicit(&segment->written, i + 1, memory_order_release);
	}
	while (atomic_load(&segment->taken) < RECORDS)
		sched_yield();
	printf("producer: all taken, removing the segment\n");
	if (shmdt(segment) == -1)
		fail("producer: shmdt");
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("producer: shmctl(IPC_RMID)");
	return 0;
}
