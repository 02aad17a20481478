/* /proc/sys/kernel/shm*, /proc/sysvipc/shm and the attach's line in /proc/self/maps. */
#include "shm.h"
#include <limits.h>

/* A row of /proc/sysvipc/shm without what differs between runs. */
static void show_rows(const char *name)
{
	char text[8192];
	snprintf(text, sizeof text, "%s", read_text("/proc/sysvipc/shm"));
	int rows = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		long key, id, size, cpid, lpid, nattch, uid, gid, cuid, cgid, atime, dtime, ctime, rss, swap;
		unsigned perms;
		if (rows++ == 0)
			continue;
		int n = sscanf(line, "%ld %ld %o %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", &key, &id, &perms,
			       &size, &cpid, &lpid, &nattch, &uid, &gid, &cuid, &cgid, &atime, &dtime, &ctime, &rss, &swap);
		say("%s: %d columns: key %ld id %ld perms %o size %ld cpid %s lpid %s nattch %ld uid %ld gid %ld cuid %ld "
		    "cgid %ld atime %s dtime %s ctime %s rss %ld swap %ld",
		    name, n, key, id, perms, size, cpid == getpid() ? "self" : "other",
		    lpid == 0 ? "0" : lpid == getpid() ? "self" : "other", nattch, uid, gid, cuid, cgid, atime ? "set" : "0",
		    dtime ? "set" : "0", ctime ? "set" : "0", rss, swap);
	}
	if (rows == 1)
		say("%s: no rows", name);
}

/* The line of /proc/self/maps that starts at an address, addresses left out. */
static void show_map(const char *name, char *address, int id)
{
	char text[16384], start[24];
	snprintf(start, sizeof start, "%08lx-", (unsigned long)address);
	snprintf(text, sizeof text, "%s", read_text("/proc/self/maps"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long from, to, offset, inode;
		unsigned major, minor;
		char perms[8], path[64];
		if (strncmp(line, start, strlen(start)) != 0)
			continue;
		int n = sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %63[^\n]", &from, &to, perms, &offset, &major, &minor, &inode, path);
		say("%s: %d fields, %lu pages, %s, offset %#lx, inode %s, %s", name, n, (to - from) / PAGE, perms, offset,
		    inode == (unsigned long)id ? "= shmid" : "other", path);
		return;
	}
	say("%s: no line FAILED", name);
	check_failures++;
}

static void as_user(void *argument)
{
	(void)argument;
	show_rows("read by another user");
	FAILS("another user opens shmmax for writing", open("/proc/sys/kernel/shmmax", O_WRONLY), EACCES);
}

int main(void)
{
	TEXT("shmmni", read_text("/proc/sys/kernel/shmmni"), "4096");
	TEXT("shm_rmid_forced", read_text("/proc/sys/kernel/shm_rmid_forced"), "0");
	TEXT("shm_next_id", read_text("/proc/sys/kernel/shm_next_id"), "-1");
	unsigned long max = ULONG_MAX - (1UL << 24);
	TRUE("shmmax is ULONG_MAX - 2^24", strtoul(read_text("/proc/sys/kernel/shmmax"), NULL, 10) == max);
	TRUE("shmall is ULONG_MAX - 2^24", strtoul(read_text("/proc/sys/kernel/shmall"), NULL, 10) == max);

	show_rows("empty");
	char header[512], words[512] = "";
	snprintf(header, sizeof header, "%s", read_text("/proc/sysvipc/shm"));
	for (char *word = strtok(header, " \n"); word; word = strtok(NULL, " \n"))
		strcat(strcat(words, word), " ");
	TEXT("header", words, "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap ");

	int id = (int)NEED(shmget(0x1234, 3 * PAGE + 1, IPC_CREAT | 0640));
	show_rows("created");
	char *p = attach(id, NULL, 0);
	show_rows("attached");
	p[0] = p[3 * PAGE] = 1;
	show_rows("two pages touched");
	show_map("writable attach", p, id);
	char *ro = attach(id, NULL, SHM_RDONLY);
	show_map("read-only attach", ro, id);
	char *x = attach(id, NULL, SHM_EXEC);
	show_map("executable attach", x, id);
	NEED(mprotect(p + PAGE, PAGE, PROT_READ));
	show_map("split, first piece", p, id);
	show_map("split, second piece", p + PAGE, id);
	show_map("split, third piece", p + 2 * PAGE, id);
	NEED(shmdt(ro));
	NEED(shmdt(x));
	show_rows("split in three");
	NEED(shmctl(id, SHM_LOCK, NULL));
	show_rows("locked");
	remove_segment(id);
	show_rows("removed but attached");
	show_map("its line after IPC_RMID", p, id);
	in_child_as(1000, 1000, as_user, NULL);
	NEED(shmdt(p));
	show_rows("destroyed");

	id = (int)NEED(shmget((key_t)0xfedcba98, 1, IPC_CREAT | 0666));
	p = attach(id, NULL, 0);
	show_rows("a key above 2^31");
	show_map("its line", p, id);
	NEED(shmdt(p));
	remove_segment(id);

	int a = new_segment(1, 0600), b = new_segment(2, 0600), c = new_segment(3, 0600);
	remove_segment(b);
	show_rows("rows by index");
	remove_segment(a);
	remove_segment(c);
	return done();
}
