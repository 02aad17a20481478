/* sem_open(3) and its kin: named semaphores, which libc makes of files in /dev/shm and futexes, and unnamed shared ones. */
#include "shm.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>

#define NAME "/sem"
#define RW (PROT_READ | PROT_WRITE)

static int value_of(sem_t *sem)
{
	int value = -1;
	NEED(sem_getvalue(sem, &value));
	return value;
}

static long opened(sem_t *sem)
{
	return sem == SEM_FAILED ? -1 : 0;
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

static void names(void)
{
	struct stat st;
	char name[300];
	FAILS("open what is not there", opened(sem_open(NAME, 0)), ENOENT);
	FAILS("unlink what is not there", sem_unlink(NAME), ENOENT);
	FAILS("a slash in the name", opened(sem_open("/a/b", O_CREAT, 0600, 0)), EINVAL);
	memset(name, 'n', sizeof name);
	name[0] = '/';
	name[299] = 0;
	FAILS("a long name", opened(sem_open(name, O_CREAT, 0600, 0)), ENAMETOOLONG);
	FAILS("a value too large", opened(sem_open(NAME, O_CREAT, 0600, (unsigned)SEM_VALUE_MAX + 1)), EINVAL);
	umask(0);
	sem_t *sem = sem_open(NAME, O_CREAT | O_EXCL, 0640, 3);
	WORKS("create", opened(sem));
	EQUALS("value", value_of(sem), 3);
	NEED(stat("/dev/shm/sem", &st));
	OCTAL("mode of its file", st.st_mode & 07777, 0640);
	FAILS("O_EXCL again", opened(sem_open(NAME, O_CREAT | O_EXCL, 0600, 1)), EEXIST);
	sem_t *again = sem_open(NAME, O_CREAT, 0600, 9);
	TRUE("open again: the same address", again == sem);
	EQUALS("the value stays", value_of(again), 3);
	WORKS("close one of two", sem_close(again));
	EQUALS("the other one lives", value_of(sem), 3);
	WORKS("unlink", sem_unlink(NAME));
	FAILS("gone", opened(sem_open(NAME, 0)), ENOENT);
	WORKS("post to one without a name", sem_post(sem));
	EQUALS("value", value_of(sem), 4);
	sem_t *fresh = sem_open(NAME, O_CREAT, 0600, 0);
	TRUE("a new one by the same name", fresh != sem && value_of(fresh) == 0);
	NEED(sem_close(sem));
	NEED(sem_close(fresh));
	NEED(sem_unlink(NAME));
}

static void waiting(void)
{
	sem_t *sem = sem_open(NAME, O_CREAT | O_EXCL, 0600, 2);
	NEED(opened(sem));
	WORKS("wait", sem_wait(sem));
	WORKS("trywait", sem_trywait(sem));
	EQUALS("value", value_of(sem), 0);
	FAILS("trywait at 0", sem_trywait(sem), EAGAIN);
	struct timespec soon = in_ms(20), past = { 1, 0 }, wrong = { 0, 1000000000 };
	FAILS("timedwait", sem_timedwait(sem, &soon), ETIMEDOUT);
	FAILS("timedwait, over", sem_timedwait(sem, &past), ETIMEDOUT);
	FAILS("timedwait, a bad time", sem_timedwait(sem, &wrong), EINVAL);
	NEED(sem_post(sem));
	WORKS("timedwait of one that is up, over", sem_timedwait(sem, &past));

	/* A child that opens it by name sleeps; the parent posts. */
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		sem_t *mine = sem_open(NAME, 0);
		_exit(opened(mine) == 0 && sem_wait(mine) == 0 ? 31 : 32);
	}
	struct timespec moment = { 0, 30000000 };
	nanosleep(&moment, NULL);
	WORKS("post", sem_post(sem));
	NEED(waitpid(pid, &status, 0));
	EQUALS("the child was woken: exit", WEXITSTATUS(status), 31);
	EQUALS("value", value_of(sem), 0);

	/* Three sleep, two posts, then the last. */
	for (int i = 0; i < 3; i++)
		if (NEED(fork()) == 0)
			_exit(sem_wait(sem) == 0 ? 0 : 1);
	nanosleep(&moment, NULL);
	NEED(sem_post(sem));
	NEED(sem_post(sem));
	NEED(wait(&status));
	NEED(wait(&status));
	EQUALS("one is left, the value is", value_of(sem), 0);
	EQUALS("nobody else has ended", waitpid(-1, &status, WNOHANG), 0);
	NEED(sem_post(sem));
	NEED(wait(&status));
	EQUALS("the last exit", WEXITSTATUS(status), 0);
	/* Killed in its sleep a process takes nothing along. */
	pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(sem_wait(sem));
	nanosleep(&moment, NULL);
	NEED(kill(pid, SIGKILL));
	NEED(waitpid(pid, &status, 0));
	NEED(sem_post(sem));
	EQUALS("a sleeper was killed: value", value_of(sem), 1);
	NEED(sem_close(sem));
	NEED(sem_unlink(NAME));
}

static void as_other(void *unused)
{
	(void)unused;
	FAILS("another user", opened(sem_open(NAME, 0)), EACCES);
	FAILS("another user, O_CREAT", opened(sem_open(NAME, O_CREAT, 0600, 1)), EACCES);
	FAILS("another user: unlink", sem_unlink(NAME), EPERM);
}

static void permissions(void)
{
	sem_t *sem = sem_open(NAME, O_CREAT | O_EXCL, 0600, 1);
	NEED(opened(sem));
	in_child_as(1000, 1000, as_other, NULL);
	NEED(chmod("/dev/shm/sem", 0604));
	in_child_as(1000, 1000, as_other, NULL);
	NEED(sem_close(sem));
	NEED(sem_unlink(NAME));
}

/* Unnamed ones: a bounded buffer between two processes. */
struct buffer {
	sem_t free, used, lock;
	int slot[4], in, out;
};

static void unnamed(void)
{
	struct buffer *b = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(b == MAP_FAILED ? -1 : 0);
	FAILS("sem_init with a value too large", sem_init(&b->free, 1, (unsigned)SEM_VALUE_MAX + 1), EINVAL);
	WORKS("sem_init, shared", sem_init(&b->free, 1, 4));
	WORKS("sem_init, shared", sem_init(&b->used, 1, 0));
	WORKS("sem_init, shared", sem_init(&b->lock, 1, 1));
	long sum = 0;
	for (int producer = 0; producer < 2; producer++) {
		if (NEED(fork()) != 0)
			continue;
		for (int i = 0; i < 300; i++) {
			NEED(sem_wait(&b->free));
			NEED(sem_wait(&b->lock));
			b->slot[b->in++ % 4] = producer * 1000 + i;
			NEED(sem_post(&b->lock));
			NEED(sem_post(&b->used));
		}
		_exit(0);
	}
	int last[2] = { -1, -1 }, ordered = 1;
	for (int i = 0; i < 600; i++) {
		NEED(sem_wait(&b->used));
		int got = b->slot[b->out++ % 4];
		ordered &= got % 1000 > last[got / 1000];
		last[got / 1000] = got % 1000;
		sum += got;
		NEED(sem_post(&b->free));
	}
	while (wait(NULL) > 0)
		;
	EQUALS("600 numbers through 4 slots: sum", sum, 2 * 299 * 300 / 2 + 1000 * 300);
	TRUE("each producer's in order", ordered);
	TRUE("all slots free again", value_of(&b->free) == 4 && value_of(&b->used) == 0 && value_of(&b->lock) == 1);
	NEED(sem_init(&b->lock, 1, SEM_VALUE_MAX));
	FAILS("post beyond the largest value", sem_post(&b->lock), EOVERFLOW);
	WORKS("sem_destroy", sem_destroy(&b->lock));
	NEED(munmap(b, PAGE));
}

int main(void)
{
	names();
	waiting();
	permissions();
	unnamed();
	return done();
}
