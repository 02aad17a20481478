/* stride.c: touches one word of each page of 8 MiB, in order: hard on a TLB. */
#include "bench.h"

enum { SIZE = 8 * 1024 * 1024, PAGE = 4096 };
static volatile uint8_t memory[SIZE];

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 100);
	uint32_t sum = 0;
	for (long i = 0; i < n; i++)
		for (uint32_t at = (uint32_t)i % PAGE; at < SIZE; at += PAGE) {
			memory[at]++;
			sum += memory[at ^ 64];
		}
	return report("stride", mix(sum, memory[PAGE]));
}
