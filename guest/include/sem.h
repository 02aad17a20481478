/* sem.h: what the tests of System V semaphores share. */
#ifndef SEM_H
#define SEM_H

#include "sleepers.h"
#include <limits.h>
#include <sys/sem.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#define NOWAIT IPC_NOWAIT

/* The caller has to define it. */
union semun { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };

static CHECK_UNUSED int new_array(int nsems, int mode)
{
	return (int)NEED(semget(IPC_PRIVATE, nsems, IPC_CREAT | mode));
}

/* One operation. */
static CHECK_UNUSED int op(int id, int num, int value, int flags)
{
	struct sembuf sop = { (unsigned short)num, (short)value, (short)flags };
	return semop(id, &sop, 1);
}

static CHECK_UNUSED int value_of(int id, int num)
{
	return semctl(id, num, GETVAL);
}

static CHECK_UNUSED int set_value(int id, int num, int value)
{
	union semun arg = { .val = value };
	return semctl(id, num, SETVAL, arg);
}

static CHECK_UNUSED int get_all(int id, unsigned short *values)
{
	union semun arg = { .array = values };
	return semctl(id, 0, GETALL, arg);
}

static CHECK_UNUSED int set_all(int id, unsigned short *values)
{
	union semun arg = { .array = values };
	return semctl(id, 0, SETALL, arg);
}

static CHECK_UNUSED struct semid_ds sem_stat_of(int id)
{
	struct semid_ds ds;
	union semun arg = { .buf = &ds };

	memset(&ds, 0, sizeof ds);
	NEED(semctl(id, 0, IPC_STAT, arg));
	return ds;
}

static CHECK_UNUSED void remove_array(int id)
{
	NEED(semctl(id, 0, IPC_RMID));
}

/* The values of an array, in one string. */
static CHECK_UNUSED const char *values_text(int id, int nsems)
{
	static char text[256];
	unsigned short values[32];
	int length = 0;

	NEED(get_all(id, values));
	for (int i = 0; i < nsems; i++)
		length += snprintf(text + length, sizeof text - (size_t)length, "%s%d", i ? " " : "", values[i]);
	return text;
}

/* The raw calls: libc may touch a buffer before the kernel does. */
static CHECK_UNUSED long raw_semctl(int id, int num, int command, void *argument)
{
	return syscall(SYS_semctl, id, num, command & ~0x100, argument);
}

static CHECK_UNUSED long raw_semop(int id, void *sops, unsigned nsops)
{
	return syscall(SYS_semop, id, sops, nsops);
}

/* A sleeper's operation. */
struct sleepy_op { int id, nsops; struct sembuf sops[8]; };
static CHECK_UNUSED int sleepy_semop(void *argument)
{
	struct sleepy_op *o = argument;
	return semop(o->id, o->sops, (size_t)o->nsops);
}

/* Child i does one operation. */
static CHECK_UNUSED void sleep_on(int i, int id, int num, int value, int flags)
{
	struct sleepy_op o = { id, 1, { { (unsigned short)num, (short)value, (short)flags } } };
	start_sleeper(i, sleepy_semop, &o);
	settle_one(i);
}

/* Child i does an operation of two parts. */
static CHECK_UNUSED void sleep_on_two(int i, int id, int num, int value, int num2, int value2)
{
	struct sleepy_op o = { id, 2, { { (unsigned short)num, (short)value, 0 }, { (unsigned short)num2, (short)value2, 0 } } };
	start_sleeper(i, sleepy_semop, &o);
	settle_one(i);
}

#endif
