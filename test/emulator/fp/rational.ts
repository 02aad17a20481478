/**
 * An oracle by definition: an exact rational number, rounded by searching the ordered patterns of the format.
 * IEEE 754-2019 section 4.3 read literally; it shares no arithmetic with emulator/fp. Finite operands only.
 */
import { Flag, Rm, type Format } from '../../../emulator/fp/format.ts';
import type { Rounded } from '../../../emulator/fp/softfloat.ts';

/** n / d with d > 0, not reduced. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

const power = (e: number): Rational =>
  e >= 0 ? { n: 1n << BigInt(e), d: 1n } : { n: 1n, d: 1n << BigInt(-e) };
const compare = (a: Rational, b: Rational): number => Number(sign(a.n * b.d - b.n * a.d));
const sign = (n: bigint): bigint => (n > 0n ? 1n : n < 0n ? -1n : 0n);

export const plus = (a: Rational, b: Rational): Rational => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
export const times = (a: Rational, b: Rational): Rational => ({ n: a.n * b.n, d: a.d * b.d });
export const over = (a: Rational, b: Rational): Rational =>
  times(a, b.n < 0n ? { n: -b.d, d: -b.n } : { n: b.d, d: b.n });

/** The value of a positive pattern; the one after the largest finite number stands for 2^(emax+1). */
function magnitude(fmt: Format, pattern: bigint): Rational {
  const field = Number(pattern >> fmt.fractionBits);
  const fraction = pattern & fmt.fractionMask;
  const last = fmt.emin - fmt.precision + 1;
  const significand = field === 0 ? fraction : fraction + fmt.fractionMask + 1n;
  return times({ n: significand, d: 1n }, power(last + Math.max(field, 1) - 1));
}

export function valueOf(fmt: Format, bits: bigint): Rational {
  const m = magnitude(fmt, bits & ~fmt.signBit);
  return (bits & fmt.signBit) === 0n ? m : { n: -m.n, d: m.d };
}

/** How an exact magnitude compares with a candidate. */
type Against = (candidate: Rational) => number;

interface Neighbours {
  /** The largest pattern not above the magnitude. */
  readonly low: bigint;
  readonly exact: boolean;
  /** The magnitude compared with the middle between `low` and its successor. */
  readonly middle: number;
}

function neighbours(fmt: Format, against: Against): Neighbours {
  let low = 0n;
  let high = fmt.infinity;
  while (high - low > 1n) {
    const candidate = (low + high) >> 1n;
    if (against(magnitude(fmt, candidate)) >= 0) low = candidate;
    else high = candidate;
  }
  const sum = plus(magnitude(fmt, low), magnitude(fmt, low + 1n));
  return { low, exact: against(magnitude(fmt, low)) === 0, middle: against({ n: sum.n, d: sum.d * 2n }) };
}

function choose(around: Neighbours, negative: boolean, rm: number): bigint {
  const { low, exact, middle } = around;
  if (exact) return low;
  const up =
    rm === Rm.RNE
      ? middle > 0 || (middle === 0 && (low & 1n) === 1n)
      : rm === Rm.RMM
        ? middle >= 0
        : rm === (negative ? Rm.RDN : Rm.RUP);
  return up ? low + 1n : low;
}

/** The same precision with (nearly) unbounded exponents. */
function unbounded(fmt: Format): Format {
  const wider = 16n;
  const infinity = ((1n << wider) - 1n) << fmt.fractionBits;
  return { ...fmt, emin: 2 - 2 ** 15, infinity, signBit: 1n << (wider + fmt.fractionBits) };
}

/** Rounds a magnitude greater than zero. */
export function roundMagnitude(fmt: Format, negative: boolean, against: Against, rm: number): Rounded {
  const around = neighbours(fmt, against);
  const wide = unbounded(fmt);
  const ideal = magnitude(wide, choose(neighbours(wide, against), negative, rm));
  const withSign = (pattern: bigint): bigint => (negative ? pattern | fmt.signBit : pattern);
  if (compare(ideal, magnitude(fmt, fmt.infinity - 1n)) > 0) {
    const infinite = rm === Rm.RNE || rm === Rm.RMM || rm === (negative ? Rm.RDN : Rm.RUP);
    return { bits: withSign(infinite ? fmt.infinity : fmt.infinity - 1n), flags: Flag.OF | Flag.NX };
  }
  const tiny = compare(ideal, power(fmt.emin)) < 0;
  const flags = around.exact ? 0 : tiny ? Flag.UF | Flag.NX : Flag.NX;
  return { bits: withSign(choose(around, negative, rm)), flags };
}

/** Rounds an exact value that is not zero. */
export function roundRational(fmt: Format, value: Rational, rm: number): Rounded {
  const absolute = value.n < 0n ? { n: -value.n, d: value.d } : value;
  return roundMagnitude(fmt, value.n < 0n, (c) => compare(absolute, c), rm);
}

/** The square root of a positive value: candidates are compared by their squares. */
export function roundRoot(fmt: Format, value: Rational, rm: number): Rounded {
  return roundMagnitude(fmt, false, (c) => compare(value, times(c, c)), rm);
}
