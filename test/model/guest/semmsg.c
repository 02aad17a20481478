/* The operations of a worker on semaphores and message queues. Those that may sleep do so in the system call itself. */
#include "model.h"
#include "semmsg.h"
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

/* semget variable key count flags */
void do_semget(long *a)
{
	say_result(semget((key_t)a[1], (int)a[2], (int)a[3]));
}

/* semctl id number command value: those without a buffer */
void do_semctl(long *a)
{
	const union semun argument = { .val = (int)a[3] };
	long result = semctl((int)a[0], (int)a[1], (int)a[2], argument);

	if (a[2] == GETPID && result != -1)
		say("by $%ld", result);
	else
		say_result(result);
}

/* sem_all id: every value of the set */
void do_sem_all(long *a)
{
	unsigned short values[8] = { 0 };
	struct semid_ds ds;
	const union semun stat = { .buf = &ds }, all = { .array = values };

	if (semctl((int)a[0], 0, IPC_STAT, stat) == -1 || semctl((int)a[0], 0, GETALL, all) == -1) {
		say("%s", name_of_errno(errno));
		return;
	}
	for (unsigned i = 0; i < ds.sem_nsems && i < 8; i++)
		say(i ? " %u" : "%u", values[i]);
}

/* sem_setall id value value value */
void do_sem_setall(long *a)
{
	unsigned short values[8] = { (unsigned short)a[1], (unsigned short)a[2], (unsigned short)a[3] };
	const union semun all = { .array = values };

	say_result(semctl((int)a[0], 0, SETALL, all));
}

/* sem_info command: IPC_INFO or SEM_INFO */
void do_sem_info(long *a)
{
	struct seminfo info;
	const union semun argument = { .array = (unsigned short *)&info };

	memset(&info, 0, sizeof info);
	long result = semctl(0, 0, a[0] == IPC_INFO ? IPC_INFO : SEM_INFO, argument);
	say_result(result);
	if (result != -1)
		say(" mni %d mns %d msl %d opm %d vmx %d usz %d aem %d", info.semmni, info.semmns, info.semmsl, info.semopm,
		    info.semvmx, info.semusz, info.semaem);
}

/* msg_info command: IPC_INFO or MSG_INFO */
void do_msg_info(long *a)
{
	struct msginfo info;

	memset(&info, 0, sizeof info);
	long result = msgctl(0, a[0] == IPC_INFO ? IPC_INFO : MSG_INFO, (struct msqid_ds *)&info);
	say_result(result);
	if (result != -1)
		say(" max %d mnb %d mni %d pool %d map %d tql %d ssz %d seg %u", info.msgmax, info.msgmnb, info.msgmni,
		    info.msgpool, info.msgmap, info.msgtql, info.msgssz, info.msgseg);
}

static void say_perm(const struct ipc_perm *perm)
{
	say(" key %lx mode %lo owner %u:%u creator %u:%u", (unsigned long)perm->__ipc_perm_key & 0xffffffff,
	    (unsigned long)perm->mode, perm->uid, perm->gid, perm->cuid, perm->cgid);
}

/* sem_stat command id */
void do_sem_stat(long *a)
{
	struct semid_ds ds;
	const union semun argument = { .buf = &ds };

	memset(&ds, 0, sizeof ds);
	long result = semctl((int)a[1], 0, a[0] == IPC_STAT ? IPC_STAT : SEM_STAT, argument);
	say_result(result);
	if (result == -1)
		return;
	say_perm(&ds.sem_perm);
	say(" count %lu times %c%c", (unsigned long)ds.sem_nsems, ds.sem_otime ? 'o' : '-', ds.sem_ctime ? 'c' : '-');
}

/* sem_set id uid gid mode */
void do_sem_set(long *a)
{
	struct semid_ds ds;
	const union semun argument = { .buf = &ds };

	memset(&ds, 0, sizeof ds);
	ds.sem_perm.uid = (uid_t)a[1];
	ds.sem_perm.gid = (gid_t)a[2];
	ds.sem_perm.mode = (unsigned)a[3];
	say_result(semctl((int)a[0], 0, IPC_SET, argument));
}

/* semop id count number operation flags number operation flags */
void do_semop(long *a)
{
	struct sembuf operations[2];

	for (int i = 0; i < 2; i++) {
		operations[i].sem_num = (unsigned short)a[2 + 3 * i];
		operations[i].sem_op = (short)a[3 + 3 * i];
		operations[i].sem_flg = (short)a[4 + 3 * i];
	}
	say_result(semop((int)a[0], operations, (size_t)a[1] % 3));
}

/* semtimedop id number operation flags timeout: none to wait, or one that cannot be */
void do_semtimedop(long *a)
{
	static const struct timespec timeouts[] = { { 0, 0 }, { 0, 1000000000 }, { -1, 0 }, { 0, -1 } };
	struct sembuf operation = { (unsigned short)a[1], (short)a[2], (short)a[3] };

	say_result(semtimedop((int)a[0], &operation, 1, &timeouts[a[4] & 3]));
}

/* msgget variable key flags */
void do_msgget(long *a)
{
	say_result(msgget((key_t)a[1], (int)a[2]));
}

struct message {
	long type;
	char text[9000];
};

/* msgsnd id type size flags: the text tells the type and the size */
void do_msgsnd(long *a)
{
	static struct message message;

	message.type = a[1];
	memset(message.text, (int)('a' + a[1] % 16), sizeof message.text);
	say_result(msgsnd((int)a[0], &message, (size_t)a[2] % sizeof message.text, (int)a[3]));
}

/* msgrcv id size type flags */
void do_msgrcv(long *a)
{
	static struct message message;

	message.text[0] = 0;
	ssize_t n = msgrcv((int)a[0], &message, (size_t)a[1] % sizeof message.text, a[2], (int)a[3]);
	say_result(n);
	if (n >= 0)
		say(" of type %ld: %.1s", message.type, n > 0 ? message.text : "");
}

/* msgctl id command: those without a buffer */
void do_msgctl(long *a)
{
	say_result(msgctl((int)a[0], (int)a[1], NULL));
}

/* msg_stat command id */
void do_msg_stat(long *a)
{
	struct msqid_ds ds;

	memset(&ds, 0, sizeof ds);
	long result = msgctl((int)a[1], a[0] == IPC_STAT ? IPC_STAT : MSG_STAT, &ds);
	say_result(result);
	if (result == -1)
		return;
	say_perm(&ds.msg_perm);
	say(" bytes %lu of %lu messages %lu by $%d and $%d", (unsigned long)ds.msg_cbytes, (unsigned long)ds.msg_qbytes,
	    (unsigned long)ds.msg_qnum, (int)ds.msg_lspid, (int)ds.msg_lrpid);
}

/* msg_set id uid gid mode bytes */
void do_msg_set(long *a)
{
	struct msqid_ds ds;

	memset(&ds, 0, sizeof ds);
	ds.msg_perm.uid = (uid_t)a[1];
	ds.msg_perm.gid = (gid_t)a[2];
	ds.msg_perm.mode = (unsigned)a[3];
	ds.msg_qbytes = (msglen_t)a[4];
	say_result(msgctl((int)a[0], IPC_SET, &ds));
}
