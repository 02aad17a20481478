/* signal.c: a signal to oneself, its handler, and the return from it. */
#include "bench.h"
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile uint32_t handled;

static void handler(int sig)
{
	handled += (uint32_t)sig;
}

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 100000);
	struct sigaction action = { .sa_handler = handler };
	pid_t pid = getpid(), tid = (pid_t)syscall(SYS_gettid);

	if (sigaction(SIGUSR1, &action, NULL) == -1)
		return 1;
	for (long i = 0; i < n; i++)
		syscall(SYS_tgkill, pid, tid, SIGUSR1);
	return report("signal", handled);
}
