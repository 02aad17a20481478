/* leak.c: ends without IPC_RMID. The segment stays, attached by nobody, and `sameframe ipcs` shows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
	int id = shmget(0x1eaf, 10000, IPC_CREAT | 0644);
	if (id == -1) {
		perror("shmget");
		return 1;
	}
	char *p = shmat(id, NULL, 0);
	if (p == (void *)-1) {
		perror("shmat");
		return 1;
	}
	strcpy(p, "nobody will free this");
	printf("segment %d holds \"%s\"; exit without shmdt and IPC_RMID\n", id, p);
	return 0;
}
