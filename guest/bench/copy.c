/* copy.c: memcpy of 8 MiB. */
#include "bench.h"

enum { SIZE = 8 * 1024 * 1024 };
static uint8_t from[SIZE], to[SIZE];

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10);
	uint32_t sum = 0;
	for (uint32_t i = 0; i < SIZE; i++)
		from[i] = (uint8_t)(i * 7);
	for (long i = 0; i < n; i++) {
		from[i % SIZE] ^= (uint8_t)i;
		memcpy(to, from, SIZE);
		sum = mix(sum, to[(uint32_t)i * 4099u % SIZE]);
	}
	return report("copy", sum);
}
