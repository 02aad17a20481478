/* messages.c: a server that takes requests of type 1 from one message queue, and answers each client by its pid as the type. */
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 3

struct request { long type; int pid, number; };
struct answer { long type; char text[48]; };

static int client(int queue, int number)
{
	struct request ask = { 1, (int)getpid(), number };
	struct answer got;

	if (msgsnd(queue, &ask, sizeof ask - sizeof ask.type, 0) == -1)
		return 1;
	if (msgrcv(queue, &got, sizeof got.text, getpid(), 0) == -1)
		return 1;
	printf("client %d: %s\n", number, got.text);
	return 0;
}

int main(void)
{
	int queue = msgget(IPC_PRIVATE, 0600);
	if (queue == -1) {
		perror("msgget");
		return 1;
	}
	for (int i = 1; i <= CLIENTS; i++)
		if (fork() == 0)
			return client(queue, i);
	for (int i = 0; i < CLIENTS; i++) {
		struct request ask;
		struct answer tell;
		if (msgrcv(queue, &ask, sizeof ask - sizeof ask.type, 1, 0) == -1)
			return 1;
		tell.type = ask.pid;
		int length = snprintf(tell.text, sizeof tell.text, "%d squared is %d", ask.number, ask.number * ask.number);
		if (msgsnd(queue, &tell, (size_t)length + 1, 0) == -1)
			return 1;
	}
	while (wait(NULL) > 0)
		;
	msgctl(queue, IPC_RMID, NULL);
	return 0;
}
