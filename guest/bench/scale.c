/*
 * scale.c: what one operation costs beside `count` others. `scale MODE COUNT ROUNDS` repeats a mode; between two of its phases it writes
 * one letter, at which whoever runs it looks at the clock. `scale MODE COUNT ROUNDS clock` looks at it itself, and prints at the end for
 * each letter the nanoseconds spent: for a real Linux, where a phase may be shorter than it takes a letter to arrive.
 *
 * segments:  count segments by key; look one up, attach, touch and detach it, stat it; remove all.
 * processes: count processes that attach one segment and touch it; another attaches, touches and detaches it; they exit together.
 * attaches:  count attaches of one segment in one process; touched; one more beside them; all detached.
 * exit:      count attaches of one segment in a child, which exits with them.
 */
#include "bench.h"
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int has_clock;
static long long spent[128], last;

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void mark(char phase)
{
	if (!has_clock) {
		if (write(1, &phase, 1) != 1)
			_exit(1);
		return;
	}
	spent[(int)phase] += now() - last;
	last = now();
}

static void need(long result)
{
	if (result == -1)
		_exit(2);
}

static volatile char *attach(int id)
{
	volatile char *p = shmat(id, NULL, 0);
	need((long)p);
	return p;
}

static void attach_touch_detach(int id)
{
	volatile char *p = attach(id);

	*p = 1;
	need(shmdt((void *)p));
}

static void segments(long count)
{
	struct shmid_ds ds;

	mark('(');
	for (long i = 0; i < count; i++)
		need(shmget((key_t)(i + 1), 4096, IPC_CREAT | IPC_EXCL | 0600));
	mark('c');
	for (long i = 0; i < count; i++)
		need(shmget((key_t)((i * 7919) % count + 1), 0, 0));
	mark('g');
	for (long i = 1; i <= count; i++)
		attach_touch_detach(shmget((key_t)i, 0, 0));
	mark('w');
	for (long i = 0; i < count; i++)
		attach_touch_detach(shmget((key_t)((i * 7919) % count + 1), 0, 0));
	mark('a');
	for (long i = 0; i < count; i++)
		need(shmctl(shmget((key_t)((i * 7919) % count + 1), 0, 0), IPC_STAT, &ds));
	mark('s');
	for (long i = 0; i < count; i++)
		need(shmctl(shmget((key_t)(i + 1), 0, 0), IPC_RMID, NULL));
	mark('r');
}

static void processes(long count)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600), gate[2];
	char c;

	need(id);
	need(pipe(gate));
	mark('(');
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		need(pid);
		if (pid == 0) {
			close(gate[1]);
			volatile char *p = attach(id);
			*p = 1;
			_exit(read(gate[0], &c, 1) != 0);
		}
	}
	struct shmid_ds ds;
	do
		need(shmctl(id, IPC_STAT, &ds));
	while ((long)ds.shm_nattch != count && usleep(1) == 0);
	mark('f');
	for (long i = 0; i < count; i++)
		attach_touch_detach(id);
	mark('o');
	close(gate[1]);
	for (long i = 0; i < count; i++)
		need(wait(NULL));
	mark('x');
	close(gate[0]);
	need(shmctl(id, IPC_RMID, NULL));
}

static void attaches(long count)
{
	static volatile char *at[100000];
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	need(id);
	mark('(');
	for (long i = 0; i < count; i++)
		at[i] = attach(id);
	mark('a');
	for (long i = 0; i < count; i++)
		*at[i] = 1;
	mark('t');
	for (long i = 0; i < count; i++)
		attach_touch_detach(id);
	mark('o');
	for (long i = 0; i < count; i++)
		need(shmdt((void *)at[i]));
	mark('d');
	need(shmctl(id, IPC_RMID, NULL));
}

static void exits(long count)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600), ready[2], gate[2];
	char c;

	need(id);
	need(pipe(ready));
	need(pipe(gate));
	pid_t pid = fork();
	need(pid);
	if (pid == 0) {
		for (long i = 0; i < count; i++)
			*attach(id) = 1;
		need(write(ready[1], "r", 1));
		need(read(gate[0], &c, 1));
		_exit(0);
	}
	need(read(ready[0], &c, 1));
	mark('(');
	need(write(gate[1], "g", 1));
	need(wait(NULL));
	mark('x');
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(gate[i]);
	}
	need(shmctl(id, IPC_RMID, NULL));
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 1;
	has_clock = argc > 4;
	long count = atol(argv[2]), rounds = atol(argv[3]);

	/* More VMAs than a process may have: a sysctl of the whole machine, which a real one had better not get. */
	if (count > 60000) {
		int fd = open("/proc/sys/vm/max_map_count", O_WRONLY);
		need(fd);
		need(write(fd, "262144", 6));
		close(fd);
	}
	for (long i = 0; i < rounds; i++)
		switch (argv[1][0]) {
		case 's':
			segments(count);
			break;
		case 'p':
			processes(count);
			break;
		case 'a':
			attaches(count);
			break;
		default:
			exits(count);
		}
	for (int c = 'a'; has_clock && c <= 'z'; c++)
		if (spent[c] > 0)
			printf("%c %lld\n", c, spent[c]);
	return 0;
}
