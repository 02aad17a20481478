/* msgctl(2): all commands, their errors in order, permissions; /proc/sysvipc/msg and /proc/sys/kernel/msg*. */
#include "msg.h"

static int id, other;

static long raw_msgctl(int queue, int command, void *buffer)
{
	return syscall(SYS_msgctl, queue, command & ~0x100, buffer);
}

static void as_owner(void *argument)
{
	struct msqid_ds ds = queue_stat(id);
	(void)argument;
	WORKS("the new owner sets", msgctl(id, IPC_SET, &ds));
	ds.msg_qbytes = 16384;
	WORKS("raises msg_qbytes to MSGMNB", msgctl(id, IPC_SET, &ds));
	ds.msg_qbytes = 16385;
	FAILS("and not above", msgctl(id, IPC_SET, &ds), EPERM);
}

static void as_user(void *argument)
{
	struct msqid_ds ds;
	(void)argument;
	memset(&ds, 0, sizeof ds);
	FAILS("IPC_STAT", msgctl(id, IPC_STAT, &ds), EACCES);
	FAILS("MSG_STAT", msgctl(id % 32768, MSG_STAT, &ds), EACCES);
	EQUALS("MSG_STAT_ANY", msgctl(id % 32768, MSG_STAT_ANY, &ds), id);
	FAILS("IPC_SET", msgctl(id, IPC_SET, &ds), EPERM);
	ds.msg_qbytes = 99999;
	FAILS("EPERM", msgctl(other, IPC_SET, &ds), EPERM);
	FAILS("IPC_RMID", msgctl(id, IPC_RMID, NULL), EPERM);
	FAILS("IPC_SET from nowhere", raw_msgctl(id, IPC_SET, (void *)8), EFAULT);
	struct msg_info info;
	EQUALS("MSG_INFO needs no permission", msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info), 2);
	FAILS("a user writes a limit", open("/proc/sys/kernel/msgmax", O_WRONLY), EACCES);
	say("and reads it: %s", read_text("/proc/sys/kernel/msgmax"));
}

static void show(const char *name, int command)
{
	struct msg_info i;
	memset(&i, 0xff, sizeof i);
	int index = (int)NEED(raw_msgctl(0, command, &i));
	say("%s: %d; pool %d map %d max %d mnb %d mni %d ssz %d tql %d seg %u", name, index, i.msgpool, i.msgmap, i.msgmax,
	    i.msgmnb, i.msgmni, i.msgssz, i.msgtql, i.msgseg);
}

int main(void)
{
	struct msqid_ds ds;

	show("IPC_INFO without queues", IPC_INFO);
	show("MSG_INFO without queues", MSG_INFO);
	TEXT("sysvipc", read_text("/proc/sysvipc/msg"),
	     "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime");
	NEED(new_queue(0600));
	id = new_queue(0600);
	other = (int)NEED(msgget((key_t)0x80000001, IPC_CREAT | 0644));
	NEED(send(id, 1, "hello", 0));
	NEED(send(id, 1, "world!", 0));
	NEED(send(other, 1, "", 0));
	show("IPC_INFO", IPC_INFO);
	show("MSG_INFO", MSG_INFO);
	FAILS("IPC_INFO to nowhere", raw_msgctl(0, IPC_INFO, (void *)8), EFAULT);
	FAILS("with a negative id", raw_msgctl(-1, IPC_INFO, &ds), EINVAL);

	time_t before = time(NULL);
	ds = queue_stat(id);
	ds.msg_perm.uid = 1000;
	ds.msg_perm.gid = 1001;
	ds.msg_perm.mode = 07640;
	ds.msg_qbytes = 100;
	ds.msg_qnum = 77;
	WORKS("IPC_SET", msgctl(id, IPC_SET, &ds));
	ds = queue_stat(id);
	EQUALS("uid", ds.msg_perm.uid, 1000);
	EQUALS("gid", ds.msg_perm.gid, 1001);
	EQUALS("cuid", ds.msg_perm.cuid, 0);
	OCTAL("mode", ds.msg_perm.mode, 0640);
	TRUE("ctime", recent(ds.msg_ctime, before));
	content("set", id);
	in_child_as(1000, 1000, as_owner, NULL);
	write_number("/proc/sys/kernel/msgmnb", "1000000");
	ds.msg_qbytes = 1000000;
	WORKS("up to a raised MSGMNB", msgctl(id, IPC_SET, &ds));
	content("set", id);
	write_number("/proc/sys/kernel/msgmnb", "16384");
	ds.msg_qbytes = 16384;
	ds.msg_perm.uid = (uid_t)-1;
	FAILS("IPC_SET to no user", msgctl(id, IPC_SET, &ds), EINVAL);
	FAILS("IPC_SET of no queue", msgctl(99, IPC_SET, &ds), EINVAL);
	FAILS("IPC_STAT to nowhere", raw_msgctl(id, IPC_STAT, (void *)8), EFAULT);
	FAILS("IPC_STAT of no queue", raw_msgctl(99, IPC_STAT, (void *)8), EINVAL);
	in_child_as(1002, 1002, as_user, NULL);
	EQUALS("MSG_STAT", msgctl(other % 32768, MSG_STAT, &ds), other);
	EQUALS("qnum", ds.msg_qnum, 1);
	FAILS("MSG_STAT of an unused index", msgctl(3, MSG_STAT, &ds), EINVAL);
	FAILS("no such command", raw_msgctl(id, 77, NULL), EINVAL);
	FAILS("a negative command", syscall(SYS_msgctl, id, -1, NULL), EINVAL);

	char expected[200];
	ds = queue_stat(other);
	snprintf(expected, sizeof expected, "-2147483647          2   644           1          1 %5d     0     0     0     0     0 %10lld          0 %10lld",
		 (int)getpid(), (long long)ds.msg_stime, (long long)ds.msg_ctime);
	TRUE("a row of sysvipc", strstr(read_text("/proc/sysvipc/msg"), expected) != NULL);
	TRUE("another", strstr(read_text("/proc/sysvipc/msg"), "         0          1   640          13          2 ") != NULL);
	WORKS("IPC_RMID", msgctl(id, IPC_RMID, NULL));
	FAILS("again", msgctl(id, IPC_RMID, NULL), EINVAL);
	show("its messages are gone", MSG_INFO);

	TEXT("msgmax", read_text("/proc/sys/kernel/msgmax"), "8192");
	TEXT("msgmnb", read_text("/proc/sys/kernel/msgmnb"), "16384");
	TEXT("msgmni", read_text("/proc/sys/kernel/msgmni"), "32000");
	TEXT("auto_msgmni", read_text("/proc/sys/kernel/auto_msgmni"), "0");
	int fd = (int)NEED(open("/proc/sys/kernel/auto_msgmni", O_RDWR));
	WORKS("which takes 1", write(fd, "1", 1));
	close(fd);
	TEXT("without effect", read_text("/proc/sys/kernel/auto_msgmni"), "0");
	fd = (int)NEED(open("/proc/sys/kernel/auto_msgmni", O_RDWR));
	FAILS("and not 2", write(fd, "2", 1), EINVAL);
	close(fd);
	fd = (int)NEED(open("/proc/sys/kernel/msgmni", O_RDWR));
	FAILS("msgmni up to 32768", write(fd, "32769", 5), EINVAL);
	close(fd);
	fd = (int)NEED(open("/proc/sys/kernel/msgmnb", O_RDWR));
	FAILS("msgmnb from 0", write(fd, "-1", 2), EINVAL);
	close(fd);
	write_number("/proc/sys/kernel/msgmnb", "2147483647");
	show("IPC_INFO with limits as written", IPC_INFO);
	write_number("/proc/sys/kernel/msg_next_id", "65547");
	EQUALS("msg_next_id", msgget(IPC_PRIVATE, 0600), 65547);
	TEXT("once", read_text("/proc/sys/kernel/msg_next_id"), "-1");
	return done();
}
