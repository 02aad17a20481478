/* parent_child.c: fork inherits an attach: parent and child share the segment, but not their own variables. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(void)
{
	int own = 1;
	int id = shmget(IPC_PRIVATE, sizeof(int), 0600);
	if (id == -1)
		fail("shmget");
	int *shared = shmat(id, NULL, 0);
	if (shared == (void *)-1)
		fail("shmat");
	/* Removed at once, it lives until the last of the two detaches: nothing is left behind by a crash. */
	if (shmctl(id, IPC_RMID, NULL) == -1)
		fail("shmctl");

	pid_t pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		own = 42;
		*shared = 42;
		printf("child:  own %d, shared %d\n", own, *shared);
		return 0;
	}
	if (waitpid(pid, NULL, 0) == -1)
		fail("waitpid");
	printf("parent: own %d, shared %d\n", own, *shared);
	return 0;
}
