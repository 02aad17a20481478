/* shmat(2): SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC and flags that do not exist. */
#include "shm.h"

static int id;

static void as_user(void *argument)
{
	(void)argument;
	int mine = new_segment(PAGE, 0400);
	FAILS("user, mode 0400: read and write", (long)shmat(mine, NULL, 0), EACCES);
	TRUE("user, mode 0400: SHM_RDONLY", shmat(mine, NULL, SHM_RDONLY) != (void *)-1);
	FAILS("user, mode 0400: SHM_RDONLY and SHM_EXEC", (long)shmat(mine, NULL, SHM_RDONLY | SHM_EXEC), EACCES);
	int other = new_segment(PAGE, 0600);
	FAILS("user, mode 0600: SHM_EXEC", (long)shmat(other, NULL, SHM_EXEC), EACCES);
	int exec = new_segment(PAGE, 0700);
	TRUE("user, mode 0700: SHM_EXEC", shmat(exec, NULL, SHM_EXEC) != (void *)-1);
	int write_only = new_segment(PAGE, 0200);
	FAILS("user, mode 0200: SHM_RDONLY", (long)shmat(write_only, NULL, SHM_RDONLY), EACCES);
	FAILS("user, mode 0200: read and write", (long)shmat(write_only, NULL, 0), EACCES);
	FAILS("user: SHM_RND that rounds to 0", (long)shmat(other, (void *)100, SHM_RND), EPERM);
	remove_segment(mine);
	remove_segment(other);
	remove_segment(exec);
	remove_segment(write_only);
}

static void at_zero(void *argument)
{
	(void)argument;
	char *p = shmat(id, (void *)(PAGE - 1), SHM_RND);
	TRUE("root: SHM_RND that rounds to 0 maps at 0", p == NULL);
	READING("the byte at 0", p, "ok");
	WORKS("shmdt(0)", shmdt(NULL));
	FAILS("SHM_RND and SHM_REMAP that round to 0", (long)shmat(id, (void *)100, SHM_RND | SHM_REMAP), EINVAL);
}

int main(void)
{
	id = new_segment(2 * PAGE, 0600);

	char *ro = attach(id, NULL, SHM_RDONLY);
	READING("read a read-only attach", ro, "ok");
	WRITING("write a read-only attach", ro, "SIGSEGV");
	FAILS("mprotect(PROT_WRITE) on it", mprotect(ro, PAGE, PROT_READ | PROT_WRITE), EACCES);
	WORKS("mprotect(PROT_NONE) on it", mprotect(ro, PAGE, PROT_NONE));
	READING("then it cannot be read", ro, "SIGSEGV");
	WORKS("and back", mprotect(ro, PAGE, PROT_READ));

	char *rw = attach(id, NULL, 0);
	WORKS("mprotect a writable attach read-only", mprotect(rw, 2 * PAGE, PROT_READ));
	WRITING("write it", rw, "SIGSEGV");
	WORKS("and back", mprotect(rw, 2 * PAGE, PROT_READ | PROT_WRITE));
	WRITING("write it again", rw, "ok");

	char *room = free_range(8 * PAGE);
	TRUE("SHM_RND rounds down", shmat(id, room + 100, SHM_RND) == room);
	TRUE("SHM_RND on a boundary", shmat(id, room + 2 * PAGE, SHM_RND) == room + 2 * PAGE);
	FAILS("SHM_RND onto a mapping", (long)shmat(id, room + PAGE + 5, SHM_RND), EINVAL);
	TRUE("SHM_RND with NULL", shmat(id, NULL, SHM_RND) != (void *)-1);

	char *around = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(around, 'm', 4 * PAGE);
	FAILS("onto a mapping without SHM_REMAP", (long)shmat(id, around + PAGE, 0), EINVAL);
	TRUE("with SHM_REMAP", shmat(id, around + PAGE, SHM_REMAP) == around + PAGE);
	TRUE("replaces its own range only", around[PAGE - 1] == 'm' && around[3 * PAGE] == 'm');
	strcpy(rw, "remapped");
	TEXT("and shows the segment", around + PAGE, "remapped");
	TRUE("SHM_REMAP where nothing is", shmat(id, room + 4 * PAGE, SHM_REMAP) == room + 4 * PAGE);
	FAILS("SHM_REMAP with NULL", (long)shmat(id, NULL, SHM_REMAP), EINVAL);
	FAILS("SHM_REMAP unaligned", (long)shmat(id, around + 1, SHM_REMAP), EINVAL);
	TRUE("SHM_REMAP and SHM_RND", shmat(id, around + PAGE + 7, SHM_REMAP | SHM_RND) == around + PAGE);
	long nattch = nattch_of(id);
	TRUE("an attach remapped by another segment", attach(new_segment(2 * PAGE, 0600), around + PAGE, SHM_REMAP) == around + PAGE);
	EQUALS("takes one from nattch", nattch - nattch_of(id), 1);

	TRUE("root: SHM_EXEC without x in the mode", shmat(id, NULL, SHM_EXEC) != (void *)-1);
	TRUE("unknown flags are ignored", shmat(id, NULL, 0x40000 | 0777) != (void *)-1);
	in_child(at_zero, NULL);
	in_child_as(1000, 1000, as_user, NULL);
	return done();
}
