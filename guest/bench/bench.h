/* bench.h: what the bench kernels share. Each takes its number of iterations as argv[1] and prints a checksum. */
#ifndef BENCH_H
#define BENCH_H

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline long iterations(int argc, char **argv, long otherwise)
{
	return argc > 1 ? atol(argv[1]) : otherwise;
}

static inline uint32_t mix(uint32_t sum, uint32_t value)
{
	return (sum ^ value) * 16777619u;
}

/* Numerical Recipes' generator: the same numbers everywhere. */
static inline uint32_t next_random(uint32_t *state)
{
	return *state = *state * 1664525u + 1013904223u;
}

static inline int report(const char *name, uint32_t sum)
{
	printf("%s %08x\n", name, (unsigned)sum);
	return 0;
}

#endif
