/** The general path against exact rational arithmetic, all five modes. IEEE 754-2019 sections 4.3, 5.4 and 7. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { F32, F64 } from '../../../emulator/fp/format.ts';
import { add, convert, div, fma, fromInteger, mul, sqrt } from '../../../emulator/fp/softfloat.ts';
import { anyPattern, finitePattern, FORMATS, modes } from './arbitrary.ts';
import { over, plus, roundRational, roundRoot, times, valueOf } from './rational.ts';

const runs = { numRuns: 400 };

describe.each(FORMATS)('general path, .$suffix', ({ fmt }) => {
  const finite = finitePattern(fmt);
  const value = (bits: bigint) => valueOf(fmt, bits);
  const isZero = (bits: bigint) => (bits & ~fmt.signBit) === 0n;

  test('a nonzero sum is the exact sum, rounded', () => {
    const property = fc.property(finite, finite, modes, (a, b, rm) => {
      const exact = plus(value(a), value(b));
      fc.pre(exact.n !== 0n);
      expect(add(fmt, a, b, rm)).toEqual(roundRational(fmt, exact, rm));
    });
    fc.assert(property, runs);
  });

  test('a nonzero product is the exact product, rounded', () => {
    const property = fc.property(finite, finite, modes, (a, b, rm) => {
      fc.pre(!isZero(a) && !isZero(b));
      expect(mul(fmt, a, b, rm)).toEqual(roundRational(fmt, times(value(a), value(b)), rm));
    });
    fc.assert(property, runs);
  });

  test('a nonzero quotient is the exact quotient, rounded', () => {
    const property = fc.property(finite, finite, modes, (a, b, rm) => {
      fc.pre(!isZero(a) && !isZero(b));
      expect(div(fmt, a, b, rm)).toEqual(roundRational(fmt, over(value(a), value(b)), rm));
    });
    fc.assert(property, runs);
  });

  test('a root is the exact root, rounded', () => {
    const property = fc.property(finite, modes, (bits, rm) => {
      const a = bits & ~fmt.signBit;
      fc.pre(a !== 0n);
      expect(sqrt(fmt, a, rm)).toEqual(roundRoot(fmt, value(a), rm));
    });
    fc.assert(property, runs);
  });

  test('a nonzero fused sum is the exact one, rounded once', () => {
    const property = fc.property(finite, finite, finite, modes, (a, b, c, rm) => {
      const exact = plus(times(value(a), value(b)), value(c));
      fc.pre(exact.n !== 0n);
      expect(fma(fmt, a, b, c, rm)).toEqual(roundRational(fmt, exact, rm));
    });
    fc.assert(property, runs);
  });

  test('a fused sum that almost cancels is exact in its rounding', () => {
    const property = fc.property(
      finite,
      finite,
      fc.integer({ min: -2, max: 2 }),
      modes,
      (a, b, change, rm) => {
        const product = mul(fmt, a, b, 0).bits;
        fc.pre((product & fmt.infinity) !== fmt.infinity && !isZero(product));
        const c = ((product & ~fmt.signBit) + BigInt(change)) | (~product & fmt.signBit);
        const exact = plus(times(value(a), value(b)), value(c));
        fc.pre(exact.n !== 0n && (c & fmt.infinity) !== fmt.infinity);
        expect(fma(fmt, a, b, c, rm)).toEqual(roundRational(fmt, exact, rm));
      },
    );
    fc.assert(property, runs);
  });

  test('an integer is rounded like any other value', () => {
    const property = fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), modes, (n, rm) => {
      fc.pre(n !== 0);
      expect(fromInteger(fmt, BigInt(n), rm)).toEqual(roundRational(fmt, { n: BigInt(n), d: 1n }, rm));
    });
    fc.assert(property, runs);
  });

  test('addition and multiplication commute; the fused sum with zero or one agrees with them', () => {
    const one = BigInt(1 - fmt.emin) << fmt.fractionBits;
    const any = anyPattern(fmt);
    const property = fc.property(any, any, modes, (a, b, rm) => {
      expect(add(fmt, a, b, rm)).toEqual(add(fmt, b, a, rm));
      expect(mul(fmt, a, b, rm)).toEqual(mul(fmt, b, a, rm));
      expect(fma(fmt, a, one, b, rm)).toEqual(add(fmt, a, b, rm));
      const product = mul(fmt, a, b, rm);
      // A zero of the product's sign changes no product, not even a zero one.
      const zero = (a ^ b) & fmt.signBit;
      expect(fma(fmt, a, b, zero, rm)).toEqual(product);
    });
    fc.assert(property, runs);
  });
});

test('narrowing rounds the value once; widening keeps it and comes back', () => {
  const narrowing = fc.property(finitePattern(F64), modes, (a, rm) => {
    fc.pre((a & ~F64.signBit) !== 0n);
    expect(convert(F64, F32, a, rm)).toEqual(roundRational(F32, valueOf(F64, a), rm));
  });
  fc.assert(narrowing, runs);
  const widening = fc.property(finitePattern(F32), modes, (a, rm) => {
    expect(convert(F64, F32, convert(F32, F64, a, rm).bits, rm)).toEqual({ bits: a, flags: 0 });
  });
  fc.assert(widening, runs);
});
