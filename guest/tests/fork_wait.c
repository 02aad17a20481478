/* fork(2), exit, waitpid(2), waitid(2): statuses, order, orphans. */
#include "check.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

static pid_t child_exiting(int code)
{
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(code);
	return pid;
}

int main(void)
{
	int status;
	volatile pid_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	NEED(shared == MAP_FAILED ? -1 : 0);
	FAILS("wait without children", wait(&status), ECHILD);
	FAILS("waitpid of oneself", waitpid(getpid(), &status, 0), ECHILD);

	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		shared[0] = getpid();
		shared[1] = getppid();
		_exit(42);
	}
	TRUE("waitpid returns the child", waitpid(pid, &status, 0) == pid);
	TRUE("it exited", WIFEXITED(status));
	EQUALS("with", WEXITSTATUS(status), 42);
	TRUE("fork returned its pid", shared[0] == pid);
	TRUE("its parent is this process", shared[1] == getpid());
	FAILS("waitpid a second time", waitpid(pid, &status, 0), ECHILD);

	pid = child_exiting(0x1ff);
	NEED(waitpid(pid, &status, 0));
	EQUALS("eight bits of the exit code", WEXITSTATUS(status), 0xff);

	shared[0] = 0;
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		while (shared[0] == 0)
			sched_yield();
		_exit(3);
	}
	EQUALS("WNOHANG while it runs", waitpid(pid, &status, WNOHANG), 0);
	shared[0] = 1;
	TRUE("wait for any", wait(&status) == pid);
	EQUALS("its code", WEXITSTATUS(status), 3);

	pid_t three[3];
	for (int i = 0; i < 3; i++)
		three[i] = child_exiting(i + 1);
	TRUE("the last first", waitpid(three[2], &status, 0) == three[2] && WEXITSTATUS(status) == 3);
	TRUE("then the first", waitpid(three[0], &status, 0) == three[0] && WEXITSTATUS(status) == 1);
	TRUE("then any", waitpid(-1, &status, 0) == three[1] && WEXITSTATUS(status) == 2);

	siginfo_t info;
	pid = child_exiting(7);
	memset(&info, 0, sizeof info);
	WORKS("waitid, WNOWAIT", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	TRUE("si_pid", info.si_pid == pid);
	EQUALS("si_status", info.si_status, 7);
	TRUE("si_code is CLD_EXITED, si_signo SIGCHLD", info.si_code == CLD_EXITED && info.si_signo == SIGCHLD);
	WORKS("a zombie can be sent a signal", kill(pid, 0));
	WORKS("waitid, for good", waitid(P_ALL, 0, &info, WEXITED));
	FAILS("then it is gone", kill(pid, 0), ESRCH);
	FAILS("waitid without WEXITED and the like", waitid(P_ALL, 0, &info, 0), EINVAL);
	FAILS("waitid without children", waitid(P_ALL, 0, &info, WEXITED), ECHILD);

	pid = (pid_t)NEED(fork());
	if (pid == 0)
		raise(SIGTERM), _exit(0);
	NEED(waitpid(pid, &status, 0));
	EQUALS("killed by", WIFSIGNALED(status) ? WTERMSIG(status) : -1, SIGTERM);

	/* An orphan gets process 1 as its parent. */
	shared[0] = shared[1] = 0;
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		pid_t parent = getpid();
		if (NEED(fork()) == 0) {
			while (getppid() == parent)
				sched_yield();
			shared[1] = getppid();
			shared[0] = 1;
			_exit(0);
		}
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0));
	while (shared[0] == 0)
		sched_yield();
	EQUALS("the parent of an orphan", shared[1], 1);
	FAILS("which is not this process's to wait for", wait(&status), ECHILD);

	/* Generations: each child forks the next and adds what it gets back. */
	int depth = 0;
	while (depth < 10) {
		pid = (pid_t)NEED(fork());
		if (pid != 0)
			break;
		depth++;
	}
	if (depth == 10)
		_exit(1);
	NEED(waitpid(pid, &status, 0));
	if (depth > 0)
		_exit(WEXITSTATUS(status) + 1);
	EQUALS("ten generations", WEXITSTATUS(status), 10);

	int sum = 0;
	for (int i = 0; i < 100; i++)
		child_exiting(i);
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	EQUALS("a hundred children", sum, 4950);
	return done();
}
