/* msgrcv(2) with MSG_COPY: the message of that number, which stays. */
#include "msg.h"

int main(void)
{
	int id = new_queue(0600);

	NEED(send(id, 5, "first", 0));
	NEED(send(id, 3, "second", 0));
	receiving("number 0", id, 100, 0, MSG_COPY);
	receiving("number 1", id, 100, 1, MSG_COPY);
	receiving("number 2", id, 100, 2, MSG_COPY);
	receiving("number -1", id, 100, -1, MSG_COPY);
	FAILS("without IPC_NOWAIT", receive(id, 100, 0, MSG_COPY), EINVAL);
	FAILS("with MSG_EXCEPT", receive(id, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	FAILS("EINVAL before the queue", receive(99, 100, 0, MSG_COPY), EINVAL);
	FAILS("no such queue", receive(99, 100, 0, MSG_COPY | IPC_NOWAIT), EINVAL);
	receiving("too long", id, 3, 0, MSG_COPY);
	receiving("too long, cut", id, 3, 0, MSG_COPY | MSG_NOERROR);
	receiving("exactly", id, 6, 0, MSG_COPY);
	struct msqid_ds ds = queue_stat(id);
	EQUALS("nothing was received", ds.msg_rtime, 0);
	EQUALS("by nobody", ds.msg_lrpid, 0);
	content("both are there", id);
	FAILS("a buffer that cannot be read", syscall(SYS_msgrcv, id, (void *)8, 16, 0, MSG_COPY | IPC_NOWAIT), EFAULT);
	FAILS("before the queue", syscall(SYS_msgrcv, 99, (void *)8, 16, 0, MSG_COPY | IPC_NOWAIT), EFAULT);
	FAILS("one of no size", syscall(SYS_msgrcv, id, (void *)8, 0, 7, MSG_COPY | IPC_NOWAIT), ENOMSG);
	receiving("the first", id, 100, 0, 0);
	receiving("number 0 now", id, 100, 0, MSG_COPY);
	return done();
}
