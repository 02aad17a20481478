/* semget(2): creation, lookup, permissions, limits, identifiers. */
#include "sem.h"

static int id;

static void as_user(void *argument)
{
	(void)argument;
	EQUALS("a user finds it when he asks for nothing", semget(KEY, 0, 0), id);
	EQUALS("a user asks for what group and others may", semget(KEY, 0, 0044), id);
	FAILS("a user asks for writing", semget(KEY, 0, 0222), EACCES);
	FAILS("the number comes before the permission", semget(KEY, 6, 0222), EINVAL);
	FAILS("EEXIST before the permission", semget(KEY, 0, IPC_CREAT | IPC_EXCL | 0666), EEXIST);
}

int main(void)
{
	FAILS("no key, no IPC_CREAT", semget(KEY, 1, 0), ENOENT);
	FAILS("none", semget(KEY, 0, IPC_CREAT | 0600), EINVAL);
	FAILS("a negative number", semget(KEY, -1, IPC_CREAT | 0600), EINVAL);
	FAILS("a negative number, without IPC_CREAT", semget(KEY, -1, 0), EINVAL);
	FAILS("more than SEMMSL", semget(KEY, 32001, IPC_CREAT | 0600), EINVAL);
	WORKS("SEMMSL of them", id = semget(KEY, 32000, IPC_CREAT | 0600));
	EQUALS("the last is 0", value_of(id, 31999), 0);
	remove_array(id);
	WORKS("created", id = semget(KEY, 5, IPC_CREAT | IPC_EXCL | 0644));
	EQUALS("found", semget(KEY, 5, 0), id);
	EQUALS("fewer", semget(KEY, 1, 0), id);
	EQUALS("none of an existing one", semget(KEY, 0, IPC_CREAT), id);
	FAILS("more than there are", semget(KEY, 6, 0), EINVAL);
	FAILS("IPC_EXCL", semget(KEY, 6, IPC_CREAT | IPC_EXCL), EEXIST);
	EQUALS("IPC_EXCL alone", semget(KEY, 5, IPC_EXCL), id);
	TRUE("IPC_PRIVATE is always new", new_array(1, 0600) != id);
	TEXT("new ones are 0", values_text(id, 5), "0 0 0 0 0");
	EQUALS("nobody operated", semctl(id, 0, GETPID), 0);

	struct semid_ds ds = sem_stat_of(id);
	OCTAL("mode", ds.sem_perm.mode, 0644);
	EQUALS("nsems", ds.sem_nsems, 5);
	EQUALS("otime", ds.sem_otime, 0);
	TRUE("ctime", recent(ds.sem_ctime, time(NULL) - 5));
	EQUALS("key", ds.sem_perm.__ipc_perm_key, KEY);
	in_child_as(1000, 1000, as_user, NULL);
	remove_array(id);
	FAILS("removed", semget(KEY, 0, 0), ENOENT);
	FAILS("its id", value_of(id, 0), EINVAL);

	/* SEMMSL, SEMMNS, SEMOPM, SEMMNI. */
	int arrays[8];
	write_number("/proc/sys/kernel/sem", "4 10 3 4");
	FAILS("a lowered SEMMSL", semget(IPC_PRIVATE, 5, 0600), EINVAL);
	WORKS("up to it", arrays[0] = semget(IPC_PRIVATE, 4, 0600));
	WORKS("a second one", arrays[1] = semget(IPC_PRIVATE, 4, 0600));
	FAILS("SEMMNS", semget(IPC_PRIVATE, 2, 0600), ENOSPC);
	WORKS("one more is possible", arrays[2] = semget(IPC_PRIVATE, 1, 0600));
	FAILS("SEMMNS again", semget(IPC_PRIVATE, 1, 0600), ENOSPC);
	remove_array(arrays[0]);
	write_number("/proc/sys/kernel/sem", "4 10 3 2");
	FAILS("SEMMNI", semget(IPC_PRIVATE, 1, 0600), ENOSPC);
	write_number("/proc/sys/kernel/sem", "4 10 3 4");
	WORKS("SEMMNI raised", arrays[0] = semget(IPC_PRIVATE, 1, 0600));
	struct sembuf sops[4] = { { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 }, { 3, 1, 0 } };
	FAILS("SEMOPM", semop(arrays[1], sops, 4), E2BIG);
	WORKS("up to SEMOPM", semop(arrays[1], sops, 3));
	write_number("/proc/sys/kernel/sem", "4 10 4");
	WORKS("SEMOPM raised", semop(arrays[1], sops, 4));
	TEXT("values", values_text(arrays[1], 4), "2 2 2 1");
	return done();
}
