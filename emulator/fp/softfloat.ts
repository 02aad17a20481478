/**
 * The general path: every F and D operation on raw bits, computed as an exact integer and rounded once.
 * Specification: IEEE 754-2019 sections 4 to 7 with the choices of RISC-V: the result NaN is always the canonical
 * one, tininess is detected after rounding, and inf * 0 + qNaN is invalid.
 * Slow (microseconds) and right for every operand and mode; `single.ts` and `double.ts` come here only when
 * they cannot settle a result with host arithmetic. Comparisons and conversions to integers need no rounding of a
 * significand and live in `compare.ts` and `convert.ts`.
 */
import { Flag, Rm } from './format.ts';
import type { Format } from './format.ts';

/** A result pattern and the exceptions (Flag bits) that its computation raised. */
export interface Rounded {
  readonly bits: bigint;
  readonly flags: number;
}

const Kind = { Zero: 0, Finite: 1, Infinite: 2, NaN: 3 } as const;

/** A decoded operand. Finite: the value is (-1)^sign * sig * 2^exp, with sig > 0 and no other normalisation. */
interface Unpacked {
  readonly kind: number;
  readonly sign: number;
  readonly exp: number;
  readonly sig: bigint;
  readonly signaling: boolean;
}

function unpack(fmt: Format, bits: bigint): Unpacked {
  const sign = (bits & fmt.signBit) === 0n ? 0 : 1;
  const fraction = bits & fmt.fractionMask;
  const exponentField = bits & fmt.infinity;
  if (exponentField === fmt.infinity) {
    if (fraction === 0n) return { kind: Kind.Infinite, sign, exp: 0, sig: 0n, signaling: false };
    return { kind: Kind.NaN, sign, exp: 0, sig: 0n, signaling: (fraction & fmt.quietBit) === 0n };
  }
  const subnormalExp = fmt.emin - fmt.precision + 1;
  if (exponentField === 0n) {
    const kind = fraction === 0n ? Kind.Zero : Kind.Finite;
    return { kind, sign, exp: subnormalExp, sig: fraction, signaling: false };
  }
  const biased = Number(exponentField >> fmt.fractionBits);
  const sig = fraction | (fmt.fractionMask + 1n);
  return { kind: Kind.Finite, sign, exp: subnormalExp + biased - 1, sig, signaling: false };
}

const exactly = (bits: bigint): Rounded => ({ bits, flags: 0 });
const invalid = (fmt: Format): Rounded => ({ bits: fmt.canonicalNaN, flags: Flag.NV });
const zero = (fmt: Format, sign: number): Rounded => exactly(sign === 0 ? 0n : fmt.signBit);
const infinity = (fmt: Format, sign: number): Rounded => exactly(withSign(fmt, sign, fmt.infinity));

function withSign(fmt: Format, sign: number, magnitude: bigint): bigint {
  return sign === 0 ? magnitude : magnitude | fmt.signBit;
}

/** The result of an operation with a NaN operand: canonical, and invalid when an operand signals. */
function fromNaN(fmt: Format, ...operands: readonly Unpacked[]): Rounded {
  return operands.some((o) => o.signaling) ? invalid(fmt) : exactly(fmt.canonicalNaN);
}

/** Number of significant bits of n > 0. */
function bitLength(n: bigint): number {
  const hex = n.toString(16);
  return hex.length * 4 + 28 - Math.clz32(parseInt(hex.charAt(0), 16));
}

/** Whether a magnitude with `odd` as its last kept bit grows, given how its cut-off part compares with one half. */
function roundsUp(rm: number, sign: number, odd: boolean, againstHalf: number): boolean {
  switch (rm) {
    case Rm.RNE:
      return againstHalf > 0 || (againstHalf === 0 && odd);
    case Rm.RMM:
      return againstHalf >= 0;
    case Rm.RDN:
      return sign === 1;
    case Rm.RUP:
      return sign === 0;
    default:
      return false;
  }
}

/**
 * (sig + d) * 2^-drop rounded to an integer, where d is in (0, 1) when `sticky` and 0 otherwise.
 * With `sticky` the caller supplies at least one bit to drop.
 */
function roundAt(
  sig: bigint,
  sticky: boolean,
  drop: number,
  sign: number,
  rm: number,
): { q: bigint; inexact: boolean } {
  if (drop <= 0) return { q: sig << BigInt(-drop), inexact: false };
  const cut = BigInt(drop);
  const q = sig >> cut;
  const rest = sig - (q << cut);
  if (rest === 0n && !sticky) return { q, inexact: false };
  const half = 1n << (cut - 1n);
  const againstHalf = rest > half || (rest === half && sticky) ? 1 : rest === half ? 0 : -1;
  return { q: roundsUp(rm, sign, (q & 1n) === 1n, againstHalf) ? q + 1n : q, inexact: true };
}

/** Rounds (-1)^sign * (sig + d) * 2^exp, sig > 0, to the format; d as in `roundAt`. */
function round(fmt: Format, sign: number, exp: number, sig: bigint, sticky: boolean, rm: number): Rounded {
  const e = exp + bitLength(sig) - 1;
  const lastPlace = Math.max(e, fmt.emin) - fmt.precision + 1;
  const { q, inexact } = roundAt(sig, sticky, lastPlace - exp, sign, rm);
  // The implicit bit of q adds one to the exponent field, and so does a carry out of rounding.
  const magnitude = e < fmt.emin ? q : (BigInt(e - fmt.emin) << fmt.fractionBits) + q;
  if (magnitude >= fmt.infinity) {
    const toInfinity = rm === Rm.RNE || rm === Rm.RMM || rm === (sign === 0 ? Rm.RUP : Rm.RDN);
    return {
      bits: withSign(fmt, sign, toInfinity ? fmt.infinity : fmt.infinity - 1n),
      flags: Flag.OF | Flag.NX,
    };
  }
  let flags = 0;
  if (inexact) {
    flags = Flag.NX;
    if (e < fmt.emin && isTiny(fmt, sign, e, exp, sig, sticky, rm)) flags |= Flag.UF;
  }
  return { bits: withSign(fmt, sign, magnitude), flags };
}

/** After rounding with an unbounded exponent, a value just below the smallest normal number may reach it. */
function isTiny(
  fmt: Format,
  sign: number,
  e: number,
  exp: number,
  sig: bigint,
  sticky: boolean,
  rm: number,
): boolean {
  if (e < fmt.emin - 1) return true;
  const unbounded = roundAt(sig, sticky, e - fmt.precision + 1 - exp, sign, rm).q;
  return unbounded >> BigInt(fmt.precision) === 0n;
}

/** The exact sum of two operands that are not NaN, rounded. */
function addUnpacked(fmt: Format, x: Unpacked, y: Unpacked, rm: number): Rounded {
  if (x.kind === Kind.Infinite || y.kind === Kind.Infinite) {
    if (x.kind === y.kind && x.sign !== y.sign) return invalid(fmt);
    return infinity(fmt, x.kind === Kind.Infinite ? x.sign : y.sign);
  }
  const exp = Math.min(x.exp, y.exp);
  const xs = x.sig << BigInt(x.exp - exp);
  const ys = y.sig << BigInt(y.exp - exp);
  const sum = (x.sign === 0 ? xs : -xs) + (y.sign === 0 ? ys : -ys);
  if (sum !== 0n) return round(fmt, sum < 0n ? 1 : 0, exp, sum < 0n ? -sum : sum, false, rm);
  // IEEE 754-2019 6.3: an exact zero sum of unlike signs is +0, except that roundTowardNegative gives -0.
  return zero(fmt, x.sign === y.sign ? x.sign : rm === Rm.RDN ? 1 : 0);
}

/** The exact product of two operands that are not NaN, or null for 0 * inf. */
function multiplyUnpacked(x: Unpacked, y: Unpacked): Unpacked | null {
  const sign = x.sign ^ y.sign;
  if (x.kind === Kind.Infinite || y.kind === Kind.Infinite) {
    if (x.kind === Kind.Zero || y.kind === Kind.Zero) return null;
    return { kind: Kind.Infinite, sign, exp: 0, sig: 0n, signaling: false };
  }
  const sig = x.sig * y.sig;
  return { kind: sig === 0n ? Kind.Zero : Kind.Finite, sign, exp: x.exp + y.exp, sig, signaling: false };
}

/** a + b. Subtraction is addition with the sign of b flipped: NaN results do not depend on it. */
export function add(fmt: Format, a: bigint, b: bigint, rm: number): Rounded {
  const x = unpack(fmt, a);
  const y = unpack(fmt, b);
  if (x.kind === Kind.NaN || y.kind === Kind.NaN) return fromNaN(fmt, x, y);
  return addUnpacked(fmt, x, y, rm);
}

/** a * b. */
export function mul(fmt: Format, a: bigint, b: bigint, rm: number): Rounded {
  const x = unpack(fmt, a);
  const y = unpack(fmt, b);
  if (x.kind === Kind.NaN || y.kind === Kind.NaN) return fromNaN(fmt, x, y);
  const p = multiplyUnpacked(x, y);
  if (p === null) return invalid(fmt);
  if (p.kind === Kind.Infinite) return infinity(fmt, p.sign);
  if (p.kind === Kind.Zero) return zero(fmt, p.sign);
  return round(fmt, p.sign, p.exp, p.sig, false, rm);
}

/** a * b + c with a single rounding. The negated forms flip the signs of a and c. */
export function fma(fmt: Format, a: bigint, b: bigint, c: bigint, rm: number): Rounded {
  const x = unpack(fmt, a);
  const y = unpack(fmt, b);
  const z = unpack(fmt, c);
  if (x.kind === Kind.NaN || y.kind === Kind.NaN) return fromNaN(fmt, x, y, z);
  const p = multiplyUnpacked(x, y);
  if (p === null) return invalid(fmt); // RISC-V: NV is raised for inf * 0 even when c is a quiet NaN
  if (z.kind === Kind.NaN) return fromNaN(fmt, z);
  return addUnpacked(fmt, p, z, rm);
}

/** a / b. */
export function div(fmt: Format, a: bigint, b: bigint, rm: number): Rounded {
  const x = unpack(fmt, a);
  const y = unpack(fmt, b);
  if (x.kind === Kind.NaN || y.kind === Kind.NaN) return fromNaN(fmt, x, y);
  const sign = x.sign ^ y.sign;
  if (x.kind === y.kind && x.kind !== Kind.Finite) return invalid(fmt); // 0 / 0 and inf / inf
  if (x.kind === Kind.Infinite) return infinity(fmt, sign);
  if (x.kind === Kind.Zero || y.kind === Kind.Infinite) return zero(fmt, sign);
  if (y.kind === Kind.Zero) return { bits: withSign(fmt, sign, fmt.infinity), flags: Flag.DZ };
  // A subnormal dividend may have one bit and the divisor `precision`: this leaves precision + 4 bits of quotient.
  const scale = 2 * fmt.precision + 4;
  const dividend = x.sig << BigInt(scale);
  const quotient = dividend / y.sig;
  return round(fmt, sign, x.exp - y.exp - scale, quotient, quotient * y.sig !== dividend, rm);
}

/** The largest integer whose square is at most n. */
function integerSqrt(n: bigint): bigint {
  let r = BigInt(Math.floor(Math.sqrt(Number(n))));
  r = (r + n / r) >> 1n; // one Newton step from anywhere lands at or above the root
  for (;;) {
    const next = (r + n / r) >> 1n;
    if (next >= r) return r;
    r = next;
  }
}

/** The square root; sqrt(-0) is -0. */
export function sqrt(fmt: Format, a: bigint, rm: number): Rounded {
  const x = unpack(fmt, a);
  if (x.kind === Kind.NaN) return fromNaN(fmt, x);
  if (x.kind === Kind.Zero) return exactly(a);
  if (x.sign === 1) return invalid(fmt);
  if (x.kind === Kind.Infinite) return exactly(a);
  const scale = 2 * fmt.precision + 6 + (x.exp & 1);
  const square = x.sig << BigInt(scale);
  const root = integerSqrt(square);
  return round(fmt, 0, (x.exp - scale) / 2, root, root * root !== square, rm);
}

/** Between formats; widening is exact. */
export function convert(from: Format, to: Format, a: bigint, rm: number): Rounded {
  const x = unpack(from, a);
  if (x.kind === Kind.NaN) return fromNaN(to, x);
  if (x.kind === Kind.Infinite) return infinity(to, x.sign);
  if (x.kind === Kind.Zero) return zero(to, x.sign);
  return round(to, x.sign, x.exp, x.sig, false, rm);
}

/** A (signed) integer to the format. */
export function fromInteger(fmt: Format, value: bigint, rm: number): Rounded {
  if (value === 0n) return zero(fmt, 0);
  return round(fmt, value < 0n ? 1 : 0, 0, value < 0n ? -value : value, false, rm);
}
