/* brk(2) and the growing stack. */
#include "shm.h"
#include <sys/resource.h>

static char *brk_to(char *address)
{
	return (char *)syscall(SYS_brk, address);
}

/* Uses at least `pages` pages of stack. */
static __attribute__((noinline)) int deep(int pages, volatile char *above)
{
	volatile char frame[PAGE];
	/* The frame above is written from below, or the compiler would make a loop of this. */
	above[1] = 1;
	frame[0] = (char)pages;
	frame[PAGE - 1] = 1;
	int below = pages > 0 ? deep(pages - 1, frame) : 0;
	return below + frame[PAGE - 1] + (frame[0] - (char)pages);
}

int main(void)
{
	char *start = brk_to(NULL);
	TRUE("the break is somewhere", start != NULL);
	char *end = brk_to(start + 10 * PAGE + 5);
	TRUE("grows by a byte count", end == start + 10 * PAGE + 5);
	int zero = 1;
	for (int i = 0; i < 10 * PAGE + 5; i++)
		zero &= start[i] == 0;
	TRUE("new memory is zero", zero);
	memset(start, 'b', 10 * PAGE);
	TRUE("shrinks", brk_to(start + PAGE) == start + PAGE);
	char *first_page = (char *)(((uintptr_t)start + PAGE + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
	READING("the first page behind it", first_page, "SIGSEGV");
	TRUE("grows again", brk_to(start + 10 * PAGE) == start + 10 * PAGE);
	TRUE("with zeroes where it had shrunk", first_page[0] == 0 && first_page[PAGE] == 0);
	TRUE("and the rest kept", start[0] == 'b');
	TRUE("below its start: unchanged", brk_to(start - PAGE) == start + 10 * PAGE);
	TRUE("beyond the address space: unchanged", brk_to((char *)-PAGE) == start + 10 * PAGE);

	EQUALS("ten pages of stack", deep(9, start), 10);
	EQUALS("a thousand pages of stack", deep(999, start), 1000);
	struct rlimit limit;
	NEED(getrlimit(RLIMIT_STACK, &limit));
	EQUALS("RLIMIT_STACK", limit.rlim_cur, 8 * 1024 * 1024);
	int status;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0)
		_exit(deep(3000, start) == 3001);
	NEED(waitpid(pid, &status, 0));
	TEXT("3000 pages of stack", touch_name(WIFSIGNALED(status) ? WTERMSIG(status) : 0), "SIGSEGV");
	TRUE("back to the start", brk_to(start) == start);
	return done();
}
