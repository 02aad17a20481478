/* msgqueue.c: one process sends 64 bytes and receives them again: a message through the queue, without a switch. */
#include "bench.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	uint32_t words[16];
};

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10000);
	int id = msgget(IPC_PRIVATE, 0600);
	struct message m = { 0 };
	if (id == -1)
		return 1;
	for (long i = 0; i < n; i++) {
		m.type = 1;
		m.words[i % 16] += (uint32_t)i;
		if (msgsnd(id, &m, sizeof m.words, 0) == -1 || msgrcv(id, &m, sizeof m.words, 0, 0) != sizeof m.words)
			return 1;
	}
	msgctl(id, IPC_RMID, NULL);
	uint32_t sum = 0;
	for (int i = 0; i < 16; i++)
		sum = mix(sum, m.words[i]);
	return report("msgqueue", sum);
}
