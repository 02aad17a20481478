/* A thousand processes attached to one segment at once, asleep on one futex in it. */
#include "shm.h"
#include <linux/futex.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

enum { PROCESSES = 1000 };

struct shared {
	atomic_int ready, go, sum;
	int slot[PROCESSES];
};

int main(void)
{
	int id = new_segment(sizeof(struct shared), 0600);
	struct shared *s = (struct shared *)(void *)attach(id, NULL, 0);

	for (int i = 0; i < PROCESSES; i++)
		if (NEED(fork()) == 0) {
			s->slot[i] = i;
			atomic_fetch_add(&s->ready, 1);
			while (s->go == 0)
				syscall(SYS_futex, &s->go, FUTEX_WAIT, 0, NULL, NULL, 0);
			atomic_fetch_add(&s->sum, s->slot[PROCESSES - 1 - i]);
			_exit(i % 100);
		}
	while (s->ready != PROCESSES)
		sched_yield();
	EQUALS("nattch", nattch_of(id), PROCESSES + 1);
	remove_segment(id);
	s->go = 1;
	NEED(syscall(SYS_futex, &s->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	int ended = 0, codes = 0, status;
	while (wait(&status) > 0) {
		ended++;
		codes += WEXITSTATUS(status);
	}
	EQUALS("ended", ended, PROCESSES);
	EQUALS("the sum of their exit codes", codes, PROCESSES / 100 * 4950);
	EQUALS("the sum of each other's slots", s->sum, PROCESSES * (PROCESSES - 1) / 2);
	EQUALS("nattch", nattch_of(id), 1);
	return done();
}
