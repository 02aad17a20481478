/* shm.h: what the tests of System V shared memory share. */
#ifndef SHM_H
#define SHM_H

#include "check.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>

#define PAGE 4096
#define KEY 0x5a5a

#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/* A new private segment. */
static CHECK_UNUSED int new_segment(size_t size, int mode)
{
	return (int)NEED(shmget(IPC_PRIVATE, size, IPC_CREAT | mode));
}

/* Attaches; ends the test when it cannot. */
static CHECK_UNUSED char *attach(int id, const void *address, int flags)
{
	char *p = shmat(id, address, flags);

	NEED(p == (void *)-1 ? -1 : 0);
	return p;
}

/* IPC_STAT; ends the test when it cannot. */
static CHECK_UNUSED struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	memset(&ds, 0, sizeof ds);
	NEED(shmctl(id, IPC_STAT, &ds));
	return ds;
}

static CHECK_UNUSED long nattch_of(int id)
{
	return (long)stat_of(id).shm_nattch;
}

/* shm_perm's key: musl calls the field __key or __ipc_perm_key, depending on the feature macros. */
static CHECK_UNUSED key_t key_of(const struct shmid_ds *ds)
{
	return ds->shm_perm.__ipc_perm_key;
}

static CHECK_UNUSED void remove_segment(int id)
{
	NEED(shmctl(id, IPC_RMID, NULL));
}

/* Is t between `since` and now? The kernel stamps with a coarser clock than time(2) may use. */
static CHECK_UNUSED int recent(time_t t, time_t since)
{
	return t >= since - 1 && t <= time(NULL) + 1;
}

/*
 * Room for attaching at fixed addresses: reserves `size` bytes, gives them back and returns where they were.
 * Nothing else maps memory in between in a single-threaded test.
 */
static CHECK_UNUSED char *free_range(size_t size)
{
	char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p == MAP_FAILED ? -1 : 0);
	NEED(munmap(p, size));
	return p;
}

/* The raw call: libc may touch a buffer before the kernel does. 0x100 is musl's mark of a 64-bit time_t. */
static CHECK_UNUSED long raw_shmctl(int id, int command, void *buffer)
{
	return syscall(SYS_shmctl, id, command & ~0x100, buffer);
}

/* Writes a number to a file of /proc; ends the test when that is not possible. */
static CHECK_UNUSED void write_number(const char *path, const char *text)
{
	int fd = (int)NEED(open(path, O_WRONLY));

	NEED(write(fd, text, strlen(text)));
	NEED(close(fd));
}

/* Reads a small file into a string without its last newline. */
static CHECK_UNUSED const char *read_text(const char *path)
{
	static char text[16384];
	size_t length = 0;
	ssize_t n;
	int fd = (int)NEED(open(path, O_RDONLY));

	while ((n = NEED(read(fd, text + length, sizeof text - 1 - length))) > 0)
		length += (size_t)n;
	NEED(close(fd));
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = 0;
	return text;
}

#endif
