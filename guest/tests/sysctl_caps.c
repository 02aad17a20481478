/* Who may write /proc/sys: the effective uid says so, not capabilities, but for the ids that objects shall have. And capabilities above 31. */
#include "shm.h"
#include <linux/capability.h>
#include <sys/syscall.h>

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

static struct __user_cap_data_struct data[2];

static void get_caps(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	NEED(syscall(SYS_capget, &head, data));
}

static void set_caps(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	NEED(syscall(SYS_capset, &head, data));
}

static void drop(int cap)
{
	get_caps();
	data[cap / 32].effective &= ~(1u << cap % 32);
	set_caps();
}

static void try(const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
	for (int flags = O_RDONLY; flags <= O_WRONLY; flags++) {
		int fd = open(path, flags);
		say("%s %s: %s", flags == O_RDONLY ? "read" : "write", name, fd < 0 ? errno_name(errno) : "ok");
		if (fd >= 0)
			NEED(close(fd));
	}
}

static void all(void)
{
	try("shmmax");
	try("sem");
	try("shm_next_id");
	try("msg_next_id");
}

static void without_override(void *unused)
{
	(void)unused;
	drop(CAP_DAC_OVERRIDE);
	all();
}

static void without_admin(void *unused)
{
	(void)unused;
	drop(CAP_SYS_ADMIN);
	say("CAP_CHECKPOINT_RESTORE alone");
	try("sem_next_id");
	drop(CAP_CHECKPOINT_RESTORE);
	say("neither");
	all();
}

static void without_restore(void *unused)
{
	(void)unused;
	drop(CAP_CHECKPOINT_RESTORE);
	say("CAP_SYS_ADMIN alone");
	try("sem_next_id");
}

static void with_override(void *unused)
{
	(void)unused;
	NEED(setresuid(1000, 1000, 0));
	get_caps();
	EQUALS("nothing is effective", (long)(data[0].effective | data[1].effective), 0);
	data[0].effective = 1u << CAP_DAC_OVERRIDE;
	set_caps();
	all();
	NEED(setresuid(-1, 0, -1));
	say("effective uid 0 again");
	try("shmmax");
}

static void by_words(void *unused)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	(void)unused;
	get_caps();
	say("the second words: effective %x permitted %x inheritable %x", data[1].effective, data[1].permitted, data[1].inheritable);
	data[1].effective = data[1].permitted = 3;
	set_caps();
	get_caps();
	say("less: effective %x permitted %x", data[1].effective, data[1].permitted);
	data[1].permitted = 7;
	FAILS("more", syscall(SYS_capset, &head, data), EPERM);
	data[1].effective = data[1].permitted = 3;
	data[1].inheritable = 0xffffffff;
	WORKS("what is no capability is left out", syscall(SYS_capset, &head, data));
	get_caps();
	say("inheritable %x", data[1].inheritable);
	head.version = _LINUX_CAPABILITY_VERSION_1;
	WORKS("one word", syscall(SYS_capset, &head, data));
	get_caps();
	say("the second words: effective %x permitted %x inheritable %x", data[1].effective, data[1].permitted, data[1].inheritable);
}

int main(void)
{
	say("root");
	all();
	say("without CAP_DAC_OVERRIDE");
	in_child(without_override, NULL);
	say("without CAP_SYS_ADMIN");
	in_child(without_admin, NULL);
	say("without CAP_CHECKPOINT_RESTORE");
	in_child(without_restore, NULL);
	say("uid 1000 with CAP_DAC_OVERRIDE");
	in_child(with_override, NULL);
	in_child(by_words, NULL);
	return done();
}
