/*
 * readonly.c: a reader that attaches with SHM_RDONLY, and is killed when it writes.
 *
 * Two page tables hold the same frame; the reader's entry lacks the W bit.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
	/* What is printed before the crash must not stay in a buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (id == -1) {
		perror("shmget");
		return 1;
	}
	char *writer = shmat(id, NULL, 0), *reader = shmat(id, NULL, SHM_RDONLY);
	if (writer == (void *)-1 || reader == (void *)-1) {
		perror("shmat");
		return 1;
	}
	if (shmctl(id, IPC_RMID, NULL) == -1) {
		perror("shmctl");
		return 1;
	}
	strcpy(writer, "written through the writable attach");
	printf("the read-only attach reads: %s\n", reader);
	printf("now it writes, and SIGSEGV follows\n");
	*(volatile char *)reader = 'W';
	printf("never printed\n");
	return 0;
}
