/**
 * Bit manipulation, version 1.0.0: Zba (addresses), Zbb (basic), Zbc (carry-less multiplication), Zbs (single bits).
 * Unprivileged specification, chapter "B"; the encodings are those of RV32 (zext.h, rev8 and the immediates differ
 * from RV64's). Missing: the cryptographic Zbkb, Zbkc, Zbkx.
 */
import type { Binary32, Builder, I32 } from './builder.ts';
import type { Extension, Row } from './row.ts';

type Compute = (b: Builder, x: I32, y: I32) => I32;

const OP = '0110011';
const OP_IMM = '0010011';

function register(ext: Extension, name: string, funct7: string, funct3: string, compute: Compute): Row {
  return {
    name,
    ext,
    pattern: `${funct7} rs2 rs1 ${funct3} rd ${OP}`,
    asm: 'rd, rs1, rs2',
    exec: (b) => b.setRd(compute(b, b.rs1, b.rs2)),
  };
}

/** Bit 5 of the amount is reserved on RV32, so it is part of the pattern. */
function immediate(ext: Extension, name: string, funct7: string, funct3: string, compute: Compute): Row {
  return {
    name,
    ext,
    pattern: `${funct7} uimm[4:0] rs1 ${funct3} rd ${OP_IMM}`,
    asm: 'rd, rs1, imm',
    exec: (b) => b.setRd(compute(b, b.rs1, b.imm)),
  };
}

function unary(name: string, high: string, funct3: string, opcode: string, compute: Compute): Row {
  return {
    name,
    ext: 'Zbb',
    pattern: `${high} rs1 ${funct3} rd ${opcode}`,
    asm: 'rd, rs1',
    exec: (b) => b.setRd(compute(b, b.rs1, b.rs1)),
  };
}

const shiftedAdd =
  (amount: number): Compute =>
  (b, x, y) =>
    b.op('add', b.op('shl', x, b.i32(amount)), y);

export const zba: readonly Row[] = [
  register('Zba', 'sh1add', '0010000', '010', shiftedAdd(1)),
  register('Zba', 'sh2add', '0010000', '100', shiftedAdd(2)),
  register('Zba', 'sh3add', '0010000', '110', shiftedAdd(3)),
];

const not = (b: Builder, x: I32): I32 => b.op('xor', x, b.i32(-1));

/** The operand for which the comparison holds. */
const choice =
  (operator: Binary32): Compute =>
  (b, x, y) => {
    const first = b.let(x);
    const second = b.let(y);
    return b.select(b.op(operator, first, second), first, second);
  };

/** Each byte becomes 0x00 or 0xff: a byte that is not zero carries into, or has, its bit 7. */
const orCombine: Compute = (b, x) => {
  const value = b.let(x);
  const low = b.op('add', b.op('and', value, b.i32(0x7f7f_7f7f)), b.i32(0x7f7f_7f7f));
  const high = b.op('and', b.op('or', low, value), b.i32(-0x7f7f_7f80));
  return b.op('mul', b.op('shr_u', high, b.i32(7)), b.i32(0xff));
};

const reverseBytes: Compute = (b, x) => {
  const value = b.let(x);
  const odd = b.op('and', b.op('rotl', value, b.i32(8)), b.i32(0x00ff_00ff));
  return b.op('or', odd, b.op('and', b.op('rotr', value, b.i32(8)), b.i32(-0x00ff_0100)));
};

export const zbb: readonly Row[] = [
  register('Zbb', 'andn', '0100000', '111', (b, x, y) => b.op('and', x, not(b, y))),
  register('Zbb', 'orn', '0100000', '110', (b, x, y) => b.op('or', x, not(b, y))),
  register('Zbb', 'xnor', '0100000', '100', (b, x, y) => not(b, b.op('xor', x, y))),
  unary('clz', '0110000 00000', '001', OP_IMM, (b, x) => b.clz(x)),
  unary('ctz', '0110000 00001', '001', OP_IMM, (b, x) => b.ctz(x)),
  unary('cpop', '0110000 00010', '001', OP_IMM, (b, x) => b.popcnt(x)),
  register('Zbb', 'max', '0000101', '110', choice('gt_s')),
  register('Zbb', 'maxu', '0000101', '111', choice('gt_u')),
  register('Zbb', 'min', '0000101', '100', choice('lt_s')),
  register('Zbb', 'minu', '0000101', '101', choice('lt_u')),
  unary('sext.b', '0110000 00100', '001', OP_IMM, (b, x) => b.extend8(x)),
  unary('sext.h', '0110000 00101', '001', OP_IMM, (b, x) => b.extend16(x)),
  unary('zext.h', '0000100 00000', '100', OP, (b, x) => b.op('and', x, b.i32(0xffff))),
  register('Zbb', 'rol', '0110000', '001', (b, x, y) => b.op('rotl', x, y)),
  register('Zbb', 'ror', '0110000', '101', (b, x, y) => b.op('rotr', x, y)),
  immediate('Zbb', 'rori', '0110000', '101', (b, x, y) => b.op('rotr', x, y)),
  unary('orc.b', '0010100 00111', '101', OP_IMM, orCombine),
  unary('rev8', '0110100 11000', '101', OP_IMM, reverseBytes),
];

/** The exclusive or, over the bits i that are set in y, of x moved by what `move` says. */
const carryless =
  (from: number, move: (b: Builder, x: I32, i: number) => I32): Compute =>
  (b, x, y) => {
    const multiplicand = b.let(x);
    const multiplier = b.let(y);
    let sum = b.i32(0);
    for (let i = from; i < 32; i++) {
      const bit = b.op('shl', multiplier, b.i32(31 - i));
      const isSet = b.op('shr_s', bit, b.i32(31));
      sum = b.op('xor', sum, b.op('and', move(b, multiplicand, i), isSet));
    }
    return sum;
  };

export const zbc: readonly Row[] = [
  register(
    'Zbc',
    'clmul',
    '0000101',
    '001',
    carryless(0, (b, x, i) => b.op('shl', x, b.i32(i))),
  ),
  register(
    'Zbc',
    'clmulr',
    '0000101',
    '010',
    carryless(0, (b, x, i) => b.op('shr_u', x, b.i32(31 - i))),
  ),
  register(
    'Zbc',
    'clmulh',
    '0000101',
    '011',
    carryless(1, (b, x, i) => b.op('shr_u', x, b.i32(32 - i))),
  ),
];

const bitAt = (b: Builder, index: I32): I32 => b.op('shl', b.i32(1), index);
const clear: Compute = (b, x, y) => b.op('and', x, not(b, bitAt(b, y)));
const extract: Compute = (b, x, y) => b.op('and', b.op('shr_u', x, y), b.i32(1));
const invert: Compute = (b, x, y) => b.op('xor', x, bitAt(b, y));
const set: Compute = (b, x, y) => b.op('or', x, bitAt(b, y));

export const zbs: readonly Row[] = [
  register('Zbs', 'bclr', '0100100', '001', clear),
  immediate('Zbs', 'bclri', '0100100', '001', clear),
  register('Zbs', 'bext', '0100100', '101', extract),
  immediate('Zbs', 'bexti', '0100100', '101', extract),
  register('Zbs', 'binv', '0110100', '001', invert),
  immediate('Zbs', 'binvi', '0110100', '001', invert),
  register('Zbs', 'bset', '0010100', '001', set),
  immediate('Zbs', 'bseti', '0010100', '001', set),
];
