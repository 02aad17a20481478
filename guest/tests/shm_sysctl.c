/* /proc/sys/kernel/shm*: how numbers are parsed, which are refused, who may write. */
#include "shm.h"
#include <sys/stat.h>

/* One write(2) of a text to an open file; its result or errno. */
static const char *put_at(const char *name, const char *text, size_t size, off_t offset)
{
	static char answer[64];
	char path[64];
	snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
	int fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno_name(errno);
	NEED(lseek(fd, offset, SEEK_SET));
	ssize_t n = write(fd, text, size);
	if (n < 0)
		snprintf(answer, sizeof answer, "%s", errno_name(errno));
	else
		snprintf(answer, sizeof answer, "%zd of %zu", n, size);
	NEED(close(fd));
	return answer;
}

static const char *get(const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
	return read_text(path);
}

/* Writes, and says what came of it. */
static void put(const char *name, const char *text)
{
	char shown[64], quoted[64], *q = quoted;
	for (const char *s = text; *s && q < quoted + 60; s++) {
		if (*s == '\n') {
			*q++ = '\\';
			*q++ = 'n';
		} else if (*s == '\t') {
			*q++ = '\\';
			*q++ = 't';
		} else {
			*q++ = *s;
		}
	}
	*q = 0;
	snprintf(shown, sizeof shown, "%s", put_at(name, text, strlen(text), 0));
	say("%s \"%s\": %s, now %s", name, quoted, shown, get(name));
}

static void modes(void)
{
	static const char *const names[] = { "shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		struct stat st;
		snprintf(path, sizeof path, "/proc/sys/kernel/%s", names[i]);
		NEED(stat(path, &st));
		say("%s: mode %o, uid %d, size %lld", names[i], st.st_mode, (int)st.st_uid, (long long)st.st_size);
	}
}

static void as_user(void *argument)
{
	static const char *const names[] = { "shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id" };
	(void)argument;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		say("a user writes %s: %s, reads %s", names[i], put_at(names[i], "1", 1, 0), strlen(get(names[i])) ? "it" : "nothing");
}

int main(void)
{
	modes();
	static const char *const texts[] = {
		"4096", "4097\n", "  4098", "\t4099 ", "4100 junk", "4101\n4102", "0x1010", "0X1011", "010030", "+4104", "-1", "-0", "- 1",
		"", "\n", "   ", "junk", "4105x", "4106,", "4107 4108", "1e3", "0x", "12345", "0",
	};
	static const char *const ulongs[] = { "shmmax", "shmall" };
	static const char *const ints[] = { "shmmni", "shm_rmid_forced", "shm_next_id" };
	for (size_t f = 0; f < 2; f++)
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			put(ulongs[f], texts[i]);
	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			put(ints[f], texts[i]);
	put("shmmni", "32768");
	put("shmmni", "32769");
	put("shmmni", "2147483648");
	put("shmmni", "4294967296");
	put("shmmni", "99999999999999999999");
	put("shm_rmid_forced", "1");
	put("shm_rmid_forced", "2");
	put("shm_rmid_forced", "-1");
	put("shm_rmid_forced", "0");
	put("shm_next_id", "2147483647");
	put("shm_next_id", "2147483648");
	put("shm_next_id", "-2");
	put("shm_next_id", "-1");

	/* Parts, offsets, zero bytes. */
	put("shmmax", "8192");
	say("at offset 1: %s, now %s", put_at("shmmax", "77", 2, 1), get("shmmax"));
	say("no bytes: %s, now %s", put_at("shmmax", "77", 0, 0), get("shmmax"));
	say("a zero byte behind: %s, now %s", put_at("shmmax", "78\0", 3, 0), get("shmmax"));
	say("a zero byte before: %s, now %s", put_at("shmmax", "\0" "79", 3, 0), get("shmmax"));
	int fd = (int)NEED(open("/proc/sys/kernel/shmmax", O_RDWR));
	char text[32];
	EQUALS("write", write(fd, "8193", 4), 4);
	EQUALS("a second write to the same file", write(fd, "9", 1), 1);
	TEXT("is ignored", get("shmmax"), "8193");
	EQUALS("a read behind it", read(fd, text, sizeof text), 0);
	NEED(lseek(fd, 0, SEEK_SET));
	EQUALS("two bytes", read(fd, text, 2), 2);
	EQUALS("and the rest, which is not read in parts", read(fd, text, 30), 0);
	NEED(lseek(fd, 1, SEEK_SET));
	EQUALS("nor from offset 1", read(fd, text, 30), 0);
	FAILS("write from a bad address", write(fd, (char *)1, 4), EFAULT);
	NEED(close(fd));
	FAILS("O_RDWR|O_TRUNC", (fd = open("/proc/sys/kernel/shmmax", O_RDWR | O_TRUNC)) < 0 ? -1 : 0, 0);
	NEED(close(fd));
	TEXT("truncation changes nothing", get("shmmax"), "8193");
	in_child_as(1000, 1000, as_user, NULL);

	/* Limits that were lowered below what is in use. */
	put("shmmax", "1048576");
	put("shmall", "1000");
	int id = new_segment(10 * PAGE, 0600), other = new_segment(PAGE, 0600);
	put("shmall", "1");
	put("shmmni", "1");
	put("shmmax", "1");
	char *p = attach(id, NULL, 0);
	TRUE("a segment above all limits can be used", p[9 * PAGE] == 0);
	FAILS("no new one: the size", shmget(IPC_PRIVATE, 2, 0600), EINVAL);
	FAILS("no new one: the pages", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	put("shmall", "1000");
	FAILS("no new one: the number", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	put("shmmax", "0");
	FAILS("no size fits a shmmax of 0", shmget(IPC_PRIVATE, 1, 0600), EINVAL);
	put("shmmax", "4096");
	put("shmmni", "3");
	int third = shmget(IPC_PRIVATE, 1, 0600);
	WORKS("a third", third);
	put("shmall", "0");
	FAILS("a shmall of 0", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	remove_segment(id);
	remove_segment(other);
	remove_segment(third);
	return done();
}
