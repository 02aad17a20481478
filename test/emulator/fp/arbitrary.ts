/** fast-check generators of bit patterns that meet the borders of rounding often. */
import * as fc from 'fast-check';
import { F32, F64, type Format } from '../../../emulator/fp/format.ts';

function specials(fmt: Format): bigint[] {
  const one = BigInt(1 - fmt.emin) << fmt.fractionBits;
  const edges = [
    0n,
    fmt.fractionMask + 1n,
    one,
    one + (fmt.fractionMask + 1n),
    fmt.infinity,
    fmt.infinity | fmt.quietBit,
  ];
  return edges.flatMap((e) => (e === 0n ? [0n, 1n, 2n] : [e - 1n, e, e + 1n]));
}

/** Any pattern of the format. */
export function anyPattern(fmt: Format): fc.Arbitrary<bigint> {
  const fields = Number(fmt.infinity >> fmt.fractionBits);
  const middle = 1 - fmt.emin;
  const exponent = fc.oneof(
    fc.integer({ min: 0, max: fields }),
    fc.integer({ min: middle - 40, max: middle + 40 }),
    fc.integer({ min: (middle >> 1) - 30, max: (middle >> 1) + 30 }),
  );
  const fraction = fc.oneof(
    fc.bigInt({ min: 0n, max: fmt.fractionMask }),
    fc.integer({ min: 0, max: 7 }).map(BigInt),
    fc.integer({ min: 0, max: 7 }).map((n) => fmt.fractionMask - BigInt(n)),
    fc.integer({ min: 0, max: fmt.precision - 2 }).map((n) => 1n << BigInt(n)),
  );
  const built = fc.tuple(exponent, fraction).map(([e, f]) => (BigInt(e) << fmt.fractionBits) | f);
  const unsigned = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...specials(fmt)) },
    { weight: 5, arbitrary: built },
  );
  return fc.tuple(unsigned, fc.boolean()).map(([bits, negative]) => (negative ? bits ^ fmt.signBit : bits));
}

/** A finite pattern. */
export function finitePattern(fmt: Format): fc.Arbitrary<bigint> {
  return anyPattern(fmt).filter((bits) => (bits & fmt.infinity) !== fmt.infinity);
}

export const FORMATS = [
  { suffix: 's', fmt: F32 },
  { suffix: 'd', fmt: F64 },
] as const;

export const modes = fc.constantFrom(0, 1, 2, 3, 4);
