/**
 * What needs no rounding: sign injection, minimum and maximum, comparisons, classification, moves.
 * Specification: RISC-V Unprivileged ISA, F chapter 2.2 (minimumNumber and maximumNumber of IEEE 754-2019), D chapter.
 * None of these instructions has a rounding mode, so their helpers always succeed.
 */
import { Flag } from './format.ts';
import { CANONICAL_NAN_32, CANONICAL_NAN_64_HIGH, readSingle, toNumber, writeSingle } from './state.ts';
import type { FpHelper, FpState } from './state.ts';

const SIGN = 0x8000_0000;

/** How one format lies in the register file; `high` is the word with sign and exponent. */
interface Layout {
  high(s: FpState, r: number): number;
  value(s: FpState, r: number): number;
  isSignaling(s: FpState, r: number): boolean;
  /** Copies the operand in rs with another word of sign and exponent. */
  write(s: FpState, rd: number, rs: number, high: number): void;
  writeNaN(s: FpState, rd: number): void;
  readonly exponent: number;
  /** All the fraction is zero; the exponent is assumed to be 0 or all ones. */
  isFractionZero(s: FpState, r: number): boolean;
}

const single: Layout = {
  high: readSingle,
  value: (s, r) => toNumber(readSingle(s, r)),
  isSignaling(s, r) {
    const bits = readSingle(s, r);
    return (bits & 0x7fc0_0000) === 0x7f80_0000 && (bits & 0x003f_ffff) !== 0;
  },
  write: (s, rd, _rs, high) => writeSingle(s, rd, high),
  writeNaN: (s, rd) => writeSingle(s, rd, CANONICAL_NAN_32),
  exponent: 0x7f80_0000,
  isFractionZero: (s, r) => (readSingle(s, r) & 0x007f_ffff) === 0,
};

const double: Layout = {
  high: (s, r) => s.f[2 * r + 1],
  value: (s, r) => s.f64[r],
  isSignaling(s, r) {
    const high = s.f[2 * r + 1];
    return (high & 0x7ff8_0000) === 0x7ff0_0000 && ((high & 0x0007_ffff) | s.f[2 * r]) !== 0;
  },
  write(s, rd, rs, high) {
    s.f[2 * rd] = s.f[2 * rs];
    s.f[2 * rd + 1] = high;
  },
  writeNaN(s, rd) {
    s.f[2 * rd] = 0;
    s.f[2 * rd + 1] = CANONICAL_NAN_64_HIGH;
  },
  exponent: 0x7ff0_0000,
  isFractionZero: (s, r) => ((s.f[2 * r + 1] & 0x000f_ffff) | s.f[2 * r]) === 0,
};

function signInjection(l: Layout, sign: (a: number, b: number) => number): FpHelper {
  return (s, rd, rs1, rs2) => {
    const a = l.high(s, rs1);
    l.write(s, rd, rs1, (a & ~SIGN) | (sign(a, l.high(s, rs2)) & SIGN));
    return true;
  };
}

/** `wantsLess`: the minimum. Zeros are ordered -0 < +0; a NaN loses to a number. */
function extremum(l: Layout, wantsLess: boolean): FpHelper {
  return (s, rd, rs1, rs2) => {
    const a = l.value(s, rs1);
    const b = l.value(s, rs2);
    if (l.isSignaling(s, rs1) || l.isSignaling(s, rs2)) s.fcsr |= Flag.NV;
    if (a !== a && b !== b) {
      l.writeNaN(s, rd);
      return true;
    }
    let takesFirst: boolean;
    if (a !== a || b !== b) takesFirst = a === a;
    else if (a === b) takesFirst = ((l.high(s, rs1) & SIGN) !== 0) === wantsLess;
    else takesFirst = a < b === wantsLess;
    const from = takesFirst ? rs1 : rs2;
    l.write(s, rd, from, l.high(s, from));
    return true;
  };
}

function equality(l: Layout): FpHelper {
  return (s, rd, rs1, rs2) => {
    if (l.isSignaling(s, rs1) || l.isSignaling(s, rs2)) s.fcsr |= Flag.NV;
    s.x[rd] = l.value(s, rs1) === l.value(s, rs2) ? 1 : 0;
    return true;
  };
}

/** flt and fle are signaling comparisons: any NaN raises NV. */
function order(l: Layout, orEqual: boolean): FpHelper {
  return (s, rd, rs1, rs2) => {
    const a = l.value(s, rs1);
    const b = l.value(s, rs2);
    if (a !== a || b !== b) s.fcsr |= Flag.NV;
    s.x[rd] = a < b || (orEqual && a === b) ? 1 : 0;
    return true;
  };
}

/** The position of the one bit that fclass sets; the negative classes 0..3 mirror the positive ones 7..4. */
function classIndex(l: Layout, s: FpState, r: number): number {
  const high = l.high(s, r);
  const exponent = high & l.exponent;
  const isZeroFraction = l.isFractionZero(s, r);
  if (exponent === l.exponent && !isZeroFraction) return l.isSignaling(s, r) ? 8 : 9;
  let magnitude = 1; // normal
  if (exponent === l.exponent) magnitude = 0;
  else if (exponent === 0) magnitude = isZeroFraction ? 3 : 2;
  return (high & SIGN) !== 0 ? magnitude : 7 - magnitude;
}

function classification(l: Layout): FpHelper {
  return (s, rd, rs1) => {
    s.x[rd] = 1 << classIndex(l, s, rs1);
    return true;
  };
}

function helpersOf(l: Layout, suffix: string): Record<string, FpHelper> {
  return {
    [`fsgnj.${suffix}`]: signInjection(l, (_a, b) => b),
    [`fsgnjn.${suffix}`]: signInjection(l, (_a, b) => ~b),
    [`fsgnjx.${suffix}`]: signInjection(l, (a, b) => a ^ b),
    [`fmin.${suffix}`]: extremum(l, true),
    [`fmax.${suffix}`]: extremum(l, false),
    [`feq.${suffix}`]: equality(l),
    [`flt.${suffix}`]: order(l, false),
    [`fle.${suffix}`]: order(l, true),
    [`fclass.${suffix}`]: classification(l),
  };
}

/** The helpers of this file by row name. */
export const comparisons: Readonly<Record<string, FpHelper>> = {
  ...helpersOf(single, 's'),
  ...helpersOf(double, 'd'),
  'fmv.x.w': (s, rd, rs1) => {
    s.x[rd] = s.f[2 * rs1]; // the low word as it is, boxed or not
    return true;
  },
  'fmv.w.x': (s, rd, rs1) => {
    writeSingle(s, rd, s.x[rs1]);
    return true;
  },
};
