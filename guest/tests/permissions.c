/* ipcperms: owner, creator, group and other; who may IPC_SET, IPC_RMID; root may everything. */
#include "shm.h"
#include <grp.h>

static int id;

static void probe(void *argument)
{
	const char *who = argument;
	struct shmid_ds ds;
	struct { const char *what; long result; int error; } results[] = {
		{ "shmget 0", 0, 0 }, { "shmget r", 0, 0 }, { "shmget rw", 0, 0 },
		{ "shmat r", 0, 0 }, { "shmat rw", 0, 0 }, { "IPC_STAT", 0, 0 },
	};
	char line[200];
	int length = 0;

	errno = 0;
	results[0].result = shmget(KEY, 0, 0), results[0].error = errno, errno = 0;
	results[1].result = shmget(KEY, 0, 0444), results[1].error = errno, errno = 0;
	results[2].result = shmget(KEY, 0, 0666), results[2].error = errno, errno = 0;
	results[3].result = (long)shmat(id, NULL, SHM_RDONLY), results[3].error = errno, errno = 0;
	results[4].result = (long)shmat(id, NULL, 0), results[4].error = errno, errno = 0;
	results[5].result = shmctl(id, IPC_STAT, &ds), results[5].error = errno;
	for (int i = 0; i < 6; i++)
		length += snprintf(line + length, sizeof line - (size_t)length, "%s%s %s", i ? ", " : "", results[i].what,
				   results[i].result == -1 ? errno_name(results[i].error) : "ok");
	say("%s: %s", who, line);
}

static void owner_calls(void *argument)
{
	const char *who = argument;
	struct shmid_ds ds;

	memset(&ds, 0, sizeof ds);
	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1000;
	ds.shm_perm.mode = 0640;
	errno = 0;
	int set = shmctl(id, IPC_SET, &ds), set_error = errno;
	errno = 0;
	int lock = shmctl(id, SHM_UNLOCK, NULL), lock_error = errno;
	say("%s: IPC_SET %s, SHM_UNLOCK %s", who, set == -1 ? errno_name(set_error) : "ok",
	    lock == -1 ? errno_name(lock_error) : "ok");
}

static void remove_it(void *argument)
{
	(void)argument;
	FAILS("somebody else: IPC_RMID", shmctl(id, IPC_RMID, NULL), EPERM);
	FAILS("somebody else: IPC_RMID of a bad id", shmctl(id + 1, IPC_RMID, NULL), EINVAL);
}

static void remove_mine(void *argument)
{
	const char *who = argument;
	WORKS(who, shmctl(id, IPC_RMID, NULL));
}

static void make(void *argument)
{
	int *made = argument;
	*made = (int)NEED(shmget(KEY, PAGE, IPC_CREAT | 0600));
}

/* Sets owner and mode as root. */
static void chown_to(uid_t uid, gid_t gid, int mode)
{
	struct shmid_ds ds = stat_of(id);
	ds.shm_perm.uid = uid;
	ds.shm_perm.gid = gid;
	ds.shm_perm.mode = (unsigned short)mode;
	NEED(shmctl(id, IPC_SET, &ds));
}

static void with_mode(int mode)
{
	char text[4][40];

	chown_to(1000, 2000, mode);
	snprintf(text[0], sizeof text[0], "%03o owner", mode);
	snprintf(text[1], sizeof text[1], "%03o group", mode);
	snprintf(text[2], sizeof text[2], "%03o other", mode);
	snprintf(text[3], sizeof text[3], "%03o root", mode);
	in_child_as(1000, 1000, probe, text[0]);
	in_child_as(1001, 2000, probe, text[1]);
	in_child_as(1001, 1001, probe, text[2]);
	in_child(probe, text[3]);
}

static void supplementary(void *argument)
{
	gid_t groups[] = { 5, 2000 };
	(void)argument;
	NEED(setgroups(2, groups));
	NEED(setgid(1001));
	NEED(setuid(1001));
	probe("060 by a supplementary group");
}

static void effective(void *argument)
{
	(void)argument;
	NEED(setegid(1000));
	NEED(seteuid(1000));
	probe("600 by an effective uid");
	NEED(seteuid(0));
	NEED(setegid(0));
	probe("600 as root again");
}

int main(void)
{
	NEED(setgroups(0, NULL));
	id = (int)NEED(shmget(KEY, PAGE, IPC_CREAT | 0600));
	static const int modes[] = { 0000, 0400, 0200, 0600, 0040, 0060, 0004, 0006, 0644, 0666, 0066, 0606 };
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		with_mode(modes[i]);
	chown_to(1000, 2000, 0060);
	in_child(supplementary, NULL);
	chown_to(1000, 2000, 0600);
	in_child(effective, NULL);

	in_child_as(1001, 2000, owner_calls, "not the owner");
	in_child_as(1001, 2000, remove_it, NULL);
	in_child_as(1000, 1000, owner_calls, "the owner");
	in_child_as(1000, 1000, remove_mine, "the owner: IPC_RMID");

	/* A creator who has given the segment away keeps the creator's rights. */
	char *shared = attach(new_segment(PAGE, 0666), NULL, 0);
	in_child_as(1001, 1001, make, shared);
	id = *(int *)(void *)shared;
	chown_to(1000, 2000, 0600);
	in_child_as(1001, 1001, probe, "the creator, given away, 600");
	in_child_as(1000, 1000, probe, "the new owner, 600");
	in_child_as(1002, 1001, probe, "the creator's group, 600");
	chown_to(1000, 2000, 0060);
	in_child_as(1002, 1001, probe, "the creator's group, 060");
	in_child_as(1002, 1001, owner_calls, "the creator's group");
	in_child_as(1001, 1001, owner_calls, "the creator");
	in_child_as(1001, 1001, remove_mine, "the creator: IPC_RMID");
	return done();
}
