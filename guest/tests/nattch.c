/* shm_nattch counts VMAs, whatever makes and unmakes them. */
#include "shm.h"

static void child(void *argument)
{
	char *p = argument;
	EQUALS("in a child", nattch_of(0), 2);
	NEED(shmdt(p));
	EQUALS("after the child's shmdt", nattch_of(0), 1);
}

static void splitter(void *argument)
{
	char *p = argument;
	NEED(munmap(p + PAGE, PAGE));
	EQUALS("a child makes a hole in its copy", nattch_of(0), 3);
}

int main(void)
{
	int id = new_segment(4 * PAGE, 0600);

	NEED(id == 0 ? 0 : -1);
	char *p = attach(id, NULL, 0);
	EQUALS("one attach", nattch_of(id), 1);
	in_child(child, p);
	EQUALS("after the child has ended", nattch_of(id), 1);
	in_child(splitter, p);
	EQUALS("after that child has ended", nattch_of(id), 1);

	char *many[50];
	for (int i = 0; i < 50; i++)
		many[i] = attach(id, NULL, i % 2 ? SHM_RDONLY : 0);
	EQUALS("50 more", nattch_of(id), 51);
	int distinct = 1;
	for (int i = 0; i < 50; i++)
		for (int j = 0; j < i; j++)
			distinct &= many[i] != many[j];
	TRUE("at 50 addresses", distinct);
	p[0] = 42;
	int all = 1;
	for (int i = 0; i < 50; i++)
		all &= many[i][0] == 42;
	TRUE("all of them the same byte", all);
	for (int i = 0; i < 50; i += 2)
		NEED(shmdt(many[i]));
	EQUALS("without every second", nattch_of(id), 26);
	for (int i = 1; i < 50; i += 2)
		NEED(munmap(many[i], 4 * PAGE));
	EQUALS("without the others, by munmap", nattch_of(id), 1);

	NEED(munmap(p + PAGE, 2 * PAGE));
	EQUALS("a hole of two pages", nattch_of(id), 2);
	NEED(munmap(p + 3 * PAGE, PAGE));
	EQUALS("without the second piece", nattch_of(id), 1);
	WORKS("shmdt", shmdt(p));
	EQUALS("nothing left", nattch_of(id), 0);
	TRUE("the segment is still there", shmat(id, NULL, 0) != (void *)-1);
	return done();
}
