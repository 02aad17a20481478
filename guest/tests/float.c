/* Floating point: arithmetic, conversions, comparison, rounding modes, flags, printing; no libm accuracy. */
#include "check.h"
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>

#pragma STDC FENV_ACCESS ON
#pragma STDC FP_CONTRACT OFF

static uint64_t bits(double d)
{
	uint64_t u;
	memcpy(&u, &d, 8);
	return u;
}

static uint32_t bits_f(float f)
{
	uint32_t u;
	memcpy(&u, &f, 4);
	return u;
}

/* Values the compiler cannot fold. */
static volatile double zero = 0.0, one = 1.0, two = 2.0, three = 3.0, ten = 10.0, huge = DBL_MAX, tiny = DBL_MIN;
static volatile float zero_f = 0.0f, one_f = 1.0f, three_f = 3.0f, huge_f = FLT_MAX, tiny_f = FLT_MIN;

static void arithmetic(void)
{
	say("1/3 %016llx %08x", (unsigned long long)bits(one / three), bits_f(one_f / three_f));
	say("sqrt %016llx %08x", (unsigned long long)bits(sqrt(two)), bits_f(sqrtf(three_f)));
	say("0.1+0.2 %016llx", (unsigned long long)bits(one / ten + two / ten));
	say("2/3*1e300 %016llx", (unsigned long long)bits(two / three * 1e300));
	say("subnormal %016llx %08x", (unsigned long long)bits(tiny / three), bits_f(tiny_f / three_f));
	say("overflow %016llx %08x", (unsigned long long)bits(huge * two), bits_f(huge_f * three_f));
	say("minus zero %016llx %08x", (unsigned long long)bits(-zero), bits_f(-zero_f));
	say("fma %016llx", (unsigned long long)bits(fma(one / three, three, -one)));
	say("fmaf %08x", bits_f(fmaf(one_f / three_f, three_f, -one_f)));
	TRUE("NaN is not itself", !(zero / zero == zero / zero) && isnan(zero / zero));
	TRUE("NaN compares false", !(NAN < one) && !(NAN > one) && !(NAN == one));
	TRUE("infinity", isinf(one / zero) && one / zero > huge && -one / zero < -huge);
	TRUE("fmin, fmax skip NaN", fmin(NAN, one) == 1 && fmax(two, NAN) == 2);
	TRUE("copysign, fabs", copysign(one, -zero) == -1 && fabs(-three) == 3);
	TRUE("frexp, ldexp, modf", ldexp(frexp(ten, &(int){ 0 }), 4) == 10 && modf(ten / three, &(double){ 0 }) < 0.34);
}

static void conversions(void)
{
	volatile double d = 2147483647.75, negative = -2147483648.0, big = 1e18 + 3000;
	volatile int32_t i = -123456789;
	volatile uint32_t u = 4000000000u;
	volatile int64_t l = -1234567890123456789;
	volatile float f = 16777217.0f;

	EQUALS("double to int truncates", (int32_t)d, 2147483647);
	EQUALS("the least int", (int32_t)negative, INT32_MIN);
	EQUALS("double to unsigned", (uint32_t)(d * 1.5), 3221225471u);
	EQUALS("double to long long", (int64_t)big, 1000000000000002944LL);
	say("int to double %016llx", (unsigned long long)bits(i));
	say("unsigned to double %016llx", (unsigned long long)bits(u));
	say("long long to double %016llx", (unsigned long long)bits((double)l));
	say("int to float %08x, unsigned %08x", bits_f((float)i), bits_f((float)u));
	say("double to float %08x", bits_f((float)(one / three)));
	say("float to double %016llx", (unsigned long long)bits((double)(one_f / three_f)));
	EQUALS("float 2^24 + 1", (int64_t)f, 16777216);
	EQUALS("rint", (int)rint(2.5) * 10 + (int)rint(3.5), 24);
	EQUALS("floor and ceil", (int)floor(-2.5) * 10 + (int)ceil(-2.5), -32);
	EQUALS("lround", lround(-2.5), -3);
}

static const char *flags(void)
{
	static char text[40];
	int f = fetestexcept(FE_ALL_EXCEPT);
	snprintf(text, sizeof text, "%s%s%s%s%s", f & FE_INVALID ? "NV " : "", f & FE_DIVBYZERO ? "DZ " : "",
		 f & FE_OVERFLOW ? "OF " : "", f & FE_UNDERFLOW ? "UF " : "", f & FE_INEXACT ? "NX " : "");
	return text;
}

static volatile double sink;
#define FLAGS(name, expression, expected) \
	do { feclearexcept(FE_ALL_EXCEPT); sink = (expression); TEXT(name, flags(), expected); } while (0)

static void exceptions(void)
{
	FLAGS("1+2", one + two, "");
	FLAGS("1/3", one / three, "NX ");
	FLAGS("1/0", one / zero, "DZ ");
	FLAGS("0/0", zero / zero, "NV ");
	FLAGS("inf-inf", (double)INFINITY * one - (double)INFINITY * one, "NV ");
	FLAGS("sqrt(-1)", sqrt(-one), "NV ");
	FLAGS("huge*huge", huge * huge, "OF NX ");
	FLAGS("tiny*tiny", tiny * tiny, "UF NX ");
	FLAGS("tiny/2 is exact", tiny / two, "");
	FLAGS("float 1/3", one_f / three_f, "NX ");
	FLAGS("to float overflow", (float)huge, "OF NX ");
	FLAGS("quiet NaN compare ==", (double)NAN * one == one, "");
	FLAGS("to int, inexact", (int)(ten / three), "NX ");
}

static void rounding(void)
{
	static const struct { int mode; const char *name; } modes[] = {
		{ FE_TONEAREST, "nearest" }, { FE_TOWARDZERO, "toward zero" }, { FE_UPWARD, "upward" }, { FE_DOWNWARD, "downward" },
	};
	for (int i = 0; i < 4; i++) {
		EQUALS("fesetround", fesetround(modes[i].mode), 0);
		double a = one / three, b = -one / three, c = huge * two, d = sqrt(two), e = one + tiny;
		float f = one_f / three_f;
		double r1 = rint(2.5 * one), r2 = rint(-2.5 * one);
		fesetround(FE_TONEAREST);
		say("%s: 1/3 %016llx -1/3 %016llx huge*2 %016llx sqrt2 %016llx 1+tiny %016llx 1/3f %08x rint %d %d", modes[i].name,
		    (unsigned long long)bits(a), (unsigned long long)bits(b), (unsigned long long)bits(c),
		    (unsigned long long)bits(d), (unsigned long long)bits(e), bits_f(f), (int)r1, (int)r2);
	}
}

static void printing(void)
{
	say("%f %e %g %a", 3.14159265358979, 6.02214076e23, 1e-5, 1.0);
	say("%.17g %.17g", 0.1, 1.0 / 3.0);
	say("%10.3f|%-10.2e|%+g|%05.1f", 2.71828, 299792458.0, 42.0, 9.96);
	say("%g %g %g", INFINITY, -INFINITY, DBL_MAX);
	say("%.20g %.0f", 5e-324, 1e22);
	say("strtod %.17g %.17g %.17g", strtod("0.1", NULL), strtod("1.7976931348623157e308", NULL), strtod("0x1.8p3", NULL));
	say("strtof %.9g", (double)strtof("16777217", NULL));
	say("sin %.10f exp %.10f log %.10f pow %.10f", sin(1.0), exp(1.0), log(10.0), pow(2.0, 0.5));
}

/* Registers survive a context switch. */
static void across_fork(void)
{
	double a = one / three, b = sqrt(two);
	float c = one_f / three_f;
	pid_t pid = (pid_t)NEED(fork());
	for (int i = 0; i < 20000; i++) {
		a = a * 1.0000001 + (pid == 0 ? 1e-9 : 2e-9);
		b = sqrt(b + 1);
		c = c * 1.00001f;
	}
	if (pid == 0)
		_exit(0);
	NEED(waitpid(pid, NULL, 0));
	say("while a child computes: %.12g %.12g %.6g", a, b, (double)c);
}

int main(void)
{
	arithmetic();
	conversions();
	exceptions();
	rounding();
	printing();
	across_fork();
	return done();
}
