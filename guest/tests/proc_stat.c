/* /proc/PID/stat: its 52 fields, by their names in proc(5): what of them does not depend on the machine. */
#include "sleepers.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define FIELDS 52
static char name_of_it[64];
static long long field[FIELDS + 1];
static char state;

/* Reads a process's stat; fields are numbered from 1. */
static void read_stat(pid_t pid)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	const char *text = read_text(path);
	const char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
	memset(field, 0, sizeof field);
	field[1] = atoll(text);
	snprintf(name_of_it, sizeof name_of_it, "%.*s", (int)(close_at - open_at + 1), open_at);
	state = close_at[2];
	const char *at = close_at + 3;
	int i = 4;
	for (; i <= FIELDS && *at == ' '; i++)
		field[i] = strtoll(at, (char **)&at, 10);
	if (i != FIELDS + 1 || *at != 0)
		say("stat has another number of fields");
}

static int idle(void *argument)
{
	(void)argument;
	return pause();
}

static void on_signal(int signal)
{
	(void)signal;
}

static void itself(void)
{
	NEED(prctl(PR_SET_NAME, "a (name) b"));
	read_stat(getpid());
	EQUALS("pid", field[1] == getpid(), 1);
	check_text("comm", name_of_it, "(a (name) b)");
	NEED(prctl(PR_SET_NAME, "x)\n(\\y"));
	read_stat(getpid());
	check_text("comm with a newline and a backslash, as they are", name_of_it, "(x)\n(\\y)");
	EQUALS("state", state, 'R');
	EQUALS("ppid", field[4] == getppid(), 1);
	EQUALS("pgrp", field[5] == getpgrp(), 1);
	EQUALS("session", field[6] == getsid(0), 1);
	EQUALS("tty_nr: none", field[7], 0);
	EQUALS("tpgid", field[8], -1);
	EQUALS("priority", field[18], 20);
	EQUALS("nice", field[19], 0);
	EQUALS("num_threads", field[20], 1);
	EQUALS("itrealvalue", field[21], 0);
	TRUE("starttime", field[22] >= 0);
	TRUE("vsize is of pages", field[23] > 0 && field[23] % PAGE == 0);
	TRUE("rss is no more", field[24] >= 0 && field[24] * (long long)PAGE <= field[23]);
	TRUE("rsslim is none", field[25] == -1 || field[25] == 4294967295LL || (unsigned long long)field[25] >= 0x7fffffffffffffffULL);
	TRUE("the code lies between startcode and endcode",
	     field[26] <= (long)(unsigned long)&itself && (long)(unsigned long)&itself <= field[27]);
	TRUE("the stack lies below startstack", (unsigned long)&(int){ 0 } < (unsigned long)field[28]);
	EQUALS("exit_signal", field[38], SIGCHLD);
	EQUALS("rt_priority", field[40], 0);
	EQUALS("policy", field[41], SCHED_OTHER);
	TRUE("data between start_data and end_data",
	     field[45] <= (long)(unsigned long)&sleeper_results && field[46] > field[45]);
	TRUE("start_brk is no more than the break", field[47] <= syscall(SYS_brk, 0));
	TRUE("arg_start < arg_end <= env_start <= env_end",
	     field[48] < field[49] && field[49] <= field[50] && field[50] <= field[51]);
	EQUALS("exit_code", field[52], 0);
}

/* What mmap, mprotect and touching change. */
static void memory(void)
{
	read_stat(getpid());
	long long size = field[23];
	char *p = mmap(NULL, 100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_stat(getpid());
	EQUALS("vsize grows by a mapping", (field[23] - size) / (long long)PAGE, 100);
	int id = new_segment(10 * PAGE, 0600);
	char *s = shmat(id, NULL, 0);
	remove_segment(id);
	read_stat(getpid());
	EQUALS("and by an attach", (field[23] - size) / (long long)PAGE, 110);
	NEED(munmap(p, 100 * PAGE));
	NEED(shmdt(s));
	read_stat(getpid());
	EQUALS("and is as it was", field[23] == size, 1);
}

static void signals(void)
{
	sigset_t set;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL));
	NEED(raise(SIGTERM));
	read_stat(getpid());
	EQUALS("signal: pending for the thread", field[31], 1 << (SIGTERM - 1));
	EQUALS("blocked", field[32], (1 << (SIGTERM - 1)) | (1 << (SIGHUP - 1)));
	EQUALS("sigignore", field[33] & (1 << (SIGUSR1 - 1)), 1 << (SIGUSR1 - 1));
	EQUALS("sigcatch", field[34], 1 << (SIGUSR2 - 1));
	signal(SIGTERM, SIG_IGN);
	NEED(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void states(void)
{
	start_sleeper(0, idle, NULL);
	settle_one(0);
	pid_t pid = sleeper_pid[0];
	read_stat(pid);
	EQUALS("asleep", state, 'S');
	EQUALS("its parent", field[4] == getpid(), 1);
	NEED(setpgid(pid, pid));
	read_stat(pid);
	EQUALS("its own group", field[5] == pid, 1);
	NEED(kill(pid, SIGSTOP));
	NEED(waitpid(pid, NULL, WUNTRACED));
	read_stat(pid);
	EQUALS("stopped", state, 'T');
	NEED(kill(pid, SIGKILL));
	siginfo_t info;
	NEED(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	read_stat(pid);
	EQUALS("a zombie", state, 'Z');
	EQUALS("without memory", field[23] + field[24], 0);
	EQUALS("exit_code", field[52], SIGKILL);
	no_sleepers();
}

/* As another user: what may be known of a process that is not one's own. */
static void stranger(void *argument)
{
	(void)argument;
	read_stat(getppid());
	EQUALS("ppid", field[4] > 0, 1);
	TRUE("vsize", field[23] > 0);
	EQUALS("startcode", field[26], 1);
	EQUALS("endcode", field[27], 1);
	EQUALS("startstack", field[28], 0);
	EQUALS("the addresses of data, break, arguments and environment",
	       field[45] + field[46] + field[47] + field[48] + field[49] + field[50] + field[51], 0);
	EQUALS("blocked", field[32], 0);
	EQUALS("sigcatch", field[34], 1 << (SIGUSR2 - 1));
}

int main(void)
{
	itself();
	memory();
	signals();
	states();
	in_child_as(1000, 1000, stranger, NULL);
	return done();
}
