/* execve(2): arguments, environment, close-on-exec, and its errors. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

extern char **environ;

/* The second life: prints what it was given. */
static int again(int argc, char **argv)
{
	say("argc %d", argc);
	for (int i = 0; i < argc; i++)
		say("argv[%d] %s", i, i >= 2 && i <= 4 ? "a number" : argv[i]);
	for (int i = 0; environ[i]; i++)
		say("envp[%d] \"%s\"", i, environ[i]);
	TRUE("argv ends with NULL", argv[argc] == NULL);
	TRUE("the pid stays", atoi(argv[2]) == getpid());
	char byte;
	FAILS("a descriptor with FD_CLOEXEC", read(atoi(argv[3]), &byte, 1), EBADF);
	WORKS("a descriptor without", read(atoi(argv[4]), &byte, 1));
	return check_failures;
}

static int run(const char *path, char **argv, char **envp)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		execve(path, argv, envp);
		_exit(100);
	}
	NEED(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	int fd = (int)NEED(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
	NEED(write(fd, text, strlen(text)));
	NEED(close(fd));
	NEED(chmod(path, mode));
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "again") == 0)
		return again(argc, argv);

	char pid[16], closed[16], open_one[16];
	int a = (int)NEED(open("/dev/zero", O_RDONLY | O_CLOEXEC)), b = (int)NEED(open("/dev/zero", O_RDONLY));
	snprintf(closed, sizeof closed, "%d", a);
	snprintf(open_one, sizeof open_one, "%d", b);
	char *args[] = { "name", "again", pid, closed, open_one, "", "two words", NULL };
	char *env[] = { "HOME=/", "EMPTY=", "X=1 2", NULL };

	int status;
	pid_t child = (pid_t)NEED(fork());
	if (child == 0) {
		snprintf(pid, sizeof pid, "%d", getpid());
		execve("/proc/self/exe", args, env);
		_exit(100);
	}
	NEED(waitpid(child, &status, 0));
	EQUALS("its exit status", WEXITSTATUS(status), 0);

	char *plain[] = { "x", NULL };
	FAILS("a file that is not there", execve("/tmp/no-such-file", plain, env), ENOENT);
	FAILS("an empty path", execve("", plain, env), ENOENT);
	FAILS("a directory", execve("/tmp", plain, env), EACCES);
	put_file("/tmp/text", "not a program\n", 0700);
	FAILS("a text", execve("/tmp/text", plain, env), ENOEXEC);
	put_file("/tmp/text", "", 0700);
	FAILS("an empty file", execve("/tmp/text", plain, env), ENOEXEC);
	put_file("/tmp/text", "\177ELF", 0700);
	FAILS("a truncated ELF header", execve("/tmp/text", plain, env), ENOEXEC);
	put_file("/tmp/text", "#!/proc/self/exe\n", 0600);
	FAILS("a file without an x bit, as root", execve("/tmp/text", plain, env), EACCES);
	FAILS("a file as a directory", execve("/tmp/text/x", plain, env), ENOTDIR);
	FAILS("a bad path pointer", execve((char *)16, plain, env), EFAULT);
	FAILS("a bad argv pointer", execve("/proc/self/exe", (char **)16, env), EFAULT);
	char *bad[] = { "x", (char *)16, NULL };
	FAILS("a bad string in argv", execve("/proc/self/exe", bad, env), EFAULT);
	EQUALS("a failed execve leaves the caller alive", run("/tmp/no-such-file", plain, env), 100);
	NEED(unlink("/tmp/text"));
	return done();
}
