/* The system seen from outside after each step: /proc/sysvipc, as differences to the step before. */
#include "model.h"
#include "observe.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECTS 64
#define COLUMNS 16

/* A file of /proc/sysvipc: its columns as numbers; a row is found again by its id, which is column 1. */
struct table {
	const char *path;
	int columns;
	/* The columns that are times: told is only whether they are set. */
	int first_time, times;
	int fd;
	int rows;
	unsigned long row[OBJECTS][COLUMNS];
	void (*print)(const unsigned long *row);
};

static void print_times(int count, const char *letters, const unsigned long *seconds)
{
	for (int i = 0; i < count; i++)
		putchar(seconds[i] ? letters[i] : '-');
}

static void print_owners(const unsigned long *row)
{
	printf(" owner %lu:%lu creator %lu:%lu times ", row[0], row[1], row[2], row[3]);
}

/* key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap */
static void print_segment(const unsigned long *row)
{
	printf("  | shm %lu: key %lx mode %lo size %lu by ", row[1], row[0] & 0xffffffff, row[2], row[3]);
	print_pid((pid_t)row[4]);
	printf(" last ");
	print_pid((pid_t)row[5]);
	printf(" attached %lu", row[6]);
	print_owners(row + 7);
	print_times(3, "adc", row + 11);
	printf(" resident %lu\n", row[14] / PAGE);
}

/* key semid perms nsems uid gid cuid cgid otime ctime */
static void print_set(const unsigned long *row)
{
	printf("  | sem %lu: key %lx mode %lo count %lu", row[1], row[0] & 0xffffffff, row[2], row[3]);
	print_owners(row + 4);
	print_times(2, "oc", row + 8);
	putchar('\n');
}

/* key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime */
static void print_queue(const unsigned long *row)
{
	printf("  | msg %lu: key %lx mode %lo bytes %lu messages %lu by ", row[1], row[0] & 0xffffffff, row[2], row[3],
	       row[4]);
	print_pid((pid_t)row[5]);
	printf(" and ");
	print_pid((pid_t)row[6]);
	print_owners(row + 7);
	print_times(3, "src", row + 11);
	putchar('\n');
}

static struct table tables[] = {
	{ "/proc/sysvipc/shm", 16, 11, 3, -1, 0, { { 0 } }, print_segment },
	{ "/proc/sysvipc/sem", 10, 8, 2, -1, 0, { { 0 } }, print_set },
	{ "/proc/sysvipc/msg", 14, 11, 3, -1, 0, { { 0 } }, print_queue },
};
#define TABLES ((int)(sizeof tables / sizeof tables[0]))

void start_observing(void)
{
	for (int i = 0; i < TABLES; i++) {
		if (tables[i].fd >= 0)
			close(tables[i].fd);
		tables[i].fd = open(tables[i].path, O_RDONLY | O_CLOEXEC);
		tables[i].rows = 0;
	}
}

static int read_row(char **at, const struct table *table, unsigned long *row)
{
	char *line = *at, *newline = strchr(line, '\n');

	if (newline == NULL)
		return 0;
	*at = newline + 1;
	for (int i = 0; i < table->columns; i++) {
		/* The permissions are octal. */
		row[i] = strtoul(line, &line, i == 2 ? 8 : 10);
		if (i >= table->first_time && i < table->first_time + table->times)
			row[i] = row[i] != 0;
	}
	return 1;
}

static const unsigned long *find(const struct table *table, unsigned long id)
{
	for (int i = 0; i < table->rows; i++)
		if (table->row[i][1] == id)
			return table->row[i];
	return NULL;
}

static void print_table_changes(struct table *table)
{
	static char text[16384];
	static unsigned long row[OBJECTS][COLUMNS];
	ssize_t n = table->fd < 0 ? 0 : pread(table->fd, text, sizeof text - 1, 0);
	int rows = 0;

	if (n <= 0)
		return;
	text[n] = 0;
	char *at = strchr(text, '\n') + 1;
	while (rows < OBJECTS && read_row(&at, table, row[rows])) {
		const unsigned long *before = find(table, row[rows][1]);
		if (before == NULL || memcmp(before, row[rows], (size_t)table->columns * sizeof **row) != 0)
			table->print(row[rows]);
		rows++;
	}
	for (int i = 0; i < table->rows; i++) {
		int there = 0;
		for (int j = 0; j < rows; j++)
			there |= row[j][1] == table->row[i][1];
		if (!there)
			printf("  | %s %lu is gone\n", strrchr(table->path, '/') + 1, table->row[i][1]);
	}
	memcpy(table->row, row, (size_t)rows * sizeof *row);
	table->rows = rows;
}

void print_changes(void)
{
	for (int i = 0; i < TABLES; i++)
		print_table_changes(&tables[i]);
}
