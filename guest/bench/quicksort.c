/* quicksort.c: sorts 512 Ki random integers (2 MiB), again and again. */
#include "bench.h"

enum { COUNT = 512 * 1024 };
static int32_t values[COUNT];

static void sort(int32_t *low, int32_t *high)
{
	while (high - low > 16) {
		int32_t pivot = low[(high - low) / 2];
		int32_t *i = low, *j = high;
		while (i <= j) {
			while (*i < pivot)
				i++;
			while (*j > pivot)
				j--;
			if (i <= j) {
				int32_t t = *i;
				*i++ = *j;
				*j-- = t;
			}
		}
		if (j - low < high - i) {
			sort(low, j);
			low = i;
		} else {
			sort(i, high);
			high = j;
		}
	}
	for (int32_t *i = low + 1; i <= high; i++) {
		int32_t v = *i, *j = i;
		for (; j > low && j[-1] > v; j--)
			*j = j[-1];
		*j = v;
	}
}

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 1);
	uint32_t seed = 1, sum = 0;
	for (long i = 0; i < n; i++) {
		for (int j = 0; j < COUNT; j++)
			values[j] = (int32_t)next_random(&seed);
		sort(values, values + COUNT - 1);
		for (int j = 1; j < COUNT; j++)
			if (values[j - 1] > values[j])
				return 1;
		sum = mix(sum, (uint32_t)values[COUNT / 2]);
	}
	return report("quicksort", sum);
}
