/* semmsg.h: the operations on semaphores and message queues, for the table in operations.c. */
#ifndef SEMMSG_H
#define SEMMSG_H

void do_semget(long *a);
void do_semctl(long *a);
void do_sem_all(long *a);
void do_sem_setall(long *a);
void do_sem_info(long *a);
void do_sem_stat(long *a);
void do_sem_set(long *a);
void do_semop(long *a);
void do_semtimedop(long *a);
void do_msgget(long *a);
void do_msgsnd(long *a);
void do_msgrcv(long *a);
void do_msgctl(long *a);
void do_msg_info(long *a);
void do_msg_stat(long *a);
void do_msg_set(long *a);

#endif
