/*
 * check.h: the C tests' checks and their transcript.
 *
 * Each check prints one line, `name: result`, with nothing in it that differs between two correct kernels or
 * two word sizes: errno by name, no addresses, pids or ids. So a transcript taken on a real Linux is what any
 * other Linux has to print. A line is one write(2): forked children share the transcript without mixing lines.
 *
 * Every check also says what it expects. One that fails prints `FAILED` with both values, and the test's exit
 * status becomes 1.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_UNUSED __attribute__((unused))

/* Failed checks so far, in this process and in children run by in_child. */
static int check_failures;

/* The name of an errno value; strerrorname_np is missing in musl. */
static CHECK_UNUSED const char *errno_name(int error)
{
	static const struct { int error; const char *name; } names[] = {
		{ 0, "0" }, { EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { ESRCH, "ESRCH" }, { EINTR, "EINTR" },
		{ E2BIG, "E2BIG" }, { ENOEXEC, "ENOEXEC" }, { EBADF, "EBADF" }, { ECHILD, "ECHILD" },
		{ EAGAIN, "EAGAIN" }, { ENOMEM, "ENOMEM" }, { EACCES, "EACCES" }, { EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" }, { EEXIST, "EEXIST" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" },
		{ EINVAL, "EINVAL" }, { EMFILE, "EMFILE" }, { ENOTTY, "ENOTTY" }, { EFBIG, "EFBIG" },
		{ ENOSPC, "ENOSPC" }, { ESPIPE, "ESPIPE" }, { EROFS, "EROFS" }, { EPIPE, "EPIPE" },
		{ ERANGE, "ERANGE" }, { ENAMETOOLONG, "ENAMETOOLONG" }, { ENOSYS, "ENOSYS" },
		{ ENOTEMPTY, "ENOTEMPTY" }, { ELOOP, "ELOOP" }, { EIDRM, "EIDRM" }, { ETIMEDOUT, "ETIMEDOUT" },
		{ EOVERFLOW, "EOVERFLOW" }, { ENOMSG, "ENOMSG" }, { EOPNOTSUPP, "EOPNOTSUPP" }, { ENXIO, "ENXIO" }, { ENODEV, "ENODEV" },
		{ EXDEV, "EXDEV" }, { EDEADLK, "EDEADLK" }, { EOWNERDEAD, "EOWNERDEAD" },
		{ ENOTRECOVERABLE, "ENOTRECOVERABLE" },
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error)
			return names[i].name;
	return "another errno";
}

/* One line of the transcript, by one write. */
static CHECK_UNUSED __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	if (n < 0 || n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(99);
}

static CHECK_UNUSED void check_fail(void)
{
	check_failures++;
}

static CHECK_UNUSED void check_call(const char *name, long result, int error, int expected)
{
	const char *got = result == -1 ? errno_name(error) : "ok";
	const char *want = expected ? errno_name(expected) : "ok";

	if (strcmp(got, want) == 0) {
		say(result == -1 ? "%s: -1 %s" : "%s: %s", name, got);
	} else {
		say("%s: %s FAILED, expected %s", name, got, want);
		check_fail();
	}
}

static CHECK_UNUSED void check_value(const char *name, long long got, long long expected, const char *format)
{
	char a[40], b[40];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(a, sizeof a, format, got);
	snprintf(b, sizeof b, format, expected);
#pragma GCC diagnostic pop
	if (got == expected) {
		say("%s: %s", name, a);
	} else {
		say("%s: %s FAILED, expected %s", name, a, b);
		check_fail();
	}
}

static CHECK_UNUSED void check_text(const char *name, const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0) {
		say("%s: %s", name, got);
	} else {
		say("%s: %s FAILED, expected %s", name, got, expected);
		check_fail();
	}
}

static CHECK_UNUSED void check_true(const char *name, int condition)
{
	say("%s: %s", name, condition ? "yes" : "no FAILED");
	if (!condition)
		check_fail();
}

/* A call that answers -1 with this errno. */
#define FAILS(name, call, error) \
	do { errno = 0; long check_r_ = (long)(call); check_call(name, check_r_, errno, error); } while (0)
/* A call that succeeds; prints "ok", not the value. */
#define WORKS(name, call) FAILS(name, call, 0)
/* A decimal value. */
#define EQUALS(name, got, expected) check_value(name, (long long)(got), (long long)(expected), "%lld")
/* A value shown in octal: modes. */
#define OCTAL(name, got, expected) check_value(name, (long long)(got), (long long)(expected), "%#llo")
/* A condition. */
#define TRUE(name, condition) check_true(name, !!(condition))
/* A string. */
#define TEXT(name, got, expected) check_text(name, got, expected)

/* Ends the test with a message when its own preparation fails. The value of the call. */
#define NEED(call) check_need((long)(call), #call)
static CHECK_UNUSED long check_need(long result, const char *text)
{
	if (result == -1) {
		say("cannot go on: %s: %s", text, errno_name(errno));
		_exit(2);
	}
	return result;
}

/* Runs a function in a forked child and waits. Returns the wait(2) status; failed checks of the child count. */
static CHECK_UNUSED int in_child(void (*body)(void *), void *argument)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());

	if (pid == 0) {
		check_failures = 0;
		body(argument);
		_exit(check_failures ? 1 : 0);
	}
	NEED(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		check_fail();
	return status;
}

/* As in_child, as another user, without any privilege. */
struct check_as { uid_t uid; gid_t gid; void (*body)(void *); void *argument; };
static CHECK_UNUSED void check_become(void *argument)
{
	struct check_as *as = argument;

	NEED(setgid(as->gid));
	NEED(setuid(as->uid));
	as->body(as->argument);
}
static CHECK_UNUSED void in_child_as(uid_t uid, gid_t gid, void (*body)(void *), void *argument)
{
	struct check_as as = { uid, gid, body, argument };
	in_child(check_become, &as);
}

/* What a forked child meets that reads or writes one byte: 0, or the signal that kills it. */
static CHECK_UNUSED int touch(volatile char *address, int write)
{
	int status;
	pid_t pid = (pid_t)NEED(fork());

	if (pid == 0) {
		if (write)
			*address = 1;
		else
			(void)*address;
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
static CHECK_UNUSED const char *touch_name(int signal)
{
	return signal == 0 ? "ok" : signal == 11 ? "SIGSEGV" : signal == 7 ? "SIGBUS" : "another signal";
}
#define READING(name, address, expected) check_text(name, touch_name(touch((char *)(address), 0)), expected)
#define WRITING(name, address, expected) check_text(name, touch_name(touch((char *)(address), 1)), expected)

/* The last line of a test and its exit status. */
static CHECK_UNUSED int done(void)
{
	say(check_failures ? "%d checks failed" : "all checks hold", check_failures);
	return check_failures ? 1 : 0;
}

#endif
