/* C11 atomics on shared memory: two processes and one word, AMO and LR/SC. */
#include "shm.h"
#include <sched.h>
#include <stdatomic.h>

enum { PROCESSES = 4, ROUNDS = 5000 };

struct shared {
	atomic_int counter, flags, maximum;
	atomic_uchar byte;
	atomic_ushort half;
	atomic_int lock;
	int plain;
	atomic_flag spin;
	int other;
	atomic_int turn;
};

static void work(struct shared *s, int who)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&s->counter, 1);
		atomic_fetch_xor(&s->flags, 1 << who);
		atomic_fetch_add(&s->byte, 1);
		atomic_fetch_add(&s->half, 1);
		int seen = atomic_load(&s->maximum), mine = i * PROCESSES + who;
		while (seen < mine && !atomic_compare_exchange_weak(&s->maximum, &seen, mine))
			;
		int expected = 0;
		while (!atomic_compare_exchange_strong(&s->lock, &expected, 1)) {
			expected = 0;
			sched_yield();
		}
		s->plain++;
		atomic_store_explicit(&s->lock, 0, memory_order_release);
		while (atomic_flag_test_and_set(&s->spin))
			sched_yield();
		s->other += 2;
		atomic_flag_clear(&s->spin);
	}
}

int main(void)
{
	int id = new_segment(PAGE, 0600);
	struct shared *s = (struct shared *)(void *)attach(id, NULL, 0);

	for (int i = 0; i < PROCESSES; i++)
		if (NEED(fork()) == 0) {
			work(s, i);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++)
		NEED(wait(NULL));
	EQUALS("fetch_add", s->counter, PROCESSES * ROUNDS);
	EQUALS("fetch_xor, an even number of times", s->flags, 0);
	EQUALS("fetch_add of a byte", s->byte, PROCESSES * ROUNDS % 256);
	EQUALS("fetch_add of 16 bits", s->half, PROCESSES * ROUNDS % 65536);
	EQUALS("a maximum by compare_exchange", s->maximum, PROCESSES * ROUNDS - 1);
	EQUALS("under a lock", s->plain, PROCESSES * ROUNDS);
	EQUALS("under a spin flag", s->other, 2 * PROCESSES * ROUNDS);

	atomic_int a = 10;
	EQUALS("fetch_sub", atomic_fetch_sub(&a, 3), 10);
	EQUALS("fetch_or", atomic_fetch_or(&a, 8), 7);
	EQUALS("fetch_and", atomic_fetch_and(&a, 9), 15);
	EQUALS("exchange", atomic_exchange(&a, -5), 9);
	int expected = 0;
	TRUE("a failing compare_exchange", !atomic_compare_exchange_strong(&a, &expected, 1));
	EQUALS("says what it saw", expected, -5);
	TRUE("int is lock-free", atomic_is_lock_free(&a));

	/* Strict alternation: each process waits for its turn. */
	s->turn = 0;
	for (int i = 0; i < 3; i++)
		if (NEED(fork()) == 0) {
			for (int n = 0; n < 200; n++) {
				while (atomic_load(&s->turn) % 3 != i)
					sched_yield();
				atomic_fetch_add(&s->turn, 1);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	EQUALS("three processes take turns", s->turn, 600);
	return done();
}
