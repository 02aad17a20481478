/*
 * The floating-point oracle: executes one operation on generated operands and prints operands, result and flags.
 *
 *     oracle <row name> <rounding mode 0..4> <count> <seed>
 *
 * Output: one record of five little-endian 64-bit words per case: a, b, c, result, fflags. Operands and results are
 * whole f registers (singles NaN-boxed, now and then badly) or zero-extended x registers. The operands depend on the
 * arguments alone, so every build prints the same ones.
 * Built for riscv32 it executes the very instruction (under qemu-riscv32, all rows and modes); built for x86-64 with
 *     gcc -O1 -frounding-math -ffp-contract=off -mfma
 * it computes with SSE and FMA3 what the host can answer: no RMM, no fmin, fmax, fclass or saturating conversion.
 * Used by campaign.ts.
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t u64;
typedef uint32_t u32;

/* ---- operands ---- */

static u64 prng;

static u64 rnd(void) /* splitmix64 */
{
	u64 z = prng += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static const u64 special64[] = {
	0, 1, 2, 0x000fffffffffffff, 0x0010000000000000, 0x0010000000000001, 0x001fffffffffffff, 0x0020000000000000,
	0x3ca0000000000000, 0x3cb0000000000000, 0x3fdfffffffffffff, 0x3fe0000000000000, 0x3fe0000000000001,
	0x3fefffffffffffff, 0x3ff0000000000000, 0x3ff0000000000001, 0x3ff8000000000000, 0x4000000000000000,
	0x4004000000000000, 0x4008000000000000, 0x41dfffffffc00000, 0x41dfffffffe00000, 0x41e0000000000000,
	0x41e0000000200000, 0x41efffffffe00000, 0x41effffffff00000, 0x41f0000000000000, 0x4340000000000000,
	0x36a0000000000000, 0x380fffffe0000000, 0x380fffffffffffff, 0x3810000000000000, 0x47efffffe0000000,
	0x47efffffefffffff, 0x47effffff0000000, 0x47f0000000000000, 0x7fdfffffffffffff, 0x7fe0000000000000,
	0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff4000000000000, 0x7ff8000000000000,
	0x7fffffffffffffff,
};

static const u32 special32[] = {
	0, 1, 2, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000, 0x33000000, 0x33800000, 0x34000000, 0x3effffff,
	0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000, 0x40200000, 0x40400000,
	0x4b000000, 0x4b800000, 0x4effffff, 0x4f000000, 0x4f000001, 0x4f7fffff, 0x4f800000, 0x7effffff, 0x7f000000,
	0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fa00000, 0x7fc00000, 0x7fffffff,
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* C leaves the order of evaluation open: no expression below calls this twice. */
static u64 below(u64 n) { return rnd() % n; }

/* A fraction that is random, or has only a few bits at either end: rounding's hard cases. */
static u64 fraction(int bits)
{
	u64 mask = (1ull << bits) - 1, choice = below(4), at = below(bits), value = rnd();
	switch (choice) {
	case 0: return (value & rnd()) & mask & ~(value >> 20);
	case 1: return (value << at) & mask;
	case 2: return (mask - (value & 7)) & mask;
	default: return value & mask;
	}
}

/* A pattern of a format with the given field widths. `near`: exponent field of the previous operand. */
static u64 pattern(int ebits, int fbits, int *near)
{
	int emax = (1 << ebits) - 1, bias = emax >> 1, e, spread = (int)below(2 * fbits) - fbits;
	u64 sign = below(2);
	switch (below(8)) {
	case 0: e = (int)below(emax + 1); break;
	case 1: e = (int)below(4); break;
	case 2: e = emax - 1 - (int)below(4); break;
	case 3: e = bias / 2 + spread; break;        /* products around the smallest normal */
	case 4: e = bias + bias / 2 + spread; break; /* and around the largest */
	case 5: e = bias + spread; break;
	default: e = *near + (int)below(7) - 3; break;
	}
	e = e < 0 ? 0 : e > emax - 1 ? emax - 1 : e;
	*near = e;
	return sign << (ebits + fbits) | (u64)e << fbits | fraction(fbits);
}

static u64 d2u(double d) { u64 u; memcpy(&u, &d, 8); return u; }
static double u2d(u64 u) { double d; memcpy(&d, &u, 8); return d; }
static u32 f2u(float f) { u32 u; memcpy(&u, &f, 4); return u; }
static float u2f(u32 u) { float f; memcpy(&f, &u, 4); return f; }

static int near64, near32;

static u64 operand64(void)
{
	u64 choice = below(8), sign = below(2) << 63;
	if (choice == 0) return sign | special64[below(COUNT(special64))];
	return choice == 1 ? rnd() : pattern(11, 52, &near64);
}

#define BOX 0xffffffff00000000ull

static u64 operand32(void)
{
	u64 choice = below(64);
	u32 sign = (u32)below(2) << 31;
	if (choice == 0) return operand64(); /* not a boxed single */
	if (choice < 8) return BOX | sign | special32[below(COUNT(special32))];
	return BOX | (choice < 16 ? (u32)rnd() : (u32)pattern(8, 23, &near32));
}

/* A value near the borders of what conversions to integers round, truncate or saturate. */
static double around_integers(void)
{
	int shift = (int)below(34);
	double n = (double)(int64_t)((rnd() & 0x3ffffffffull) >> shift);
	n += (double)below(5) * 0.25;
	u64 u = d2u(below(2) ? n : -n);
	return u2d(below(2) ? u + below(3) - 1 : u);
}

static u32 integer(void)
{
	static const u32 edge[] = { 0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x80000001, 0x01000001, 0xfeffffff };
	int shift = (int)below(32);
	return below(8) == 0 ? edge[below(COUNT(edge))] : (u32)rnd() >> shift;
}

/* ---- the operations ---- */

enum { S, D, X };  /* kinds of operand: single, double, integer */

struct op {
	const char *name;
	int kind;      /* of the operands */
	int to_integer;
	u64 (*run)(u64 a, u64 b, u64 c);
};

#ifdef __riscv

#define F_FROM_F(id, insn) \
	static u64 id(u64 a, u64 b, u64 c) { u64 r; __asm__ volatile( \
		"fld ft0, %1\n fld ft1, %2\n fld ft2, %3\n " insn "\n fsd ft3, %0" \
		: "=m"(r) : "m"(a), "m"(b), "m"(c) : "ft0", "ft1", "ft2", "ft3"); return r; }
#define X_FROM_F(id, insn) \
	static u64 id(u64 a, u64 b, u64 c) { u32 r; (void)c; __asm__ volatile( \
		"fld ft0, %1\n fld ft1, %2\n " insn \
		: "=r"(r) : "m"(a), "m"(b) : "ft0", "ft1"); return r; }
#define F_FROM_X(id, insn) \
	static u64 id(u64 a, u64 b, u64 c) { u64 r; (void)b; (void)c; __asm__ volatile( \
		insn "\n fsd ft3, %0" : "=m"(r) : "r"((u32)a) : "ft3"); return r; }

#define BOTH(M, n, args) M(n##_s, #n ".s " args) M(n##_d, #n ".d " args)
BOTH(F_FROM_F, fadd, "ft3, ft0, ft1") BOTH(F_FROM_F, fsub, "ft3, ft0, ft1")
BOTH(F_FROM_F, fmul, "ft3, ft0, ft1") BOTH(F_FROM_F, fdiv, "ft3, ft0, ft1")
BOTH(F_FROM_F, fsqrt, "ft3, ft0")
BOTH(F_FROM_F, fmadd, "ft3, ft0, ft1, ft2") BOTH(F_FROM_F, fmsub, "ft3, ft0, ft1, ft2")
BOTH(F_FROM_F, fnmadd, "ft3, ft0, ft1, ft2") BOTH(F_FROM_F, fnmsub, "ft3, ft0, ft1, ft2")
BOTH(F_FROM_F, fsgnj, "ft3, ft0, ft1") BOTH(F_FROM_F, fsgnjn, "ft3, ft0, ft1") BOTH(F_FROM_F, fsgnjx, "ft3, ft0, ft1")
BOTH(F_FROM_F, fmin, "ft3, ft0, ft1") BOTH(F_FROM_F, fmax, "ft3, ft0, ft1")
BOTH(X_FROM_F, feq, "%0, ft0, ft1") BOTH(X_FROM_F, flt, "%0, ft0, ft1") BOTH(X_FROM_F, fle, "%0, ft0, ft1")
BOTH(X_FROM_F, fclass, "%0, ft0")
X_FROM_F(fcvt_w_s, "fcvt.w.s %0, ft0, dyn") X_FROM_F(fcvt_wu_s, "fcvt.wu.s %0, ft0, dyn")
X_FROM_F(fcvt_w_d, "fcvt.w.d %0, ft0, dyn") X_FROM_F(fcvt_wu_d, "fcvt.wu.d %0, ft0, dyn")
F_FROM_X(fcvt_s_w, "fcvt.s.w ft3, %1, dyn") F_FROM_X(fcvt_s_wu, "fcvt.s.wu ft3, %1, dyn")
F_FROM_X(fcvt_d_w, "fcvt.d.w ft3, %1") F_FROM_X(fcvt_d_wu, "fcvt.d.wu ft3, %1")
F_FROM_F(fcvt_s_d, "fcvt.s.d ft3, ft0, dyn") F_FROM_F(fcvt_d_s, "fcvt.d.s ft3, ft0")
/* Zfa, which the assembler need not know: OP-FP with the dynamic rounding mode, or funct3 instead. */
#define ZFA(id, funct3, funct7, rs2) F_FROM_F(id, ".insn r 0x53, " #funct3 ", " #funct7 ", ft3, ft0, " #rs2)
#define ZFA_X(id, funct3, funct7, rs2) X_FROM_F(id, ".insn r 0x53, " #funct3 ", " #funct7 ", %0, ft0, " #rs2)
ZFA(fround_s, 7, 0x20, f4) ZFA(froundnx_s, 7, 0x20, f5) ZFA(fround_d, 7, 0x21, f4) ZFA(froundnx_d, 7, 0x21, f5)
ZFA(fminm_s, 2, 0x14, f1) ZFA(fmaxm_s, 3, 0x14, f1) ZFA(fminm_d, 2, 0x15, f1) ZFA(fmaxm_d, 3, 0x15, f1)
ZFA_X(fleq_s, 4, 0x50, f1) ZFA_X(fltq_s, 5, 0x50, f1) ZFA_X(fleq_d, 4, 0x51, f1) ZFA_X(fltq_d, 5, 0x51, f1)
ZFA_X(fcvtmod_w_d, 1, 0x61, f8)
X_FROM_F(fmv_x_w, "fmv.x.w %0, ft0") F_FROM_X(fmv_w_x, "fmv.w.x ft3, %1")

static void set_mode(int rm) { __asm__ volatile("fscsr %0" : : "r"(rm << 5)); }
static u32 flags(void) { u32 f; __asm__ volatile("frflags %0" : "=r"(f)); return f; }

#else /* the host */

static float s(u64 u) { return u2f((u & BOX) == BOX ? (u32)u : 0x7fc00000); }
static u64 of_s(float f) { return BOX | (isnan(f) ? 0x7fc00000 : f2u(f)); }
static u64 of_d(double d) { return isnan(d) ? 0x7ff8000000000000 : d2u(d); }

#define OP(id, expr) static u64 id(u64 a, u64 b, u64 c) { (void)a; (void)b; (void)c; return expr; }
OP(fadd_s, of_s(s(a) + s(b))) OP(fadd_d, of_d(u2d(a) + u2d(b)))
OP(fsub_s, of_s(s(a) - s(b))) OP(fsub_d, of_d(u2d(a) - u2d(b)))
OP(fmul_s, of_s(s(a) * s(b))) OP(fmul_d, of_d(u2d(a) * u2d(b)))
OP(fdiv_s, of_s(s(a) / s(b))) OP(fdiv_d, of_d(u2d(a) / u2d(b)))
OP(fmadd_s, of_s(__builtin_fmaf(s(a), s(b), s(c)))) OP(fmadd_d, of_d(__builtin_fma(u2d(a), u2d(b), u2d(c))))
OP(fmsub_s, of_s(__builtin_fmaf(s(a), s(b), -s(c)))) OP(fmsub_d, of_d(__builtin_fma(u2d(a), u2d(b), -u2d(c))))
OP(fnmsub_s, of_s(__builtin_fmaf(-s(a), s(b), s(c)))) OP(fnmsub_d, of_d(__builtin_fma(-u2d(a), u2d(b), u2d(c))))
OP(fnmadd_s, of_s(__builtin_fmaf(-s(a), s(b), -s(c)))) OP(fnmadd_d, of_d(__builtin_fma(-u2d(a), u2d(b), -u2d(c))))
OP(feq_s, s(a) == s(b)) OP(feq_d, u2d(a) == u2d(b))
OP(flt_s, s(a) < s(b)) OP(flt_d, u2d(a) < u2d(b))
OP(fle_s, s(a) <= s(b)) OP(fle_d, u2d(a) <= u2d(b))
OP(fcvt_s_w, of_s((float)(int32_t)a)) OP(fcvt_s_wu, of_s((float)(int64_t)(u32)a))
OP(fcvt_d_w, of_d((double)(int32_t)a)) OP(fcvt_d_wu, of_d((double)(int64_t)(u32)a))
OP(fcvt_s_d, of_s((float)u2d(a))) OP(fcvt_d_s, of_d((double)s(a)))

static u64 fsqrt_s(u64 a, u64 b, u64 c)
{
	float x = s(a), r;
	(void)b, (void)c;
	__asm__ volatile("sqrtss %1, %0" : "=x"(r) : "x"(x));
	return of_s(r);
}

static u64 fsqrt_d(u64 a, u64 b, u64 c)
{
	double x = u2d(a), r;
	(void)b, (void)c;
	__asm__ volatile("sqrtsd %1, %0" : "=x"(r) : "x"(x));
	return of_d(r);
}

static void set_mode(int rm)
{
	static const int host[] = { FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD };
	fesetround(host[rm]);
	feclearexcept(FE_ALL_EXCEPT);
}

static u32 flags(void)
{
	int e = fetestexcept(FE_ALL_EXCEPT);
	return (e & FE_INEXACT ? 1 : 0) | (e & FE_UNDERFLOW ? 2 : 0) | (e & FE_OVERFLOW ? 4 : 0) |
	       (e & FE_DIVBYZERO ? 8 : 0) | (e & FE_INVALID ? 16 : 0);
}

#endif

#define ROWS(n) { #n ".s", S, 0, n##_s }, { #n ".d", D, 0, n##_d },
#define TESTS(n) { #n ".s", S, 1, n##_s }, { #n ".d", D, 1, n##_d },

static const struct op ops[] = {
	ROWS(fadd) ROWS(fsub) ROWS(fmul) ROWS(fdiv) ROWS(fsqrt) ROWS(fmadd) ROWS(fmsub) ROWS(fnmsub) ROWS(fnmadd)
	TESTS(feq) TESTS(flt) TESTS(fle)
	{ "fcvt.s.w", X, 0, fcvt_s_w }, { "fcvt.s.wu", X, 0, fcvt_s_wu },
	{ "fcvt.d.w", X, 0, fcvt_d_w }, { "fcvt.d.wu", X, 0, fcvt_d_wu },
	{ "fcvt.s.d", D, 0, fcvt_s_d }, { "fcvt.d.s", S, 0, fcvt_d_s },
#ifdef __riscv
	ROWS(fsgnj) ROWS(fsgnjn) ROWS(fsgnjx) ROWS(fmin) ROWS(fmax) TESTS(fclass)
	{ "fcvt.w.s", S, 2, fcvt_w_s }, { "fcvt.wu.s", S, 2, fcvt_wu_s },
	{ "fcvt.w.d", D, 2, fcvt_w_d }, { "fcvt.wu.d", D, 2, fcvt_wu_d },
	ROWS(fround) ROWS(froundnx) ROWS(fminm) ROWS(fmaxm) TESTS(fleq) TESTS(fltq) { "fcvtmod.w.d", D, 2, fcvtmod_w_d },
	{ "fmv.x.w", S, 1, fmv_x_w }, { "fmv.w.x", X, 0, fmv_w_x },
#endif
};

static u64 operand(const struct op *op)
{
	if (op->kind == X) return integer();
	if (op->to_integer == 2 && below(2)) {
		double v = around_integers();
		return op->kind == D ? d2u(v) : BOX | f2u((float)v);
	}
	return op->kind == D ? operand64() : operand32();
}

/* For fused sums: an addend close to the product or to its negation. */
static void cancel(const struct op *op, const u64 *a, const u64 *b, u64 *c)
{
	u64 change = below(5) - 2, flip = below(2);
	if (op->kind == D) {
		double product = u2d(*a) * u2d(*b);
		if (product == product) *c = (d2u(product) + change) ^ (flip << 63);
	} else {
		float product = u2f((u32)*a) * u2f((u32)*b);
		if (product == product) *c = BOX | ((f2u(product) + (u32)change) ^ ((u32)flip << 31));
	}
}

int main(int argc, char **argv)
{
	if (argc != 5) return 2;
	const struct op *op = NULL;
	for (size_t i = 0; i < COUNT(ops); i++)
		if (strcmp(ops[i].name, argv[1]) == 0) op = &ops[i];
	if (op == NULL) return 3;
	int rm = atoi(argv[2]);
	long count = atol(argv[3]);
	prng = strtoull(argv[4], NULL, 10) * 1000003;
	for (const char *p = argv[1]; *p; p++) prng = prng * 31 + (unsigned char)*p;
	for (long i = 0; i < count; i++) {
		u64 record[5];
		for (int k = 0; k < 3; k++) record[k] = operand(op);
		if (op->kind != X && below(4) == 0) {
			set_mode(0);
			cancel(op, &record[0], &record[1], &record[2]);
		}
		set_mode(rm);
		u64 (*volatile run)(u64, u64, u64) = op->run;
		record[3] = run(record[0], record[1], record[2]);
		record[4] = flags();
		set_mode(0);
		if (fwrite(record, sizeof record, 1, stdout) != 1) return 4;
	}
	return 0;
}
