/* fib.c: recursive Fibonacci: calls and returns. The argument is n itself. */
#include "bench.h"

static __attribute__((noinline)) uint32_t fib(uint32_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
	return report("fib", fib((uint32_t)iterations(argc, argv, 30)));
}
