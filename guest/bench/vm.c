/* vm.c: an interpreter for a small stack machine, one switch in a loop: indirect branches through a table. */
#include "bench.h"

enum op { PUSH, ADD, SUB, XOR, SHR, MUL, LOAD, STORE, DUP, SWAP, DROP, JNZ, LESS, HALT };

/* Computes a running hash over i = count .. 1 in register 0; register 1 counts down. */
static const int32_t program[] = {
	PUSH, 0, STORE, 0,
	/* 4: */ LOAD, 0, LOAD, 1, MUL, PUSH, 31, ADD, LOAD, 0, PUSH, 3, SHR, XOR, STORE, 0,
	/* 20: */ LOAD, 1, DUP, PUSH, 5, LESS, SWAP, DROP, LOAD, 0, ADD, STORE, 0,
	/* 33: */ LOAD, 1, PUSH, 1, SUB, DUP, STORE, 1, JNZ, 4, HALT,
};

static uint32_t run(uint32_t count)
{
	uint32_t stack[16], reg[4] = { 0, count, 0, 0 };
	int sp = 0;
	for (const int32_t *pc = program;;) {
		switch ((enum op)*pc++) {
		case PUSH: stack[sp++] = (uint32_t)*pc++; break;
		case ADD: sp--; stack[sp - 1] += stack[sp]; break;
		case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
		case XOR: sp--; stack[sp - 1] ^= stack[sp]; break;
		case SHR: sp--; stack[sp - 1] >>= stack[sp] & 31; break;
		case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
		case LOAD: stack[sp++] = reg[*pc++]; break;
		case STORE: reg[*pc++] = stack[--sp]; break;
		case DUP: stack[sp] = stack[sp - 1]; sp++; break;
		case SWAP: { uint32_t t = stack[sp - 1]; stack[sp - 1] = stack[sp - 2]; stack[sp - 2] = t; break; }
		case DROP: sp--; break;
		case JNZ: if (stack[--sp]) pc = program + *pc; else pc++; break;
		case LESS: sp--; stack[sp - 1] = stack[sp - 1] < stack[sp]; break;
		case HALT: return reg[0];
		}
	}
}

int main(int argc, char **argv)
{
	return report("vm", run((uint32_t)iterations(argc, argv, 100000)));
}
