/*
 * The operations of a worker on POSIX shared memory: files of /dev/shm and memfds. A file variable v is the descriptor
 * FILE_VARIABLE(v) of the worker, so children inherit it and exec keeps it.
 */
#include "model.h"
#include "posix.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

#define FILES 3
#define FILE_VARIABLE(variable) (40 + (int)((unsigned long)(variable) % FILES))
#define NAMES 2

static const char *const names[NAMES] = { "/dev/shm/model-0", "/dev/shm/model-1" };

void remove_names(void)
{
	for (int i = 0; i < NAMES; i++)
		unlink(names[i]);
}

/* Makes a new descriptor that of a variable, and says whether there is one. */
static void keep(long variable, int fd)
{
	if (fd < 0) {
		say("%s", name_of_errno(errno));
		return;
	}
	dup2(fd, FILE_VARIABLE(variable));
	close(fd);
	say("open");
}

/* memfd variable flags */
void do_memfd(long *a)
{
	keep(a[0], (int)syscall(SYS_memfd_create, "model", (unsigned)a[1]));
}

/* shm_open variable name flags mode */
void do_shm_open(long *a)
{
	keep(a[0], open(names[(unsigned long)a[1] % NAMES], (int)a[2], (mode_t)a[3]));
}

/* shm_unlink name */
void do_shm_unlink(long *a)
{
	say_result(unlink(names[(unsigned long)a[0] % NAMES]));
}

void do_close(long *a)
{
	say_result(close(FILE_VARIABLE(a[0])));
}

/* ftruncate file size */
void do_ftruncate(long *a)
{
	say_result(ftruncate(FILE_VARIABLE(a[0]), a[1]));
}

/* fallocate file mode offset length */
void do_fallocate(long *a)
{
	say_result(fallocate(FILE_VARIABLE(a[0]), (int)a[1], a[2], a[3]));
}

/* add_seals file seals */
void do_add_seals(long *a)
{
	say_result(fcntl(FILE_VARIABLE(a[0]), F_ADD_SEALS, (int)a[1]));
}

void do_get_seals(long *a)
{
	say_result(fcntl(FILE_VARIABLE(a[0]), F_GET_SEALS));
}

void do_fstat(long *a)
{
	struct stat st;

	if (fstat(FILE_VARIABLE(a[0]), &st) < 0) {
		say("%s", name_of_errno(errno));
		return;
	}
	say("size %lld pages %lld mode %o links %lu owner %u:%u", (long long)st.st_size, (long long)st.st_blocks / 8,
	    (unsigned)st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid);
}

/* pread file offset */
void do_pread(long *a)
{
	unsigned value = 0;
	ssize_t n = pread(FILE_VARIABLE(a[0]), &value, sizeof value, a[1]);

	say_result(n);
	if (n > 0)
		say(" bytes: %u", value);
}

/* pwrite file offset value */
void do_pwrite(long *a)
{
	const unsigned value = (unsigned)a[2];

	say_result(pwrite(FILE_VARIABLE(a[0]), &value, sizeof value, a[1]));
}

/* lseek file offset whence */
void do_lseek(long *a)
{
	say_result((long)lseek(FILE_VARIABLE(a[0]), a[1], (int)a[2]));
}

/* map_file variable address pages protection flags file page */
void do_map_file(long *a)
{
	say_new_address(a[0], mmap(hint_of(a[1], a[4]), (size_t)a[2] * PAGE, (int)a[3], (int)a[4], FILE_VARIABLE(a[5]),
				   a[6] * (long)PAGE));
}

/* msync address pages flags */
void do_msync(long *a)
{
	say_result(msync((void *)a[0], (size_t)a[1] * PAGE, (int)a[2]));
}
