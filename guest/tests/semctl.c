/* semctl(2): all commands, their errors in order, permissions. */
#include "sem.h"

static int id, other;
static unsigned short values[8];

static void as_owner(void *argument)
{
	(void)argument;
	struct semid_ds ds = sem_stat_of(id);
	union semun arg = { .buf = &ds };
	ds.sem_perm.mode = 0600;
	WORKS("the new owner sets", semctl(id, 0, IPC_SET, arg));
	WORKS("and reads", value_of(id, 0));
}

static void as_user(void *argument)
{
	struct semid_ds ds;
	union semun arg = { .buf = &ds };
	(void)argument;
	FAILS("GETVAL", value_of(id, 0), EACCES);
	FAILS("GETVAL of a number that there is not", value_of(id, 99), EACCES);
	FAILS("SETVAL", set_value(id, 0, 1), EACCES);
	FAILS("SETVAL of a number that there is not", set_value(id, 99, 1), EINVAL);
	FAILS("SETVAL of a value that cannot be", set_value(id, 0, 40000), ERANGE);
	FAILS("GETALL", get_all(id, values), EACCES);
	FAILS("SETALL", set_all(id, values), EACCES);
	FAILS("GETPID", semctl(id, 0, GETPID), EACCES);
	FAILS("GETNCNT", semctl(id, 0, GETNCNT), EACCES);
	FAILS("IPC_STAT", semctl(id, 0, IPC_STAT, arg), EACCES);
	FAILS("SEM_STAT", semctl(id % 32768, 0, SEM_STAT, arg), EACCES);
	EQUALS("SEM_STAT_ANY", semctl(id % 32768, 0, SEM_STAT_ANY, arg), id);
	FAILS("IPC_SET", semctl(id, 0, IPC_SET, arg), EPERM);
	FAILS("IPC_RMID", semctl(id, 0, IPC_RMID), EPERM);
	EQUALS("reads what others may read", value_of(other, 1), 7);
	FAILS("and does not set it", set_value(other, 1, 8), EACCES);
}

int main(void)
{
	struct semid_ds ds;
	struct seminfo info;
	union semun arg = { .buf = &ds }, about = { .info = &info };

	NEED(new_array(1, 0600));
	id = new_array(4, 0600);
	other = new_array(2, 0644);
	WORKS("SETVAL", set_value(id, 1, 9));
	EQUALS("GETVAL", value_of(id, 1), 9);
	TRUE("GETPID", semctl(id, 1, GETPID) == getpid());
	TRUE("a value set is no operation", sem_stat_of(id).sem_otime == 0);
	FAILS("SETVAL below 0", set_value(id, 1, -1), ERANGE);
	FAILS("SETVAL above SEMVMX", set_value(id, 1, 32768), ERANGE);
	WORKS("SETVAL of SEMVMX", set_value(id, 1, 32767));
	FAILS("SETVAL, a number too great", set_value(id, 4, 1), EINVAL);
	FAILS("SETVAL, a negative number", set_value(id, -1, 1), EINVAL);
	FAILS("ERANGE before the id", set_value(999, 0, -1), ERANGE);
	FAILS("GETVAL, a number too great", value_of(id, 4), EINVAL);
	FAILS("GETVAL, a negative number", value_of(id, -1), EINVAL);
	FAILS("GETZCNT, a number too great", semctl(id, 4, GETZCNT), EINVAL);
	EQUALS("GETNCNT", semctl(id, 0, GETNCNT), 0);
	EQUALS("GETZCNT", semctl(id, 0, GETZCNT), 0);

	unsigned short set[4] = { 1, 2, 3, 4 }, wrong[4] = { 9, 9, 32768, 9 };
	WORKS("SETALL", set_all(id, set));
	TEXT("values", values_text(id, 4), "1 2 3 4");
	TRUE("its pid", semctl(id, 3, GETPID) == getpid());
	FAILS("SETALL above SEMVMX", set_all(id, wrong), ERANGE);
	TEXT("changes none", values_text(id, 4), "1 2 3 4");
	FAILS("SETALL from nowhere", raw_semctl(id, 0, SETALL, (void *)8), EFAULT);
	FAILS("GETALL to nowhere", raw_semctl(id, 0, GETALL, (void *)8), EFAULT);
	WORKS("SETALL ignores the number", semctl(id, 77, SETALL, (union semun){ .array = set }));

	time_t before = time(NULL);
	ds = sem_stat_of(id);
	ds.sem_perm.uid = 1000;
	ds.sem_perm.gid = 1001;
	ds.sem_perm.mode = 07640;
	ds.sem_nsems = 99;
	WORKS("IPC_SET", semctl(id, 0, IPC_SET, arg));
	ds = sem_stat_of(id);
	EQUALS("uid", ds.sem_perm.uid, 1000);
	EQUALS("gid", ds.sem_perm.gid, 1001);
	EQUALS("cuid", ds.sem_perm.cuid, 0);
	OCTAL("mode", ds.sem_perm.mode, 0640);
	EQUALS("nsems", ds.sem_nsems, 4);
	TRUE("ctime", recent(ds.sem_ctime, before));
	in_child_as(1000, 1000, as_owner, NULL);
	ds.sem_perm.uid = (uid_t)-1;
	FAILS("IPC_SET to no user", semctl(id, 0, IPC_SET, arg), EINVAL);
	FAILS("IPC_SET from nowhere", raw_semctl(id, 0, IPC_SET, (void *)8), EFAULT);
	FAILS("EFAULT before the id", raw_semctl(999, 0, IPC_SET, (void *)8), EFAULT);
	FAILS("IPC_STAT to nowhere", raw_semctl(id, 0, IPC_STAT, (void *)8), EFAULT);
	FAILS("the id before EFAULT", raw_semctl(999, 0, IPC_STAT, (void *)8), EINVAL);
	NEED(set_value(other, 1, 7));
	in_child_as(1002, 1002, as_user, NULL);

	memset(&info, 0xff, sizeof info);
	EQUALS("IPC_INFO returns the highest index", semctl(0, 0, IPC_INFO, about), 2);
	say("semmap %d semmni %d semmns %d semmnu %d semmsl %d", info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl);
	say("semopm %d semume %d semusz %d semvmx %d semaem %d", info.semopm, info.semume, info.semusz, info.semvmx, info.semaem);
	EQUALS("SEM_INFO returns the highest index", semctl(0, 0, SEM_INFO, about), 2);
	EQUALS("arrays", info.semusz, 3);
	EQUALS("semaphores", info.semaem, 7);
	FAILS("IPC_INFO to nowhere", raw_semctl(0, 0, IPC_INFO, (void *)8), EFAULT);
	FAILS("IPC_INFO with a negative id", semctl(-1, 0, IPC_INFO, about), EINVAL);
	EQUALS("SEM_STAT", semctl(other % 32768, 0, SEM_STAT, arg), other);
	EQUALS("nsems", ds.sem_nsems, 2);
	FAILS("SEM_STAT of an unused index", semctl(3, 0, SEM_STAT, arg), EINVAL);
	FAILS("SEM_STAT_ANY of an unused index", semctl(3, 0, SEM_STAT_ANY, arg), EINVAL);
	FAILS("no such command", raw_semctl(id, 0, 77, NULL), EINVAL);
	FAILS("SHM_LOCK's number is GETPID", raw_semctl(id, 99, 11, NULL), EINVAL);
	FAILS("a negative command", syscall(SYS_semctl, id, 0, -1, NULL), EINVAL);
	FAILS("a negative id", value_of(-1, 0), EINVAL);
	FAILS("a negative id and no such command", raw_semctl(-1, 0, 77, NULL), EINVAL);
	WORKS("IPC_RMID", semctl(id, 0, IPC_RMID));
	FAILS("again", semctl(id, 0, IPC_RMID), EINVAL);
	FAILS("IPC_STAT of what is gone", semctl(id, 0, IPC_STAT, arg), EINVAL);
	NEED(semctl(0, 0, SEM_INFO, about));
	EQUALS("arrays", info.semusz, 2);
	EQUALS("semaphores", info.semaem, 3);
	return done();
}
