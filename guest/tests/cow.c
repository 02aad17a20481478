/* Copy-on-write after fork: data, bss, heap, stack, private and shared mappings, several generations. */
#include "shm.h"
#include <sched.h>

static int data = 1;
static int bss;
static volatile int *shared;

static void writes(void *argument)
{
	int **p = argument;
	TRUE("the child sees what the parent had", data == 1 && bss == 0 && *p[0] == 2 && *p[1] == 3 && *p[2] == 4);
	data = bss = *p[0] = *p[1] = *p[2] = 100;
	shared[0] = data + bss + *p[0] + *p[1] + *p[2];
}

static void huge(void *argument)
{
	char *p = argument;
	int same = 1;
	for (int i = 0; i < 256; i++)
		same &= p[i * PAGE] == (char)i;
	for (int i = 0; i < 256; i += 2)
		p[i * PAGE] = 99;
	shared[1] = same;
}

int main(void)
{
	int on_stack = 2;
	int *heap = malloc(sizeof *heap);
	int *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int *pointers[] = { &on_stack, heap, mapped };

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*heap = 3;
	*mapped = 4;
	in_child(writes, pointers);
	EQUALS("what the child computed", shared[0], 500);
	TRUE("the parent's copies stay", data == 1 && bss == 0 && on_stack == 2 && *heap == 3 && *mapped == 4);

	char *p = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 256; i++)
		p[i * PAGE] = (char)i;
	in_child(huge, p);
	EQUALS("256 pages inherited", shared[1], 1);
	int same = 1;
	for (int i = 0; i < 256; i++)
		same &= p[i * PAGE] == (char)i;
	TRUE("and none changed by the child", same);

	/* The parent writes first: the child keeps the old page. */
	shared[2] = 0;
	pid_t pid = (pid_t)NEED(fork());
	if (pid == 0) {
		while (shared[2] == 0)
			sched_yield();
		_exit(p[PAGE]);
	}
	p[PAGE] = 55;
	shared[2] = 1;
	int status;
	NEED(waitpid(pid, &status, 0));
	EQUALS("the parent writes first; the child reads", WEXITSTATUS(status), 1);

	/* Read-only and written through mprotect after fork. */
	NEED(mprotect(p, PAGE, PROT_READ));
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		p[0] = 77;
		_exit(p[0]);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("mprotect and write in the child", WEXITSTATUS(status), 77);
	EQUALS("the parent's byte", p[0], 0);

	/* A zero page that was only read. */
	char *zero = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int sum = zero[0] + zero[PAGE];
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		zero[0] = 1;
		_exit(zero[0] + zero[PAGE]);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("a page that was only read, written by the child", WEXITSTATUS(status), 1);
	EQUALS("stays zero in the parent", sum + zero[0], 0);

	/* Each generation adds one to its own copy. */
	volatile int *own = (volatile int *)(void *)(p + 10 * PAGE);
	*own = 0;
	int depth = 0;
	while (depth < 8 && (pid = (pid_t)NEED(fork())) == 0) {
		*own += 1;
		depth++;
	}
	if (depth < 8) {
		NEED(waitpid(pid, &status, 0));
		if (*own != depth || WEXITSTATUS(status) != 0)
			check_failures++;
	}
	if (depth > 0)
		_exit(check_failures);
	TRUE("eight generations, each its own copy", check_failures == 0 && *own == 0);

	/* System calls write user memory too: read(2) into a page shared with a child. */
	int fds[2];
	NEED(pipe(fds));
	char *buffer = p + 20 * PAGE;
	strcpy(buffer, "before");
	pid = (pid_t)NEED(fork());
	if (pid == 0) {
		NEED(write(fds[1], "after!", 7));
		NEED(read(fds[0], buffer, 7));
		_exit(strcmp(buffer, "after!") == 0 ? 5 : 6);
	}
	NEED(waitpid(pid, &status, 0));
	EQUALS("read(2) into a copy: exit", WEXITSTATUS(status), 5);
	TEXT("the parent's copy", buffer, "before");
	return done();
}
