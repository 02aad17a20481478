/* memory.h: operations on memory, for the table of operations.c. */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

void do_munmap(long *a);
void do_mprotect(long *a);
void do_mremap(long *a);
void do_madvise(long *a);
void do_mlock(long *a);
void do_mlock2(long *a);
void do_munlock(long *a);
void do_mlockall(long *a);
void do_munlockall(long *a);
void do_remap_file_pages(long *a);
void do_mmap(long *a);
void do_mincore(long *a);
void do_get(long *a);
void do_put(long *a);
void do_touch(long *a);
void do_probe(long *a);
void do_guard(long *a);

#endif
