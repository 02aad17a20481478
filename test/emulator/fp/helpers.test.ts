/** The helpers: every middle path agrees with the general path, and the rules that have no general path. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { F32, F64, Rm } from '../../../emulator/fp/format.ts';
import { fpHelpers } from '../../../emulator/fp/helpers.ts';
import { rv32d } from '../../../emulator/isa/d.ts';
import { rv32f } from '../../../emulator/isa/f.ts';
import { zfa } from '../../../emulator/isa/zfa.ts';
import { anyPattern, modes } from './arbitrary.ts';
import { BOX, execute, general, ROUNDED, takesInteger } from './machine.ts';
import { valueOf } from './rational.ts';

const single = anyPattern(F32).map((bits) => bits | BOX);
const double = anyPattern(F64);
const word = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -9, max: 9 }));
const register = fc.oneof({ weight: 15, arbitrary: single }, { weight: 1, arbitrary: double });

/** What the row reads: doubles, singles (sometimes not boxed) or integers. */
function operand(name: string): fc.Arbitrary<bigint> {
  if (takesInteger(name)) return word.map((n) => BigInt.asUintN(32, BigInt(n)));
  return name.endsWith('.d') && name !== 'fcvt.d.s' ? double : register;
}

test('the rows of F, D and Zfa and the helper table name the same operations', () => {
  const rows = [...rv32f, ...rv32d, ...zfa].filter((r) => !/^f(l|s)[wd]$/.test(r.name)).map((r) => r.name);
  expect(rows.sort()).toEqual(Object.keys(fpHelpers).sort());
});

const withGeneralPath = [
  ...ROUNDED.flatMap((stem) => [`${stem}.s`, `${stem}.d`]),
  'fcvt.s.w',
  'fcvt.s.wu',
  'fcvt.d.w',
  'fcvt.d.wu',
  'fcvt.s.d',
  'fcvt.d.s',
];

test.each(withGeneralPath)('%s: the helper agrees with the general path, whatever is accrued', (name) => {
  const property = fc.property(
    fc.tuple(operand(name), operand(name), operand(name)),
    modes,
    fc.boolean(),
    fc.constantFrom(0, 1, 16),
    (operands, mode, dynamic, accrued) => {
      const expected = general(name, operands, mode);
      const actual = execute(name, operands, mode, { accrued, dynamic });
      expect(actual).toEqual({ bits: expected?.bits, flags: (expected?.flags ?? 0) | accrued });
    },
  );
  fc.assert(property, { numRuns: 1500 });
});

test.each(['fmadd.d', 'fmadd.s'])('%s: products that the addend almost cancels', (name) => {
  const fmt = name === 'fmadd.d' ? F64 : F32;
  const box = fmt === F32 ? BOX : 0n;
  const property = fc.property(
    anyPattern(fmt),
    anyPattern(fmt),
    fc.integer({ min: -2, max: 2 }),
    (a, b, change) => {
      const product = general(name, [a | box, b | box, box], Rm.RNE)?.bits ?? 0n;
      const c = BigInt.asUintN(64, (product ^ fmt.signBit) + BigInt(change)) | box;
      const operands = [a | box, b | box, c];
      expect(execute(name, operands, Rm.RNE)).toEqual(general(name, operands, Rm.RNE));
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

const rounding = [...rv32f, ...rv32d, ...zfa].filter((r) => / rm /.test(r.pattern));

test.each(rounding.map((r) => r.name))('%s: reserved rounding modes are illegal', (name) => {
  for (const rm of [5, 6]) {
    expect(execute(name, [0n, 0n, 0n], rm)).toBeNull();
    expect(execute(name, [0n, 0n, 0n], rm, { dynamic: true })).toBeNull();
  }
  expect(execute(name, [0n, 0n, 0n], 7, { dynamic: true })).toBeNull();
  expect(execute(name, [0n, 0n, 0n], 4, { dynamic: true })).not.toBeNull();
});

describe.each([
  { name: 'fcvt.w.s', min: -(2n ** 31n), max: 2n ** 31n - 1n },
  { name: 'fcvt.wu.s', min: 0n, max: 2n ** 32n - 1n },
  { name: 'fcvt.w.d', min: -(2n ** 31n), max: 2n ** 31n - 1n },
  { name: 'fcvt.wu.d', min: 0n, max: 2n ** 32n - 1n },
])('$name', ({ name, min, max }) => {
  const fmt = name.endsWith('.s') ? F32 : F64;
  const box = fmt === F32 ? BOX : 0n;

  /** The integer nearest to n/d by the mode's definition. */
  function integral(n: bigint, d: bigint, mode: number): bigint {
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

  test('rounds, then saturates with NV alone', () => {
    const property = fc.property(anyPattern(fmt), modes, (bits, mode) => {
      let expected: { bits: bigint; flags: number };
      if ((bits & fmt.infinity) === fmt.infinity) {
        const low = bits === (fmt.infinity | fmt.signBit);
        expected = { bits: BigInt.asUintN(32, low ? min : max), flags: 16 };
      } else {
        const { n, d } = valueOf(fmt, bits);
        const result = integral(n, d, mode);
        const inside = result >= min && result <= max;
        const clamped = inside ? result : result < min ? min : max;
        expected = { bits: BigInt.asUintN(32, clamped), flags: !inside ? 16 : result * d === n ? 0 : 1 };
      }
      expect(execute(name, [bits | box], mode)).toEqual(expected);
    });
    fc.assert(property, { numRuns: 3000 });
  });
});
