/**
 * Single-precision arithmetic: fadd fsub fmul fdiv fsqrt and the fused family, as helpers.
 * The middle path computes in double precision: for 24-bit operands products are exact, and rounding a double sum,
 * quotient or root once more to 24 bits is innocuous (53 >= 2 * 24 + 2; Figueroa 1995). It settles exact results and
 * inexact normal ones in RNE; subnormal, overflowing and NaN cases and the other modes go to softfloat.ts.
 */
import { roundToOdd, sumError } from './errorFree.ts';
import { F32, Flag, Rm } from './format.ts';
import { add, div, fma, mul, sqrt } from './softfloat.ts';
import { readSingle, roundingMode, settleSingle, toNumber, toPattern, writeSingle } from './state.ts';
import type { FpHelper, FpState } from './state.ts';

const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const SIGN = 0x8000_0000;

/**
 * Writes Math.fround(wide) when its flags are certain: none, or NX alone. `wideExact`: wide has no error of its own.
 * A result of exactly the smallest normal number may have been tiny before rounding, so it is not settled here.
 */
function settle(s: FpState, rd: number, wide: number, wideExact: boolean): boolean {
  const r = Math.fround(wide);
  if (!(wideExact && r === wide)) {
    const magnitude = Math.abs(r);
    if (!(magnitude > SMALLEST_NORMAL && magnitude <= LARGEST)) return false;
    s.fcsr |= Flag.NX;
  }
  writeSingle(s, rd, toPattern(r));
  return true;
}

function addition(flipB: number): FpHelper {
  return (s, rd, rs1, rs2, _rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    const a = readSingle(s, rs1);
    const b = (readSingle(s, rs2) ^ flipB) >>> 0;
    if (mode === Rm.RNE) {
      const x = toNumber(a);
      const y = toNumber(b);
      const sum = x + y;
      if (settle(s, rd, sum, sumError(x, y, sum) === 0)) return true;
    }
    return settleSingle(s, rd, add(F32, BigInt(a), BigInt(b), mode));
  };
}

const multiplication: FpHelper = (s, rd, rs1, rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  const a = readSingle(s, rs1);
  const b = readSingle(s, rs2);
  if (mode === Rm.RNE && settle(s, rd, toNumber(a) * toNumber(b), true)) return true;
  return settleSingle(s, rd, mul(F32, BigInt(a), BigInt(b), mode));
};

const division: FpHelper = (s, rd, rs1, rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  const a = readSingle(s, rs1);
  const b = readSingle(s, rs2);
  if (mode === Rm.RNE) {
    const x = toNumber(a);
    const y = toNumber(b);
    const wide = x / y;
    if (settle(s, rd, wide, Math.fround(wide) * y === x)) return true; // the product of two singles is exact
  }
  return settleSingle(s, rd, div(F32, BigInt(a), BigInt(b), mode));
};

const squareRoot: FpHelper = (s, rd, rs1, _rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  const a = readSingle(s, rs1);
  if (mode === Rm.RNE) {
    const x = toNumber(a);
    const wide = Math.sqrt(x);
    const r = Math.fround(wide);
    if (settle(s, rd, wide, r * r === x)) return true;
  }
  return settleSingle(s, rd, sqrt(F32, BigInt(a), mode));
};

function fused(flipProduct: number, flipC: number): FpHelper {
  return (s, rd, rs1, rs2, rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    const a = (readSingle(s, rs1) ^ flipProduct) >>> 0;
    const b = readSingle(s, rs2);
    const c = (readSingle(s, rs3) ^ flipC) >>> 0;
    if (mode === Rm.RNE) {
      const product = toNumber(a) * toNumber(b);
      const addend = toNumber(c);
      const sum = product + addend;
      const error = sumError(product, addend, sum);
      if (settle(s, rd, roundToOdd(sum, error), error === 0)) return true;
    }
    return settleSingle(s, rd, fma(F32, BigInt(a), BigInt(b), BigInt(c), mode));
  };
}

/** The helpers of this file by row name. */
export const singleArithmetic: Readonly<Record<string, FpHelper>> = {
  'fadd.s': addition(0),
  'fsub.s': addition(SIGN),
  'fmul.s': multiplication,
  'fdiv.s': division,
  'fsqrt.s': squareRoot,
  'fmadd.s': fused(0, 0),
  'fmsub.s': fused(0, SIGN),
  'fnmsub.s': fused(SIGN, 0),
  'fnmadd.s': fused(SIGN, SIGN),
};
