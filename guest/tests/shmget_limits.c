/* shmget(2): SHMMAX, SHMMIN, SHMMNI and SHMALL, changed through /proc/sys/kernel. */
#include "shm.h"

int main(void)
{
	TEXT("shmmni", read_text("/proc/sys/kernel/shmmni"), "4096");
	FAILS("one byte below the address space's end", shmget(IPC_PRIVATE, (size_t)-2, 0600), EINVAL);

	write_number("/proc/sys/kernel/shmmax", "8192");
	TEXT("shmmax as written", read_text("/proc/sys/kernel/shmmax"), "8192");
	int id = shmget(KEY, 8192, IPC_CREAT | 0600);
	WORKS("SHMMAX bytes", id);
	FAILS("one more", shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
	write_number("/proc/sys/kernel/shmmax", "4096");
	TRUE("a segment above a lowered SHMMAX is still found", shmget(KEY, 8192, 0) == id);
	FAILS("but no new one is made", shmget(IPC_PRIVATE, 8192, 0600), EINVAL);
	FAILS("not even before SHMALL is asked", shmget(IPC_PRIVATE, 4097, 0600), EINVAL);

	write_number("/proc/sys/kernel/shmmax", "65536");
	write_number("/proc/sys/kernel/shmall", "4");
	FAILS("2 pages in use of 4, 3 more", shmget(IPC_PRIVATE, 3 * PAGE, 0600), ENOSPC);
	FAILS("a byte beyond 2 more", shmget(IPC_PRIVATE, 2 * PAGE + 1, 0600), ENOSPC);
	int rest = shmget(IPC_PRIVATE, PAGE + 1, 0600);
	WORKS("2 more, rounded up", rest);
	FAILS("and none is left", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	WORKS("an existing key needs none", shmget(KEY, 1, IPC_CREAT | 0600));
	remove_segment(rest);
	rest = shmget(IPC_PRIVATE, 1, 0600);
	WORKS("a removed segment gives its pages back", rest);
	remove_segment(rest);

	write_number("/proc/sys/kernel/shmall", "1000");
	write_number("/proc/sys/kernel/shmmni", "3");
	int a = shmget(IPC_PRIVATE, 1, 0600), b = shmget(IPC_PRIVATE, 1, 0600);
	WORKS("the second of 3", a);
	WORKS("the third of 3", b);
	FAILS("the fourth of 3", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	FAILS("the fourth of 3, by key", shmget(KEY + 1, 1, IPC_CREAT | 0600), ENOSPC);
	remove_segment(a);
	WORKS("after one was removed", shmget(IPC_PRIVATE, 1, 0600));
	write_number("/proc/sys/kernel/shmmni", "2");
	remove_segment(b);
	FAILS("a lowered SHMMNI counts what is there", shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	remove_segment(id);
	WORKS("one below it", shmget(IPC_PRIVATE, 1, 0600));
	return done();
}
