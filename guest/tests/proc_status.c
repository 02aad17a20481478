/* /proc/PID/status: who a process is, what it may, what it waits with; field by field, as proc(5) names them. */
#include "sleepers.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *text;

static void load(pid_t pid)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	text = read_text(path);
}

/* What stands behind the name of a field, tabs as blanks; "-" when there is none. */
static const char *field(const char *name)
{
	static char value[200];
	char start[40];
	snprintf(start, sizeof start, "\n%s:\t", name);
	const char *at = strncmp(text, start + 1, strlen(start + 1)) == 0 ? text - 1 : strstr(text, start);
	if (at == NULL)
		return "-";
	at += strlen(start);
	size_t n = strcspn(at, "\n");
	snprintf(value, sizeof value, "%.*s", (int)n, at);
	for (char *c = value; *c; c++)
		if (*c == '\t')
			*c = ' ';
	return value;
}

static void show(const char *when, const char *name)
{
	say("%s: %s is %s", when, name, field(name));
}

static long kib(const char *name)
{
	return strtol(field(name), NULL, 10);
}

/* The fields that this kernel has, in their order. */
static void order(void)
{
	static const char *const names[] = {
		"Name", "Umask", "State", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "Uid", "Gid", "FDSize", "Groups", "NStgid",
		"NSpid", "NSpgid", "NSsid", "VmPeak", "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile",
		"RssShmem", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap", "Threads", "SigQ", "SigPnd", "ShdPnd",
		"SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "NoNewPrivs", "voluntary_ctxt_switches",
		"nonvoluntary_ctxt_switches",
	};
	int wrong = 0;

	load(getpid());
	const char *last = text;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char start[40];
		snprintf(start, sizeof start, "%s%s:\t", i ? "\n" : "", names[i]);
		const char *at = strstr(last, start);
		if (at == NULL) {
			say("%s is missing or out of order", names[i]);
			wrong++;
		} else {
			last = at;
		}
	}
	EQUALS("fields that are missing or out of order", wrong, 0);
}

static void names(void)
{
	NEED(prctl(PR_SET_NAME, "a\nb\\c d"));
	load(getpid());
	check_text("a name with a newline and a backslash", field("Name"), "a\\nb\\\\c d");
	umask(027);
	load(getpid());
	show("umask 027", "Umask");
	show("itself", "State");
	show("itself", "Threads");
	show("itself", "TracerPid");
	EQUALS("Pid", kib("Pid") == getpid(), 1);
	EQUALS("Tgid", kib("Tgid") == getpid(), 1);
	EQUALS("PPid", kib("PPid") == getppid(), 1);
	EQUALS("NSpid", kib("NSpid") == getpid(), 1);
	EQUALS("NSpgid", kib("NSpgid") == getpgrp(), 1);
	EQUALS("NSsid", kib("NSsid") == getsid(0), 1);
}

static void credentials(void *argument)
{
	const gid_t groups[3] = { 7, 1000, 5 };

	(void)argument;
	NEED(setgroups(3, groups));
	NEED(setresgid(1001, 1002, 1003));
	NEED(setresuid(1004, 1005, 1006));
	load(getpid());
	show("after setresuid", "Uid");
	show("after setresgid", "Gid");
	show("after setgroups", "Groups");
	show("after setresuid", "CapPrm");
	show("after setresuid", "CapEff");
	show("after setresuid", "CapInh");
	show("before", "NoNewPrivs");
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	load(getpid());
	show("after prctl", "NoNewPrivs");
}

static void handler(int signal)
{
	(void)signal;
}

static void signals(void)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(40, SIG_IGN);
	signal(SIGUSR1, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, 50);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL));
	NEED(raise(SIGTERM));
	NEED(kill(getpid(), SIGUSR2));
	NEED(kill(getpid(), 50));
	load(getpid());
	show("to the thread", "SigPnd");
	show("to the process", "ShdPnd");
	show("blocked", "SigBlk");
	show("ignored", "SigIgn");
	show("caught", "SigCgt");
	TRUE("SigQ counts what is queued", kib("SigQ") >= 3);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(50, SIG_IGN);
	NEED(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void memory(void)
{
	load(getpid());
	long size = kib("VmSize"), data = kib("VmData"), locked = kib("VmLck");
	char *p = mmap(NULL, 50 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = new_segment(10 * PAGE, 0600);
	char *s = shmat(id, NULL, 0);
	remove_segment(id);
	NEED(mlock(p, 3 * PAGE));
	NEED(mlock(s, 2 * PAGE));
	load(getpid());
	EQUALS("VmSize grows by", kib("VmSize") - size, 60 * 4);
	EQUALS("VmData by private memory", kib("VmData") - data, 50 * 4);
	EQUALS("VmLck", kib("VmLck") - locked, 5 * 4);
	TRUE("VmPeak", kib("VmPeak") >= kib("VmSize"));
	NEED(munmap(p, 50 * PAGE));
	NEED(shmdt(s));
	load(getpid());
	EQUALS("VmSize is as it was", kib("VmSize") == size, 1);
	TRUE("VmPeak stays", kib("VmPeak") >= size + 60 * 4);
	EQUALS("VmLck is as it was", kib("VmLck") == locked, 1);
}

static int idle(void *argument)
{
	(void)argument;
	return pause();
}

static void states(void)
{
	start_sleeper(0, idle, NULL);
	settle_one(0);
	pid_t pid = sleeper_pid[0];
	load(pid);
	show("in pause", "State");
	NEED(kill(pid, SIGSTOP));
	NEED(waitpid(pid, NULL, WUNTRACED));
	load(pid);
	show("stopped", "State");
	NEED(kill(pid, SIGKILL));
	siginfo_t info;
	NEED(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	load(pid);
	show("killed", "State");
	show("without memory", "VmSize");
	no_sleepers();
}

int main(void)
{
	order();
	names();
	in_child(credentials, NULL);
	signals();
	memory();
	states();
	return done();
}
