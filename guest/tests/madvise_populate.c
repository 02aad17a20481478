/* MADV_POPULATE_READ asks for PROT_READ, although memory that may be written can be read. */
#include "check.h"
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#define PAGE 4096

static void populate(const char *name, int protection, int read, int write)
{
	char *p = mmap(NULL, 2 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p == MAP_FAILED ? -1 : 0);
	FAILS(name, madvise(p, 2 * PAGE, MADV_POPULATE_READ), read);
	FAILS(name, madvise(p, 2 * PAGE, MADV_POPULATE_WRITE), write);
	NEED(munmap(p, 2 * PAGE));
}

int main(void)
{
	populate("PROT_READ|PROT_WRITE", PROT_READ | PROT_WRITE, 0, 0);
	populate("PROT_READ", PROT_READ, 0, EINVAL);
	populate("PROT_WRITE", PROT_WRITE, EINVAL, 0);
	populate("PROT_NONE", PROT_NONE, EINVAL, EINVAL);
	return done();
}
