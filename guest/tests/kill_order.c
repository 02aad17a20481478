/* kill, tkill: there must be somebody to signal before the signal is looked at. */
#include "check.h"
#include <signal.h>
#include <sys/syscall.h>

#define NOBODY 0x3fffff

int main(void)
{
	FAILS("kill: nobody", kill(NOBODY, 0), ESRCH);
	FAILS("kill: nobody, no such signal", kill(NOBODY, 99), ESRCH);
	FAILS("kill: somebody, no such signal", kill(getpid(), 99), EINVAL);
	FAILS("kill: somebody, a negative signal", kill(getpid(), -1), EINVAL);
	FAILS("kill: no group, no such signal", kill(-NOBODY, 99), ESRCH);
	FAILS("kill: the own group, no such signal", kill(0, 99), EINVAL);
	FAILS("kill: the group INT_MIN", kill((int)0x80000000, 99), ESRCH);
	FAILS("tkill: nobody, no such signal", syscall(SYS_tkill, NOBODY, 99), ESRCH);
	FAILS("tkill: somebody, no such signal", syscall(SYS_tkill, getpid(), 99), EINVAL);
	FAILS("tkill: thread 0", syscall(SYS_tkill, 0, 99), EINVAL);
	FAILS("tgkill: another group", syscall(SYS_tgkill, getpid() + 1, getpid(), 99), ESRCH);
	return done();
}
