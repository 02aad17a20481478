/* msgget(2), msgsnd(2), msgrcv(2) without sleeping: types, sizes, flags, order of errors, permissions, limits. */
#include "msg.h"

static int id;

static void as_user(void *argument)
{
	(void)argument;
	EQUALS("a user finds it", msgget(KEY, 0), id);
	FAILS("a user asks for writing", msgget(KEY, 0222), EACCES);
	FAILS("a user sends", send(id, 1, "x", 0), EACCES);
	FAILS("EINVAL of the size first", msgsnd(id, &sent, 9000, 0), EINVAL);
	FAILS("EACCES before EAGAIN", send(id, 1, "x", IPC_NOWAIT), EACCES);
	receiving("a user receives", id, 100, 0, 0);
	receiving("and when there is nothing", id, 100, 0, 0);
}

int main(void)
{
	FAILS("no key, no IPC_CREAT", msgget(KEY, 0), ENOENT);
	WORKS("created", id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0644));
	EQUALS("found", msgget(KEY, 0), id);
	FAILS("IPC_EXCL", msgget(KEY, IPC_CREAT | IPC_EXCL), EEXIST);
	TRUE("IPC_PRIVATE is always new", new_queue(0600) != id);
	struct msqid_ds ds = queue_stat(id);
	OCTAL("mode", ds.msg_perm.mode, 0644);
	EQUALS("stime", ds.msg_stime, 0);
	EQUALS("rtime", ds.msg_rtime, 0);
	TRUE("ctime", recent(ds.msg_ctime, time(NULL) - 5));
	EQUALS("lspid", ds.msg_lspid, 0);
	EQUALS("lrpid", ds.msg_lrpid, 0);
	content("empty", id);

	time_t before = time(NULL);
	WORKS("sent", send(id, 5, "five", 0));
	ds = queue_stat(id);
	TRUE("stime", recent(ds.msg_stime, before));
	TRUE("lspid", ds.msg_lspid == getpid());
	content("one", id);
	receiving("received", id, 100, 0, 0);
	ds = queue_stat(id);
	TRUE("rtime", recent(ds.msg_rtime, before));
	TRUE("lrpid", ds.msg_lrpid == getpid());
	receiving("nothing left", id, 100, 0, 0);

	/* Types. */
	for (int i = 0; i < 8; i++) {
		char text[] = "a0";
		text[1] = (char)('0' + i);
		NEED(send(id, (long[]){ 4, 2, 7, 2, 3, 1, 7, 9 }[i], text, 0));
	}
	receiving("type 7", id, 100, 7, 0);
	receiving("type 6", id, 100, 6, 0);
	receiving("up to 3", id, 100, -3, 0);
	receiving("up to 3", id, 100, -3, 0);
	receiving("up to 3", id, 100, -3, 0);
	receiving("any but 4", id, 100, 4, MSG_EXCEPT);
	receiving("any but 7", id, 100, 7, MSG_EXCEPT);
	receiving("MSG_EXCEPT means nothing with 0", id, 100, 0, MSG_EXCEPT);
	receiving("nor with a negative type", id, 100, -8, MSG_EXCEPT);
	content("one left", id);
	receiving("up to the greatest", id, 100, LONG_MIN, 0);
	receiving("nothing", id, 100, LONG_MIN, 0);
	NEED(send(id, LONG_MAX, "most", 0));
	receiving("any but 1", id, 100, 1, MSG_EXCEPT);

	/* Sizes. */
	WORKS("empty", send_bytes(id, 1, 0, 0));
	WORKS("MSGMAX", send_bytes(id, 2, 8192, 0));
	FAILS("above MSGMAX", send_bytes(id, 2, 8193, 0), EINVAL);
	FAILS("a negative size", msgsnd(id, &sent, (size_t)-1, 0), EINVAL);
	content("two", id);
	WORKS("to the brim", send_bytes(id, 3, 8192, IPC_NOWAIT));
	FAILS("full", send_bytes(id, 4, 1, IPC_NOWAIT), EAGAIN);
	WORKS("an empty one fits", send_bytes(id, 5, 0, IPC_NOWAIT));
	receiving("empty", id, 0, 0, 0);
	receiving("too long", id, 8191, 2, 0);
	content("it stays", id);
	receiving("too long, but", id, 3, 2, MSG_NOERROR);
	content("the rest is gone", id);
	EQUALS("exactly", receive(id, 8192, 3, 0), 8192);
	EQUALS("more room than needed", receive(id, 19000, 0, 0), 0);

	/* Errors in order. */
	FAILS("type 0", send(id, 0, "x", 0), EINVAL);
	FAILS("a negative type", send(id, -1, "x", 0), EINVAL);
	FAILS("no such queue", send(99, 1, "x", 0), EINVAL);
	FAILS("a negative queue", send(-1, 1, "x", 0), EINVAL);
	FAILS("no memory there", syscall(SYS_msgsnd, id, (void *)8, 1, 0), EFAULT);
	FAILS("EFAULT before anything", syscall(SYS_msgsnd, -1, (void *)8, -1L, 0), EFAULT);
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long one = 1;
	memcpy(page + PAGE - 16, &one, sizeof one);
	memcpy(page + PAGE - 3 * sizeof one, &one, sizeof one);
	NEED(munmap(page + PAGE, PAGE));
	FAILS("text into a hole", msgsnd(id, page + PAGE - 16, 100, 0), EFAULT);
	FAILS("EINVAL of the size before it", msgsnd(id, page + PAGE - 16, 9000, 0), EINVAL);
	FAILS("EFAULT of the text before the queue", msgsnd(99, page + PAGE - 16, 100, 0), EFAULT);
	WORKS("text up to it", msgsnd(id, page + PAGE - 16, 16 - sizeof one, 0));
	FAILS("a negative queue", receive(-1, 1, 0, IPC_NOWAIT), EINVAL);
	FAILS("no such queue", receive(99, 1, 0, IPC_NOWAIT), EINVAL);
	FAILS("a negative size", msgrcv(id, &got, (size_t)-1, 0, IPC_NOWAIT), EINVAL);
	FAILS("no memory there", syscall(SYS_msgrcv, id, (void *)8, 16, 0, 0), EFAULT);
	content("the message is lost", id);
	FAILS("ENOMSG before it", syscall(SYS_msgrcv, id, (void *)8, 16, 0, IPC_NOWAIT), ENOMSG);
	NEED(send(id, 1, "for users", 0));
	in_child_as(1000, 1000, as_user, NULL);

	/* Limits: msg_qbytes bounds the number of messages too. */
	ds = queue_stat(id);
	ds.msg_qbytes = 3;
	WORKS("IPC_SET", msgctl(id, IPC_SET, &ds));
	WORKS("empty", send_bytes(id, 1, 0, IPC_NOWAIT));
	WORKS("empty", send_bytes(id, 1, 0, IPC_NOWAIT));
	WORKS("empty", send_bytes(id, 1, 0, IPC_NOWAIT));
	FAILS("a fourth", send_bytes(id, 1, 0, IPC_NOWAIT), EAGAIN);
	receiving("room again", id, 0, 0, 0);
	FAILS("four bytes", send_bytes(id, 1, 4, IPC_NOWAIT), EAGAIN);
	WORKS("three", send_bytes(id, 1, 3, IPC_NOWAIT));
	content("full", id);
	write_number("/proc/sys/kernel/msgmax", "10");
	FAILS("a lowered MSGMAX", send_bytes(id, 1, 11, IPC_NOWAIT), EINVAL);
	write_number("/proc/sys/kernel/msgmnb", "500");
	content("MSGMNB concerns new ones", id);
	content("such as this", new_queue(0600));
	write_number("/proc/sys/kernel/msgmni", "4");
	WORKS("up to MSGMNI", msgget(IPC_PRIVATE, 0600));
	FAILS("MSGMNI", msgget(IPC_PRIVATE, 0600), ENOSPC);
	remove_queue(id);
	WORKS("and room again", msgget(IPC_PRIVATE, 0600));
	FAILS("its id", send(id, 1, "x", 0), EINVAL);
	return done();
}
