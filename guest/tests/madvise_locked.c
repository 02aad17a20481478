/* madvise(2) of locked memory: what would take its pages away is EINVAL. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define PAGE 4096

static void advise(const char *name, char *p)
{
	static const struct { const char *name; int advice; } all[] = {
		{ "MADV_NORMAL", MADV_NORMAL }, { "MADV_RANDOM", MADV_RANDOM }, { "MADV_SEQUENTIAL", MADV_SEQUENTIAL },
		{ "MADV_WILLNEED", MADV_WILLNEED }, { "MADV_FREE", MADV_FREE }, { "MADV_COLD", MADV_COLD },
		{ "MADV_PAGEOUT", MADV_PAGEOUT }, { "MADV_REMOVE", MADV_REMOVE }, { "MADV_DONTNEED", MADV_DONTNEED },
		{ "MADV_DONTNEED_LOCKED", MADV_DONTNEED_LOCKED },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		p[0] = 7;
		int result = madvise(p, PAGE, all[i].advice);
		say("%s, %s: %s, %d", name, all[i].name, errno_name(result < 0 ? errno : 0), p[0]);
	}
}

int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	NEED(p == MAP_FAILED || q == MAP_FAILED ? -1 : 0);
	NEED(mlock(p, 2 * PAGE));
	NEED(mlock(q, 2 * PAGE));
	advise("private", p);
	advise("private, not locked", p + 2 * PAGE);
	advise("shared", q);
	/* The first part is locked, and nothing is done to it; the second would be. */
	p[0] = p[2 * PAGE] = 5;
	FAILS("over both", madvise(p, 4 * PAGE, MADV_DONTNEED), EINVAL);
	EQUALS("locked", p[0], 5);
	EQUALS("behind it", p[2 * PAGE], 5);
	NEED(munlock(p, 2 * PAGE));
	WORKS("unlocked", madvise(p, 4 * PAGE, MADV_FREE));
	WORKS("unlocked, given back", madvise(p, 4 * PAGE, MADV_DONTNEED));
	EQUALS("zeros", p[0], 0);
	return done();
}
