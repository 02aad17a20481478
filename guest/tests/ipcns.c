/* IPC namespaces: unshare(2), clone(2), clone3(2) and setns(2) with CLONE_NEWIPC; ids, keys, limits and /proc of one's own. */
#include "shm.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef CLONE_NEWIPC
#define CLONE_NEWIPC 0x08000000
#endif
#define CLONE_NEWUTS_ 0x04000000

static int id, to_child[2], to_parent[2];
static char *p;
/* Of the first process. */
static char home[64];

/* "ipc:[4026531839]" of a process. */
static const char *ns_of(const char *path)
{
	static char names[4][64];
	static int next;
	char *name = names[next++ % 4];
	ssize_t n = NEED(readlink(path, name, 63));
	name[n] = 0;
	return name;
}

static int rows(void)
{
	int lines = 0;
	for (const char *s = read_text("/proc/sysvipc/shm"); *s; s++)
		lines += *s == '\n';
	return lines;
}

static void signal_other(int fd)
{
	NEED(write(fd, "x", 1));
}

static void wait_for(int fd)
{
	char c;
	NEED(read(fd, &c, 1) == 1 ? 0 : -1);
}

static void unprivileged(void *argument)
{
	(void)argument;
	FAILS("unshare by a user", unshare(CLONE_NEWIPC), EPERM);
	WORKS("unshare of nothing by a user", unshare(0));
	FAILS("clone by a user", syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0), EPERM);
	FAILS("clone by a user, with CLONE_SYSVSEM", syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0), EPERM);
	int fd = (int)NEED(open("/proc/self/ns/ipc", O_RDONLY));
	FAILS("setns to one's own namespace by a user", setns(fd, CLONE_NEWIPC), EPERM);
}

/* A namespace of one's own by unshare. */
static void own(void *argument)
{
	struct shmid_ds ds;
	(void)argument;
	char before[64];
	strcpy(before, ns_of("/proc/self/ns/ipc"));
	int old_rows = (int)NEED(open("/proc/sysvipc/shm", O_RDONLY));
	int old_max = (int)NEED(open("/proc/sys/kernel/shmmax", O_RDWR));
	char text[4096];

	WORKS("unshare", unshare(CLONE_NEWIPC));
	TRUE("another namespace", strcmp(before, ns_of("/proc/self/ns/ipc")) != 0);
	TEXT("its parent's is as before", strcmp(before, ns_of(home)) == 0 ? "the same" : "another", "the same");
	FAILS("the key is not known here", shmget(KEY, 0, 0), ENOENT);
	FAILS("nor is the id", shmctl(id, IPC_STAT, &ds), EINVAL);
	FAILS("it cannot be attached", (long)shmat(id, NULL, 0), EINVAL);
	TEXT("what was attached stays", p, "shared");
	strcpy(p + 100, "from the other namespace");
	EQUALS("/proc/sysvipc/shm has no rows", rows(), 0);
	NEED(read(old_rows, text, sizeof text));
	TRUE("an open file still shows the old one", strstr(text, " 0 ") != NULL && strchr(text, '\n')[1] != 0);
	TEXT("shmmni is the default", read_text("/proc/sys/kernel/shmmni"), "4096");
	TEXT("shm_rmid_forced is off", read_text("/proc/sys/kernel/shm_rmid_forced"), "0");

	int mine = shmget(KEY, 3 * PAGE, IPC_CREAT | IPC_EXCL | 0600);
	EQUALS("ids begin again", mine, 0);
	TEXT("a segment of its own", attach(mine, NULL, 0), "");
	EQUALS("one row", rows(), 1);
	write_number("/proc/sys/kernel/shmmax", "8192");
	FAILS("the limit is this namespace's", shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
	NEED(write(old_max, "1000000", 7));
	TEXT("a file opened before writes the old one's", read_text("/proc/sys/kernel/shmmax"), "8192");
	signal_other(to_parent[1]);
	wait_for(to_child[0]);
	WORKS("shmdt of the old one's segment", shmdt(p));

	/* Back: the attach of the new one's keeps the new one alive. */
	char *q = attach(mine, NULL, 0);
	strcpy(q, "kept");
	int fd = (int)NEED(open(home, O_RDONLY));
	int here = (int)NEED(open("/proc/self/ns/ipc", O_RDONLY));
	char buffer[16];
	FAILS("reading a namespace", read(fd, buffer, 1), EINVAL);
	FAILS("setns with another kind", setns(fd, CLONE_NEWUTS_), EINVAL);
	FAILS("setns of a bad descriptor", setns(99, CLONE_NEWIPC), EBADF);
	FAILS("setns of a file", setns(old_max, CLONE_NEWIPC), EINVAL);
	FAILS("setns with an unknown kind", setns(fd, 1), EINVAL);
	WORKS("setns of any kind", setns(fd, 0));
	TRUE("back", strcmp(ns_of("/proc/self/ns/ipc"), ns_of(home)) == 0);
	TEXT("the attach stays here too", q, "kept");
	WORKS("there again", setns(here, CLONE_NEWIPC));
	EQUALS("the key is known there", shmget(KEY, 0, 0), mine);
	EQUALS("nattch", nattch_of(mine), 2);
}

/* By clone and clone3. */
static void by_clone(void)
{
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } args;
	int status;

	FAILS("CLONE_NEWIPC with CLONE_SYSVSEM", syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0), EINVAL);
	long pid = NEED(syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0));
	if (pid == 0) {
		FAILS("clone: the key is not known", shmget(KEY, 0, 0), ENOENT);
		TEXT("clone: what was attached is", p, "shared");
		_exit(check_failures != 0);
	}
	NEED(waitpid((pid_t)pid, &status, 0));
	EQUALS("clone: status", status, 0);

	memset(&args, 0, sizeof args);
	args.flags = CLONE_NEWIPC;
	args.exit_signal = SIGCHLD;
	pid = NEED(syscall(SYS_clone3, &args, sizeof args));
	if (pid == 0) {
		FAILS("clone3: the key is not known", shmget(KEY, 0, 0), ENOENT);
		EQUALS("clone3: ids begin at 0", shmget(KEY, 1, IPC_CREAT | 0600), 0);
		_exit(check_failures != 0);
	}
	NEED(waitpid((pid_t)pid, &status, 0));
	EQUALS("clone3: status", status, 0);
	FAILS("clone3: too small", syscall(SYS_clone3, &args, 63), EINVAL);
	FAILS("clone3: too large", syscall(SYS_clone3, &args, PAGE + 1), E2BIG);
	FAILS("clone3: NULL", syscall(SYS_clone3, NULL, 64), EFAULT);
	args.flags = CLONE_NEWIPC | 17;
	FAILS("clone3: a signal in the flags", syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.flags = 0;
	args.exit_signal = 0x100;
	FAILS("clone3: no signal", syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.exit_signal = 65;
	FAILS("clone3: signal 65", syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.exit_signal = SIGCHLD;
	args.stack = (uintptr_t)p;
	FAILS("clone3: a stack without a size", syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.stack = 0;
	args.stack_size = 1;
	FAILS("clone3: a size without a stack", syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.stack_size = 0;
	args.set_tid_size = 1;
	FAILS("clone3: no set_tid", syscall(SYS_clone3, &args, sizeof args), EINVAL);
}

/* A dead creator's segments under shm_rmid_forced go in the namespace where it is set alone. */
static void two_namespaces(void *argument)
{
	(void)argument;
	NEED(unshare(CLONE_NEWIPC));
	int fd = (int)NEED(open(home, O_RDONLY));
	int here = (int)NEED(open("/proc/self/ns/ipc", O_RDONLY));
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(shmget(1, PAGE, IPC_CREAT | 0600));
		NEED(setns(fd, CLONE_NEWIPC));
		NEED(shmget(2, PAGE, IPC_CREAT | 0600));
		NEED(setns(here, CLONE_NEWIPC));
		write_number("/proc/sys/kernel/shm_rmid_forced", "1");
		WORKS("a creator sees its unattached segment", shmget(1, 0, 0));
		_exit(check_failures != 0);
	}
	NEED(waitpid(pid, NULL, 0));
	FAILS("it went with the creator where shm_rmid_forced is on", shmget(1, 0, 0), ENOENT);
	NEED(setns(fd, CLONE_NEWIPC));
	WORKS("and stays where it is off", shmget(2, 0, 0));
	remove_segment(shmget(2, 0, 0));
}

/* unshare orphans what the caller made in the old namespace. */
static void orphan(void *argument)
{
	(void)argument;
	int old = (int)NEED(open("/proc/self/ns/ipc", O_RDONLY));
	NEED(shmget(3, PAGE, IPC_CREAT | 0600));
	NEED(unshare(CLONE_NEWIPC));
	NEED(setns(old, CLONE_NEWIPC));
	WORKS("it is there", shmget(3, 0, 0));
	write_number("/proc/sys/kernel/shm_rmid_forced", "1");
	FAILS("unshare made it an orphan", shmget(3, 0, 0), ENOENT);
	write_number("/proc/sys/kernel/shm_rmid_forced", "0");
}

/* RLIMIT_MEMLOCK of SHM_LOCK is the user's, over all namespaces. */
static void locker(void *argument)
{
	struct rlimit limit = { PAGE, PAGE };
	NEED(unshare(CLONE_NEWIPC));
	NEED(setrlimit(RLIMIT_MEMLOCK, &limit));
	NEED(setgid(1000));
	NEED(setuid(1000));
	int mine = new_segment(PAGE, 0600);
	if (argument == NULL) {
		WORKS("one namespace: SHM_LOCK of a page", shmctl(mine, SHM_LOCK, NULL));
		signal_other(to_parent[1]);
		wait_for(to_child[0]);
		/* A namespace is freed some time after its last task; the limit is free at once by this. */
		remove_segment(mine);
		return;
	}
	FAILS("another namespace: the same user's limit", shmctl(mine, SHM_LOCK, NULL), ENOMEM);
}

int main(void)
{
	struct stat st;
	snprintf(home, sizeof home, "/proc/%d/ns/ipc", getpid());
	NEED(pipe(to_child));
	NEED(pipe(to_parent));
	id = (int)NEED(shmget(KEY, PAGE, IPC_CREAT | 0600));
	p = attach(id, NULL, 0);
	strcpy(p, "shared");

	TRUE("a name with a number", strncmp(ns_of("/proc/self/ns/ipc"), "ipc:[", 5) == 0);
	NEED(stat("/proc/self/ns/ipc", &st));
	TRUE("the number is the inode", strtoul(ns_of("/proc/self/ns/ipc") + 5, NULL, 10) == st.st_ino);
	OCTAL("mode", st.st_mode, 0100444);
	FAILS("unshare of unknown bits", unshare(1), EINVAL);
	in_child_as(1000, 1000, unprivileged, NULL);

	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		own(NULL);
		_exit(check_failures != 0);
	}
	wait_for(to_parent[0]);
	TEXT("the other's write is seen", p + 100, "from the other namespace");
	EQUALS("nattch counts the other's", nattch_of(id), 2);
	EQUALS("one row here", rows(), 1);
	TEXT("shmmax as it was written through the open file", read_text("/proc/sys/kernel/shmmax"), "1000000");
	signal_other(to_child[1]);
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("status", status, 0);
	EQUALS("nattch afterwards", nattch_of(id), 1);
	TRUE("lpid is the other's", stat_of(id).shm_lpid == pid);

	by_clone();
	in_child(two_namespaces, NULL);
	in_child(orphan, NULL);

	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		locker(NULL);
		_exit(check_failures != 0);
	}
	wait_for(to_parent[0]);
	in_child(locker, (void *)1);
	signal_other(to_child[1]);
	NEED(waitpid(pid, &status, 0));
	EQUALS("locker's status", status, 0);
	return done();
}
