/* /proc/sysvipc/sem and /proc/sys/kernel/{sem,sem_next_id}. */
#include "sem.h"

static int try_write(const char *path, const char *text)
{
	int fd = (int)NEED(open(path, O_WRONLY));
	ssize_t n = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return n == -1 ? -1 : 0;
}

#define SEM "/proc/sys/kernel/sem"

static void as_user(void *argument)
{
	(void)argument;
	say("a user reads: %s", read_text(SEM));
	FAILS("and does not write", open(SEM, O_WRONLY), EACCES);
	FAILS("nor sem_next_id", open("/proc/sys/kernel/sem_next_id", O_WRONLY), EACCES);
	say("sysvipc is world-readable: %.10s", read_text("/proc/sysvipc/sem"));
}

int main(void)
{
	TEXT("none", read_text("/proc/sysvipc/sem"),
	     "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime");
	int id = (int)NEED(semget((key_t)0x80000001, 3, IPC_CREAT | 0640));
	char expected[300];
	struct semid_ds ds = sem_stat_of(id);
	snprintf(expected, sizeof expected,
		 "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
		 "-2147483647          0   640          3     0     0     0     0          0 %10lld", (long long)ds.sem_ctime);
	TRUE("one", strcmp(read_text("/proc/sysvipc/sem"), expected) == 0);
	NEED(op(id, 2, 1, 0));
	ds = sem_stat_of(id);
	snprintf(expected, sizeof expected, "%10lld %10lld", (long long)ds.sem_otime, (long long)ds.sem_ctime);
	TRUE("its times", strstr(read_text("/proc/sysvipc/sem"), expected) != NULL);

	TEXT("limits", read_text(SEM), "32000\t1024000000\t500\t32000");
	WORKS("one number", try_write(SEM, "250\n"));
	TEXT("the others stay", read_text(SEM), "250\t1024000000\t500\t32000");
	WORKS("two", try_write(SEM, "  100\t200"));
	TEXT("read", read_text(SEM), "100\t200\t500\t32000");
	WORKS("five", try_write(SEM, "1 2 3 4 5"));
	TEXT("read", read_text(SEM), "1\t2\t3\t4");
	FAILS("no number", try_write(SEM, "7 x"), EINVAL);
	TEXT("what came before it counts", read_text(SEM), "7\t2\t3\t4");
	FAILS("SEMMNI too great", try_write(SEM, "1 1 1 32769"), ERANGE);
	TEXT("it stays, the others do not", read_text(SEM), "1\t1\t1\t4");
	FAILS("SEMMNI negative", try_write(SEM, "2 2 2 -1"), ERANGE);
	WORKS("SEMMNI of 32768", try_write(SEM, "2 2 2 32768"));
	WORKS("negative others", try_write(SEM, "-1 -1 -1"));
	TEXT("read", read_text(SEM), "-1\t-1\t-1\t32768");
	FAILS("nothing is possible now", semget(IPC_PRIVATE, 0, 0600), EINVAL);
	WORKS("SEMOPM is taken for unsigned", op(id, 0, 1, 0));
	WORKS("back", try_write(SEM, "32000 1024000000 500 32000"));

	TEXT("sem_next_id", read_text("/proc/sys/kernel/sem_next_id"), "-1");
	WORKS("set", try_write("/proc/sys/kernel/sem_next_id", "98311"));
	EQUALS("the next id", semget(IPC_PRIVATE, 1, 0600), 98311);
	TEXT("once", read_text("/proc/sys/kernel/sem_next_id"), "-1");
	FAILS("negative", try_write("/proc/sys/kernel/sem_next_id", "-1"), EINVAL);
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
