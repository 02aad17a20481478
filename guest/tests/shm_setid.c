/* Who is asked: effective ids, the file-system gid, supplementary groups, the owner's and creator's ids, and single capabilities. */
#include "shm.h"
#include <grp.h>
#include <sys/fsuid.h>
#include <linux/capability.h>

static int id;

static void caps(uint32_t effective, uint32_t permitted)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { effective, permitted, 0 }, { 0, 0, 0 } };
	NEED(syscall(SYS_capset, &head, data));
}

/* What the caller may do, in one line. */
static void may(const char *who)
{
	struct shmid_ds ds;
	char line[200] = "";
	const char *sep = "";
#define TRY(text, call) \
	do { \
		long r_ = (long)(call); \
		snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s %s", sep, text, r_ == -1 ? errno_name(errno) : "ok"); \
		sep = ", "; \
	} while (0)
	void *p;
	TRY("stat", shmctl(id, IPC_STAT, &ds));
	TRY("shmget r", shmget(KEY, 0, 0400));
	TRY("shmget rw", shmget(KEY, 0, 0600));
	TRY("shmget w of other", shmget(KEY, 0, 0002));
	TRY("at r", (p = shmat(id, NULL, SHM_RDONLY)));
	if (p != (void *)-1)
		shmdt(p);
	TRY("at rw", (p = shmat(id, NULL, 0)));
	if (p != (void *)-1)
		shmdt(p);
	TRY("at x", (p = shmat(id, NULL, SHM_RDONLY | SHM_EXEC)));
	if (p != (void *)-1)
		shmdt(p);
	TRY("lock", shmctl(id, SHM_LOCK, NULL));
	TRY("unlock", shmctl(id, SHM_UNLOCK, NULL));
	say("%s: %s", who, line);
}

/* Sets owner and mode, as root. */
static void own(uid_t uid, gid_t gid, mode_t mode)
{
	struct shmid_ds ds = stat_of(id);
	ds.shm_perm.uid = uid;
	ds.shm_perm.gid = gid;
	ds.shm_perm.mode = mode;
	NEED(shmctl(id, IPC_SET, &ds));
}

static void user(uid_t ruid, uid_t euid, uid_t suid, gid_t gid)
{
	NEED(setgroups(0, NULL));
	NEED(setresgid(gid, gid, gid));
	NEED(setresuid(ruid, euid, suid));
}

static void real_is_not_asked(void *argument)
{
	(void)argument;
	user(1000, 2000, 2000, 2000);
	may("the real uid is the owner's, the effective is not");
	NEED(seteuid(1000));
	may("now effective is");
	NEED(setreuid(-1, 2000));
	may("setreuid away");
	NEED(setresuid(-1, 1000, -1));
	may("setresuid back");
}

static void fsuid_is_not_asked(void *argument)
{
	(void)argument;
	user(2000, 2000, 1000, 2000);
	setfsuid(1000);
	may("file-system uid is the owner's");
	NEED(seteuid(1000));
	setfsuid(2000);
	may("effective uid is, file-system uid is not");
}

static void groups(void *argument)
{
	gid_t list[] = { 7, 1500, 9 };
	(void)argument;
	NEED(setgroups(0, NULL));
	NEED(setresgid(3000, 1500, 3000));
	NEED(setresuid(3000, 3000, 3000));
	may("effective gid is the group's");
	setfsgid(3000);
	may("and file-system gid is not");
	NEED(setresgid(1500, 3000, -1) == -1 ? 0 : 0);
	may("real gid alone");
	(void)list;
}

static void supplementary(void *argument)
{
	gid_t list[] = { 7, 1500, 9 };
	(void)argument;
	NEED(setgroups(3, list));
	NEED(setresgid(3000, 3000, 3000));
	NEED(setresuid(3000, 3000, 3000));
	may("a supplementary group");
}

static void owner_before_group(void *argument)
{
	gid_t list[] = { 1500 };
	(void)argument;
	NEED(setgroups(1, list));
	NEED(setresuid(1000, 1000, 1000));
	may("the owner, in the group too: the owner's bits alone count");
}

static void with_cap(void *argument)
{
	struct { const char *name; int cap; } *want = argument;
	NEED(setgroups(0, NULL));
	/* Keep capabilities over the change of uid by changing the effective one alone. */
	NEED(setresgid(3000, 3000, 3000));
	NEED(setresuid(0, 3000, 0));
	caps(want->cap < 0 ? 0 : 1u << want->cap, 0xffffffffu & ~(1u << CAP_SYS_RESOURCE));
	may(want->name);
	struct shmid_ds ds;
	memset(&ds, 0, sizeof ds);
	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1500;
	ds.shm_perm.mode = 0600;
	char line[80];
	snprintf(line, sizeof line, "%s: IPC_SET", want->name);
	FAILS(line, shmctl(id, IPC_SET, &ds), want->cap == CAP_SYS_ADMIN ? 0 : EPERM);
	snprintf(line, sizeof line, "%s: IPC_RMID", want->name);
	FAILS(line, shmctl(id, IPC_RMID, NULL), want->cap == CAP_SYS_ADMIN ? 0 : EPERM);
}

static void root_without(void *argument)
{
	(void)argument;
	caps(0, 0);
	may("euid 0 without capabilities");
	FAILS("it cannot take them back", setgroups(0, NULL), EPERM);
}

int main(void)
{
	id = (int)NEED(shmget(KEY, PAGE, IPC_CREAT | 0600));
	own(1000, 1500, 0600);
	may("root");
	in_child(real_is_not_asked, NULL);
	in_child(fsuid_is_not_asked, NULL);
	own(1000, 1500, 0060);
	in_child(groups, NULL);
	in_child(supplementary, NULL);
	in_child(owner_before_group, NULL);
	own(1000, 1500, 0006);
	in_child(owner_before_group, NULL);
	in_child(groups, NULL);
	own(1000, 1500, 0600);
	in_child(root_without, NULL);
	own(1000, 1500, 0600);
	struct { const char *name; int cap; } want[] = {
		{ "no capability", -1 }, { "CAP_IPC_OWNER", CAP_IPC_OWNER }, { "CAP_IPC_LOCK", CAP_IPC_LOCK },
		{ "CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE }, { "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	};
	/* The creator is root, whose euid 3000 is not. */
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		in_child(with_cap, &want[i]);
	FAILS("CAP_SYS_ADMIN removed it", shmget(KEY, 0, 0), ENOENT);

	/* What setuid programs see of capabilities. */
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	WORKS("capget", syscall(SYS_capget, &head, data));
	TRUE("all that matter are effective", (data[0].effective & (1u << CAP_IPC_OWNER | 1u << CAP_IPC_LOCK | 1u << CAP_SYS_ADMIN)) ==
							   (1u << CAP_IPC_OWNER | 1u << CAP_IPC_LOCK | 1u << CAP_SYS_ADMIN));
	head.version = 0;
	FAILS("capget of version 0", syscall(SYS_capget, &head, data), EINVAL);
	TRUE("reports the version to use", head.version == _LINUX_CAPABILITY_VERSION_3);
	head.version = 0;
	WORKS("capget of version 0 without data", syscall(SYS_capget, &head, NULL));
	head.version = _LINUX_CAPABILITY_VERSION_3;
	head.pid = -1;
	FAILS("capget of pid -1", syscall(SYS_capget, &head, data), EINVAL);
	head.pid = 99999;
	FAILS("capget of no process", syscall(SYS_capget, &head, data), ESRCH);
	head.pid = getppid();
	FAILS("capset of another process", syscall(SYS_capset, &head, data), EPERM);
	FAILS("capget of NULL", syscall(SYS_capget, NULL, data), EFAULT);
	return done();
}
