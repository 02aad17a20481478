/* chase.c: follows pointers in a random cycle through 4 MiB. */
#include "bench.h"

enum { COUNT = 1024 * 1024 };
static uint32_t next[COUNT];

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 1000000);
	uint32_t seed = 1, at = 0, sum = 0;
	/* Sattolo's shuffle makes one cycle of all. */
	for (uint32_t i = 0; i < COUNT; i++)
		next[i] = i;
	for (uint32_t i = COUNT - 1; i > 0; i--) {
		uint32_t j = (next_random(&seed) >> 8) % i, t = next[i];
		next[i] = next[j];
		next[j] = t;
	}
	for (long i = 0; i < n; i++) {
		at = next[at];
		sum += at;
	}
	return report("chase", sum);
}
