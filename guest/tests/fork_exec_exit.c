/* Attaches across fork, vfork, execve and every kind of death. */
#include "shm.h"
#include <sched.h>
#include <signal.h>
#include <spawn.h>

extern char **environ;

/* What the program does when it is executed again: "nattch ID" prints the count it sees. */
static int again(char **argv)
{
	EQUALS(argv[1], nattch_of(atoi(argv[2])), 1);
	return check_failures;
}

static void wait_for(pid_t pid)
{
	int status;
	NEED(waitpid(pid, &status, 0));
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return again(argv);

	int id = new_segment(2 * PAGE, 0600);
	volatile int *word = (volatile int *)attach(id, NULL, 0);
	char number[16];
	int status;
	pid_t pid;

	snprintf(number, sizeof number, "%d", id);
	if ((pid = (pid_t)NEED(fork())) == 0) {
		word[1] = (int)nattch_of(id);
		word[0] = 7;
		_exit(0);
	}
	wait_for(pid);
	EQUALS("a forked child writes, the parent reads", word[0], 7);
	EQUALS("nattch while it lived", word[1], 2);
	struct shmid_ds ds = stat_of(id);
	EQUALS("nattch after its exit", ds.shm_nattch, 1);
	TRUE("lpid is the exited child", ds.shm_lpid == pid);
	TRUE("dtime is set", ds.shm_dtime != 0);

	if ((pid = (pid_t)NEED(fork())) == 0) {
		char *args[] = { "again", "nattch after execve of a child", number, NULL };
		execve("/proc/self/exe", args, environ);
		_exit(3);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("its exit status", WEXITSTATUS(status), 0);

	char *args[] = { "again", "nattch seen by a spawned program", number, NULL };
	NEED(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, environ) == 0 ? 0 : -1);
	NEED(waitpid(pid, &status, 0));
	EQUALS("its exit status", WEXITSTATUS(status), 0);
	EQUALS("nattch after both", nattch_of(id), 1);

	word[0] = 0;
	if ((pid = (pid_t)NEED(fork())) == 0) {
		word[0] = 1;
		for (;;)
			sleep(100);
	}
	while (word[0] == 0)
		sched_yield();
	EQUALS("nattch with a sleeping child", nattch_of(id), 2);
	NEED(kill(pid, SIGKILL));
	NEED(waitpid(pid, &status, 0));
	EQUALS("killed by", WTERMSIG(status), SIGKILL);
	ds = stat_of(id);
	EQUALS("nattch after SIGKILL", ds.shm_nattch, 1);
	TRUE("lpid is the killed child", ds.shm_lpid == pid);

	if ((pid = (pid_t)NEED(fork())) == 0)
		*(volatile int *)16 = 1;
	NEED(waitpid(pid, &status, 0));
	EQUALS("a crash: signal", WTERMSIG(status), SIGSEGV);
	EQUALS("nattch after a crash", nattch_of(id), 1);

	/* A grandchild outlives its parent and keeps the attach. */
	word[0] = 0;
	if ((pid = (pid_t)NEED(fork())) == 0) {
		if (NEED(fork()) == 0) {
			while (word[0] == 0)
				sched_yield();
			word[0] = 2;
			_exit(0);
		}
		_exit(0);
	}
	wait_for(pid);
	EQUALS("nattch with an orphan", nattch_of(id), 2);
	word[0] = 1;
	while (word[0] != 2 || nattch_of(id) != 1)
		sched_yield();
	EQUALS("nattch after the orphan", nattch_of(id), 1);

	/* Marked for destruction, it lives as long as a child keeps it attached. */
	word[0] = 0;
	if ((pid = (pid_t)NEED(fork())) == 0) {
		while (word[0] == 0)
			sched_yield();
		_exit(0);
	}
	char *second = attach(id, NULL, 0);
	remove_segment(id);
	NEED(shmdt(second));
	OCTAL("marked while attached twice", stat_of(id).shm_perm.mode, 01600);
	word[0] = 1;
	wait_for(pid);
	EQUALS("nattch", nattch_of(id), 1);
	NEED(shmdt((void *)word));
	FAILS("destroyed by the last detach", shmctl(id, IPC_STAT, &ds), EINVAL);

	id = new_segment(PAGE, 0600);
	if ((pid = (pid_t)NEED(fork())) == 0) {
		attach(id, NULL, 0);
		remove_segment(id);
		_exit(0);
	}
	wait_for(pid);
	FAILS("destroyed by the exit of the last attacher", shmctl(id, IPC_STAT, &ds), EINVAL);
	return done();
}
