/* posix.h: operations on files that are shared memory, for the table of operations.c. */
#ifndef MODEL_POSIX_H
#define MODEL_POSIX_H

void do_memfd(long *a);
void do_shm_open(long *a);
void do_shm_unlink(long *a);
void do_close(long *a);
void do_ftruncate(long *a);
void do_fallocate(long *a);
void do_add_seals(long *a);
void do_get_seals(long *a);
void do_fstat(long *a);
void do_pread(long *a);
void do_pwrite(long *a);
void do_lseek(long *a);
void do_map_file(long *a);
void do_msync(long *a);

/* Takes away the names that a sequence may have left in /dev/shm. */
void remove_names(void);

#endif
