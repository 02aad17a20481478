/*
 * model.h: what the two halves of the model test's driver share.
 *
 * A coordinator (coordinator.c) reads sequences of steps and gives each step to one of up to four workers (worker.c),
 * which it hears out before it gives the next: the interleaving is part of the sequence. What is printed has nothing
 * in it that differs between two correct kernels: addresses that the kernel picked, pids and times are names.
 */
#ifndef MODEL_H
#define MODEL_H

#define _GNU_SOURCE
#include <stddef.h>
#include <sys/types.h>

#define PAGE 4096UL
#define WORKERS 4
/* Where fixed addresses lie: free in every process of both kernels. */
#define ARENA 0x20000000UL
#define ARENA_PAGES 64
/* What an address variable is before it is set: nothing is mapped there. */
#define NOWHERE 0x30000000UL
#define IDS 12
#define ADDRESSES 6
#define ARGUMENTS 8

/* The pipes of a worker have fixed numbers, so that they are known after exec. */
#define COMMAND_READ(worker) (20 + (worker) * 4)
#define COMMAND_WRITE(worker) (21 + (worker) * 4)
#define REPLY_READ(worker) (22 + (worker) * 4)
#define REPLY_WRITE(worker) (23 + (worker) * 4)

/* A number, or an address variable of the worker (0..) and an offset to it. */
struct argument {
	int variable;
	long value;
};

struct command {
	int operation;
	struct argument arguments[ARGUMENTS];
};

/* At most one line, by one write: shorter than PIPE_BUF. */
#define REPLY 2048

/* What the coordinator has to know about an operation. */
enum { ORDINARY = 0, FORKS = 1, KILLS = 2, MAY_DIE = 4, MAY_SLEEP = 8, MAKES_ID = 16 };

struct operation {
	const char *name;
	int traits;
	/* Writes its answer with `say`; the arguments are resolved. */
	void (*perform)(long *arguments);
};

/* Ends with an operation without a name. */
extern const struct operation operations[];

/* Carries out commands for ever. */
_Noreturn void work(int worker);
/* The same after exec: answers first. */
_Noreturn void work_after_exec(int worker);

/* Gives the ipc namespace the limits of a 32-bit kernel. -1 when it may not. */
int set_limits(void);

/* Appends to the reply of the command at hand. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* Appends the result of a call: the number, or the errno by name. */
void say_result(long result);
/* Appends an address as the name of its place: @3, @3+0x10, or "somewhere". */
void say_address(unsigned long address);
/* Remembers an address in a variable and says it; one that the kernel picked is "somewhere". */
void say_new_address(long variable, void *address);
/* The address for mmap: a hint that kernels round differently is none. */
void *hint_of(long address, long flags);
const char *name_of_errno(int error);
const char *name_of_signal(int signal);

/* The worker's state: which it is, its address variables, and a pipe that lets the kernel touch memory for it. */
extern int self;
extern unsigned long addresses[ADDRESSES];
extern int scratch[2];
extern const char *program;

#endif
