/* getpid.c: the cheapest system call, in a loop. */
#include "bench.h"
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 1000000);
	long first = syscall(SYS_getpid);
	uint32_t same = 0;
	for (long i = 0; i < n; i++)
		same += syscall(SYS_getpid) == first;
	return report("getpid", same);
}
