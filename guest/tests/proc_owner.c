/* Whose /proc/PID is: its user's while it is dumpable, root's after a change of credentials; and who may look into it. */
#include "shm.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static volatile int *state;
static pid_t subject;

static const char *path_of(const char *file)
{
	static char path[60];
	snprintf(path, sizeof path, "/proc/%d%s%s", (int)subject, *file ? "/" : "", file);
	return path;
}

static void owner(const char *when, const char *file)
{
	struct stat st;
	NEED(lstat(path_of(file), &st));
	say("%s: %s is of %u:%u", when, *file ? file : "the directory", st.st_uid, st.st_gid);
}

static void owners(const char *when)
{
	owner(when, "");
	owner(when, "maps");
	owner(when, "status");
	owner(when, "environ");
	owner(when, "fd");
	owner(when, "exe");
}

static void opening(const char *who, const char *file)
{
	int fd = open(path_of(file), O_RDONLY);
	say("%s: %s: %s", who, file, fd < 0 ? errno_name(errno) : "opens");
	if (fd >= 0)
		close(fd);
}

static void linking(const char *who, const char *file)
{
	char target[200];
	ssize_t n = readlink(path_of(file), target, sizeof target);
	say("%s: readlink of %s: %s", who, file, n < 0 ? errno_name(errno) : "works");
}

static void look(void *who)
{
	opening(who, "status");
	opening(who, "maps");
	opening(who, "smaps");
	opening(who, "environ");
	opening(who, "fd");
	linking(who, "exe");
	linking(who, "cwd");
	linking(who, "fd/1");
	linking(who, "ns/ipc");
}

/* Steps when the parent says so. */
static void next(int step)
{
	state[1] = step - 1;
	while (state[0] < step)
		usleep(500);
}

static void to(int step)
{
	state[0] = step;
	while (state[1] < step)
		usleep(500);
}

static void subject_body(void)
{
	next(1);
	NEED(setgid(1000));
	NEED(setuid(1000));
	next(2);
	/* Of himself everybody may know everything, but files of root's with mode 0400 he cannot open. */
	subject = getpid();
	look("itself, not dumpable");
	NEED(prctl(PR_SET_DUMPABLE, 1));
	next(3);
	NEED(prctl(PR_SET_DUMPABLE, 0));
	next(4);
	_exit(0);
}

int main(void)
{
	int status;

	NEED(setgroups(0, NULL));
	state = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	state[1] = -1;
	subject = (pid_t)NEED(fork());
	if (subject == 0)
		subject_body();
	owners("root's");
	in_child_as(1000, 1000, look, "a stranger");
	to(1);
	owners("after setuid");
	look("root");
	in_child_as(1000, 1000, look, "the same user");
	to(2);
	owners("dumpable again");
	in_child_as(1000, 1000, look, "the same user");
	in_child_as(1000, 1001, look, "with another group");
	in_child_as(1001, 1000, look, "another user");
	to(3);
	owners("PR_SET_DUMPABLE 0");
	state[0] = 4;
	NEED(waitpid(subject, &status, 0));
	EQUALS("it ends", status, 0);
	return done();
}
