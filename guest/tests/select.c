/* select(2), pselect(2), poll(2), ppoll(2): which descriptors are ready, time-outs, signals, what is left of the time. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#ifdef SYS_pselect6_time64
#define NR_PSELECT6 SYS_pselect6_time64
#define NR_PPOLL SYS_ppoll_time64
#else
#define NR_PSELECT6 SYS_pselect6
#define NR_PPOLL SYS_ppoll
#endif

/* What the kernel reads and writes, on both word sizes. */
struct kernel_timespec {
	long long sec, nsec;
};

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static fd_set set_of(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return set;
}

static int left(const struct kernel_timespec *t)
{
	return t->sec * 1000 + t->nsec / 1000000;
}

int main(void)
{
	int p[2], status;
	char c;
	fd_set in, out, ex;
	struct timeval soon = { 0, 1000 }, now = { 0, 0 }, bad = { 0, -1 }, far = { 100, 0 };

	NEED(pipe(p));
	in = set_of(p[0]);
	out = set_of(p[1]);
	ex = set_of(p[0]);
	EQUALS("an empty pipe can be written to", select(p[1] + 1, &in, &out, &ex, NULL), 1);
	TRUE("and only that", !FD_ISSET(p[0], &in) && FD_ISSET(p[1], &out) && !FD_ISSET(p[0], &ex));
	in = set_of(p[0]);
	EQUALS("nothing to read yet", select(p[0] + 1, &in, NULL, NULL, &now), 0);
	TRUE("the set is empty then", !FD_ISSET(p[0], &in));
	in = set_of(p[0]);
	EQUALS("nor later", select(p[0] + 1, &in, NULL, NULL, &soon), 0);
	TRUE("nor is the set", !FD_ISSET(p[0], &in));
	EQUALS("a sleep", select(0, NULL, NULL, NULL, &soon), 0);

	NEED(write(p[1], "x", 1));
	in = set_of(p[0]);
	out = set_of(p[1]);
	EQUALS("each bit counts", select(p[1] + 1, &in, &out, NULL, &far), 2);
	in = out = set_of(p[0]);
	FD_SET(p[1], &in);
	EQUALS("by what is asked of it", select(p[1] + 1, &in, &out, NULL, &now), 1);
	TRUE("reading the read end", FD_ISSET(p[0], &in) && !FD_ISSET(p[1], &in) && !FD_ISSET(p[0], &out));
	in = set_of(p[0]);
	EQUALS("descriptors from n on are not looked at", select(p[0], &in, NULL, NULL, &now), 0);
	TRUE("but taken away from the last word", !FD_ISSET(p[0], &in));
	NEED(dup2(p[0], 70));
	in = set_of(70);
	EQUALS("those of later words", select(p[0], &in, NULL, NULL, &now), 0);
	TRUE("stay", FD_ISSET(70, &in));
	in = set_of(70);
	EQUALS("a word further on", select(71, &in, NULL, NULL, &now), 1);
	NEED(close(70));

	FAILS("negative n", select(-1, NULL, NULL, NULL, &now), EINVAL);
	FAILS("a time that is none", select(0, NULL, NULL, NULL, &bad), EINVAL);
	struct kernel_timespec wrong = { 0, 1000000000 };
	FAILS("a nanosecond too many", syscall(NR_PSELECT6, 0, NULL, NULL, NULL, &wrong, NULL), EINVAL);
	int closed = NEED(dup(p[0]));
	in = set_of(closed);
	NEED(close(closed));
	FAILS("a closed descriptor", select(closed + 1, &in, NULL, NULL, &now), EBADF);
	TRUE("leaves the set", FD_ISSET(closed, &in));
	FAILS("no such memory", select(p[0] + 1, (fd_set *)8, NULL, NULL, &now), EFAULT);
	struct { const sigset_t *set; unsigned long size; } argument = { (const sigset_t *)8, 8 };
	FAILS("no such mask", syscall(NR_PSELECT6, 0, NULL, NULL, NULL, &wrong, 8), EFAULT);
	FAILS("a mask at no such memory", syscall(NR_PSELECT6, 0, NULL, NULL, NULL, NULL, &argument), EFAULT);
	sigset_t none, usr1;
	NEED(sigemptyset(&none));
	argument.set = &none;
	argument.size = 4;
	FAILS("a mask of another size", syscall(NR_PSELECT6, 0, NULL, NULL, NULL, NULL, &argument), EINVAL);

	/* The ends of a pipe whose other end is gone. */
	int q[2];
	NEED(pipe(q));
	NEED(close(q[1]));
	in = ex = set_of(q[0]);
	EQUALS("the end of a file can be read", select(q[0] + 1, &in, NULL, &ex, NULL), 1);
	TRUE("and is nothing exceptional", FD_ISSET(q[0], &in) && !FD_ISSET(q[0], &ex));
	NEED(close(q[0]));
	NEED(pipe(q));
	NEED(close(q[0]));
	in = out = set_of(q[1]);
	EQUALS("an error counts as both", select(q[1] + 1, &in, &out, NULL, NULL), 2);
	NEED(close(q[1]));
	int file = NEED(open("/tmp/sameframe-select", O_RDWR | O_CREAT | O_TRUNC, 0600));
	in = out = ex = set_of(file);
	EQUALS("a file is always ready", select(file + 1, &in, &out, &ex, NULL), 2);
	NEED(unlink("/tmp/sameframe-select"));
	NEED(close(file));

	/* Asleep until somebody writes. */
	NEED(read(p[0], &c, 1));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		usleep(2000);
		NEED(write(p[1], "y", 1));
		_exit(0);
	}
	in = set_of(p[0]);
	struct kernel_timespec much = { 100, 0 };
	EQUALS("woken by a write", syscall(NR_PSELECT6, p[0] + 1, &in, NULL, NULL, &much, NULL), 1);
	TRUE("what is left of the time", left(&much) > 90000 && left(&much) < 100000);
	NEED(waitpid(pid, &status, 0));
	struct kernel_timespec little = { 0, 2000000 };
	NEED(read(p[0], &c, 1));
	in = set_of(p[0]);
	EQUALS("time out", syscall(NR_PSELECT6, p[0] + 1, &in, NULL, NULL, &little, NULL), 0);
	TRUE("nothing is left", left(&little) == 0 && little.nsec == 0);

	/* poll(2) tells the same. */
	struct pollfd one = { p[0], POLLIN, 0x55 };
	EQUALS("poll times out", poll(&one, 1, 2), 0);
	TRUE("and says that nothing happened", one.revents == 0);
	little = (struct kernel_timespec){ 0, 2000000 };
	EQUALS("ppoll times out", syscall(NR_PPOLL, &one, 1, &little, NULL, 8), 0);
	TRUE("and leaves no time", left(&little) == 0 && little.nsec == 0);

	/* Signals. */
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	NEED(sigaction(SIGALRM, &action, NULL));
	NEED(sigaction(SIGUSR1, &action, NULL));
	struct itimerval alarm_soon = { { 0, 0 }, { 0, 2000 } };
	NEED(setitimer(ITIMER_REAL, &alarm_soon, NULL));
	in = set_of(p[0]);
	FAILS("a handler ends it, SA_RESTART or not", select(p[0] + 1, &in, NULL, NULL, NULL), EINTR);
	TRUE("the set is as it was", FD_ISSET(p[0], &in) && handled == 1);
	NEED(setitimer(ITIMER_REAL, &alarm_soon, NULL));
	much = (struct kernel_timespec){ 100, 0 };
	FAILS("also with a time", syscall(NR_PSELECT6, p[0] + 1, &in, NULL, NULL, &much, NULL), EINTR);
	TRUE("of which some is left", left(&much) > 90000 && left(&much) < 100000);
	NEED(setitimer(ITIMER_REAL, &alarm_soon, NULL));
	much = (struct kernel_timespec){ 100, 0 };
	one.revents = 0x55;
	FAILS("ppoll too", syscall(NR_PPOLL, &one, 1, &much, NULL, 8), EINTR);
	TRUE("in the same way", left(&much) > 90000 && left(&much) < 100000 && one.revents == 0);

	NEED(sigemptyset(&usr1));
	NEED(sigaddset(&usr1, SIGUSR1));
	NEED(sigprocmask(SIG_BLOCK, &usr1, NULL));
	NEED(raise(SIGUSR1));
	handled = 0;
	EQUALS("blocked, it waits", select(0, NULL, NULL, NULL, &soon), 0);
	TRUE("and is not handled", handled == 0);
	FAILS("pselect's mask lets it in", pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
	TRUE("once", handled == 1);
	sigset_t mask;
	NEED(sigprocmask(SIG_SETMASK, NULL, &mask));
	TRUE("and is gone afterwards", sigismember(&mask, SIGUSR1));
	NEED(raise(SIGUSR1));
	struct timespec zero = { 0, 0 };
	out = set_of(p[1]);
	EQUALS("ready before the signal counts", pselect(p[1] + 1, NULL, &out, NULL, &zero, &none), 1);
	TRUE("and leaves that pending", handled == 1);

	/* A child that dies ends it when its death is handled; otherwise nobody notices. */
	pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(3);
	EQUALS("SIGCHLD by default", select(0, NULL, NULL, NULL, &soon), 0);
	NEED(waitpid(pid, &status, 0));
	return done();
}
