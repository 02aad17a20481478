/* nbodyf.c: nbody.c in float. */
#define REAL float
#define ROOT sqrtf
#define NAME "nbodyf"
#define DIGITS 4
#include "nbody.c"
