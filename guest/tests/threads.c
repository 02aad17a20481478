/* POSIX threads: create, join, mutex, condition, thread-local data, barrier. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int counter, turn;
static _Thread_local int own = 5;

static void *count(void *argument)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		int seen = counter;
		if (i % 100 == 0)
			sched_yield();
		counter = seen + 1;
		pthread_mutex_unlock(&mutex);
		own++;
	}
	return (void *)((uintptr_t)own + (uintptr_t)argument);
}

static void *take_turns(void *argument)
{
	int who = (int)(uintptr_t)argument;
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 2 != who)
			pthread_cond_wait(&changed, &mutex);
		turn++;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[4];
	void *result;

	for (uintptr_t i = 0; i < 4; i++)
		NEED(pthread_create(&t[i], NULL, count, (void *)(i * 10000)) == 0 ? 0 : -1);
	uintptr_t sum = 0;
	for (int i = 0; i < 4; i++) {
		NEED(pthread_join(t[i], &result) == 0 ? 0 : -1);
		sum += (uintptr_t)result;
	}
	EQUALS("four threads count under a mutex", counter, 4000);
	EQUALS("each with its own variable; their results", sum, 60000 + 4 * 1005);
	EQUALS("the main thread's variable", own, 5);
	for (uintptr_t i = 0; i < 2; i++)
		NEED(pthread_create(&t[i], NULL, take_turns, (void *)i) == 0 ? 0 : -1);
	for (int i = 0; i < 2; i++)
		NEED(pthread_join(t[i], NULL) == 0 ? 0 : -1);
	EQUALS("two threads take turns", turn, 200);
	return done();
}
