/**
 * The rows of Zfa, each at edge values and at random ones, against references that say the text of the specification in
 * exact arithmetic: as helpers, in the fast loop and in `step`. No oracle at hand (qemu 7.2, binutils 2.40) knows Zfa.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { F32, F64, Flag, type Format } from '../../../emulator/fp/format.ts';
import { zfa } from '../../../emulator/isa/zfa.ts';
import { decode, disassemble } from '../../../emulator/index.ts';
import { anyPattern } from './arbitrary.ts';
import { BOX, execute } from './machine.ts';
import { executeOnMachine } from './onMachine.ts';
import { roundRational, valueOf, type Rational } from './rational.ts';

interface Outcome {
  bits: bigint;
  flags: number;
}

const isNaN = (f: Format, bits: bigint): boolean => (bits & ~f.signBit) > f.infinity;
const isSignaling = (f: Format, bits: bigint): boolean => isNaN(f, bits) && (bits & f.quietBit) === 0n;
const isInfinite = (f: Format, bits: bigint): boolean => (bits & ~f.signBit) === f.infinity;
const signalled = (f: Format, ...operands: readonly bigint[]): number =>
  operands.some((o) => isSignaling(f, o)) ? Flag.NV : 0;

/** A key that orders the patterns as -inf < ... < -0 < +0 < ... < inf. */
const key = (f: Format, bits: bigint): bigint =>
  (bits & f.signBit) === 0n ? bits : -1n - (bits & ~f.signBit);
/** The same with equal zeros. */
const valueKey = (f: Format, bits: bigint): bigint =>
  (bits & ~f.signBit) === 0n ? 0n : (bits & f.signBit) === 0n ? bits : -(bits & ~f.signBit);

/** The integer nearest to a rational by the mode's definition (IEEE 754-2019, 4.3). */
function integral({ n, d }: Rational, mode: number): bigint {
  const floor = n >= 0n ? n / d : -((-n + d - 1n) / d);
  const twice = 2n * (n - floor * d);
  if (twice === 0n) return floor;
  const up = [
    twice > d || (twice === d && (floor & 1n) === 1n),
    n < 0n,
    false,
    true,
    twice > d || (twice === d && n > 0n),
  ][mode];
  return up ? floor + 1n : floor;
}

function fround(f: Format, a: bigint, mode: number, inexact: boolean): Outcome {
  if (isNaN(f, a)) return { bits: f.canonicalNaN, flags: signalled(f, a) };
  if (isInfinite(f, a)) return { bits: a, flags: 0 };
  const value = valueOf(f, a);
  const result = integral(value, mode);
  const flags = inexact && result * value.d !== value.n ? Flag.NX : 0;
  if (result === 0n) return { bits: a & f.signBit, flags };
  const rounded = roundRational(f, { n: result, d: 1n }, mode);
  expect(rounded.flags, 'an integral result is exact').toBe(0);
  return { bits: rounded.bits, flags };
}

function extremum(f: Format, a: bigint, b: bigint, less: boolean): Outcome {
  const flags = signalled(f, a, b);
  if (isNaN(f, a) || isNaN(f, b)) return { bits: f.canonicalNaN, flags };
  return { bits: key(f, a) < key(f, b) === less ? a : b, flags };
}

function compare(f: Format, a: bigint, b: bigint, orEqual: boolean): Outcome {
  const flags = signalled(f, a, b);
  if (isNaN(f, a) || isNaN(f, b)) return { bits: 0n, flags };
  const [x, y] = [valueKey(f, a), valueKey(f, b)];
  return { bits: x < y || (orEqual && x === y) ? 1n : 0n, flags };
}

/** Modulo 2^32 of the truncated value; the flags are those of fcvt.w.d. */
function modulo(a: bigint): Outcome {
  if (isNaN(F64, a) || isInfinite(F64, a)) return { bits: 0n, flags: Flag.NV };
  const { n, d } = valueOf(F64, a);
  const result = integral({ n, d }, 1);
  const fits = BigInt.asIntN(32, result) === result;
  return { bits: BigInt.asUintN(32, result), flags: fits ? (result * d === n ? 0 : Flag.NX) : Flag.NV };
}

type Reference = (f: Format, operands: readonly [bigint, bigint], mode: number) => Outcome;

const references: Readonly<Record<string, Reference>> = {
  fminm: (f, [a, b]) => extremum(f, a, b, true),
  fmaxm: (f, [a, b]) => extremum(f, a, b, false),
  fround: (f, [a], mode) => fround(f, a, mode, false),
  froundnx: (f, [a], mode) => fround(f, a, mode, true),
  fleq: (f, [a, b]) => compare(f, a, b, true),
  fltq: (f, [a, b]) => compare(f, a, b, false),
  'fcvtmod.w': (_f, [a]) => modulo(a),
  'fmvh.x': (_f, [a]) => ({ bits: a >> 32n, flags: 0 }),
};

/** Infinities, NaNs of both kinds, zeros, and numbers about halves, the limits of integers and of the fraction. */
function edges(f: Format): bigint[] {
  const of = (n: number): bigint =>
    n === 0 ? 0n : roundRational(f, { n: BigInt(Math.trunc(n * 4)), d: 4n }, 0).bits;
  const numbers = [
    0,
    0.25,
    0.5,
    0.75,
    1,
    1.5,
    2,
    2.5,
    3.5,
    2 ** 23,
    2 ** 23 - 0.5,
    2 ** 31,
    2 ** 31 - 1,
    2 ** 32,
    2 ** 33,
  ];
  const around = numbers.map(of).flatMap((bits) => (bits === 0n ? [0n, 1n] : [bits - 1n, bits, bits + 1n]));
  const specials = [f.infinity, f.canonicalNaN, f.canonicalNaN | 1n, f.infinity | 1n, f.infinity - 1n];
  const large = [of(2 ** 40) + 3n, roundRational(f, { n: (1n << 60n) + (1n << 30n), d: 1n }, 0).bits];
  return [...around, ...specials, ...large].flatMap((bits) => [bits, bits | f.signBit]);
}

function check(name: string, f: Format, operands: readonly [bigint, bigint], mode: number): void {
  const stem = name.slice(0, name.lastIndexOf('.'));
  const expected = references[stem]?.(f, operands, mode);
  const isInteger = /^(fleq|fltq|fcvtmod|fmvh)/.test(name);
  const box = f === F32 ? BOX : 0n;
  const right = expected && { bits: isInteger ? expected.bits : expected.bits | box, flags: expected.flags };
  const boxed = operands.map((o) => o | box);
  const label = `${name} ${boxed.map((o) => o.toString(16)).join(' ')}, mode ${mode}`;
  expect(execute(name, boxed, mode), label).toEqual(right);
  expect(executeOnMachine(name, boxed, mode, { path: 'run' }), `${label}, run`).toEqual(right);
  expect(executeOnMachine(name, boxed, mode, { path: 'step' }), `${label}, step`).toEqual(right);
}

const computing = zfa.filter((row) => !/^fli|^fmvp/.test(row.name));

describe.each(computing.map((row) => row.name))('%s', (name) => {
  const f = name.endsWith('.s') ? F32 : F64;
  const modes = name.startsWith('fround') ? [0, 1, 2, 3, 4] : name.startsWith('fcvtmod') ? [1] : [0];
  const binary = /^(fminm|fmaxm|fleq|fltq)/.test(name);

  test('edge values', () => {
    const values = edges(f);
    for (const mode of modes) {
      for (const a of values) for (const b of binary ? values : [0n]) check(name, f, [a, b], mode);
    }
  });

  test('random values', () => {
    const property = fc.property(anyPattern(f), anyPattern(f), fc.constantFrom(...modes), (a, b, mode) =>
      check(name, f, [a, b], mode),
    );
    fc.assert(property, { numRuns: 400 });
  });
});

test('a single that is not boxed is the canonical NaN', () => {
  const one = 0x3f80_0000n;
  expect(execute('fround.s', [one], 0)).toEqual({ bits: BOX | F32.canonicalNaN, flags: 0 });
  expect(execute('fminm.s', [one, BOX | one], 0)).toEqual({ bits: BOX | F32.canonicalNaN, flags: 0 });
  expect(execute('fleq.s', [one, BOX | one], 0)).toEqual({ bits: 0n, flags: 0 });
});

describe('fli', () => {
  test.each([
    ['fli.s', F32],
    ['fli.d', F64],
  ] as const)('%s loads the 32 constants of the table', (name, f) => {
    const value = (n: number): bigint => roundRational(f, { n: BigInt(n * 2 ** 16), d: 1n << 16n }, 0).bits;
    const expected = [
      value(-1),
      f.fractionMask + 1n,
      ...[2 ** -16, 2 ** -15, 2 ** -8, 2 ** -7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375].map(value),
      ...[0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256].map(value),
      value(2 ** 15),
      value(2 ** 16),
      f.infinity,
      f.canonicalNaN,
    ];
    const box = f === F32 ? BOX : 0n;
    expect(expected.length).toBe(32);
    expected.forEach((bits, index) => {
      for (const path of ['run', 'step'] as const)
        expect(executeOnMachine(name, [], 0, { path, rs1: index }), `${index}`).toEqual({
          bits: bits | box,
          flags: 0,
        });
    });
  });

  test('assembly writes the constant', () => {
    expect(disassemble(0xf010_0553 | (16 << 15), 0)).toBe('fli.s fa0, 1.0');
    expect(disassemble(0xf210_0553 | (1 << 15), 0)).toBe('fli.d fa0, min');
    expect(disassemble(0xf210_0553 | (30 << 15), 0)).toBe('fli.d fa0, inf');
    expect(disassemble(0xf210_0553 | (31 << 15), 0)).toBe('fli.d fa0, nan');
    expect(disassemble(0xf210_0553, 0)).toBe('fli.d fa0, -1.0');
  });
});

test('fmvp.d.x joins two integer registers', () => {
  for (const path of ['run', 'step'] as const) {
    const outcome = executeOnMachine('fmvp.d.x', [0x8765_4321n, 0x4009_21fbn], 0, { path });
    expect(outcome).toEqual({ bits: 0x4009_21fb_8765_4321n, flags: 0 });
  }
});

test('fcvtmod.w.d has one rounding mode', () => {
  for (let rm = 0; rm < 8; rm++) expect(decode(0xc285_0553 | (rm << 12)) === null).toBe(rm !== 1);
});
