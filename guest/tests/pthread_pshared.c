/* Mutexes, condition variables, barriers and read-write locks that processes share (PTHREAD_PROCESS_SHARED), and robust ones. */
#include "shm.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define RW (PROT_READ | PROT_WRITE)

static struct shared {
	pthread_mutex_t mutex, other;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	pthread_rwlock_t rwlock;
	volatile int count, turn, state, serial;
} *s;

/* pthread functions return their error. */
#define GIVES(name, call, error) \
	do { int e_ = (call); errno = e_; check_call(name, e_ ? -1 : 0, e_, error); } while (0)
#define MUST(call) NEED((errno = (call)) ? -1 : 0)

static void moment(void)
{
	struct timespec t = { 0, 30000000 };
	nanosleep(&t, NULL);
}

static struct timespec in_ms(int ms)
{
	struct timespec t;
	NEED(clock_gettime(CLOCK_REALTIME, &t));
	t.tv_nsec += ms * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static int exit_of(pid_t pid)
{
	int status;
	NEED(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void make_mutex(pthread_mutex_t *mutex, int type, int robust, int protocol)
{
	pthread_mutexattr_t attr;
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutexattr_settype(&attr, type));
	MUST(pthread_mutexattr_setrobust(&attr, robust));
	MUST(pthread_mutexattr_setprotocol(&attr, protocol));
	MUST(pthread_mutex_init(mutex, &attr));
	MUST(pthread_mutexattr_destroy(&attr));
}

static void mutexes(int protocol)
{
	make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, protocol);
	s->count = 0;
	for (int i = 0; i < 4; i++)
		if (NEED(fork()) == 0) {
			for (int n = 0; n < 200; n++) {
				MUST(pthread_mutex_lock(&s->mutex));
				int seen = s->count;
				if (n % 16 == 0)
					sched_yield();
				s->count = seen + 1;
				MUST(pthread_mutex_unlock(&s->mutex));
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	EQUALS("four processes, 200 rounds each", s->count, 800);

	make_mutex(&s->mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, protocol);
	GIVES("lock", pthread_mutex_lock(&s->mutex), 0);
	GIVES("lock again", pthread_mutex_lock(&s->mutex), EDEADLK);
	GIVES("trylock", pthread_mutex_trylock(&s->mutex), EBUSY);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct timespec soon = in_ms(20);
		int locked = pthread_mutex_trylock(&s->mutex), timed = pthread_mutex_timedlock(&s->mutex, &soon);
		int unlocked = pthread_mutex_unlock(&s->mutex);
		_exit((locked == EBUSY) | (timed == ETIMEDOUT) << 1 | (unlocked == EPERM) << 2);
	}
	EQUALS("another process: EBUSY, ETIMEDOUT, EPERM", exit_of(pid), 7);
	GIVES("unlock", pthread_mutex_unlock(&s->mutex), 0);
	GIVES("unlock again", pthread_mutex_unlock(&s->mutex), EPERM);

	make_mutex(&s->mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, protocol);
	GIVES("recursive: lock", pthread_mutex_lock(&s->mutex), 0);
	GIVES("recursive: lock again", pthread_mutex_lock(&s->mutex), 0);
	GIVES("recursive: unlock", pthread_mutex_unlock(&s->mutex), 0);
	pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(pthread_mutex_trylock(&s->mutex) == EBUSY);
	EQUALS("another process", exit_of(pid), 1);
	GIVES("recursive: unlock", pthread_mutex_unlock(&s->mutex), 0);
	GIVES("destroy", pthread_mutex_destroy(&s->mutex), 0);
}

static void conditions(void)
{
	pthread_condattr_t attr;
	make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	MUST(pthread_condattr_init(&attr));
	MUST(pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_cond_init(&s->cond, &attr));
	struct timespec soon = in_ms(20);
	MUST(pthread_mutex_lock(&s->mutex));
	GIVES("timedwait", pthread_cond_timedwait(&s->cond, &s->mutex, &soon), ETIMEDOUT);
	MUST(pthread_mutex_unlock(&s->mutex));
	s->turn = s->count = 0;
	for (int i = 0; i < 3; i++)
		if (NEED(fork()) == 0) {
			for (int n = 0; n < 40; n++) {
				MUST(pthread_mutex_lock(&s->mutex));
				while (s->turn % 3 != i)
					MUST(pthread_cond_wait(&s->cond, &s->mutex));
				s->turn++;
				MUST(pthread_cond_broadcast(&s->cond));
				MUST(pthread_mutex_unlock(&s->mutex));
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	EQUALS("three processes take turns", s->turn, 120);
	/* signal wakes one of two, broadcast the rest. */
	s->state = s->count = 0;
	for (int i = 0; i < 2; i++)
		if (NEED(fork()) == 0) {
			MUST(pthread_mutex_lock(&s->mutex));
			s->count++;
			while (s->state == 0)
				MUST(pthread_cond_wait(&s->cond, &s->mutex));
			s->state--;
			MUST(pthread_mutex_unlock(&s->mutex));
			_exit(0);
		}
	while (s->count != 2)
		sched_yield();
	moment();
	MUST(pthread_mutex_lock(&s->mutex));
	s->state = 1;
	MUST(pthread_cond_signal(&s->cond));
	MUST(pthread_mutex_unlock(&s->mutex));
	NEED(wait(NULL));
	EQUALS("one of two was woken: state", s->state, 0);
	moment();
	EQUALS("the other sleeps", waitpid(-1, NULL, WNOHANG), 0);
	MUST(pthread_mutex_lock(&s->mutex));
	s->state = 1;
	MUST(pthread_cond_broadcast(&s->cond));
	MUST(pthread_mutex_unlock(&s->mutex));
	NEED(wait(NULL));
	GIVES("destroy", pthread_cond_destroy(&s->cond), 0);
}

static void barriers(void)
{
	pthread_barrierattr_t attr;
	MUST(pthread_barrierattr_init(&attr));
	MUST(pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	GIVES("a barrier of none", pthread_barrier_init(&s->barrier, &attr, 0), EINVAL);
	MUST(pthread_barrier_init(&s->barrier, &attr, 4));
	s->count = s->serial = s->state = 0;
	for (int i = 0; i < 4; i++)
		if (NEED(fork()) == 0) {
			for (int n = 1; n <= 10; n++) {
				__atomic_fetch_add(&s->count, 1, __ATOMIC_SEQ_CST);
				if (pthread_barrier_wait(&s->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
					__atomic_fetch_add(&s->serial, 1, __ATOMIC_SEQ_CST);
				if (s->count != 4 * n)
					__atomic_fetch_add(&s->state, 1, __ATOMIC_SEQ_CST);
				pthread_barrier_wait(&s->barrier);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	EQUALS("ten rounds of four: passed", s->count, 40);
	EQUALS("too early", s->state, 0);
	EQUALS("one is the serial one each time", s->serial, 10);
	GIVES("destroy", pthread_barrier_destroy(&s->barrier), 0);
}

static void rwlocks(void)
{
	pthread_rwlockattr_t attr;
	MUST(pthread_rwlockattr_init(&attr));
	MUST(pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_rwlock_init(&s->rwlock, &attr));
	GIVES("read lock", pthread_rwlock_rdlock(&s->rwlock), 0);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct timespec soon = in_ms(20);
		int r = pthread_rwlock_tryrdlock(&s->rwlock), w = pthread_rwlock_trywrlock(&s->rwlock);
		int t = pthread_rwlock_timedwrlock(&s->rwlock, &soon);
		pthread_rwlock_unlock(&s->rwlock);
		_exit((r == 0) | (w == EBUSY) << 1 | (t == ETIMEDOUT) << 2);
	}
	EQUALS("another process: may read, not write, in time", exit_of(pid), 7);
	s->state = 0;
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		MUST(pthread_rwlock_wrlock(&s->rwlock));
		s->state = 1;
		MUST(pthread_rwlock_unlock(&s->rwlock));
		_exit(5);
	}
	moment();
	EQUALS("a writer waits for the reader", s->state, 0);
	GIVES("unlock", pthread_rwlock_unlock(&s->rwlock), 0);
	EQUALS("and then writes: exit", exit_of(pid), 5);
	EQUALS("state", s->state, 1);
	GIVES("destroy", pthread_rwlock_destroy(&s->rwlock), 0);
}

/* A process that dies with the lock, in one of several ways. */
static void die_with(pthread_mutex_t *mutex, int how)
{
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		MUST(pthread_mutex_lock(mutex));
		if (how == 0)
			_exit(0);
		if (how == 1)
			raise(SIGKILL);
		*(volatile int *)8 = 0;
	}
	exit_of(pid);
}

static void robust(int protocol)
{
	for (int how = 0; how < 3; how++) {
		make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
		die_with(&s->mutex, how);
		GIVES(how == 0 ? "its owner exited" : how == 1 ? "was killed" : "crashed", pthread_mutex_lock(&s->mutex), EOWNERDEAD);
		GIVES("consistent", pthread_mutex_consistent(&s->mutex), 0);
		GIVES("unlock", pthread_mutex_unlock(&s->mutex), 0);
		GIVES("lock", pthread_mutex_lock(&s->mutex), 0);
		GIVES("consistent without need", pthread_mutex_consistent(&s->mutex), EINVAL);
		GIVES("unlock", pthread_mutex_unlock(&s->mutex), 0);
	}
	die_with(&s->mutex, 1);
	GIVES("trylock", pthread_mutex_trylock(&s->mutex), EOWNERDEAD);
	GIVES("unlock without consistent", pthread_mutex_unlock(&s->mutex), 0);
	GIVES("lock: not recoverable", pthread_mutex_lock(&s->mutex), ENOTRECOVERABLE);
	GIVES("trylock: not recoverable", pthread_mutex_trylock(&s->mutex), ENOTRECOVERABLE);

	/* Somebody sleeps on the lock when its owner is killed; the next sleeper gets it in turn. */
	make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
	s->state = 0;
	pid_t owner = (pid_t)NEED(fork());
	if (owner == 0) {
		MUST(pthread_mutex_lock(&s->mutex));
		s->state = 1;
		for (;;)
			pause();
	}
	while (s->state == 0)
		sched_yield();
	pid_t heir[2];
	for (int i = 0; i < 2; i++) {
		heir[i] = (pid_t)NEED(fork());
		if (heir[i] == 0) {
			int error = pthread_mutex_lock(&s->mutex);
			if (i == 0)
				_exit(error == EOWNERDEAD ? 20 : 21);
			if (error == EOWNERDEAD)
				pthread_mutex_consistent(&s->mutex);
			pthread_mutex_unlock(&s->mutex);
			_exit(error == EOWNERDEAD ? 20 : 21);
		}
		moment();
	}
	NEED(kill(owner, SIGKILL));
	EQUALS("owner", exit_of(owner), -9);
	EQUALS("the first heir is told, and exits with the lock", exit_of(heir[0]), 20);
	EQUALS("the second is told too", exit_of(heir[1]), 20);
	GIVES("after that all is well", pthread_mutex_lock(&s->mutex), 0);
	GIVES("unlock", pthread_mutex_unlock(&s->mutex), 0);

	/* Two locks at once. */
	make_mutex(&s->other, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		MUST(pthread_mutex_lock(&s->mutex));
		MUST(pthread_mutex_lock(&s->other));
		raise(SIGKILL);
	}
	exit_of(pid);
	GIVES("one of two", pthread_mutex_lock(&s->other), EOWNERDEAD);
	GIVES("the other", pthread_mutex_lock(&s->mutex), EOWNERDEAD);
	/* exec ends the old program's threads too. */
	make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		MUST(pthread_mutex_lock(&s->mutex));
		execl("/proc/self/exe", "pthread_pshared", "nothing", NULL);
		_exit(1);
	}
	EQUALS("its owner execs", exit_of(pid), 0);
	GIVES("lock", pthread_mutex_lock(&s->mutex), EOWNERDEAD);
}

static void *dying_thread(void *unused)
{
	MUST(pthread_mutex_lock(&s->mutex));
	return unused;
}

/* A thread that ends is reported too, by libc. */
static void threads(void)
{
	pthread_t thread;
	make_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
	MUST(pthread_create(&thread, NULL, dying_thread, NULL));
	MUST(pthread_join(thread, NULL));
	GIVES("a thread ended with the lock", pthread_mutex_lock(&s->mutex), EOWNERDEAD);
	GIVES("consistent", pthread_mutex_consistent(&s->mutex), 0);
	GIVES("unlock", pthread_mutex_unlock(&s->mutex), 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(s == MAP_FAILED ? -1 : 0);
	mutexes(PTHREAD_PRIO_NONE);
	mutexes(PTHREAD_PRIO_INHERIT);
	conditions();
	barriers();
	rwlocks();
	robust(PTHREAD_PRIO_NONE);
	robust(PTHREAD_PRIO_INHERIT);
	threads();
	return done();
}
