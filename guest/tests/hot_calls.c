/*
 * System calls in the midst of hot loops, which change what the loop's next access must meet: other pages at the address, no page,
 * a page that may not be written, a copy after fork, registers that a signal handler has changed.
 */
#include "shm.h"
#include <signal.h>
#include <ucontext.h>

#define ROUNDS 2000

/* A system call in line, so that it lies in the loop itself. */
static inline __attribute__((always_inline)) long call(long n, long a, long b, long c, long d, long e, long f)
{
#if defined(__riscv)
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e, a5 __asm__("a5") = f, a7 __asm__("a7") = n;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
#elif defined(__x86_64__)
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return n;
#else
#error "no system call for this machine"
#endif
}

#ifdef __NR_mmap2
#define MMAP __NR_mmap2
#else
#define MMAP __NR_mmap
#endif
#ifdef __NR_fork
#define FORK() call(__NR_fork, 0, 0, 0, 0, 0, 0)
#else
#define FORK() call(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0)
#endif

static volatile int *fresh(size_t pages, int flags)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	NEED(p == MAP_FAILED ? -1 : 0);
	return p;
}

/* Two segments in turn at one address. */
static void segments(void)
{
	int ids[2] = { new_segment(PAGE, 0600), new_segment(PAGE, 0600) };
	volatile int *p = (volatile int *)attach(ids[0], NULL, 0);
	long sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		p[3] = i;
		call(__NR_shmat, ids[(i + 1) & 1], (long)p, SHM_REMAP, 0, 0, 0);
		/* The other one has what the round before wrote. */
		sum += p[3];
		p[3]++;
	}
	EQUALS("the other segment after SHM_REMAP", sum, (long)(ROUNDS - 1) * (ROUNDS - 2) / 2);
	NEED(shmdt((void *)p));
	NEED(shmctl(ids[0], IPC_RMID, NULL));
	NEED(shmctl(ids[1], IPC_RMID, NULL));
}

/* Fresh pages in the place of what was written. */
static void anew(void)
{
	volatile int *p = fresh(2, MAP_PRIVATE);
	long mapped = 0, dropped = 0;

	for (int i = 1; i <= ROUNDS; i++) {
		p[5] = i;
		p[1024 + 5] = i;
		call(MMAP, (long)p, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mapped += p[5] == 0 && p[1024 + 5] == i;
		p[7] = i;
		call(__NR_madvise, (long)p, PAGE, MADV_DONTNEED, 0, 0, 0);
		dropped += p[7] == 0;
	}
	EQUALS("zero after mmap, its neighbour as it was", mapped, ROUNDS);
	EQUALS("zero after MADV_DONTNEED", dropped, ROUNDS);
	NEED(munmap((void *)p, 2 * PAGE));
}

static volatile int faults;
static volatile int *guarded;

static void on_fault(int signal)
{
	(void)signal;
	faults++;
	mprotect((void *)guarded, PAGE, PROT_READ | PROT_WRITE);
}

/* A page that may not be written, or not even be read, after the call. */
static void guards(void)
{
	struct sigaction act = { .sa_handler = on_fault }, old;
	long right = 0;

	guarded = fresh(1, MAP_PRIVATE);
	NEED(sigaction(SIGSEGV, &act, &old));
	for (int i = 1; i <= ROUNDS / 4; i++) {
		guarded[0] = i;
		call(__NR_mprotect, (long)guarded, PAGE, i & 1 ? PROT_READ : PROT_NONE, 0, 0, 0);
		int before = faults;
		if (i & 1)
			right += guarded[0] == i && faults == before;
		else
			right += guarded[0] == i && faults == before + 1;
		guarded[0] = -i;
		right += guarded[0] == -i && faults == before + 1;
	}
	EQUALS("one fault for each protection", faults, ROUNDS / 4);
	EQUALS("every access right", right, 2 * (ROUNDS / 4));
	NEED(sigaction(SIGSEGV, &old, NULL));
	NEED(munmap((void *)guarded, PAGE));
}

/* The parent writes at once behind fork: the child has what was there before. */
static void forks(void)
{
	volatile int *p = fresh(1, MAP_PRIVATE), *shared = fresh(1, MAP_SHARED);
	int right = 0;

	for (int i = 1; i <= 100; i++) {
		p[9] = i;
		long pid = FORK();
		if (pid == 0) {
			shared[0] = p[9];
			p[9] = -2;
			shared[1] = p[9];
			call(__NR_exit_group, 0, 0, 0, 0, 0, 0);
		}
		p[9] = -1;
		NEED(waitpid((pid_t)pid, NULL, 0));
		right += shared[0] == i && shared[1] == -2 && p[9] == -1;
	}
	EQUALS("100 forks", right, 100);
	NEED(munmap((void *)p, PAGE));
	NEED(munmap((void *)shared, PAGE));
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	(void)signal;
	(void)info;
#if defined(__riscv)
	u->uc_mcontext.__gregs[21] += 1000; /* s5 */
#else
	u->uc_mcontext.gregs[REG_R12] += 1000;
#endif
}

/* A handler changes a register that the loop keeps across the call. */
static void registers(void)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO }, old;
	int pid = getpid();
	long sum = 0;
#if defined(__riscv)
	register long kept __asm__("s5") = 0;
#else
	register long kept __asm__("r12") = 0;
#endif

	NEED(sigaction(SIGUSR1, &act, &old));
	for (int i = 0; i < ROUNDS; i++) {
		__asm__ volatile("" : "+r"(kept));
		call(__NR_kill, pid, i % 3 == 0 ? SIGUSR1 : 0, 0, 0, 0, 0);
		__asm__ volatile("" : "+r"(kept));
		sum += kept;
		kept = kept % 1000 + 1;
	}
	long expected = 0, value = 0;
	for (int i = 0; i < ROUNDS; i++) {
		value += i % 3 == 0 ? 1000 : 0;
		expected += value;
		value = value % 1000 + 1;
	}
	EQUALS("a register that a handler changes", sum, expected);
	NEED(sigaction(SIGUSR1, &old, NULL));
}

int main(void)
{
	segments();
	anew();
	guards();
	forks();
	registers();
	return done();
}
