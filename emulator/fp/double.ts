/**
 * Double-precision arithmetic: fadd fsub fmul fdiv fsqrt and the fused family, as helpers.
 * The middle path takes the host's result in RNE. When NX is already set a normal result needs no more; otherwise an
 * error-free transformation, inside the ranges where it is exact, tells whether NX is raised. Fused multiply-add
 * follows Boldo and Melquiond (see errorFree.ts). Everything else goes to softfloat.ts.
 */
import { productError, roundToOdd, sumError } from './errorFree.ts';
import { F64, Flag, Rm } from './format.ts';
import { add, div, fma, mul, sqrt } from './softfloat.ts';
import { negateIf, readDouble, roundingMode, settleDouble } from './state.ts';
import type { FpHelper, FpState } from './state.ts';

/** Sums of operands up to here cannot overflow, nor can the steps of their error. */
const SUM_LIMIT = 2 ** 1022;
/** The ranges of `productError`. */
const FACTOR_LIMIT = 2 ** 995;
const PRODUCT_LOW = 2 ** -960;
const PRODUCT_HIGH = 2 ** 1000;
/** Strictly above the smallest normal number nothing was tiny after rounding. */
const SMALLEST_NORMAL = 2 ** -1022;

function settle(s: FpState, rd: number, r: number, exact: boolean): true {
  if (!exact) s.fcsr |= Flag.NX;
  s.f64[rd] = r;
  return true;
}

/** With NX accrued already, a normal and finite host result carries no further information. */
function isPlain(s: FpState, r: number): boolean {
  const magnitude = Math.abs(r);
  return (s.fcsr & Flag.NX) !== 0 && magnitude > SMALLEST_NORMAL && magnitude <= Number.MAX_VALUE;
}

/** Whether the error of the product a * b can be computed. */
function inProductRange(a: number, b: number, product: number): boolean {
  const magnitude = Math.abs(product);
  return (
    magnitude >= PRODUCT_LOW &&
    magnitude <= PRODUCT_HIGH &&
    Math.abs(a) <= FACTOR_LIMIT &&
    Math.abs(b) <= FACTOR_LIMIT
  );
}

function addition(negateB: boolean): FpHelper {
  return (s, rd, rs1, rs2, _rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    if (mode === Rm.RNE) {
      const a = s.f64[rs1];
      const b = negateB ? -s.f64[rs2] : s.f64[rs2];
      if (Math.abs(a) <= SUM_LIMIT && Math.abs(b) <= SUM_LIMIT) {
        const sum = a + b;
        return settle(s, rd, sum, (s.fcsr & Flag.NX) !== 0 || sumError(a, b, sum) === 0);
      }
    }
    return settleDouble(s, rd, add(F64, readDouble(s, rs1), negateIf(negateB, readDouble(s, rs2)), mode));
  };
}

const multiplication: FpHelper = (s, rd, rs1, rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  if (mode === Rm.RNE) {
    const a = s.f64[rs1];
    const b = s.f64[rs2];
    const product = a * b;
    if (isPlain(s, product)) return settle(s, rd, product, true);
    if (inProductRange(a, b, product)) return settle(s, rd, product, productError(a, b, product) === 0);
    if (product === 0 && (a === 0 || b === 0)) return settle(s, rd, product, true);
  }
  return settleDouble(s, rd, mul(F64, readDouble(s, rs1), readDouble(s, rs2), mode));
};

const division: FpHelper = (s, rd, rs1, rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  if (mode === Rm.RNE) {
    const a = s.f64[rs1];
    const b = s.f64[rs2];
    const q = a / b;
    if (isPlain(s, q) || (a === 0 && Math.abs(b) > 0)) {
      return settle(s, rd, q, true);
    } else if (Math.abs(q) > SMALLEST_NORMAL) {
      const back = q * b;
      if (inProductRange(q, b, back)) return settle(s, rd, q, back === a && productError(q, b, back) === 0);
    }
  }
  return settleDouble(s, rd, div(F64, readDouble(s, rs1), readDouble(s, rs2), mode));
};

const squareRoot: FpHelper = (s, rd, rs1, _rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  if (mode === Rm.RNE) {
    const a = s.f64[rs1];
    const r = Math.sqrt(a);
    if (a === 0 || isPlain(s, r)) return settle(s, rd, r, true);
    const back = r * r;
    if (inProductRange(r, r, back)) return settle(s, rd, r, back === a && productError(r, r, back) === 0);
  }
  return settleDouble(s, rd, sqrt(F64, readDouble(s, rs1), mode));
};

/** a * b + c where `inProductRange` holds and |c| <= PRODUCT_HIGH: subnormal results are then exact. */
function fusedInRange(s: FpState, rd: number, a: number, b: number, c: number, product: number): true {
  const productLow = productError(a, b, product);
  const tail = c + productLow;
  const tailLow = sumError(c, productLow, tail);
  const head = product + tail;
  const headLow = sumError(product, tail, head);
  const low = tailLow + headLow;
  const lowError = sumError(tailLow, headLow, low);
  const odd = roundToOdd(low, lowError);
  const r = head + odd;
  return settle(s, rd, r, lowError === 0 && sumError(head, odd, r) === 0);
}

function fused(negateProduct: boolean, negateC: boolean): FpHelper {
  return (s, rd, rs1, rs2, rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    if (mode === Rm.RNE) {
      const a = negateProduct ? -s.f64[rs1] : s.f64[rs1];
      const b = s.f64[rs2];
      const c = negateC ? -s.f64[rs3] : s.f64[rs3];
      const product = a * b;
      if (Math.abs(c) <= PRODUCT_HIGH) {
        if (inProductRange(a, b, product)) return fusedInRange(s, rd, a, b, c, product);
        if (product === 0 && (a === 0 || b === 0)) return settle(s, rd, product + c, true);
      }
    }
    const x = negateIf(negateProduct, readDouble(s, rs1));
    const z = negateIf(negateC, readDouble(s, rs3));
    return settleDouble(s, rd, fma(F64, x, readDouble(s, rs2), z, mode));
  };
}

/** The helpers of this file by row name. */
export const doubleArithmetic: Readonly<Record<string, FpHelper>> = {
  'fadd.d': addition(false),
  'fsub.d': addition(true),
  'fmul.d': multiplication,
  'fdiv.d': division,
  'fsqrt.d': squareRoot,
  'fmadd.d': fused(false, false),
  'fmsub.d': fused(false, true),
  'fnmsub.d': fused(true, false),
  'fnmadd.d': fused(true, true),
};
