/*
 * nbody.c: the outer planets around the sun, a symplectic step of 0.01 years; prints the energy at the end.
 * REAL is double, or float in nbodyf.c. Units: astronomical units, years, solar masses.
 */
#include "bench.h"
#include <math.h>

#ifndef REAL
#define REAL double
#define ROOT sqrt
#define NAME "nbody"
#define DIGITS 9
#endif

enum { BODIES = 5 };

struct body {
	REAL x[3], v[3], mass;
};

/* Rounded positions and velocities of Jupiter, Saturn, Uranus and Neptune. */
static struct body bodies[BODIES] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, (REAL)1.0 },
	{ { (REAL)4.84, (REAL)-1.16, (REAL)-0.10 }, { (REAL)0.606, (REAL)2.81, (REAL)-0.0252 }, (REAL)9.55e-4 },
	{ { (REAL)8.34, (REAL)4.12, (REAL)-0.40 }, { (REAL)-1.01, (REAL)1.82, (REAL)0.00842 }, (REAL)2.86e-4 },
	{ { (REAL)12.9, (REAL)-15.1, (REAL)-0.22 }, { (REAL)1.08, (REAL)0.868, (REAL)-0.0108 }, (REAL)4.37e-5 },
	{ { (REAL)15.4, (REAL)-25.9, (REAL)0.18 }, { (REAL)0.979, (REAL)0.594, (REAL)-0.0348 }, (REAL)5.15e-5 },
};

static const REAL gravity = (REAL)39.478417604357434; /* 4 pi^2 */

static void step(REAL dt)
{
	for (int i = 0; i < BODIES; i++)
		for (int j = i + 1; j < BODIES; j++) {
			struct body *a = &bodies[i], *b = &bodies[j];
			REAL d[3], square = 0;
			for (int k = 0; k < 3; k++) {
				d[k] = a->x[k] - b->x[k];
				square += d[k] * d[k];
			}
			REAL pull = gravity * dt / (square * ROOT(square));
			for (int k = 0; k < 3; k++) {
				a->v[k] -= d[k] * b->mass * pull;
				b->v[k] += d[k] * a->mass * pull;
			}
		}
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].x[k] += dt * bodies[i].v[k];
}

static double energy(void)
{
	double e = 0;
	for (int i = 0; i < BODIES; i++) {
		const struct body *a = &bodies[i];
		e += 0.5 * (double)a->mass * ((double)a->v[0] * a->v[0] + (double)a->v[1] * a->v[1] + (double)a->v[2] * a->v[2]);
		for (int j = i + 1; j < BODIES; j++) {
			const struct body *b = &bodies[j];
			double square = 0;
			for (int k = 0; k < 3; k++)
				square += ((double)a->x[k] - b->x[k]) * ((double)a->x[k] - b->x[k]);
			e -= (double)gravity * a->mass * b->mass / sqrt(square);
		}
	}
	return e;
}

int main(int argc, char **argv)
{
	long n = iterations(argc, argv, 10000);
	for (long i = 0; i < n; i++)
		step((REAL)0.01);
	printf(NAME " %.*f\n", DIGITS, energy());
	return 0;
}
