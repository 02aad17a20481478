/*
 * A worker: carries out commands that come through its pipe and answers each with one line. Everything a worker knows
 * lies in its memory, so fork copies it and exec forgets it. What an operation does is in operations.c.
 */
#include "model.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int self;
unsigned long addresses[ADDRESSES];
int scratch[2];
const char *program;

/* Pages of it: no operation reaches beyond. */
#define WALL 64

static char reply[REPLY];
static size_t length;

static const struct {
	int error;
	const char *name;
} errors[] = {
	{ EPERM, "EPERM" },	{ ENOENT, "ENOENT" },	{ ESRCH, "ESRCH" },	{ EINTR, "EINTR" },
	{ E2BIG, "E2BIG" },	{ ENOEXEC, "ENOEXEC" }, { EBADF, "EBADF" },	{ ECHILD, "ECHILD" },
	{ EAGAIN, "EAGAIN" },	{ ENOMEM, "ENOMEM" },	{ EACCES, "EACCES" },	{ EFAULT, "EFAULT" },
	{ EBUSY, "EBUSY" },	{ EEXIST, "EEXIST" },	{ ENODEV, "ENODEV" },	{ EINVAL, "EINVAL" },	{ ENXIO, "ENXIO" },
	{ EMFILE, "EMFILE" },	{ EFBIG, "EFBIG" },	{ ENOSPC, "ENOSPC" },	{ ERANGE, "ERANGE" },
	{ ENOSYS, "ENOSYS" },	{ ENOMSG, "ENOMSG" },	{ EIDRM, "EIDRM" },	{ ETIMEDOUT, "ETIMEDOUT" },
	{ EOVERFLOW, "EOVERFLOW" }, { EOPNOTSUPP, "EOPNOTSUPP" },
};

const char *name_of_errno(int error)
{
	static char other[24];

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].error == error)
			return errors[i].name;
	snprintf(other, sizeof other, "errno %d", error);
	return other;
}

const char *name_of_signal(int signal)
{
	switch (signal) {
	case SIGKILL:
		return "SIGKILL";
	case SIGTERM:
		return "SIGTERM";
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	default:
		return "another signal";
	}
}

void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	int n = vsnprintf(reply + length, sizeof reply - 1 - length, format, list);
	va_end(list);
	length += (size_t)n;
	if (length > sizeof reply - 2)
		length = sizeof reply - 2;
}

void say_result(long result)
{
	if (result == -1)
		say("%s", name_of_errno(errno));
	else
		say("%ld", result);
}

void say_address(unsigned long address)
{
	if (address < ARENA || address > ARENA + ARENA_PAGES * PAGE) {
		say(address < 0x100000 ? "%#lx" : "somewhere", address);
		return;
	}
	say("@%lu", (address - ARENA) / PAGE);
	if (address % PAGE)
		say("+%lu", address % PAGE);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

int set_limits(void)
{
	if (write_file("/proc/sys/kernel/shmmax", "4278190079") < 0)
		return -1;
	return write_file("/proc/sys/kernel/shmall", "4278190079");
}

static void send_reply(void)
{
	if (length == 0)
		say("nothing");
	if (write(REPLY_WRITE(self), reply, length) != (ssize_t)length)
		_exit(98);
	length = 0;
}

/* Root has not this one in every container, so nobody has it here. */
static void drop_sys_resource(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		_exit(94);
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	data[0].permitted &= ~(1u << CAP_SYS_RESOURCE);
	data[0].inheritable &= ~(1u << CAP_SYS_RESOURCE);
	if (syscall(SYS_capset, &header, data) < 0)
		_exit(94);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* SIGUSR1 ends calls that sleep, SIGUSR2 lets those go on that may. */
static void handle_signals(void)
{
	const struct sigaction ending = { .sa_handler = on_signal };
	const struct sigaction restarting = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &ending, NULL);
	sigaction(SIGUSR2, &restarting, NULL);
}

/* What a worker begins with: no address, and a wall below which the kernel places what it picks a place for. */
static void forget(void)
{
	drop_sys_resource();
	handle_signals();
	if (mmap(NULL, WALL * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		_exit(95);
	for (int i = 0; i < ADDRESSES; i++)
		addresses[i] = NOWHERE;
	if (pipe2(scratch, O_NONBLOCK) < 0)
		_exit(97);
}

static _Noreturn void serve(void)
{
	struct command command;

	for (;;) {
		/* `self` changes in a forked child, which has no command to answer. */
		ssize_t n;
		do
			n = read(COMMAND_READ(self), &command, sizeof command);
		while (n < 0 && errno == EINTR);
		if (n != sizeof command)
			_exit(96);
		long arguments[ARGUMENTS];
		for (int i = 0; i < ARGUMENTS; i++) {
			int variable = command.arguments[i].variable;
			arguments[i] = command.arguments[i].value + (variable < 0 ? 0 : (long)addresses[variable]);
		}
		int who = self;
		operations[command.operation].perform(arguments);
		if (self == who)
			send_reply();
	}
}

_Noreturn void work(int worker)
{
	self = worker;
	forget();
	serve();
}

_Noreturn void work_after_exec(int worker)
{
	self = worker;
	forget();
	say("executed");
	send_reply();
	serve();
}
