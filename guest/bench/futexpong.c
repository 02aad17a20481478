/* futexpong.c: two processes pass a word in shared memory to and fro, each asleep on a futex while it is the other's turn. */
#define _GNU_SOURCE
#include "bench.h"
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* riscv32 has no futex call with a 32-bit time_t. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10000);
	atomic_int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turn == MAP_FAILED)
		return 1;
	atomic_uint *count = (atomic_uint *)turn + 16;
	/* On one processor, or the two would never meet in the scheduler; where that is not possible, as it comes. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);

	pid_t pid = fork();
	if (pid == -1)
		return 1;
	int me = pid == 0;
	for (long i = 0; i < n; i++) {
		while (atomic_load(turn) != me)
			syscall(SYS_futex, turn, FUTEX_WAIT, !me, NULL, NULL, 0);
		atomic_fetch_add(count, 1);
		atomic_store(turn, !me);
		syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	if (pid == 0)
		return 0;
	wait(NULL);
	return report("futexpong", atomic_load(count));
}
