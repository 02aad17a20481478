/* The C library's stdio on our files: formats, streams, buffering, scanning. */
#include "check.h"
#include <ctype.h>
#include <stdint.h>

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	char line[100], word[20];
	int a, b;

	say("%d %i %u %x %X %o %c %s %%", -42, 42, 42u, 0xbeef, 0xbeef, 0777, 'z', "text");
	say("[%5d] [%-5d] [%05d] [%+d] [%#x] [%.3d]", 42, 42, 42, 42, 42, 7);
	say("[%10s] [%-10s] [%.2s] [%*d]", "right", "left", "cut", 6, 123);
	say("%lld %llu %llx", -9000000000000000000LL, 18000000000000000000ULL, 0x123456789abcdefULL);
	say("%hhd %hd %zu %jd", (signed char)-1, (short)-2, (size_t)3, (intmax_t)-4);
	EQUALS("snprintf returns what it would need", snprintf(line, 5, "%s", "eight by"), 8);
	TEXT("and cuts", line, "eigh");

	FILE *f = fopen("/tmp/stdio", "w+");
	NEED(f ? 0 : -1);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "line %d of the file\n", i);
	EQUALS("ftell", ftell(f), 19 * 1000 - 1000 + 10 + 90 * 2 + 900 * 3);
	rewind(f);
	int lines = 0, sum = 0;
	while (fgets(line, sizeof line, f)) {
		lines += sscanf(line, "line %d of the %19s", &a, word) == 2;
		sum += a;
	}
	EQUALS("lines read back", lines, 1000);
	EQUALS("their sum", sum, 499500);
	TRUE("feof", feof(f) && !ferror(f));
	fseek(f, 5, SEEK_SET);
	EQUALS("fscanf after fseek", fscanf(f, "%d", &a) == 1 ? a : -1, 0);
	EQUALS("ungetc", ungetc('Q', f) == 'Q' ? fgetc(f) : -1, 'Q');
	fclose(f);
	f = fopen("/tmp/stdio", "a");
	fputs("the end", f);
	fclose(f);
	f = fopen("/tmp/stdio", "r");
	fseek(f, -7, SEEK_END);
	EQUALS("fread", fread(line, 1, 50, f), 7);
	TRUE("what was appended", memcmp(line, "the end", 7) == 0);
	EQUALS("write to a read-only stream", fputc('x', f), EOF);
	fclose(f);
	TRUE("fopen of what is not there", fopen("/tmp/none", "r") == NULL && errno == ENOENT);
	WORKS("remove", remove("/tmp/stdio"));

	EQUALS("sscanf", sscanf("  12 0x1f rest", "%d %x %19s", &a, (unsigned *)&b, word), 3);
	say("%d %d %s", a, b, word);
	EQUALS("strtol", strtol("-0755", NULL, 0), -493);
	errno = 0;
	EQUALS("strtoll out of range", strtoll("99999999999999999999", NULL, 10), 9223372036854775807LL);
	TEXT("errno", errno_name(errno), "ERANGE");
	EQUALS("getchar at the end of stdin", getchar(), EOF);

	int numbers[] = { 5, 3, 9, -1, 7, 0 };
	qsort(numbers, 6, sizeof numbers[0], by_number);
	say("qsort %d %d %d %d %d %d", numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
	TRUE("bsearch", bsearch(&(int){ 7 }, numbers, 6, sizeof numbers[0], by_number) == &numbers[4]);
	TRUE("strings", strstr("a needle in it", "needle") && strchr("abc", 'c') && !strrchr("abc", 'x') &&
			strspn("aab", "a") == 2 && toupper('q') == 'Q');
	setenv("NAME", "value", 1);
	TEXT("getenv", getenv("NAME"), "value");
	TEXT("strerror", strerror(ENOENT), "No such file or directory");
	printf("printf and exit: the buffer is flushed\n");
	fprintf(stderr, "this goes to stderr\n");
	fflush(stdout);
	return done();
}
