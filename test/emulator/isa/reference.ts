/**
 * What each integer row computes, said a second time in exact arithmetic (BigInt), from the text of the
 * unprivileged specification and independent of the builder. Keyed by row name.
 */
const u32 = (v: bigint): bigint => BigInt.asUintN(32, v);
const s32 = (v: bigint): bigint => BigInt.asIntN(32, v);
const bit = (v: boolean): bigint => (v ? 1n : 0n);
const shamt = (v: bigint): bigint => v & 31n;

/** rd as a function of x[rs1] and x[rs2] (or the immediate), both signed. */
export type Compute = (a: bigint, b: bigint) => bigint;

export const compute: Readonly<Record<string, Compute>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << shamt(b),
  slt: (a, b) => bit(a < b),
  sltu: (a, b) => bit(u32(a) < u32(b)),
  xor: (a, b) => a ^ b,
  srl: (a, b) => u32(a) >> shamt(b),
  sra: (a, b) => s32(a) >> shamt(b),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  mul: (a, b) => a * b,
  mulh: (a, b) => (a * b) >> 32n,
  mulhsu: (a, b) => (a * u32(b)) >> 32n,
  mulhu: (a, b) => (u32(a) * u32(b)) >> 32n,
  div: (a, b) => (b === 0n ? -1n : a / b),
  divu: (a, b) => (b === 0n ? -1n : u32(a) / u32(b)),
  rem: (a, b) => (b === 0n ? a : a % b),
  remu: (a, b) => (b === 0n ? a : u32(a) % u32(b)),
};

/** The same with an immediate in place of x[rs2]. */
export const immediateForm: Readonly<Record<string, string>> = {
  addi: 'add',
  slti: 'slt',
  sltiu: 'sltu',
  xori: 'xor',
  ori: 'or',
  andi: 'and',
  slli: 'sll',
  srli: 'srl',
  srai: 'sra',
};

/** The condition of each branch. */
export const taken: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => a < b,
  bge: (a, b) => a >= b,
  bltu: (a, b) => u32(a) < u32(b),
  bgeu: (a, b) => u32(a) >= u32(b),
};

/** Loads: bytes, and whether the value is sign-extended. */
export const loads: Readonly<Record<string, { size: number; signed: boolean }>> = {
  lb: { size: 1, signed: true },
  lh: { size: 2, signed: true },
  lw: { size: 4, signed: true },
  lbu: { size: 1, signed: false },
  lhu: { size: 2, signed: false },
};

export const stores: Readonly<Record<string, number>> = { sb: 1, sh: 2, sw: 4 };

/** The new value in memory of each AMO. */
export const amos: Readonly<Record<string, Compute>> = {
  'amoswap.w': (_old, b) => b,
  'amoadd.w': (old, b) => old + b,
  'amoxor.w': (old, b) => old ^ b,
  'amoand.w': (old, b) => old & b,
  'amoor.w': (old, b) => old | b,
  'amomin.w': (old, b) => (old < b ? old : b),
  'amomax.w': (old, b) => (old > b ? old : b),
  'amominu.w': (old, b) => (u32(old) < u32(b) ? old : b),
  'amomaxu.w': (old, b) => (u32(old) > u32(b) ? old : b),
};

/** Truncates to a register. */
export function register(value: bigint): number {
  return Number(s32(value));
}
