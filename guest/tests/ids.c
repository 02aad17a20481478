/* Identifiers: sequence * 32768 + index, the index handed out cyclically. */
#include "shm.h"

static int next(void)
{
	int id = new_segment(1, 0600);
	remove_segment(id);
	return id;
}

int main(void)
{
	struct shmid_ds ds;

	int a = new_segment(1, 0600), b = new_segment(1, 0600), c = new_segment(1, 0600);
	EQUALS("first", a, 0);
	EQUALS("second", b, 1);
	EQUALS("third", c, 2);
	remove_segment(b);
	EQUALS("a freed index is not used at once", next(), 3);
	EQUALS("nor the next", next(), 4);
	EQUALS("nor the one after", next(), 5);

	/* Round and round: the sequence number grows when the index starts again. */
	int last = 5, wraps = 0, greatest = 0;
	for (int i = 0; i < 200; i++) {
		int id = next();
		int index = id % 32768;
		if (index <= last) {
			wraps++;
			EQUALS("it starts again with id", id, wraps * 32768 + 1);
		}
		if (index > greatest)
			greatest = index;
		last = index;
	}
	EQUALS("the greatest index with 2 segments", greatest, 63);
	EQUALS("rounds", wraps, 3);
	FAILS("an index with an old sequence number", shmctl(last, IPC_STAT, &ds), EINVAL);

	/* With many segments the cycle grows to 1.5 times their number. */
	static int many[100];
	for (int i = 0; i < 100; i++)
		many[i] = new_segment(1, 0600);
	int max = 0;
	for (int i = 0; i < 300; i++) {
		int index = next() % 32768;
		if (index > max)
			max = index;
	}
	EQUALS("the greatest index with 102 segments", max, 152);
	for (int i = 0; i < 100; i++)
		remove_segment(many[i]);

	write_number("/proc/sys/kernel/shm_next_id", "65541");
	EQUALS("shm_next_id asks for an id", shmget(IPC_PRIVATE, 1, 0600), 65541);
	TEXT("once", read_text("/proc/sys/kernel/shm_next_id"), "-1");
	write_number("/proc/sys/kernel/shm_next_id", "0");
	int id = new_segment(1, 0600);
	TRUE("a taken index falls back to a free one", id % 32768 != 0);
	WORKS("which works", shmctl(id, IPC_STAT, &ds));
	WORKS("and leaves the other", shmctl(a, IPC_STAT, &ds));
	(void)c;
	return done();
}
