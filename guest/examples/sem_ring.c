/*
 * sem_ring.c: a producer and a consumer that know nothing of each other but names: a ring in shared memory (shm_open) and three
 * semaphores (sem_open), which are files of /dev/shm too. Run it alone, or as two processes: "produce" and "consume".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 16
#define NUMBERS 1000

struct ring {
	uint32_t slot[SLOTS];
	uint32_t in, out;
};

static struct ring *ring;
static sem_t *free_slots, *used_slots;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static sem_t *open_semaphore(const char *name, unsigned value)
{
	sem_t *sem = sem_open(name, O_CREAT, 0600, value);
	if (sem == SEM_FAILED)
		fail(name);
	return sem;
}

/* Whoever comes first creates; the other one finds. All of it starts as zeroes. */
static void meet(void)
{
	int fd = shm_open("/ring", O_RDWR | O_CREAT, 0600);
	if (fd == -1)
		fail("shm_open");
	if (ftruncate(fd, sizeof *ring) == -1)
		fail("ftruncate");
	ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		fail("mmap");
	close(fd);
	free_slots = open_semaphore("/ring.free", SLOTS);
	used_slots = open_semaphore("/ring.used", 0);
}

static void produce(void)
{
	for (uint32_t i = 1; i <= NUMBERS; i++) {
		if (sem_wait(free_slots) == -1)
			fail("sem_wait");
		ring->slot[ring->in++ % SLOTS] = i * i;
		if (sem_post(used_slots) == -1)
			fail("sem_post");
	}
	printf("producer: %d numbers\n", NUMBERS);
}

static void consume(void)
{
	uint32_t sum = 0;
	for (int i = 0; i < NUMBERS; i++) {
		if (sem_wait(used_slots) == -1)
			fail("sem_wait");
		sum += ring->slot[ring->out++ % SLOTS];
		if (sem_post(free_slots) == -1)
			fail("sem_post");
	}
	printf("consumer: %d numbers, their sum is %u\n", NUMBERS, (unsigned)sum);
	if (shm_unlink("/ring") == -1 || sem_unlink("/ring.free") == -1 || sem_unlink("/ring.used") == -1)
		fail("unlink");
}

int main(int argc, char **argv)
{
	meet();
	if (argc > 1) {
		if (strcmp(argv[1], "produce") == 0)
			produce();
		else
			consume();
		return 0;
	}
	pid_t pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		produce();
		return 0;
	}
	consume();
	if (waitpid(pid, NULL, 0) == -1)
		fail("waitpid");
	return 0;
}
