/* observe.h: what the coordinator sees of the whole system after each step. */
#ifndef OBSERVE_H
#define OBSERVE_H

#include <sys/types.h>

/* A new ipc namespace: nothing has been seen yet. */
void start_observing(void);
/* Prints each object of /proc/sysvipc that is not as it was, one line each. */
void print_changes(void);
/* coordinator.c's: the name of a pid. */
void print_pid(pid_t pid);

#endif
