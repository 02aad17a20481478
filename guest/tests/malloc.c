/* The C library's allocator on our mmap, munmap, mremap and brk. */
#include "check.h"
#include <stdint.h>

static uint32_t state = 12345;

static uint32_t random_number(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

int main(void)
{
	enum { SLOTS = 200 };
	static unsigned char *block[SLOTS];
	static size_t size[SLOTS];
	int intact = 1, aligned = 1;

	for (int step = 0; step < 20000; step++) {
		int i = (int)(random_number() % SLOTS);
		if (block[i]) {
			intact &= block[i][0] == (unsigned char)i && block[i][size[i] - 1] == (unsigned char)i;
			if (random_number() % 4 == 0) {
				size_t bigger = random_number() % 40000 + 1;
				block[i] = realloc(block[i], bigger);
				NEED(block[i] ? 0 : -1);
				intact &= block[i][0] == (unsigned char)i;
				size[i] = bigger;
				memset(block[i], i, bigger);
				continue;
			}
			free(block[i]);
			block[i] = NULL;
		} else {
			size[i] = random_number() % (step % 50 == 0 ? 300000 : 2000) + 1;
			block[i] = malloc(size[i]);
			NEED(block[i] ? 0 : -1);
			aligned &= (uintptr_t)block[i] % 16 == 0;
			memset(block[i], i, size[i]);
		}
	}
	TRUE("20000 steps: every block keeps its content", intact);
	TRUE("every block is aligned to 16", aligned);
	for (int i = 0; i < SLOTS; i++)
		free(block[i]);

	int zero = 1;
	unsigned char *p = calloc(1000, 1000);
	NEED(p ? 0 : -1);
	for (int i = 0; i < 1000000; i++)
		zero &= p[i] == 0;
	TRUE("calloc gives zeroes", zero);
	free(p);
	p = malloc(16 * 1024 * 1024);
	TRUE("16 MiB", p != NULL);
	p[0] = p[16 * 1024 * 1024 - 1] = 1;
	p = realloc(p, 32 * 1024 * 1024);
	TRUE("realloc to 32 MiB", p != NULL && p[16 * 1024 * 1024 - 1] == 1);
	free(p);
	errno = 0;
	/* Volatile: the compiler would leave an unused malloc out. */
	volatile size_t too_much = SIZE_MAX / 2;
	void *volatile none = malloc(too_much);
	TRUE("more than there can be", none == NULL);
	TEXT("errno", errno_name(errno), "ENOMEM");
	void *q = NULL;
	EQUALS("posix_memalign", posix_memalign(&q, 65536, 100), 0);
	EQUALS("its alignment", (uintptr_t)q % 65536, 0);
	free(q);
	return done();
}
