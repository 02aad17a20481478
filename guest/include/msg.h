/* msg.h: what the tests of System V message queues share. */
#ifndef MSG_H
#define MSG_H

#include "sleepers.h"
#include <limits.h>
#include <sys/msg.h>

#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_STAT
#define MSG_STAT 11
#define MSG_INFO 12
#endif

/* musl has none of it. */
struct msg_info { int msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql; unsigned short msgseg; };

struct message { long type; char text[20000]; };
static struct message sent, got;

static CHECK_UNUSED int new_queue(int mode)
{
	return (int)NEED(msgget(IPC_PRIVATE, IPC_CREAT | mode));
}

static CHECK_UNUSED struct msqid_ds queue_stat(int id)
{
	struct msqid_ds ds;

	memset(&ds, 0, sizeof ds);
	NEED(msgctl(id, IPC_STAT, &ds));
	return ds;
}

/* A message of this type and text, its zero included. */
static CHECK_UNUSED int send(int id, long type, const char *text, int flags)
{
	sent.type = type;
	strcpy(sent.text, text);
	return msgsnd(id, &sent, strlen(text) + 1, flags);
}

/* A message of this type and length. */
static CHECK_UNUSED int send_bytes(int id, long type, size_t length, int flags)
{
	sent.type = type;
	memset(sent.text, 'x', length);
	return msgsnd(id, &sent, length, flags);
}

static CHECK_UNUSED ssize_t receive(int id, size_t size, long type, int flags)
{
	memset(&got, 0, 64);
	return msgrcv(id, &got, size, type, flags);
}

/* Receives without waiting, and says what. */
static CHECK_UNUSED void receiving(const char *name, int id, size_t size, long type, int flags)
{
	ssize_t n = receive(id, size, type, flags | IPC_NOWAIT);
	if (n == -1)
		say("%s: -1 %s", name, errno_name(errno));
	else if (got.type == LONG_MAX)
		say("%s: %d bytes, type LONG_MAX, \"%.20s\"", name, (int)n, got.text);
	else
		say("%s: %d bytes, type %ld, \"%.20s\"", name, (int)n, got.type, got.text);
}

/* Bytes and messages in a queue. */
static CHECK_UNUSED void content(const char *name, int id)
{
	struct msqid_ds ds = queue_stat(id);
	say("%s: %lu bytes in %lu messages of at most %lu", name, (unsigned long)ds.msg_cbytes, (unsigned long)ds.msg_qnum,
	    (unsigned long)ds.msg_qbytes);
}

static CHECK_UNUSED void remove_queue(int id)
{
	NEED(msgctl(id, IPC_RMID, NULL));
}

/* A sleeper's call. */
struct sleepy_message { int id; long type; size_t size; int flags; int sends; };
static CHECK_UNUSED int sleepy_call(void *argument)
{
	struct sleepy_message *m = argument;
	if (!m->sends)
		return (int)msgrcv(m->id, &got, m->size, m->type, m->flags);
	sent.type = m->type;
	return msgsnd(m->id, &sent, m->size, m->flags);
}

static CHECK_UNUSED void sleepy_receiver(int i, int id, size_t size, long type, int flags)
{
	struct sleepy_message m = { id, type, size, flags, 0 };
	start_sleeper(i, sleepy_call, &m);
	settle_one(i);
}

static CHECK_UNUSED void sleepy_sender(int i, int id, size_t size, long type)
{
	struct sleepy_message m = { id, type, size, 0, 1 };
	start_sleeper(i, sleepy_call, &m);
	settle_one(i);
}

#endif
