/* indirect.c: calls through a table of function pointers in a random order. */
#include "bench.h"

typedef uint32_t function(uint32_t);

static uint32_t f0(uint32_t x) { return x + 1; }
static uint32_t f1(uint32_t x) { return x ^ 0x5555; }
static uint32_t f2(uint32_t x) { return x * 5; }
static uint32_t f3(uint32_t x) { return x - 77; }
static uint32_t f4(uint32_t x) { return x >> 1 | x << 31; }
static uint32_t f5(uint32_t x) { return ~x; }
static uint32_t f6(uint32_t x) { return x + (x >> 3); }
static uint32_t f7(uint32_t x) { return x ^ x << 7; }

static function *volatile table[8] = { f0, f1, f2, f3, f4, f5, f6, f7 };

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 1000000);
	uint32_t seed = 1, x = 0;
	for (long i = 0; i < n; i++)
		x = table[next_random(&seed) >> 29](x);
	return report("indirect", x);
}
