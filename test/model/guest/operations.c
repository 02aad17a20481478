/* The operations of a worker: one function each, and the table that names them. */
#include "futexes.h"
#include "memory.h"
#include "model.h"
#include "posix.h"
#include "proc.h"
#include "semmsg.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
/* x86 has the calls without the multiplexer since 5.1. */
#if defined(__i386__)
#define RAW_SHMCTL 396
#else
#define RAW_SHMCTL SYS_shmctl
#endif

void say_new_address(long variable, void *address)
{
	if (address == (void *)-1) {
		say("%s", name_of_errno(errno));
		return;
	}
	addresses[variable % ADDRESSES] = (unsigned long)address;
	say_address((unsigned long)address);
}

/* shmget variable key size flags */
static void do_shmget(long *a)
{
	say_result(shmget((key_t)a[1], (size_t)a[2], (int)a[3]));
}

/* shmat variable id address flags */
static void do_shmat(long *a)
{
	say_new_address(a[0], shmat((int)a[1], (void *)a[2], (int)a[3]));
}

static void do_shmdt(long *a)
{
	say_result(shmdt((void *)a[0]));
}

static void say_ds(const struct shmid_ds *ds)
{
	const struct ipc_perm *perm = &ds->shm_perm;

	say(" key %lx mode %lo size %lu by $%d last $%d attached %lu owner %u:%u creator %u:%u times %c%c%c",
	    (unsigned long)perm->__ipc_perm_key & 0xffffffff, (unsigned long)perm->mode, (unsigned long)ds->shm_segsz,
	    (int)ds->shm_cpid, (int)ds->shm_lpid, (unsigned long)ds->shm_nattch, perm->uid, perm->gid, perm->cuid,
	    perm->cgid, ds->shm_atime ? 'a' : '-', ds->shm_dtime ? 'd' : '-', ds->shm_ctime ? 'c' : '-');
}

/* stat command id: IPC_STAT, SHM_STAT or SHM_STAT_ANY */
static void do_stat(long *a)
{
	struct shmid_ds ds;

	memset(&ds, 0, sizeof ds);
	long result = shmctl((int)a[1], a[0] == SHM_STAT ? SHM_STAT : a[0] == IPC_STAT ? IPC_STAT : SHM_STAT_ANY, &ds);
	say_result(result);
	if (result != -1)
		say_ds(&ds);
}

/* set id uid gid mode */
static void do_set(long *a)
{
	struct shmid_ds ds;

	memset(&ds, 0, sizeof ds);
	ds.shm_perm.uid = (uid_t)a[1];
	ds.shm_perm.gid = (gid_t)a[2];
	ds.shm_perm.mode = (unsigned)a[3];
	say_result(shmctl((int)a[0], IPC_SET, &ds));
}

/* control id command: those without a buffer; IPC_RMID, SHM_LOCK, SHM_UNLOCK */
static void do_control(long *a)
{
	say_result(shmctl((int)a[0], (int)a[1], NULL));
}

/* bad_control id command address: a buffer that is none, a command that is none */
static void do_bad_control(long *a)
{
	say_result(syscall(RAW_SHMCTL, (int)a[0], (int)a[1], (void *)a[2]));
}

static unsigned long at_most(unsigned long value, unsigned long most)
{
	return value < most ? value : most;
}

static void do_ipc_info(long *a)
{
	struct shminfo info;

	(void)a;
	memset(&info, 0, sizeof info);
	long result = shmctl(0, IPC_INFO, (struct shmid_ds *)&info);
	say_result(result);
	/* A 64-bit kernel tells a 32-bit program no more than INT_MAX. */
	if (result != -1)
		say(" max %lu min %lu mni %lu seg %lu all %lu", at_most(info.shmmax, 0x7fffffff), info.shmmin,
		    info.shmmni, info.shmseg, info.shmall);
}

static void do_shm_info(long *a)
{
	struct shm_info info;

	(void)a;
	memset(&info, 0, sizeof info);
	long result = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	say_result(result);
	if (result != -1)
		say(" ids %d pages %lu resident %lu", info.__used_ids, info.shm_tot, info.shm_rss);
}

/* fork worker: the child is a child of the coordinator, which learns of its end from waitpid */
static void do_fork(long *a)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		self = (int)a[0];
	else
		say_result(pid);
}

/* fork_ipc worker: the child has an ipc namespace of its own */
static void do_fork_ipc(long *a)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);

	if (pid != 0) {
		say_result(pid);
		return;
	}
	self = (int)a[0];
	if (set_limits() < 0)
		_exit(93);
}

static void do_exec(long *a)
{
	char number[4];

	(void)a;
	snprintf(number, sizeof number, "%d", self);
	/* The pipe of this program is not the next one's. */
	close(scratch[0]);
	close(scratch[1]);
	execl(program, program, number, (char *)NULL);
	say("%s", name_of_errno(errno));
	if (pipe2(scratch, O_NONBLOCK) < 0)
		_exit(97);
}

static void do_exit(long *a)
{
	_exit((int)a[0]);
}

/* kill pid signal */
static void do_kill(long *a)
{
	say_result(kill((pid_t)a[0], (int)a[1]));
}

static void do_resuid(long *a)
{
	say_result(setresuid((uid_t)a[0], (uid_t)a[1], (uid_t)a[2]));
}

static void do_resgid(long *a)
{
	say_result(setresgid((gid_t)a[0], (gid_t)a[1], (gid_t)a[2]));
}

/* groups count group group */
static void do_groups(long *a)
{
	const gid_t groups[2] = { (gid_t)a[1], (gid_t)a[2] };

	say_result(setgroups((size_t)a[0] % 3, groups));
}

/* memlock bytes: the soft limit */
static void do_memlock(long *a)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = (rlim_t)(unsigned long)a[0];
	say_result(setrlimit(RLIMIT_MEMLOCK, &limit));
}

static const char *const sysctls[] = { "shmmax",  "shmall",  "shmmni",	    "shm_rmid_forced", "shm_next_id", "msgmax",
				       "msgmnb", "msgmni", "msg_next_id", "sem_next_id" };
#define SYSCTLS (sizeof sysctls / sizeof sysctls[0])

static int open_sysctl(long number, int flags)
{
	char path[80];

	snprintf(path, sizeof path, "/proc/sys/kernel/%s", sysctls[(unsigned long)number % SYSCTLS]);
	return open(path, flags);
}

/* sysctl number value */
static void do_sysctl(long *a)
{
	char text[24];
	int fd = open_sysctl(a[0], O_WRONLY);

	if (fd < 0) {
		say("open: %s", name_of_errno(errno));
		return;
	}
	snprintf(text, sizeof text, a[1] == -1 ? "-1" : "%lu", (unsigned long)a[1]);
	say_result(write(fd, text, strlen(text)));
	close(fd);
}

/* sem_limits semmsl semmns semopm semmni */
static void do_sem_limits(long *a)
{
	char text[64];
	int fd = open("/proc/sys/kernel/sem", O_WRONLY);

	if (fd < 0) {
		say("open: %s", name_of_errno(errno));
		return;
	}
	snprintf(text, sizeof text, "%ld %ld %ld %ld", a[0], a[1], a[2], a[3]);
	say_result(write(fd, text, strlen(text)));
	close(fd);
}

static void do_read_sysctl(long *a)
{
	char text[64];
	int fd = open_sysctl(a[0], O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 0) {
		say("%s", name_of_errno(errno));
	} else {
		text[n - 1] = 0;
		say("%s", text);
	}
	close(fd);
}

/* A new namespace has the limits of its kernel's word size; here all have the same. */
static void do_unshare(long *a)
{
	(void)a;
	long result = unshare(CLONE_NEWIPC);

	say_result(result);
	if (result == 0 && set_limits() < 0)
		say(" limits: %s", name_of_errno(errno));
}

/* drop_cap number: from the effective set; an exec as root brings it back */
static void do_drop_cap(long *a)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	const unsigned bit = 1u << (a[0] & 31);

	if (syscall(SYS_capget, &header, data) < 0) {
		say("%s", name_of_errno(errno));
		return;
	}
	data[0].effective &= ~bit;
	say_result(syscall(SYS_capset, &header, data));
}

const struct operation operations[] = {
	{ "shmget", MAKES_ID, do_shmget },
	{ "shmat", ORDINARY, do_shmat },
	{ "shmdt", ORDINARY, do_shmdt },
	{ "stat", ORDINARY, do_stat },
	{ "set", ORDINARY, do_set },
	{ "control", ORDINARY, do_control },
	{ "bad_control", ORDINARY, do_bad_control },
	{ "ipc_info", ORDINARY, do_ipc_info },
	{ "shm_info", ORDINARY, do_shm_info },
	{ "munmap", ORDINARY, do_munmap },
	{ "mprotect", ORDINARY, do_mprotect },
	{ "mremap", ORDINARY, do_mremap },
	{ "madvise", ORDINARY, do_madvise },
	{ "mlock", ORDINARY, do_mlock },
	{ "mlock2", ORDINARY, do_mlock2 },
	{ "munlock", ORDINARY, do_munlock },
	{ "mlockall", ORDINARY, do_mlockall },
	{ "munlockall", ORDINARY, do_munlockall },
	{ "remap_file_pages", ORDINARY, do_remap_file_pages },
	{ "mmap", ORDINARY, do_mmap },
	{ "mincore", ORDINARY, do_mincore },
	{ "get", ORDINARY, do_get },
	{ "put", ORDINARY, do_put },
	{ "touch", MAY_DIE, do_touch },
	{ "probe", ORDINARY, do_probe },
	{ "guard", ORDINARY, do_guard },
	{ "futex_wait", MAY_SLEEP, do_futex_wait },
	{ "futex_wake", ORDINARY, do_futex_wake },
	{ "futex_requeue", ORDINARY, do_futex_requeue },
	{ "futex_wake_op", ORDINARY, do_futex_wake_op },
	{ "fork", FORKS, do_fork },
	{ "fork_ipc", FORKS, do_fork_ipc },
	{ "exec", ORDINARY, do_exec },
	{ "exit", MAY_DIE, do_exit },
	{ "kill", KILLS, do_kill },
	{ "resuid", ORDINARY, do_resuid },
	{ "resgid", ORDINARY, do_resgid },
	{ "groups", ORDINARY, do_groups },
	{ "memlock", ORDINARY, do_memlock },
	{ "sysctl", ORDINARY, do_sysctl },
	{ "sem_limits", ORDINARY, do_sem_limits },
	{ "read_sysctl", ORDINARY, do_read_sysctl },
	{ "drop_cap", ORDINARY, do_drop_cap },
	{ "unshare", ORDINARY, do_unshare },
	{ "maps", ORDINARY, do_maps },
	{ "smaps", ORDINARY, do_smaps },
	{ "semget", MAKES_ID, do_semget },
	{ "semctl", ORDINARY, do_semctl },
	{ "sem_all", ORDINARY, do_sem_all },
	{ "sem_setall", ORDINARY, do_sem_setall },
	{ "sem_info", ORDINARY, do_sem_info },
	{ "sem_stat", ORDINARY, do_sem_stat },
	{ "sem_set", ORDINARY, do_sem_set },
	{ "semop", MAY_SLEEP, do_semop },
	{ "semtimedop", ORDINARY, do_semtimedop },
	{ "msgget", MAKES_ID, do_msgget },
	{ "msgsnd", MAY_SLEEP, do_msgsnd },
	{ "msgrcv", MAY_SLEEP, do_msgrcv },
	{ "msgctl", ORDINARY, do_msgctl },
	{ "msg_info", ORDINARY, do_msg_info },
	{ "msg_stat", ORDINARY, do_msg_stat },
	{ "msg_set", ORDINARY, do_msg_set },
	{ "memfd", ORDINARY, do_memfd },
	{ "shm_open", ORDINARY, do_shm_open },
	{ "shm_unlink", ORDINARY, do_shm_unlink },
	{ "close", ORDINARY, do_close },
	{ "ftruncate", ORDINARY, do_ftruncate },
	{ "fallocate", ORDINARY, do_fallocate },
	{ "add_seals", ORDINARY, do_add_seals },
	{ "get_seals", ORDINARY, do_get_seals },
	{ "fstat", ORDINARY, do_fstat },
	{ "pread", ORDINARY, do_pread },
	{ "pwrite", ORDINARY, do_pwrite },
	{ "lseek", ORDINARY, do_lseek },
	{ "map_file", ORDINARY, do_map_file },
	{ "msync", ORDINARY, do_msync },
	{ NULL, ORDINARY, NULL },
};
