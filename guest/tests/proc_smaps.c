/* /proc/self/smaps, smaps_rollup, statm and status of attaches: what is resident, shared, dirty, locked. */
#include "shm.h"
#include <sys/resource.h>

static char text[1 << 18];

static void load_file(const char *path)
{
	size_t length = 0;
	ssize_t n;
	int fd = (int)NEED(open(path, O_RDONLY));
	while ((n = NEED(read(fd, text + length, sizeof text - 1 - length))) > 0)
		length += (size_t)n;
	text[length] = 0;
	NEED(close(fd));
}

/* The smaps of the VMA at an address, in one line; fields of 0 are left out, but for Size and Rss. */
static void show(const char *name, const char *address)
{
	char start[24], line[480] = "";
	snprintf(start, sizeof start, "%08lx-", (unsigned long)address);
	load_file("/proc/self/smaps");
	char *at = strstr(text, start);
	if (at == NULL || (at != text && at[-1] != '\n')) {
		say("%s: no such VMA", name);
		return;
	}
	at = strchr(at, '\n') + 1;
	for (char *next; *at && (next = strchr(at, '\n')); at = next + 1) {
		char field[32];
		long value;
		*next = 0;
		if (strncmp(at, "VmFlags:", 8) == 0) {
			snprintf(line + strlen(line), sizeof line - strlen(line), " [%s]", at + 9);
			break;
		}
		if (sscanf(at, "%31[^:]: %ld", field, &value) != 2 || strcmp(field, "THPeligible") == 0 || strcmp(field, "ProtectionKey") == 0)
			continue;
		if (value != 0 || strcmp(field, "Size") == 0 || strcmp(field, "Rss") == 0)
			snprintf(line + strlen(line), sizeof line - strlen(line), " %s %ld", field, value);
	}
	say("%s:%s", name, line);
}

/* The names of the fields of one VMA, or of smaps_rollup, in order, with the shape of their lines. */
static void fields(const char *path)
{
	char line[500] = "";
	load_file(path);
	char *at = strchr(text, '\n') + 1, *next;
	for (; *at && (next = strchr(at, '\n')); at = next + 1) {
		char field[32], unit[8] = "";
		long value;
		*next = 0;
		int n = sscanf(at, "%31[^:]: %ld %7s", field, &value, unit);
		if (strcmp(field, "ProtectionKey") == 0)
			continue;
		snprintf(line + strlen(line), sizeof line - strlen(line), " %s", field);
		if (n == 3 && (strlen(at) != 27 || strcmp(unit, "kB") != 0))
			snprintf(line + strlen(line), sizeof line - strlen(line), "(%zu %s)", strlen(at), unit);
		if (strcmp(field, "VmFlags") == 0)
			break;
	}
	say("%s:%s", path, line);
}

/* A field of a file, in kB. */
static long field_of(const char *path, const char *name)
{
	char start[40];
	load_file(path);
	snprintf(start, sizeof start, "\n%s:", name);
	char *at = strstr(text, start);
	return at == NULL ? -1 : strtol(at + strlen(start), NULL, 10);
}

static long sum_of(const char *name)
{
	char start[40];
	long sum = 0;
	load_file("/proc/self/smaps");
	snprintf(start, sizeof start, "\n%s:", name);
	for (char *at = text; (at = strstr(at, start)) != NULL; at++)
		sum += strtol(at + strlen(start), NULL, 10);
	return sum;
}

static void child(void *p)
{
	(void)*(volatile char *)p;
	show("in a child that read one page", p);
	((volatile char *)p)[PAGE] = 1;
	show("in a child that wrote the other", p);
}

/* Another user's memory is not shown; whether, is decided at open. */
static void stranger(void *argument)
{
	static const char *const names[] = { "maps", "smaps", "smaps_rollup", "statm", "stat", "status", "limits", "cmdline", "comm" };
	(void)argument;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/%s", getppid(), names[i]);
		int fd = open(path, O_RDONLY);
		say("another user opens %s: %s", names[i], fd < 0 ? errno_name(errno) : "ok");
		snprintf(path, sizeof path, "/proc/self/%s", names[i]);
		fd = open(path, O_RDONLY);
		say("its own %s: %s", names[i], fd < 0 ? errno_name(errno) : "ok");
	}
	char target[64], path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/ipc", getppid());
	FAILS("readlink of another user's ns/ipc", readlink(path, target, sizeof target), EACCES);
	FAILS("open of another user's ns/ipc", open(path, O_RDONLY), EACCES);
}

/* The names of the lines of /proc/self/status that every architecture has. */
static void status_names(void)
{
	static const char *const known = "Name Umask State Tgid Ngid Pid PPid TracerPid Uid Gid FDSize Groups NStgid NSpid NSpgid NSsid "
					 "Kthread VmPeak VmSize VmLck VmPin VmHWM VmRSS RssAnon RssFile RssShmem VmData VmStk VmExe VmLib "
					 "VmPTE VmSwap CoreDumping Threads SigQ SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd "
					 "CapAmb NoNewPrivs voluntary_ctxt_switches nonvoluntary_ctxt_switches ";
	char line[500] = "";
	load_file("/proc/self/status");
	for (char *at = text, *next; *at && (next = strchr(at, '\n')); at = next + 1) {
		char name[40];
		*next = 0;
		snprintf(name, sizeof name, "%.*s ", (int)(strchr(at, ':') - at), at);
		if (strstr(known, name) == NULL)
			continue;
		snprintf(line + strlen(line), sizeof line - strlen(line), "%s", name);
	}
	TEXT("status", line, known);
}

static void limits(void)
{
	struct rlimit lock = { 5 * PAGE, 6 * PAGE }, core = { 0, RLIM_INFINITY };
	NEED(setrlimit(RLIMIT_MEMLOCK, &lock));
	NEED(setrlimit(RLIMIT_CORE, &core));
	load_file("/proc/self/limits");
	char *at = text, *next;
	for (; *at && (next = strchr(at, '\n')); at = next + 1) {
		*next = 0;
		if (strncmp(at, "Limit ", 6) == 0 || strncmp(at, "Max locked", 10) == 0 || strncmp(at, "Max core", 8) == 0)
			say("|%s|", at);
		else
			say("|%.26s ... %s|", at, at + 68);
	}
}

int main(void)
{
	status_names();
	in_child_as(1000, 1000, stranger, NULL);
	fields("/proc/self/smaps");
	fields("/proc/self/smaps_rollup");

	int id = new_segment(4 * PAGE, 0600);
	char *p = attach(id, NULL, 0);
	show("fresh attach", p);
	(void)*(volatile char *)p;
	show("one page read", p);
	((volatile char *)p)[PAGE] = 1;
	show("another written", p);
	char *ro = attach(id, NULL, SHM_RDONLY);
	show("a read-only attach", ro);
	(void)((volatile char *)ro)[PAGE];
	show("that reads the written page", ro);
	show("which the writer shares now", p);
	NEED(shmdt(ro));
	show("and no more", p);
	char *x = attach(id, NULL, SHM_EXEC);
	show("an executable attach", x);
	NEED(shmdt(x));
	in_child(child, p);
	show("after the child", p);
	long locked = field_of("/proc/self/status", "VmLck");
	NEED(mlock(p, 2 * PAGE));
	show("mlock of two pages, first piece", p);
	show("second piece", p + 2 * PAGE);
	EQUALS("VmLck", field_of("/proc/self/status", "VmLck") - locked, 8);
	NEED(mlock2(p, 4 * PAGE, 1));
	show("mlock2 on fault", p);
	NEED(munlock(p, 4 * PAGE));
	NEED(shmdt(p));
	int reserved = shmget(IPC_PRIVATE, 4 * PAGE, SHM_NORESERVE | 0600);
	p = attach(reserved, NULL, 0);
	show("a segment with SHM_NORESERVE", p);
	NEED(madvise(p, PAGE, MADV_DONTFORK));
	show("MADV_DONTFORK of a page", p);
	NEED(madvise(p, PAGE, MADV_SEQUENTIAL));
	show("MADV_SEQUENTIAL of a page", p);
	NEED(madvise(p, PAGE, MADV_DONTDUMP));
	show("MADV_DONTDUMP of a page", p);
	NEED(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	show("a page without access", p + 2 * PAGE);
	NEED(shmdt(p));

	/* Marks stay with the page, not with the mapping: a written page is dirty for whoever maps it next. */
	p = attach(id, NULL, SHM_RDONLY);
	(void)((volatile char *)p)[PAGE];
	show("a fresh attach reads the written page", p);
	(void)*(volatile char *)p;
	show("and the read one", p);
	NEED(shmdt(p));

	/* Sums. */
	p = attach(id, NULL, 0);
	memset(p, 1, 4 * PAGE);
	long rss = field_of("/proc/self/status", "VmRSS"), size = field_of("/proc/self/status", "VmSize");
	TRUE("smaps_rollup: Rss is the sum", field_of("/proc/self/smaps_rollup", "Rss") == sum_of("Rss"));
	TRUE("smaps_rollup: Private_Dirty is the sum", field_of("/proc/self/smaps_rollup", "Private_Dirty") == sum_of("Private_Dirty"));
	TRUE("smaps_rollup: Pss_Shmem has the segment", field_of("/proc/self/smaps_rollup", "Pss_Shmem") >= 16);
	TRUE("VmPeak and VmHWM are not below", field_of("/proc/self/status", "VmPeak") >= size &&
						       field_of("/proc/self/status", "VmHWM") >= rss);
	long shm = field_of("/proc/self/status", "RssShmem"), vm = field_of("/proc/self/status", "VmSize");
	long peak = field_of("/proc/self/status", "VmPeak");
	NEED(shmdt(p));
	EQUALS("RssShmem without the segment", field_of("/proc/self/status", "RssShmem") - shm, -16);
	EQUALS("VmSize without it", field_of("/proc/self/status", "VmSize") - vm, -16);
	TRUE("VmPeak stays", field_of("/proc/self/status", "VmPeak") == peak);
	unsigned long before[7], after[7];
	int fd = (int)NEED(open("/proc/self/statm", O_RDONLY));
	char *s = text;
	NEED(read(fd, text, sizeof text));
	for (int i = 0; i < 7; i++)
		before[i] = strtoul(s, &s, 10);
	p = attach(id, NULL, 0);
	p[0] = 1;
	NEED(lseek(fd, 0, SEEK_SET));
	memset(text, 0, 200);
	NEED(read(fd, s = text, sizeof text));
	for (int i = 0; i < 7; i++)
		after[i] = strtoul(s, &s, 10);
	say("statm: size %+ld, resident %+ld, shared %+ld, text %+ld, lib %lu, data %+ld, dt %lu", after[0] - before[0],
	    after[1] - before[1], after[2] - before[2], after[3] - before[3], after[4], after[5] - before[5], after[6]);
	NEED(shmdt(p));
	limits();
	return done();
}
