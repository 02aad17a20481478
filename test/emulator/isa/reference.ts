/**
 * What each integer row computes, said a second time in exact arithmetic (BigInt), from the text of the
 * unprivileged specification and independent of the builder. Keyed by row name.
 */
const u32 = (v: bigint): bigint => BigInt.asUintN(32, v);
const s32 = (v: bigint): bigint => BigInt.asIntN(32, v);
const bit = (v: boolean): bigint => (v ? 1n : 0n);
const shamt = (v: bigint): bigint => v & 31n;

/** The product of two polynomials over GF(2). */
function carryless(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let i = 0n; i < 32n; i++) if ((u32(b) >> i) & 1n) product ^= u32(a) << i;
  return product;
}

/** Binary digits without leading zeros; none for zero. */
const digits = (a: bigint): string => (u32(a) === 0n ? '' : u32(a).toString(2));
/** Least significant first. */
const bytes = (a: bigint): bigint[] => [0n, 8n, 16n, 24n].map((at) => (u32(a) >> at) & 0xffn);
const ofBytes = (list: readonly bigint[]): bigint => list.reduceRight((sum, b) => (sum << 8n) | b, 0n);

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
  sh1add: (a, b) => a * 2n + b,
  sh2add: (a, b) => a * 4n + b,
  sh3add: (a, b) => a * 8n + b,
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  max: (a, b) => (a > b ? a : b),
  maxu: (a, b) => (u32(a) > u32(b) ? a : b),
  min: (a, b) => (a < b ? a : b),
  minu: (a, b) => (u32(a) < u32(b) ? a : b),
  rol: (a, b) => (u32(a) << shamt(b)) | (u32(a) >> (32n - shamt(b))),
  ror: (a, b) => (u32(a) >> shamt(b)) | (u32(a) << (32n - shamt(b))),
  clmul: (a, b) => carryless(a, b),
  clmulh: (a, b) => carryless(a, b) >> 32n,
  clmulr: (a, b) => carryless(a, b) >> 31n,
  bclr: (a, b) => a & ~(1n << shamt(b)),
  bext: (a, b) => (a >> shamt(b)) & 1n,
  binv: (a, b) => a ^ (1n << shamt(b)),
  bset: (a, b) => a | (1n << shamt(b)),
  'czero.eqz': (a, b) => (b === 0n ? 0n : a),
  'czero.nez': (a, b) => (b !== 0n ? 0n : a),
};

/** rd as a function of x[rs1] alone. */
export const unary: Readonly<Record<string, (a: bigint) => bigint>> = {
  clz: (a) => 32n - BigInt(digits(a).length),
  ctz: (a) => BigInt(a === 0n ? 32 : digits(a).length - 1 - digits(a).lastIndexOf('1')),
  cpop: (a) => BigInt(digits(a).split('1').length - 1),
  'sext.b': (a) => BigInt.asIntN(8, a),
  'sext.h': (a) => BigInt.asIntN(16, a),
  'zext.h': (a) => BigInt.asUintN(16, a),
  'orc.b': (a) => ofBytes(bytes(a).map((b) => (b === 0n ? 0n : 0xffn))),
  rev8: (a) => ofBytes(bytes(a).reverse()),
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
  rori: 'ror',
  bclri: 'bclr',
  bexti: 'bext',
  binvi: 'binv',
  bseti: 'bset',
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
