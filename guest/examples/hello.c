/* hello.c: the smallest program, for a first `sameframe run`. */
#include <stdio.h>

int main(void)
{
	printf("hello from RV32\n");
	return 0;
}
