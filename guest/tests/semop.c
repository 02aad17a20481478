/* semop(2) without sleeping: values, several parts, order of errors, permissions. */
#include "sem.h"

static int id;
static struct sembuf sops[600];

static void as_user(void *argument)
{
	(void)argument;
	FAILS("a user alters what he may read", op(id, 0, 1, 0), EACCES);
	FAILS("a user waits for zero on what is not", op(id, 0, 0, NOWAIT), EAGAIN);
	WORKS("a user waits for zero", op(id, 2, 0, 0));
	TRUE("which counts as an operation", semctl(id, 2, GETPID) == getpid());
	FAILS("EFBIG before the permission", op(id, 3, 1, 0), EFBIG);
	FAILS("a part that alters is enough", semop(id, (struct sembuf[]){ { 0, 0, 0 }, { 2, 1, 0 } }, 2), EACCES);
	EQUALS("a user reads values", value_of(id, 0), 500);
}

int main(void)
{
	struct sembuf one = { 0, 1, 0 };

	id = new_array(3, 0644);
	WORKS("increase", op(id, 0, 5, 0));
	WORKS("decrease", op(id, 0, -3, 0));
	TEXT("values", values_text(id, 3), "2 0 0");
	TRUE("its pid", semctl(id, 0, GETPID) == getpid());
	EQUALS("others' pid", semctl(id, 1, GETPID), 0);
	FAILS("a decrease that would sleep", op(id, 0, -3, NOWAIT), EAGAIN);
	FAILS("a wait for zero that would sleep", op(id, 0, 0, NOWAIT), EAGAIN);
	WORKS("waiting for zero", op(id, 1, 0, 0));
	TRUE("sets its pid", semctl(id, 1, GETPID) == getpid());
	TRUE("otime", recent(sem_stat_of(id).sem_otime, time(NULL) - 5));

	WORKS("three parts", semop(id, (struct sembuf[]){ { 0, -2, 0 }, { 1, 1, 0 }, { 2, 7, 0 } }, 3));
	TEXT("values", values_text(id, 3), "0 1 7");
	FAILS("all or none", semop(id, (struct sembuf[]){ { 1, -1, 0 }, { 2, -8, NOWAIT } }, 2), EAGAIN);
	TEXT("values", values_text(id, 3), "0 1 7");
	WORKS("the same twice, in order", semop(id, (struct sembuf[]){ { 0, 1, 0 }, { 0, -1, 0 }, { 0, 0, 0 } }, 3));
	FAILS("the other way round", semop(id, (struct sembuf[]){ { 0, 1, 0 }, { 0, 0, NOWAIT }, { 0, -1, 0 } }, 3), EAGAIN);
	FAILS("the flag of the part that blocks counts", semop(id, (struct sembuf[]){ { 1, 1, NOWAIT }, { 0, -1, NOWAIT } }, 2), EAGAIN);
	TEXT("values", values_text(id, 3), "0 1 7");

	WORKS("SEMVMX", op(id, 2, 32760, 0));
	FAILS("above SEMVMX", op(id, 2, 1, 0), ERANGE);
	FAILS("above SEMVMX in between", semop(id, (struct sembuf[]){ { 2, 1, 0 }, { 2, -1, 0 } }, 2), ERANGE);
	FAILS("ERANGE in the second part undoes the first", semop(id, (struct sembuf[]){ { 1, 1, 0 }, { 2, 1, 0 } }, 2), ERANGE);
	WORKS("the least operation", op(id, 2, -32767, 0));
	TEXT("values", values_text(id, 3), "0 1 0");
	FAILS("-32768 always sleeps", op(id, 2, -32768, NOWAIT), EAGAIN);

	FAILS("no parts", semop(id, &one, 0), EINVAL);
	FAILS("no parts and no array", semop(-1, NULL, 0), EINVAL);
	FAILS("501 parts", semop(id, sops, 501), E2BIG);
	FAILS("E2BIG before the id", semop(-1, sops, 501), E2BIG);
	FAILS("E2BIG before the address", raw_semop(id, NULL, 501), E2BIG);
	FAILS("a number as great as can be", raw_semop(id, sops, 0xffffffffu), E2BIG);
	for (int i = 0; i < 500; i++)
		sops[i] = (struct sembuf){ 0, 1, 0 };
	WORKS("500 parts", semop(id, sops, 500));
	TEXT("values", values_text(id, 3), "500 1 0");
	FAILS("no memory there", raw_semop(id, (void *)8, 1), EFAULT);
	FAILS("EFAULT before the id", raw_semop(-1, (void *)8, 1), EFAULT);
	FAILS("a negative id", semop(-1, &one, 1), EINVAL);
	FAILS("no such id", semop(id + 1, &one, 1), EINVAL);
	FAILS("another sequence number", semop(id + 32768, &one, 1), EINVAL);
	FAILS("a number too great", op(id, 3, 1, 0), EFBIG);
	FAILS("in any part", semop(id, (struct sembuf[]){ { 0, -9999, NOWAIT }, { 65535, 1, 0 } }, 2), EFBIG);

	/* Across the end of a page, at an odd address. */
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page + PAGE - 7, (struct sembuf[]){ { 0, -1, 0 }, { 1, 1, 0 } }, 12);
	WORKS("parts across a page", raw_semop(id, page + PAGE - 7, 2));
	TEXT("values", values_text(id, 3), "499 2 0");
	NEED(munmap(page + PAGE, PAGE));
	FAILS("parts into a hole", raw_semop(id, page + PAGE - 6, 2), EFAULT);
	FAILS("up to it, of other bytes", raw_semop(id, page + PAGE - 6, 1), EFBIG);

	/* Timeouts. */
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, none = { 0, 0 }, little = { 0, 1000000 };
	FAILS("nanoseconds out of range", semtimedop(id, &one, 1, &bad), EINVAL);
	FAILS("negative seconds", semtimedop(id, &one, 1, &negative), EINVAL);
	FAILS("a bad timeout before a bad id", semtimedop(99, &one, 1, &bad), EINVAL);
	WORKS("a timeout that is not needed", semtimedop(id, &one, 1, &none));
	one.sem_op = -30000;
	FAILS("no time at all", semtimedop(id, &one, 1, &none), EAGAIN);
	FAILS("a millisecond", semtimedop(id, &one, 1, &little), EAGAIN);
	EQUALS("nobody sleeps there now", semctl(id, 0, GETNCNT), 0);
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
