/* setgroups(2) and getgroups(2): sizes, bad groups, bad pointers, and in which order they are looked at. */
#include "shm.h"
#include <sys/syscall.h>

/* The raw calls: libc looks at its arguments. x86 has two families; the 32-bit one is what riscv has. */
#if defined(__i386__)
#define RAW_SETGROUPS 206
#define RAW_GETGROUPS 205
#else
#define RAW_SETGROUPS SYS_setgroups
#define RAW_GETGROUPS SYS_getgroups
#endif

static long set(int count, const void *groups)
{
	return syscall(RAW_SETGROUPS, count, groups);
}

static long get(int count, void *groups)
{
	return syscall(RAW_GETGROUPS, count, groups);
}

static void unprivileged(void *argument)
{
	(void)argument;
	FAILS("without privilege", set(0, NULL), EPERM);
	FAILS("without privilege, a size of -1", set(-1, NULL), EPERM);
	EQUALS("getgroups", get(0, NULL), 2);
}

int main(void)
{
	static unsigned groups[65537];
	unsigned list[4] = { 5, 1000, 7, 5 };

	WORKS("none", set(0, NULL));
	EQUALS("getgroups", get(0, NULL), 0);
	WORKS("none, a bad pointer", set(0, (void *)8));
	FAILS("a size of -1", set(-1, list), EINVAL);
	FAILS("a size of INT_MIN", set(-2147483647 - 1, list), EINVAL);
	FAILS("more than NGROUPS_MAX", set(65537, groups), EINVAL);
	FAILS("more than NGROUPS_MAX, a bad pointer", set(65537, (void *)8), EINVAL);
	FAILS("a bad pointer", set(2, (void *)8), EFAULT);
	list[1] = 0xffffffff;
	FAILS("no such group", set(2, list), EINVAL);
	EQUALS("nothing was set", get(0, NULL), 0);
	list[1] = 1000;
	WORKS("four, one of them twice", set(4, list));
	EQUALS("getgroups", get(0, NULL), 4);
	FAILS("getgroups of -1", get(-1, groups), EINVAL);
	FAILS("getgroups into too little", get(3, groups), EINVAL);
	FAILS("getgroups to a bad pointer", get(4, (void *)8), EFAULT);
	EQUALS("getgroups into more", get(100, groups), 4);
	say("in ascending order: %u %u %u %u", groups[0], groups[1], groups[2], groups[3]);
	for (int i = 0; i < 65536; i++)
		groups[i] = (unsigned)i + 1;
	WORKS("NGROUPS_MAX", set(65536, groups));
	EQUALS("getgroups", get(0, NULL), 65536);
	NEED(set(2, list));
	in_child_as(1000, 1000, unprivileged, NULL);
	return done();
}
