/*
 * generator.c: `generator FUNCTIONS CALLS GENERATIONS` writes that many functions into memory, calls each so many times, and writes
 * them anew, with other constants, so many times. It is about the host's memory, not about speed.
 */
#include "bench.h"
#include <sys/mman.h>

#ifndef __riscv
#error "generator.c writes RISC-V code"
#endif

#define WORDS 32
enum { ZERO = 0, RA = 1, T0 = 5, T1 = 6, A0 = 10 };

static uint32_t i_type(int opcode, int funct3, int rd, int rs1, int imm)
{
	return (uint32_t)imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static uint32_t addi(int rd, int rs1, int imm) { return i_type(0x13, 0, rd, rs1, imm); }
static uint32_t slli(int rd, int rs1, int shamt) { return i_type(0x13, 1, rd, rs1, shamt); }
static uint32_t xori(int rd, int rs1, int imm) { return i_type(0x13, 4, rd, rs1, imm); }
static uint32_t jalr(int rd, int rs1, int imm) { return i_type(0x67, 0, rd, rs1, imm); }
static uint32_t add(int rd, int rs1, int rs2) { return rs2 << 20 | rs1 << 15 | rd << 7 | 0x33; }

static uint32_t bne(int rs1, int rs2, int imm)
{
	uint32_t to = imm;
	return (to >> 12 & 1) << 31 | (to >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | 1 << 12 |
	       (to >> 1 & 0xf) << 8 | (to >> 11 & 1) << 7 | 0x63;
}

/* uint32_t f(uint32_t): four rounds of a few sums. */
static void write_function(uint32_t *at, uint32_t seed)
{
	uint32_t *p = at;
	*p++ = addi(T0, ZERO, 4);
	uint32_t *loop = p;
	for (int i = 0; i < 6; i++) {
		uint32_t random = next_random(&seed);
		*p++ = addi(A0, A0, random >> 22);
		*p++ = slli(T1, A0, random & 7);
		*p++ = xori(T1, T1, random >> 12 & 0x3ff);
		*p++ = add(A0, A0, T1);
	}
	*p++ = addi(T0, T0, -1);
	*p = bne(T0, ZERO, -4 * (int)(p - loop));
	p++;
	*p++ = jalr(ZERO, RA, 0);
	if (p - at > WORDS)
		abort();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int functions = atoi(argv[1]), calls = atoi(argv[2]), generations = atoi(argv[3]);
	uint32_t *code = mmap(NULL, functions * WORDS * sizeof *code, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	uint32_t sum = 0;
	for (int g = 0; g < generations; g++) {
		for (int f = 0; f < functions; f++)
			write_function(code + f * WORDS, g * 7919 + f);
		__asm__ volatile("fence.i" ::: "memory");
		/* One after the other, so that each is hot for a while. */
		for (int f = 0; f < functions; f++)
			for (int c = 0; c < calls; c++)
				sum = ((uint32_t(*)(uint32_t))(code + f * WORDS))(sum);
	}
	return report("generator", sum);
}
