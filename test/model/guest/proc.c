/* What a worker reads of itself in /proc: its mappings, and how much of them is there. */
#include "proc.h"
#include "model.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a file and calls `line` for each of its lines, which ends with a zero. */
static void each_line(const char *path, void (*line)(const char *text))
{
	static char text[65536];
	size_t length = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		say("%s", name_of_errno(errno));
		return;
	}
	while ((n = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)n;
	close(fd);
	text[length] = 0;
	for (char *at = text, *next; (next = strchr(at, '\n')) != NULL; at = next + 1) {
		*next = 0;
		line(at);
	}
}

/* Says a line of maps that is of interest: in the arena, or shared memory. 0: it is of none, -1: no such line. */
static int say_mapping(const char *line)
{
	unsigned long start, end, offset, inode;
	char access[8], name[64] = "";

	if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %63[^\n]", &start, &end, access, &offset, &inode, name) < 5)
		return -1;
	int attach = strncmp(name, "/SYSV", 5) == 0;
	int file = strncmp(name, "/dev/", 5) == 0 || strncmp(name, "/memfd:", 7) == 0;
	if (!attach && !file && (start < ARENA || start >= ARENA + ARENA_PAGES * PAGE))
		return 0;
	say(" [");
	say_address(start);
	say(" %lu %s", (end - start) / PAGE, access);
	if (attach)
		say(" +%lu %lu %.13s", offset / PAGE, inode, name);
	if (file)
		say(" +%lu %s", offset / PAGE, name);
	say("]");
	return 1;
}

static void maps_line(const char *line)
{
	say_mapping(line);
}

void do_maps(long *a)
{
	(void)a;
	say("maps");
	each_line("/proc/self/maps", maps_line);
}

/*
 * Lines of smaps that say something of a small mapping, in their order, and a letter for each. Not Referenced: it says how Linux would
 * choose what to reclaim.
 */
static const struct {
	const char *name;
	const char *letter;
} amounts[] = {
	{ "Rss:", "r" },	   { "Pss:", "p" },	      { "Shared_Clean:", "sc" }, { "Shared_Dirty:", "sd" },
	{ "Private_Clean:", "pc" }, { "Private_Dirty:", "pd" }, { "Anonymous:", "a" },	  { "Locked:", "l" },
};

/* The last header was of interest. */
static int interesting;

static void smaps_line(const char *line)
{
	int header = say_mapping(line);

	if (header >= 0) {
		interesting = header;
		return;
	}
	if (!interesting)
		return;
	for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
		size_t length = strlen(amounts[i].name);
		if (strncmp(line, amounts[i].name, length) != 0)
			continue;
		unsigned long kib = strtoul(line + length, NULL, 10);
		if (kib)
			say(" %s%lu", amounts[i].letter, kib);
	}
	if (strncmp(line, "VmFlags: ", 9) != 0)
		return;
	for (const char *flag = line + 9; flag[0] && flag[1]; flag += 3) {
		/* CONFIG_MEM_SOFT_DIRTY, which riscv has not. */
		if (strncmp(flag, "sd", 2) != 0)
			say(" %.2s", flag);
		if (!flag[2])
			break;
	}
}

void do_smaps(long *a)
{
	(void)a;
	interesting = 0;
	say("smaps");
	each_line("/proc/self/smaps", smaps_line);
}
