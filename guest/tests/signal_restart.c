/* System calls that a signal interrupts: EINTR, SA_RESTART, what is repeated after a stop, what is left of a sleep. */
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

static volatile int handled;
static volatile int *word;
static void count(int sig) { (void)sig; handled++; }

static void install(int flags)
{
	struct sigaction action = { .sa_handler = count, .sa_flags = flags };
	NEED(sigaction(SIGUSR1, &action, NULL));
	handled = 0;
}

static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

/* A child that sends SIGUSR1 to its parent after a while, then lets it go on in the way that `how` says. */
static pid_t later(char how, int arg)
{
	pid_t parent = getpid(), pid = (pid_t)NEED(fork());
	if (pid != 0)
		return pid;
	nap(50);
	kill(parent, how == 'S' ? SIGSTOP : SIGUSR1);
	nap(50);
	if (how == 'S')
		kill(parent, SIGCONT);
	nap(50);
	if (how == 'w')
		if (write(arg, "x", 1) != 1)
			_exit(1);
	if (how == 'r') {
		char all[70000];
		if (read(arg, all, sizeof all) <= 0)
			_exit(1);
	}
	if (how == 'f') {
		*word = 1;
		syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	_exit(0);
}

static void ended(pid_t pid) { NEED(waitpid(pid, NULL, 0)); }

static void reading(void)
{
	int fd[2];
	char c[70000];

	memset(c, 0, sizeof c);
	NEED(pipe(fd));
	install(0);
	pid_t pid = later(' ', 0);
	FAILS("read", read(fd[0], c, 1), EINTR);
	ended(pid);
	install(SA_RESTART);
	pid = later('w', fd[1]);
	EQUALS("read with SA_RESTART", read(fd[0], c, 1), 1);
	EQUALS("its handler has run", handled, 1);
	ended(pid);
	install(0);
	EQUALS("a write that does not fit", NEED(fcntl(fd[1], F_GETPIPE_SZ)), 65536);
	pid = later(' ', 0);
	EQUALS("is cut short", write(fd[1], c, sizeof c), 65536);
	ended(pid);
	pid = later(' ', 0);
	FAILS("a write to a full pipe", write(fd[1], c, 1), EINTR);
	ended(pid);
	install(SA_RESTART);
	pid = later('r', fd[0]);
	EQUALS("with SA_RESTART", write(fd[1], c, 1), 1);
	ended(pid);
}

static void sleeping(void)
{
	struct timespec t = { 5, 0 }, left = { 0, 0 }, now;
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		install(i ? SA_RESTART : 0);
		pid = later(' ', 0);
		FAILS(i ? "nanosleep with SA_RESTART" : "nanosleep", nanosleep(&t, &left), EINTR);
		TRUE("what is left", left.tv_sec == 4 && left.tv_nsec > 500000000);
		ended(pid);
	}
	left.tv_sec = 77;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_sec += 5;
	pid = later(' ', 0);
	EQUALS("an absolute sleep", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, &left), EINTR);
	EQUALS("tells nothing", left.tv_sec, 77);
	ended(pid);
	t = (struct timespec){ 0, 200000000 };
	pid = later('S', 0);
	EQUALS("nanosleep over a stop", nanosleep(&t, &left), 0);
	ended(pid);
	pid = later(' ', 0);
	FAILS("pause", pause(), EINTR);
	ended(pid);
}

static void waiting(void)
{
	pid_t child = (pid_t)NEED(fork());
	siginfo_t info;

	if (child == 0) {
		nap(600);
		_exit(3);
	}
	install(0);
	pid_t pid = later(' ', 0);
	FAILS("waitpid", waitpid(child, NULL, 0), EINTR);
	ended(pid);
	pid = later(' ', 0);
	FAILS("waitid", waitid(P_PID, (id_t)child, &info, WEXITED), EINTR);
	ended(pid);
	install(SA_RESTART);
	pid = later(' ', 0);
	TRUE("waitpid with SA_RESTART", waitpid(child, NULL, 0) == child);
	EQUALS("its handler has run", handled, 1);
	ended(pid);
}

static void polling(void)
{
	int fd[2];
	struct pollfd p;
	sigset_t mask, old;

	NEED(pipe(fd));
	p = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	for (int i = 0; i < 2; i++) {
		install(i ? SA_RESTART : 0);
		pid_t pid = later(' ', 0);
		FAILS(i ? "poll with SA_RESTART" : "poll", poll(&p, 1, 5000), EINTR);
		ended(pid);
	}
	pid_t pid = later('S', 0);
	EQUALS("poll over a stop", poll(&p, 1, 300), 0);
	ended(pid);
	install(0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &mask, &old));
	raise(SIGUSR1);
	EQUALS("blocked: poll times out", poll(&p, 1, 50), 0);
	struct timespec none = { 0, 0 };
	EQUALS("and so does ppoll", ppoll(&p, 1, &none, NULL), 0);
	FAILS("unblocked by ppoll", ppoll(&p, 1, &none, &old), EINTR);
	EQUALS("its handler has run", handled, 1);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	EQUALS("and it is blocked again", sigismember(&mask, SIGUSR1), 1);
	raise(SIGUSR1);
	EQUALS("ready is stronger", (NEED(write(fd[1], "x", 1)), ppoll(&p, 1, &none, &old)), 1);
	EQUALS("but the handler runs only", handled, 1);
	NEED(sigprocmask(SIG_SETMASK, &old, NULL));
	EQUALS("when it is unblocked", handled, 2);
}

static void futexes(void)
{
	struct timespec t = { 5, 0 };

	*word = 0;
	install(0);
	pid_t pid = later(' ', 0);
	FAILS("futex", syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
	ended(pid);
	install(SA_RESTART);
	pid = later('f', 0);
	WORKS("futex with SA_RESTART", syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0));
	EQUALS("its handler has run", handled, 1);
	ended(pid);
	*word = 0;
	if (sizeof(long) == 8) {
		pid = later(' ', 0);
		FAILS("futex with a timeout and SA_RESTART", syscall(SYS_futex, word, FUTEX_WAIT, 0, &t, NULL, 0), EINTR);
	} else {
		long long t64[2] = { 5, 0 };
		pid = later(' ', 0);
		FAILS("futex with a timeout and SA_RESTART", syscall(SYS_futex, word, FUTEX_WAIT, 0, t64, NULL, 0), EINTR);
	}
	ended(pid);
}

static void suspending(void)
{
	sigset_t block, none, now;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &block, NULL));
	install(SA_RESTART);
	raise(SIGUSR1);
	EQUALS("blocked", handled, 0);
	FAILS("sigsuspend with it pending", sigsuspend(&none), EINTR);
	EQUALS("the handler has run", handled, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUALS("and the mask is back", sigismember(&now, SIGUSR1), 1);
	pid_t pid = later(' ', 0);
	FAILS("sigsuspend", sigsuspend(&none), EINTR);
	EQUALS("again", handled, 2);
	ended(pid);
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		sigsuspend(&none);
		_exit(handled);
	}
	nap(50);
	kill(pid, SIGSTOP);
	nap(20);
	kill(pid, SIGCONT);
	nap(50);
	kill(pid, SIGUSR1);
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("a stop does not end it, a handler does", WEXITSTATUS(status), 3);
	NEED(sigprocmask(SIG_SETMASK, &none, NULL));
}

static void ipc(void)
{
	int sem = (int)NEED(semget(IPC_PRIVATE, 1, 0600)), msq = (int)NEED(msgget(IPC_PRIVATE, 0600));
	struct sembuf down = { 0, -1, 0 };
	struct { long type; char text[8]; } m = { 1, "" };

	for (int i = 0; i < 2; i++) {
		install(i ? SA_RESTART : 0);
		pid_t pid = later(' ', 0);
		FAILS(i ? "semop with SA_RESTART" : "semop", semop(sem, &down, 1), EINTR);
		ended(pid);
		pid = later(' ', 0);
		FAILS(i ? "msgrcv with SA_RESTART" : "msgrcv", msgrcv(msq, &m, sizeof m.text, 0, 0), EINTR);
		ended(pid);
	}
	pid_t pid = later('S', 0);
	FAILS("semop over a stop", semop(sem, &down, 1), EINTR);
	ended(pid);
	pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(msgrcv(msq, &m, sizeof m.text, 0, 0) == 3 ? 7 : 8);
	nap(50);
	kill(pid, SIGSTOP);
	nap(20);
	kill(pid, SIGCONT);
	nap(50);
	NEED(msgsnd(msq, &m, 3, 0));
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("msgrcv goes on after a stop", WEXITSTATUS(status), 7);
	semctl(sem, 0, IPC_RMID);
	msgctl(msq, IPC_RMID, NULL);
}

static void broken(void)
{
	int fd[2];
	struct sigaction action = { .sa_handler = count };

	NEED(pipe(fd));
	close(fd[0]);
	NEED(sigaction(SIGPIPE, &action, NULL));
	handled = 0;
	FAILS("a write nobody can read", write(fd[1], "x", 1), EPIPE);
	EQUALS("raises SIGPIPE", handled, 1);
	signal(SIGPIPE, SIG_IGN);
	FAILS("also ignored", write(fd[1], "x", 1), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		(void)!write(fd[1], "x", 1);
		_exit(0);
	}
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("by default it kills", WTERMSIG(status), SIGPIPE);
}

int main(void)
{
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	reading();
	sleeping();
	waiting();
	polling();
	futexes();
	suspending();
	ipc();
	broken();
	return done();
}
