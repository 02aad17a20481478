/* pipe(2): order, ends, blocking, EPIPE. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

int main(void)
{
	int p[2], q[2], status;
	char buffer[8192];

	WORKS("pipe", pipe(p));
	EQUALS("write", write(p[1], "abc", 3), 3);
	EQUALS("write", write(p[1], "defg", 4), 4);
	EQUALS("read part", read(p[0], buffer, 5), 5);
	TRUE("in order", memcmp(buffer, "abcde", 5) == 0);
	EQUALS("read the rest", read(p[0], buffer, 100), 2);
	FAILS("write to the read end", write(p[0], "x", 1), EBADF);
	FAILS("read from the write end", read(p[1], buffer, 1), EBADF);
	FAILS("seek", lseek(p[0], 0, SEEK_SET), ESPIPE);
	WORKS("O_NONBLOCK", fcntl(p[0], F_SETFL, O_NONBLOCK));
	FAILS("read when empty", read(p[0], buffer, 1), EAGAIN);
	NEED(fcntl(p[1], F_SETFL, O_NONBLOCK));
	memset(buffer, 'p', sizeof buffer);
	long total = 0, n;
	while ((n = write(p[1], buffer, 4096)) > 0)
		total += n;
	FAILS("write when full", write(p[1], buffer, 1), EAGAIN);
	EQUALS("capacity", total, 65536);
	struct pollfd poll_for[2] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 } };
	EQUALS("poll a full pipe", poll(poll_for, 2, 0), 1);
	TRUE("can be read only", poll_for[0].revents == POLLIN && poll_for[1].revents == 0);
	NEED(close(p[1]));
	long got = 0;
	while ((n = read(p[0], buffer, sizeof buffer)) > 0)
		got += n;
	EQUALS("all of it comes out", got, 65536);
	EQUALS("then the end", n, 0);
	NEED(close(p[0]));

	/* A reader that sleeps until a child writes; the end when the last writer is gone. */
	NEED(pipe(p));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		close(p[0]);
		for (int i = 0; i < 100; i++)
			NEED(write(p[1], "0123456789", 10));
		_exit(0);
	}
	NEED(close(p[1]));
	got = 0;
	while ((n = read(p[0], buffer, 7)) > 0)
		got += n;
	EQUALS("from a child", got, 1000);
	NEED(waitpid(pid, &status, 0));
	NEED(close(p[0]));

	/* Ping-pong. */
	NEED(pipe(p));
	NEED(pipe(q));
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		int number;
		close(p[1]);
		while (read(p[0], &number, sizeof number) == sizeof number) {
			number *= 2;
			NEED(write(q[1], &number, sizeof number));
		}
		_exit(0);
	}
	NEED(close(p[0]));
	int sum = 0;
	for (int i = 0; i < 50; i++) {
		int number = i;
		NEED(write(p[1], &number, sizeof number));
		NEED(read(q[0], &number, sizeof number));
		sum += number;
	}
	EQUALS("ping-pong", sum, 2450);
	NEED(close(p[1]));
	NEED(waitpid(pid, &status, 0));
	EQUALS("the child sees the end", WEXITSTATUS(status), 0);

	/* A writer that sleeps because the pipe is full. */
	NEED(pipe(p));
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		close(p[0]);
		for (int i = 0; i < 40; i++)
			NEED(write(p[1], buffer, 8192) == 8192 ? 0 : -1);
		_exit(0);
	}
	NEED(close(p[1]));
	got = 0;
	while ((n = read(p[0], buffer, sizeof buffer)) > 0)
		got += n;
	EQUALS("more than it holds", got, 40 * 8192);
	NEED(waitpid(pid, &status, 0));
	NEED(close(p[0]));

	NEED(pipe(p));
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		close(p[0]);
		write(p[1], "x", 1) == 0 ? _exit(1) : _exit(2);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("with a reader elsewhere: exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1, 2);
	NEED(close(p[0]));
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		write(p[1], "x", 1) == 0 ? _exit(1) : _exit(2);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("without any reader: killed by", WIFSIGNALED(status) ? WTERMSIG(status) : -1, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	FAILS("SIGPIPE ignored", write(p[1], "x", 1), EPIPE);
	FAILS("pipe2 with unknown flags", pipe2(q, 1), EINVAL);
	WORKS("pipe2 with O_CLOEXEC", pipe2(q, O_CLOEXEC));
	EQUALS("is set", fcntl(q[0], F_GETFD), FD_CLOEXEC);
	return done();
}
