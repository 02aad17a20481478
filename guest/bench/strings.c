/* strings.c: the C library's string functions on words and lines. */
#include "bench.h"

int main(int argc, char **argv)
{
	static const char *const words[] = { "shmget", "attaches", "a", "segment", "of", "memory", "that", "processes",
					     "share", "through", "two", "page", "tables", "with", "one", "frame" };
	static char line[1024], copy[1024];
	long n = iterations(argc, argv, 1000);
	uint32_t seed = 1, sum = 0;
	for (long i = 0; i < n; i++) {
		line[0] = 0;
		for (int j = 0; j < 40; j++) {
			strcat(line, words[next_random(&seed) >> 28]);
			strcat(line, " ");
		}
		sum = mix(sum, (uint32_t)strlen(line));
		strcpy(copy, line);
		sum = mix(sum, (uint32_t)(strstr(copy, "frame") != NULL));
		sum = mix(sum, (uint32_t)strcmp(line, copy) + (uint32_t)strspn(line, "abcdefghs"));
		for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
			const char *found = memchr(word, 'e', strlen(word));
			sum = mix(sum, found ? (uint32_t)(found - word) : 99);
		}
		memset(copy, (int)i, sizeof copy);
		memmove(copy + 1, copy, 1000);
		sum = mix(sum, (uint32_t)memcmp(copy, line, 10) >> 31);
	}
	return report("strings", sum);
}
