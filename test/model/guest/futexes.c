/* The operations of a worker on futexes: words of any memory, by the process's address or by what is mapped there. */
#include "futexes.h"
#include "model.h"
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* riscv32 has the call with 64-bit times alone. None of these has a time. */
#ifdef __riscv
#define FUTEX 422
#else
#define FUTEX SYS_futex
#endif

static long private_flag(long private)
{
	return private ? FUTEX_PRIVATE_FLAG : 0;
}

/* futex_wait address value private bits */
void do_futex_wait(long *a)
{
	say_result(syscall(FUTEX, a[0], FUTEX_WAIT_BITSET | private_flag(a[2]), (unsigned)a[1], NULL, NULL, (unsigned)a[3]));
}

/* futex_wake address count private bits */
void do_futex_wake(long *a)
{
	say_result(syscall(FUTEX, a[0], FUTEX_WAKE_BITSET | private_flag(a[2]), (int)a[1], NULL, NULL, (unsigned)a[3]));
}

/* futex_requeue address woken requeued address value private: value -1 is not compared */
void do_futex_requeue(long *a)
{
	const long operation = a[4] == -1 ? FUTEX_REQUEUE : FUTEX_CMP_REQUEUE;

	say_result(syscall(FUTEX, a[0], operation | private_flag(a[5]), (int)a[1], (int)a[2], a[3], (unsigned)a[4]));
}

/* futex_wake_op address count address count operation private */
void do_futex_wake_op(long *a)
{
	say_result(syscall(FUTEX, a[0], FUTEX_WAKE_OP | private_flag(a[5]), (int)a[1], (int)a[3], a[2], (unsigned)a[4]));
}
