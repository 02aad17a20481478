/* msgping.c: two processes send each other messages of 64 bytes in turn. */
#include "bench.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

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
	/* On one processor, as here. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);

	pid_t pid = fork();
	if (pid == -1)
		return 1;
	if (pid == 0) {
		for (long i = 0; i < n; i++) {
			if (msgrcv(id, &m, sizeof m.words, 1, 0) != sizeof m.words)
				return 1;
			m.words[i % 16] += (uint32_t)i;
			m.type = 2;
			if (msgsnd(id, &m, sizeof m.words, 0) == -1)
				return 1;
		}
		return 0;
	}
	for (long i = 0; i < n; i++) {
		m.type = 1;
		if (msgsnd(id, &m, sizeof m.words, 0) == -1 || msgrcv(id, &m, sizeof m.words, 2, 0) != sizeof m.words)
			return 1;
	}
	wait(NULL);
	msgctl(id, IPC_RMID, NULL);
	uint32_t sum = 0;
	for (int i = 0; i < 16; i++)
		sum = mix(sum, m.words[i]);
	return report("msgping", sum);
}
