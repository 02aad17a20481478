/* vfork(2) and posix_spawn(3). musl's vfork is a fork where it has no assembler for it, so clone(2) stands in. */
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

extern char **environ;

static _Alignas(16) char child_stack[65536];

static int child(void *argument)
{
	const struct timespec a_while = { 0, 5000000 };
	nanosleep(&a_while, NULL);
	*(volatile int *)argument = 5;
	return 6;
}

/* Maps a page below limits of its own, in memory that is its parent's too; the errno. */
static int limited(void *argument)
{
	struct rlimit limit = { 4096, 4096 };

	(void)argument;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 255;
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return atoi(argv[1]);

	int status;
	volatile int here = 0;
	pid_t pid = (pid_t)NEED(clone(child, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)&here));
	EQUALS("a child with CLONE_VM writes its parent's stack before CLONE_VFORK lets it go on", here, 5);
	NEED(waitpid(pid, &status, 0));
	EQUALS("its exit status", WEXITSTATUS(status), 6);
	pid = (pid_t)NEED(clone(limited, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
	NEED(waitpid(pid, &status, 0));
	EQUALS("limits are the process's, whosever memory it is: the child's mmap fails with ENOMEM", WEXITSTATUS(status), ENOMEM);
	TRUE("and its parent's does not",
	     mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	pid = vfork();
	if (pid == 0)
		_exit(4);
	NEED(waitpid(pid, &status, 0));
	EQUALS("vfork: exit status", WEXITSTATUS(status), 4);

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
