/*
 * sleepers.h: children that call something which sleeps, stepped one event at a time. After each event the parent waits until every
 * child has either returned or is asleep (state S in /proc/PID/stat), so that what is printed does not depend on timing.
 */
#ifndef SLEEPERS_H
#define SLEEPERS_H

#include "shm.h"
#include <signal.h>

#define SLEEPERS 24

struct sleeper_result { volatile int done, result, error; };
static struct sleeper_result *sleeper_results;
static pid_t sleeper_pid[SLEEPERS];

/* Starts child number i; it must come to sleep or return by itself. `argument` is copied by fork. */
static CHECK_UNUSED pid_t start_sleeper(int i, int (*body)(void *), void *argument)
{
	if (!sleeper_results) {
		sleeper_results = mmap(NULL, sizeof *sleeper_results * SLEEPERS, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		NEED(sleeper_results == MAP_FAILED ? -1 : 0);
	}
	struct sleeper_result *mine = &sleeper_results[i];
	mine->done = 0;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		errno = 0;
		mine->result = body(argument);
		mine->error = mine->result == -1 ? errno : 0;
		mine->done = 1;
		_exit(0);
	}
	return sleeper_pid[i] = pid;
}

static CHECK_UNUSED char state_of(pid_t pid)
{
	char path[40], text[256];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	if (fd == -1)
		return 'X';
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 'X';
	text[n] = 0;
	char *end = strrchr(text, ')');
	return end ? end[2] : 'X';
}

/* Waits until child i has returned, has been killed or sleeps; 1 when it has ended. */
static CHECK_UNUSED int settle_one(int i)
{
	for (;;) {
		char state = state_of(sleeper_pid[i]);
		if (state == 'Z' || state == 'X')
			return 1;
		if (state == 'S' && !sleeper_results[i].done)
			return 0;
		if (state == 'T')
			return 0;
		usleep(200);
	}
}

/* Waits for all; says who returned since the last time with what, and who sleeps. */
static CHECK_UNUSED void settled(const char *what)
{
	char line[400];
	int length = 0;

	for (int i = 0; i < SLEEPERS; i++) {
		if (!sleeper_pid[i] || !settle_one(i))
			continue;
		int status;
		NEED(waitpid(sleeper_pid[i], &status, 0));
		sleeper_pid[i] = 0;
		struct sleeper_result *r = &sleeper_results[i];
		if (!WIFEXITED(status))
			length += snprintf(line + length, sizeof line - (size_t)length, " %d killed", i);
		else if (r->result == -1)
			length += snprintf(line + length, sizeof line - (size_t)length, " %d %s", i, errno_name(r->error));
		else
			length += snprintf(line + length, sizeof line - (size_t)length, " %d=%d", i, r->result);
	}
	if (length == 0)
		length = snprintf(line, sizeof line, " nobody");
	int first = 1;
	for (int i = 0; i < SLEEPERS; i++) {
		if (!sleeper_pid[i])
			continue;
		length += snprintf(line + length, sizeof line - (size_t)length, "%s %d", first ? "; asleep" : "", i);
		first = 0;
	}
	say("%s: returned%s", what, line);
}

/* Kills who is left. */
static CHECK_UNUSED void no_sleepers(void)
{
	for (int i = 0; i < SLEEPERS; i++) {
		if (!sleeper_pid[i])
			continue;
		kill(sleeper_pid[i], SIGKILL);
		waitpid(sleeper_pid[i], NULL, 0);
		sleeper_pid[i] = 0;
	}
}

#endif
