/**
 * Error-free transformations: the rounding error of one host operation (always round to nearest even), exactly.
 * Sources: Knuth, TAOCP 4.2.2 (TwoSum); Veltkamp and Dekker 1971 (product); Boldo and Melquiond 2008, "Emulation of
 * FMA and correctly rounded sums: proved algorithms using rounding to odd". The callers keep the ranges stated here.
 */

/** a + b - sum, where sum = fl(a + b); exact when |a|, |b| <= 2^1022, subnormals included. NaN for infinities. */
export function sumError(a: number, b: number, sum: number): number {
  const bRounded = sum - a;
  return a - (sum - bRounded) + (b - bRounded);
}

/** 2^27 + 1: splits a 53-bit significand into two halves of 26 bits (and a sign). */
const SPLITTER = 134217729;

/** a * b - product, where product = fl(a * b); exact when |a|, |b| <= 2^995 and 2^-960 <= |product| <= 2^1000. */
export function productError(a: number, b: number, product: number): number {
  const ac = SPLITTER * a;
  const aHigh = ac - (ac - a);
  const aLow = a - aHigh;
  const bc = SPLITTER * b;
  const bHigh = bc - (bc - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);

/**
 * The sum rounded to odd, given sum = fl(a + b) and its error: when inexact, the neighbour whose last bit is one.
 * Rounding that once more to at most 51 bits equals rounding the exact sum. `sum` is finite.
 */
export function roundToOdd(sum: number, error: number): number {
  if (error === 0) return sum;
  doubles[0] = sum;
  const low = words[0];
  if ((low & 1) === 1) return sum;
  // The pattern grows with the magnitude: step away from zero when the error has the sign of the sum.
  if (error > 0 === sum > 0) {
    words[0] = low | 1;
  } else {
    words[0] = low - 1;
    if (low === 0) words[1] = words[1] - 1;
  }
  return doubles[0];
}
