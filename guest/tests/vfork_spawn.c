/* vfork(2) and posix_spawn(3). */
#include "check.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (argc > 1)
		return atoi(argv[1]);

	int status;
	volatile int here = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		here = 5;
		_exit(6);
	}
	EQUALS("a vfork child writes its parent's stack", here, 5);
	NEED(waitpid(pid, &status, 0));
	EQUALS("its exit status", WEXITSTATUS(status), 6);

	char *seven[] = { "x", "7", NULL }, *eight[] = { "x", "8", NULL };
	pid = vfork();
	if (pid == 0) {
		execve("/proc/self/exe", seven, environ);
		_exit(100);
	}
	TRUE("vfork and execve", pid > 0);
	TEXT("this program lives on", argv[1] ? "changed" : "unchanged", "unchanged");
	NEED(waitpid(pid, &status, 0));
	EQUALS("the exit status of the new program", WEXITSTATUS(status), 7);

	EQUALS("posix_spawn", posix_spawn(&pid, "/proc/self/exe", NULL, NULL, eight, environ), 0);
	NEED(waitpid(pid, &status, 0));
	EQUALS("the exit status of what it spawned", WEXITSTATUS(status), 8);
	TEXT("posix_spawn of what is not there",
	     errno_name(posix_spawn(&pid, "/tmp/no-such-file", NULL, NULL, eight, environ)), "ENOENT");
	FAILS("leaves no child", waitpid(-1, &status, 0), ECHILD);

	int sum = 0;
	for (int i = 0; i < 20; i++) {
		NEED(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, seven, environ) == 0 ? 0 : -1);
		NEED(waitpid(pid, &status, 0));
		sum += WEXITSTATUS(status);
	}
	EQUALS("twenty of them", sum, 140);
	return done();
}
