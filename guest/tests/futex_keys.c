/*
 * What names a futex: in shared memory the object and the offset, in private memory the address space and the address.
 * So a shared word is one futex at whatever address, through whatever file descriptor, after its page went and came.
 */
#include "shm.h"
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif
#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#define RW (PROT_READ | PROT_WRITE)

static volatile int *sync_page;

static long futex(volatile void *word, int operation, long value, const struct timespec *timeout, volatile void *other, long value3)
{
	return syscall(SYS_futex, word, operation, value, timeout, other, value3);
}

/* A child that sleeps on the word and says how it was woken by its exit status: 1 woken, 2 timed out, 3 other. */
static pid_t sleeper(volatile int *word, int operation, int bitset)
{
	static struct timespec a_while = { 3, 0 };
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		struct timespec limit;
		int relative = (operation & 127) == FUTEX_WAIT;
		NEED(clock_gettime(CLOCK_MONOTONIC, &limit));
		limit.tv_sec += 3;
		__atomic_fetch_add(&sync_page[0], 1, __ATOMIC_SEQ_CST);
		long r = futex(word, operation, 0, relative ? &a_while : &limit, NULL, bitset);
		_exit(r == 0 ? 1 : errno == ETIMEDOUT ? 2 : 3);
	}
	return pid;
}

/* The n sleepers that were made have fallen asleep. */
static void asleep(int n)
{
	struct timespec while_they_fall_asleep = { 0, 30000000 };
	while (sync_page[0] != n)
		sched_yield();
	nanosleep(&while_they_fall_asleep, NULL);
	sync_page[0] = 0;
}

static int status_of(pid_t pid)
{
	int status;
	NEED(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void shared_objects(void)
{
	int fd = (int)NEED(shm_open("/futex", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(ftruncate(fd, 4 * PAGE));
	volatile int *a = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	int again = (int)NEED(shm_open("/futex", O_RDWR, 0));
	volatile int *b = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, again, 2 * PAGE);
	volatile int *there = a + 2 * 1024 + 5, *same = b + 5;
	pid_t pid = sleeper(there, FUTEX_WAIT, 0);
	asleep(1);
	EQUALS("another word of the page", futex(same + 1, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	EQUALS("the word at the same place of another page", futex(a + 5, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	EQUALS("as private", futex(same, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
	EQUALS("the word through another file and address", futex(same, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the sleeper was woken", status_of(pid), 1);

	pid = sleeper(there, FUTEX_WAIT, 0);
	asleep(1);
	NEED(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE));
	EQUALS("a hole is punched under a sleeper: wake", futex(same, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the sleeper was woken", status_of(pid), 1);

	pid = sleeper(there, FUTEX_WAIT, 0);
	asleep(1);
	NEED(ftruncate(fd, PAGE));
	FAILS("the file is truncated: wake", futex(same, FUTEX_WAKE, 9, NULL, NULL, 0), EFAULT);
	FAILS("wait", futex(same, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	NEED(ftruncate(fd, 4 * PAGE));
	EQUALS("it is long again: wake", futex(same, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the sleeper was woken", status_of(pid), 1);

	/* A private mapping of the file is private memory. */
	volatile int *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	pid = sleeper(a, FUTEX_WAIT, 0);
	asleep(1);
	EQUALS("through a private mapping of the file", futex(p, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	NEED(mprotect((void *)a, PAGE, PROT_READ));
	EQUALS("through a read-only one", futex(a, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the sleeper was woken", status_of(pid), 1);
	FAILS("wait on a read-only word", futex(a, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	NEED(mprotect((void *)a, PAGE, PROT_NONE));
	FAILS("without rights: wake", futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	EQUALS("without rights, private: wake", futex(a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	NEED(munmap((void *)a, 4 * PAGE));
	FAILS("unmapped: wake", futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	EQUALS("unmapped, private: wake", futex(a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	FAILS("unmapped, private: wait", futex(a, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
	NEED(munmap((void *)b, 2 * PAGE));
	NEED(munmap((void *)p, 4 * PAGE));
	NEED(shm_unlink("/futex"));
	NEED(close(fd));
	NEED(close(again));

	/* The same offset of two objects is two futexes. */
	a = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	b = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = sleeper(a, FUTEX_WAIT, 0);
	asleep(1);
	EQUALS("the word of another object", futex(b, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	volatile int *moved = mremap((void *)a, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free_range(PAGE));
	EQUALS("moved by mremap", futex(moved, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the sleeper was woken", status_of(pid), 1);
	NEED(munmap((void *)moved, PAGE));
	NEED(munmap((void *)b, PAGE));
}

static void bitsets(void)
{
	volatile int *w = sync_page + 16;
	pid_t one = sleeper(w, FUTEX_WAIT_BITSET, 1), two = sleeper(w, FUTEX_WAIT_BITSET, 2), any = sleeper(w, FUTEX_WAIT, 0);
	asleep(3);
	FAILS("wake no bit", futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 0), EINVAL);
	FAILS("wait for no bit", futex(w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	EQUALS("wake bit 2", futex(w, FUTEX_WAKE_BITSET, 1, NULL, NULL, 4), 1);
	EQUALS("which only a plain wait has", status_of(any), 1);
	EQUALS("wake bit 2 again", futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4), 0);
	EQUALS("wake bits 1 and 3", futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 10), 1);
	EQUALS("the second", status_of(two), 1);
	EQUALS("plain wake", futex(w, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("the first", status_of(one), 1);
	struct timespec past = { 0, 0 }, wrong = { -1, 0 };
	FAILS("an absolute time that is over", futex(w, FUTEX_WAIT_BITSET, 0, &past, NULL, -1), ETIMEDOUT);
	FAILS("of the wall clock", futex(w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, -1), ETIMEDOUT);
	FAILS("a time before all clocks", futex(w, FUTEX_WAIT_BITSET, 0, &wrong, NULL, -1), EINVAL);
	FAILS("a bad time", futex(w, FUTEX_WAIT, 0, (void *)16, NULL, 0), EFAULT);
	FAILS("another value and a bad time", futex(w, FUTEX_WAIT, 1, (void *)16, NULL, 0), EFAULT);
	FAILS("wake with FUTEX_CLOCK_REALTIME", futex(w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
}

static void requeues(void)
{
	volatile int *w = sync_page + 16, *v = sync_page + 300;
	pid_t pids[5];
	*w = *v = 0;
	for (int i = 0; i < 5; i++)
		pids[i] = sleeper(w, FUTEX_WAIT, 0);
	asleep(5);
	FAILS("CMP_REQUEUE: another value", futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, v, 7), EAGAIN);
	FAILS("REQUEUE: a negative count", futex(w, FUTEX_REQUEUE, -1, (void *)1, v, 0), EINVAL);
	FAILS("REQUEUE: a negative count to move", futex(w, FUTEX_REQUEUE, 1, (void *)-1L, v, 0), EINVAL);
	FAILS("REQUEUE: a bad target", futex(w, FUTEX_REQUEUE, 1, (void *)1, (void *)16, 0), EFAULT);
	EQUALS("CMP_REQUEUE: one woken, two moved", futex(w, FUTEX_CMP_REQUEUE, 1, (void *)2, v, 0), 3);
	EQUALS("REQUEUE: none woken, one moved", futex(w, FUTEX_REQUEUE, 0, (void *)1, v, 0), 1);
	EQUALS("one is left at the first", futex(w, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	EQUALS("three at the second", futex(v, FUTEX_WAKE, 9, NULL, NULL, 0), 3);
	for (int i = 0; i < 5; i++)
		EQUALS("woken", status_of(pids[i]), 1);
	/* Onto itself: they stay, and are counted. */
	for (int i = 0; i < 3; i++)
		pids[i] = sleeper(w, FUTEX_WAIT, 0);
	asleep(3);
	EQUALS("REQUEUE onto the same word", futex(w, FUTEX_REQUEUE, 1, (void *)9, w, 0), 3);
	EQUALS("the rest is there", futex(w, FUTEX_WAKE, 9, NULL, NULL, 0), 2);
	for (int i = 0; i < 3; i++)
		EQUALS("woken", status_of(pids[i]), 1);
}

#define OP(operation, argument, comparison, with) FUTEX_OP(operation, argument, comparison, with)

static void wake_ops(void)
{
	volatile int *w = sync_page + 16, *v = sync_page + 300;
	*w = *v = 0;
	pid_t one = sleeper(w, FUTEX_WAIT, 0), two = sleeper(v, FUTEX_WAIT, 0);
	asleep(2);
	*v = 5;
	EQUALS("set 9, if it was 4", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 4)), 1);
	EQUALS("first woken", status_of(one), 1);
	EQUALS("word", *v, 9);
	EQUALS("add 3, if it was above 8", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 8)), 1);
	EQUALS("second woken", status_of(two), 1);
	EQUALS("word", *v, 12);
	EQUALS("or 3", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_OR, 3, FUTEX_OP_CMP_LE, 0)), 0);
	EQUALS("word", *v, 15);
	EQUALS("and not 6", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_ANDN, 6, FUTEX_OP_CMP_NE, 0)), 0);
	EQUALS("word", *v, 9);
	EQUALS("xor -1", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_XOR, 0xfff, FUTEX_OP_CMP_LT, 0)), 0);
	EQUALS("word", *v, ~9);
	EQUALS("add 1 << 4", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_GE, 0)), 0);
	EQUALS("word", *v, 6);
	FAILS("an unknown operation", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(6, 1, FUTEX_OP_CMP_EQ, 0)), ENOSYS);
	EQUALS("word", *v, 6);
	FAILS("an unknown comparison", futex(w, FUTEX_WAKE_OP, 1, (void *)1, v, OP(FUTEX_OP_SET, 1, 7, 0)), ENOSYS);
	EQUALS("word", *v, 1);
	volatile int *ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FAILS("a read-only word", futex(w, FUTEX_WAKE_OP, 1, (void *)1, ro, OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)), EFAULT);
	NEED(munmap((void *)ro, PAGE));

	/* Private words are looked at when they are changed, and then for writing at once. */
	volatile int *none = (volatile int *)(void *)free_range(PAGE);
	const int private = FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG;
	FAILS("an unknown operation on no memory", futex(w, private, 1, (void *)1, none, OP(5, 1, FUTEX_OP_CMP_EQ, 0)), ENOSYS);
	FAILS("on no memory", futex(w, private, 1, (void *)1, none, OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)), EFAULT);
	EQUALS("the first word is not looked at", futex(none, private, 1, (void *)1, v, OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)), 0);
	int fd = (int)NEED(memfd_create("word", 0));
	struct stat st;
	NEED(ftruncate(fd, PAGE));
	ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	FAILS("a read-only hole", futex(w, private, 1, (void *)1, ro, OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)), EFAULT);
	NEED(fstat(fd, &st));
	EQUALS("stays one", st.st_blocks, 0);
	NEED(munmap((void *)ro, PAGE));
	NEED(close(fd));
}

static void counts(void)
{
	volatile int *w = sync_page + 16;
	*w = 0;
	pid_t pids[3];
	for (int i = 0; i < 3; i++)
		pids[i] = sleeper(w, FUTEX_WAIT, 0);
	asleep(3);
	EQUALS("wake 0 wakes one", futex(w, FUTEX_WAKE, 0, NULL, NULL, 0), 1);
	EQUALS("wake -1 wakes one", futex(w, FUTEX_WAKE, -1, NULL, NULL, 0), 1);
	EQUALS("and one is left", futex(w, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0), 1);
	for (int i = 0; i < 3; i++)
		EQUALS("woken", status_of(pids[i]), 1);
	FAILS("FUTEX_FD", futex(w, FUTEX_FD, 0, NULL, NULL, 0), ENOSYS);
	FAILS("FUTEX_WAIT unaligned", futex((char *)w + 2, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	FAILS("FUTEX_WAIT in kernel memory", futex((void *)-4096L, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	/* Killed in its sleep it leaves no trace. */
	pids[0] = sleeper(w, FUTEX_WAIT, 0);
	asleep(1);
	NEED(kill(pids[0], SIGKILL));
	EQUALS("a sleeper is killed", status_of(pids[0]), -1);
	EQUALS("nobody is left", futex(w, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
}

int main(void)
{
	sync_page = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(sync_page == MAP_FAILED ? -1 : 0);
	shared_objects();
	bitsets();
	requeues();
	wake_ops();
	counts();
	return done();
}
