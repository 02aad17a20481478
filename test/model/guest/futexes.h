/* futexes.h: operations on futexes, for the table of operations.c. */
#ifndef MODEL_FUTEXES_H
#define MODEL_FUTEXES_H

void do_futex_wait(long *a);
void do_futex_wake(long *a);
void do_futex_requeue(long *a);
void do_futex_wake_op(long *a);

#endif
