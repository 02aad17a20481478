/* matmul.c: product of two 64 x 64 matrices of double. The checksum leaves out what a fused multiply-add may change. */
#include "bench.h"

enum { SIDE = 64 };
static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10);
	double trace = 0;
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = 1.0 / (i + j + 1);
			b[i][j] = (i - j) / 10.0;
		}
	for (long r = 0; r < n; r++) {
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j++) {
				double sum = 0;
				for (int k = 0; k < SIDE; k++)
					sum += a[i][k] * b[k][j];
				c[i][j] = sum;
			}
		trace += c[r % SIDE][(r * 7) % SIDE];
		a[r % SIDE][0] += 1e-3;
	}
	printf("matmul %.6g\n", trace);
	return 0;
}
