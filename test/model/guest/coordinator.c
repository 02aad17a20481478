/*
 * The coordinator: reads sequences, steps the workers, prints what happened.
 *
 * A sequence is a line "sequence", a line for each step, `worker operation arguments...`, and a line "end". Arguments are
 * numbers (decimal, 0octal, 0xhex), s2, e2, q2 (the id in a variable: ids[2], ids[6], ids[10]), p1 (the pid of worker 1), @5 or @5+16 (page 5 of the
 * arena, a byte of it), a3 or a3+4096 (address variable 3 of the worker, a byte after it).
 *
 * Each step prints one line with its answer, then lines with `|` for what it changed in /proc/sysvipc; at the end stands
 * a line "end". Each sequence has an ipc namespace of its own.
 */
#include "model.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "observe.h"
#include "posix.h"

static struct {
	pid_t pid; /* 0: not there */
	int asleep;
} workers[WORKERS];

/* Every pid that was a worker in this sequence, and which. */
static struct {
	pid_t pid;
	int worker;
} named[256];
static int names;

/* The identifiers that get calls have returned: variables s0..s3 (segments), e0..e3 (semaphores), q0..q3 (queues). */
static int ids[IDS];

static _Noreturn void give_up(const char *what)
{
	printf("driver: %s: %s\n", what, name_of_errno(errno));
	exit(3);
}

static void name_worker(int worker, pid_t pid)
{
	workers[worker].pid = pid;
	workers[worker].asleep = 0;
	if (names < (int)(sizeof named / sizeof named[0])) {
		named[names].pid = pid;
		named[names++].worker = worker;
	}
}

/* Prints which worker has or had a pid; "?" is a child of a worker. */
void print_pid(pid_t pid)
{
	if (pid == 0) {
		fputs("-", stdout);
		return;
	}
	for (int i = names - 1; i >= 0; i--) {
		if (named[i].pid == pid) {
			printf("w%d", named[i].worker);
			return;
		}
	}
	fputs(pid == getpid() ? "coordinator" : "?", stdout);
}

/* Prints a reply; $123 in it is a pid. */
static void print_reply(const char *text)
{
	while (*text) {
		if (*text == '$')
			print_pid((pid_t)strtol(text + 1, (char **)&text, 10));
		else
			putchar(*text++);
	}
}

static void print_death(int status)
{
	if (WIFSIGNALED(status))
		printf("killed by %s", name_of_signal(WTERMSIG(status)));
	else
		printf("exits with %d", WEXITSTATUS(status));
}

/* Takes a worker's reply, when there is one; a reply comes in one piece. */
static int take_reply(int worker, char *reply, int wait)
{
	struct pollfd fd = { REPLY_READ(worker), POLLIN, 0 };

	if (!wait && poll(&fd, 1, 0) != 1)
		return 0;
	ssize_t n = read(REPLY_READ(worker), reply, REPLY - 1);
	if (n <= 0)
		give_up("a reply");
	reply[n] = 0;
	return 1;
}

/* Is the worker asleep in a system call? Its state is S, and it has said nothing: then it does not wait for commands. */
static int sleeps(pid_t pid)
{
	char path[40], text[256];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	const char *state = strrchr(text, ')');
	return state != NULL && state[2] == 'S';
}

enum outcome { REPLIED, DIED, ASLEEP };

/* Waits until the worker has replied, is dead, or sleeps in its call. */
static enum outcome settle(int worker, char *reply, int *status)
{
	pid_t pid = workers[worker].pid;

	for (;;) {
		int asleep = sleeps(pid);
		if (take_reply(worker, reply, 0))
			return REPLIED;
		if (asleep)
			return ASLEEP;
		if (waitpid(pid, status, WNOHANG) == pid) {
			/* Its last words may have come in between. */
			return take_reply(worker, reply, 0) ? REPLIED : DIED;
		}
		sched_yield();
	}
}

static void reap(int worker)
{
	int status;

	if (waitpid(workers[worker].pid, &status, 0) != workers[worker].pid)
		give_up("waitpid");
	printf("  w%d ", worker);
	print_death(status);
	putchar('\n');
	workers[worker].pid = 0;
	workers[worker].asleep = 0;
}

static struct argument parse_argument(const char *text)
{
	struct argument argument = { -1, 0 };
	char *end;
	long offset = 0;

	switch (*text) {
	case 's':
	case 'e':
	case 'q':
		argument.value = ids[atoi(text + 1) % 4 + (*text == 's' ? 0 : *text == 'e' ? 4 : 8)];
		return argument;
	case 'p': {
		pid_t pid = workers[atoi(text + 1) % WORKERS].pid;
		argument.value = pid ? pid : 0x3fffff;
		return argument;
	}
	case '@':
	case 'a':
		argument.value = strtol(text + 1, &end, 10);
		if (*end == '+')
			offset = (long)strtoul(end + 1, NULL, 0);
		if (*text == 'a') {
			argument.variable = (int)argument.value % ADDRESSES;
			argument.value = offset;
		} else {
			argument.value = (long)(ARENA + (unsigned long)argument.value * PAGE + (unsigned long)offset);
		}
		return argument;
	default:
		argument.value = *text == '-' ? strtol(text, NULL, 0) : (long)strtoul(text, NULL, 0);
		return argument;
	}
}

static int find_operation(const char *name)
{
	for (int i = 0; operations[i].name; i++)
		if (strcmp(operations[i].name, name) == 0)
			return i;
	printf("driver: no operation is named %s\n", name);
	exit(3);
}

/* What the coordinator does about an answer beyond printing it. */
static void follow(const struct command *command, const char *reply)
{
	int traits = operations[command->operation].traits;
	const struct argument *arguments = command->arguments;
	long result = strtol(reply, NULL, 10);

	if (reply[0] < '0' || reply[0] > '9')
		return;
	if (traits & MAKES_ID)
		ids[arguments[0].value % IDS] = (int)result;
	if (traits & FORKS)
		name_worker((int)arguments[0].value, (pid_t)result);
	if ((traits & KILLS) && (arguments[1].value == SIGKILL || arguments[1].value == SIGTERM))
		for (int i = 0; i < WORKERS; i++)
			if (workers[i].pid != 0 && workers[i].pid == arguments[0].value)
				reap(i);
}

/* What a sleeper that this step has woken has to say. */
static struct {
	enum outcome outcome;
	char reply[REPLY];
	int status;
} woken[WORKERS];

/*
 * Hears what sleepers that this step has woken have to say, until everybody sleeps: one of them may have woken another. Prints it
 * by worker, whoever was faster.
 */
static void hear_sleepers(void)
{
	int quiet = 0;

	for (int i = 0; i < WORKERS; i++)
		woken[i].outcome = ASLEEP;
	while (!quiet) {
		quiet = 1;
		for (int i = 0; i < WORKERS; i++) {
			if (!workers[i].asleep)
				continue;
			woken[i].outcome = settle(i, woken[i].reply, &woken[i].status);
			if (woken[i].outcome == ASLEEP)
				continue;
			workers[i].asleep = 0;
			if (woken[i].outcome == DIED)
				workers[i].pid = 0;
			quiet = 0;
		}
	}
	for (int i = 0; i < WORKERS; i++) {
		if (woken[i].outcome == ASLEEP)
			continue;
		printf("  w%d wakes: ", i);
		if (woken[i].outcome == REPLIED)
			print_reply(woken[i].reply);
		else
			print_death(woken[i].status);
		putchar('\n');
	}
}

static void run_command(int worker, const struct command *command)
{
	int traits = operations[command->operation].traits;
	enum outcome outcome = REPLIED;
	char reply[REPLY];
	int status;

	if (write(COMMAND_WRITE(worker), command, sizeof *command) != sizeof *command)
		give_up("a command");
	if (traits & (MAY_DIE | MAY_SLEEP | KILLS))
		outcome = settle(worker, reply, &status);
	else
		take_reply(worker, reply, 1);
	switch (outcome) {
	case REPLIED:
		/* The pid of a child is not for print. */
		if ((traits & FORKS) && reply[0] >= '0' && reply[0] <= '9')
			fputs("ok", stdout);
		else
			print_reply(reply);
		putchar('\n');
		follow(command, reply);
		break;
	case DIED:
		print_death(status);
		putchar('\n');
		workers[worker].pid = 0;
		break;
	case ASLEEP:
		puts("asleep");
		workers[worker].asleep = 1;
		break;
	}
	hear_sleepers();
	print_changes();
}

static void step(char *line)
{
	struct command command = { 0 };
	char *save;
	int worker = atoi(strtok_r(line, " ", &save));
	const char *name = strtok_r(NULL, " ", &save);

	if (worker < 0 || worker >= WORKERS || name == NULL)
		give_up("not a step");
	command.operation = find_operation(name);
	for (int i = 0; i < ARGUMENTS; i++) {
		const char *word = strtok_r(NULL, " ", &save);
		if (word == NULL)
			break;
		command.arguments[i] = parse_argument(word);
	}
	long target = command.arguments[0].value;
	if (workers[worker].pid == 0)
		puts("no such worker");
	else if (workers[worker].asleep)
		puts("is asleep");
	else if ((operations[command.operation].traits & FORKS) && (target >= WORKERS || workers[target].pid != 0))
		puts("is there already");
	else
		run_command(worker, &command);
}

static void begin(void)
{
	const struct rlimit memlock = { 65536, 65536 };
	static int before;

	if (unshare(CLONE_NEWIPC) < 0 && before++)
		give_up("unshare");
	if (set_limits() < 0 || setrlimit(RLIMIT_MEMLOCK, &memlock) < 0)
		give_up("limits");
	start_observing();
	memset(workers, 0, sizeof workers);
	names = 0;
	for (int i = 0; i < IDS; i++)
		ids[i] = -1;
	pid_t pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0)
		work(0);
	name_worker(0, pid);
}

/*
 * Empties the pipes of the dead: the end of one worker may wake another, whose answer nobody hears and the next sequence would
 * take for its own.
 */
static void drain(int fd)
{
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	char bytes[REPLY];

	while (poll(&poll_fd, 1, 0) == 1)
		if (read(fd, bytes, sizeof bytes) <= 0)
			give_up("drain");
}

static void end(void)
{
	for (int i = 0; i < WORKERS; i++) {
		if (workers[i].pid == 0)
			continue;
		kill(workers[i].pid, SIGKILL);
		if (waitpid(workers[i].pid, NULL, 0) != workers[i].pid)
			give_up("waitpid");
		workers[i].pid = 0;
	}
	for (int i = 0; i < WORKERS; i++) {
		drain(COMMAND_READ(i));
		drain(REPLY_READ(i));
	}
	remove_names();
	print_changes();
	puts("end");
}

/* Pipes that every worker inherits, at numbers that an executed worker knows. */
static void make_pipe(int reading, int writing)
{
	int fds[2];

	if (pipe(fds) < 0 || dup2(fds[0], reading) < 0 || dup2(fds[1], writing) < 0)
		give_up("pipe");
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	static char line[512];

	program = argv[0];
	if (argc > 1)
		work_after_exec(atoi(argv[1]));
	/* Sticky, it would answer as fs.protected_regular says. */
	if (chmod("/dev/shm", 0777) < 0)
		give_up("chmod");
	umask(022);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (setgroups(0, NULL) < 0)
		give_up("setgroups");
	for (int i = 0; i < WORKERS; i++) {
		make_pipe(COMMAND_READ(i), COMMAND_WRITE(i));
		make_pipe(REPLY_READ(i), REPLY_WRITE(i));
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, "sequence") == 0)
			begin();
		else if (strcmp(line, "end") == 0)
			end();
		else
			step(line);
	}
	return 0;
}
