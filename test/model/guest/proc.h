/* proc.h: what a worker reads of itself in /proc, for the table of operations.c. */
#ifndef MODEL_PROC_H
#define MODEL_PROC_H

void do_maps(long *a);
void do_smaps(long *a);

#endif
