/* process_vm_readv(2) and process_vm_writev(2): another process's memory, within its own rights and those of its user. */
#include "shm.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define RW (PROT_READ | PROT_WRITE)

/* The same addresses in parent and child. */
static char *memory;
static volatile int *state;
static pid_t child;

static ssize_t rd(pid_t pid, struct iovec *local, unsigned long nl, struct iovec *remote, unsigned long nr, unsigned long flags)
{
	return process_vm_readv(pid, local, nl, remote, nr, flags);
}

static pid_t start_child(uid_t uid, int dumpable)
{
	state[0] = 0;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		memset(memory, 'c', 4 * PAGE);
		NEED(mprotect(memory + 2 * PAGE, PAGE, PROT_READ));
		NEED(mprotect(memory + 3 * PAGE, PAGE, PROT_NONE));
		if (uid) {
			NEED(setgid(uid));
			NEED(setuid(uid));
		}
		if (dumpable >= 0)
			NEED(prctl(PR_SET_DUMPABLE, dumpable));
		state[0] = 1;
		while (state[0] == 1)
			sched_yield();
		_exit(memory[5] == 'w' && memory[PAGE] == 'w' ? 1 : 0);
	}
	while (state[0] == 0)
		sched_yield();
	return pid;
}

static int end_child(pid_t pid)
{
	int status;
	state[0] = 2;
	NEED(waitpid(pid, &status, 0));
	return WEXITSTATUS(status);
}

static void copying(void)
{
	char buffer[5 * PAGE];
	struct iovec local[3] = { { buffer, 10 } }, remote[3] = { { memory, 10 } };

	child = start_child(0, -1);
	memory[0] = 'p';
	memset(buffer, 0, sizeof buffer);
	EQUALS("read", rd(child, local, 1, remote, 1, 0), 10);
	TRUE("the child's copy", buffer[0] == 'c' && buffer[9] == 'c' && buffer[10] == 0);
	local[0] = (struct iovec){ buffer, 3 }, local[1] = (struct iovec){ buffer + 100, 4 };
	remote[0] = (struct iovec){ memory + PAGE - 2, 5 }, remote[1] = (struct iovec){ memory, 100 };
	EQUALS("scattered, as far as there is room", rd(child, local, 2, remote, 2, 0), 7);
	TRUE("both parts", buffer[2] == 'c' && buffer[103] == 'c' && buffer[104] == 0);
	EQUALS("an empty range", rd(child, local, 0, remote, 1, 0), 0);
	EQUALS("an empty range there", rd(child, local, 1, remote, 0, 0), 0);
	FAILS("an empty range of nobody", rd(0x3fffffff, local, 0, remote, 1, 0), 0);
	EQUALS("an empty range there, of nobody", rd(0x3fffffff, local, 1, remote, 0, 0), 0);
	local[0] = (struct iovec){ buffer, sizeof buffer };
	remote[0] = (struct iovec){ memory, 5 * PAGE };
	EQUALS("up to a page without rights", rd(child, local, 1, remote, 1, 0), 3 * PAGE);
	remote[0] = (struct iovec){ memory + 3 * PAGE, 1 };
	FAILS("a page without rights", rd(child, local, 1, remote, 1, 0), EFAULT);
	remote[0] = (struct iovec){ memory, 10 }, remote[1] = (struct iovec){ (void *)16, 10 };
	EQUALS("a second range that is bad", rd(child, local, 1, remote, 2, 0), 10);
	FAILS("a bad range alone", rd(child, local, 1, remote + 1, 1, 0), EFAULT);
	remote[1] = (struct iovec){ (void *)-4096L, 10 };
	FAILS("a range in kernel memory", rd(child, local, 1, remote + 1, 1, 0), EFAULT);
	local[0] = (struct iovec){ (void *)16, 10 };
	FAILS("a bad range here", rd(child, local, 1, remote, 1, 0), EFAULT);
	FAILS("a bad list here", rd(child, (void *)16, 1, remote, 1, 0), EFAULT);
	local[0] = (struct iovec){ buffer, 10 };
	FAILS("a bad list there", rd(child, local, 1, (void *)16, 1, 0), EFAULT);
	FAILS("too many ranges", rd(child, local, 1025, remote, 1, 0), EINVAL);
	FAILS("too many ranges there", rd(child, local, 1, remote, 1025, 0), EINVAL);
	remote[0] = (struct iovec){ memory, (size_t)-1 };
	FAILS("a negative length", rd(child, local, 1, remote, 1, 0), EINVAL);
	remote[0] = (struct iovec){ memory, 10 };
	FAILS("a flag", rd(child, local, 1, remote, 1, 1), EINVAL);
	FAILS("nobody", rd(0x3fffffff, local, 1, remote, 1, 0), ESRCH);
	FAILS("pid 0", rd(0, local, 1, remote, 1, 0), ESRCH);
	FAILS("pid -1", rd(-1, local, 1, remote, 1, 0), ESRCH);
	EQUALS("oneself", rd(getpid(), local, 1, remote, 1, 0), 10);
	TRUE("has another first byte", buffer[0] == 'p');

	memset(buffer, 'w', sizeof buffer);
	local[0] = (struct iovec){ buffer, 2 * PAGE };
	remote[0] = (struct iovec){ memory + 4, PAGE };
	EQUALS("write", process_vm_writev(child, local, 1, remote, 1, 0), PAGE);
	remote[0] = (struct iovec){ memory + 2 * PAGE - 10, 20 };
	EQUALS("write into a read-only page", process_vm_writev(child, local, 1, remote, 1, 0), 10);
	remote[0] = (struct iovec){ memory + 2 * PAGE, 20 };
	FAILS("a read-only page alone", process_vm_writev(child, local, 1, remote, 1, 0), EFAULT);
	TRUE("nothing was written here", memory[4] == 0 && memory[PAGE] == 0);
	EQUALS("the child has it: exit", end_child(child), 1);
}

static void may_read(const char *name, int error)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { memory, 1 };
	FAILS(name, rd(child, &local, 1, &remote, 1, 0), error);
}

static void as_1000(void *unused)
{
	(void)unused;
	may_read("user 1000", EPERM);
}

static void as_1000_dumpable(void *unused)
{
	(void)unused;
	may_read("user 1000, who has made itself dumpable", 0);
}

static void as_1001(void *unused)
{
	(void)unused;
	may_read("user 1001", EPERM);
}

static void group_of_another(void *unused)
{
	(void)unused;
	may_read("user 1000 with another group", EPERM);
}

static void permissions(void)
{
	child = start_child(0, -1);
	in_child_as(1000, 1000, as_1000, NULL);
	end_child(child);
	child = start_child(1000, -1);
	in_child_as(1000, 1000, as_1000, NULL);
	may_read("root reads a user's", 0);
	end_child(child);
	child = start_child(1000, 1);
	in_child_as(1000, 1000, as_1000_dumpable, NULL);
	in_child_as(1001, 1001, as_1001, NULL);
	in_child_as(1000, 1001, group_of_another, NULL);
	may_read("root", 0);
	end_child(child);
	child = start_child(1000, 0);
	in_child_as(1000, 1000, as_1000, NULL);
	may_read("root reads one that is not dumpable", 0);
	end_child(child);
	/* A zombie has no memory. */
	child = (pid_t)NEED(fork());
	if (child == 0)
		_exit(0);
	siginfo_t info;
	NEED(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	may_read("a zombie", ESRCH);
	NEED(waitpid(child, NULL, 0));
}

static void dumpable(void)
{
	EQUALS("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE), 1);
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(setegid(5));
		EQUALS("after setegid", prctl(PR_GET_DUMPABLE), 0);
		WORKS("PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 1));
		NEED(setegid(5));
		EQUALS("after setegid that changes nothing", prctl(PR_GET_DUMPABLE), 1);
		NEED(seteuid(5));
		EQUALS("after seteuid", prctl(PR_GET_DUMPABLE), 0);
		pid = (pid_t)NEED(fork());
		if (pid == 0)
			_exit(prctl(PR_GET_DUMPABLE));
		int status;
		NEED(waitpid(pid, &status, 0));
		EQUALS("a child inherits it: exit", WEXITSTATUS(status), 0);
		_exit(0);
	}
	NEED(waitpid(pid, NULL, 0));
}

int main(void)
{
	memory = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	state = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(memory == MAP_FAILED || state == MAP_FAILED ? -1 : 0);
	copying();
	permissions();
	dumpable();
	return done();
}
