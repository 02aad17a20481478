/** Edge values, worked out by hand from IEEE 754-2019 and the F and D chapters of the RISC-V manual. */
import { describe, expect, test } from 'vitest';
import { BOX, execute, makeState } from './machine.ts';
import { fpHelpers } from '../../../emulator/fp/helpers.ts';

const NX = 1;
const UF = 2;
const OF = 4;
const DZ = 8;
const NV = 16;

const ALL = [0, 1, 2, 3, 4];
const S = {
  zero: 0x0000_0000,
  negZero: 0x8000_0000,
  min: 0x0000_0001,
  minNormal: 0x0080_0000,
  one: 0x3f80_0000,
  two: 0x4000_0000,
  three: 0x4040_0000,
  max: 0x7f7f_ffff,
  inf: 0x7f80_0000,
  negInf: 0xff80_0000,
  qnan: 0x7fc0_0000,
  payload: 0xffc1_2345,
  snan: 0x7f80_0001,
  epsHalf: 0x3380_0000, // 2^-24: half a unit in the last place of one
};

/** [row, modes, operands, results by mode (one: the same for all), flags] */
type Answer = readonly [string, readonly number[], readonly number[], readonly number[], number];

const singles: readonly Answer[] = [
  // 1 + 2^-24 is a tie: to even, to zero, down, up, away.
  ['fadd.s', ALL, [S.one, S.epsHalf], [S.one, S.one, S.one, 0x3f80_0001, 0x3f80_0001], NX],
  [
    'fadd.s',
    ALL,
    [0x3f80_0001, S.epsHalf],
    [0x3f80_0002, 0x3f80_0001, 0x3f80_0001, 0x3f80_0002, 0x3f80_0002],
    NX,
  ],
  // 6.3: an exact zero sum of unlike signs
  ['fsub.s', ALL, [S.one, S.one], [S.zero, S.zero, S.negZero, S.zero, S.zero], 0],
  ['fadd.s', ALL, [S.negZero, S.negZero], [S.negZero], 0],
  ['fadd.s', ALL, [S.inf, S.negInf], [S.qnan], NV],
  ['fsub.s', ALL, [S.inf, S.inf], [S.qnan], NV],
  ['fadd.s', ALL, [S.payload, S.one], [S.qnan], 0],
  ['fadd.s', ALL, [S.snan, S.one], [S.qnan], NV],
  // 7.4: overflow by mode
  ['fadd.s', ALL, [S.max, S.max], [S.inf, S.max, S.max, S.inf, S.inf], OF | NX],
  ['fmul.s', ALL, [S.max, 0xc000_0000], [S.negInf, 0xff7f_ffff, S.negInf, 0xff7f_ffff, S.negInf], OF | NX],
  ['fmul.s', ALL, [S.zero, S.inf], [S.qnan], NV],
  // 7.5: half the smallest subnormal; exact subnormals raise nothing
  ['fmul.s', ALL, [S.min, 0x3f00_0000], [S.zero, S.zero, S.zero, S.min, S.min], UF | NX],
  ['fmul.s', ALL, [S.minNormal, 0x3f00_0000], [0x0040_0000], 0],
  // 2^-126 - 2^-150 has 24 bits, so it is tiny after rounding though the result is normal...
  ['fmul.s', [0, 3, 4], [0x3f7f_ffff, S.minNormal], [S.minNormal], UF | NX],
  // ... but 2^-126 - 2^-172 and 2^-126 - 2^-152 are tiny only before rounding.
  ['fmul.s', [0, 3, 4], [0x3f80_0001, 0x007f_ffff], [S.minNormal], NX],
  ['fmadd.s', [0, 3, 4], [0xb280_0000, 0x0080_0000, S.minNormal], [S.minNormal], NX],
  ['fmadd.s', [1, 2], [0xb280_0000, 0x0080_0000, S.minNormal], [0x007f_ffff], UF | NX],
  ['fdiv.s', ALL, [S.one, S.three], [0x3eaa_aaab, 0x3eaa_aaaa, 0x3eaa_aaaa, 0x3eaa_aaab, 0x3eaa_aaab], NX],
  ['fdiv.s', ALL, [S.one, S.negZero], [S.negInf], DZ],
  ['fdiv.s', ALL, [S.zero, S.zero], [S.qnan], NV],
  ['fdiv.s', ALL, [S.inf, S.inf], [S.qnan], NV],
  ['fdiv.s', ALL, [S.inf, S.zero], [S.inf], 0],
  ['fdiv.s', ALL, [S.one, S.negInf], [S.negZero], 0],
  ['fsqrt.s', ALL, [S.two], [0x3fb5_04f3, 0x3fb5_04f3, 0x3fb5_04f3, 0x3fb5_04f4, 0x3fb5_04f3], NX],
  ['fsqrt.s', ALL, [S.negZero], [S.negZero], 0],
  ['fsqrt.s', ALL, [0xbf80_0000], [S.qnan], NV],
  ['fsqrt.s', ALL, [S.inf], [S.inf], 0],
  // The product is not rounded: (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46.
  ['fmsub.s', ALL, [0x3f80_0001, 0x3f80_0001, 0x3f80_0002], [0x2880_0000], 0],
  ['fnmadd.s', ALL, [S.one, S.two, S.three], [0xc0a0_0000], 0],
  ['fnmsub.s', ALL, [S.one, S.two, S.three], [S.one], 0],
  // F chapter: inf * 0 + qNaN is invalid
  ['fmadd.s', ALL, [S.inf, S.zero, S.qnan], [S.qnan], NV],
  ['fmadd.s', ALL, [S.one, S.one, S.qnan], [S.qnan], 0],
  ['fmadd.s', ALL, [S.inf, S.one, S.negInf], [S.qnan], NV],
  ['fmin.s', [0], [S.negZero, S.zero], [S.negZero], 0],
  ['fmin.s', [0], [S.zero, S.negZero], [S.negZero], 0],
  ['fmax.s', [0], [S.negZero, S.zero], [S.zero], 0],
  ['fmax.s', [0], [S.zero, S.negZero], [S.zero], 0],
  ['fmin.s', [0], [S.payload, S.one], [S.one], 0],
  ['fmax.s', [0], [S.one, S.snan], [S.one], NV],
  ['fmin.s', [0], [S.payload, S.payload], [S.qnan], 0],
  ['fmax.s', [0], [S.snan, S.qnan], [S.qnan], NV],
  ['fsgnj.s', [0], [S.payload, S.one], [0x7fc1_2345], 0],
  ['fsgnjn.s', [0], [S.snan, S.one], [0xff80_0001], 0],
  ['fsgnjx.s', [0], [S.negInf, S.negZero], [S.inf], 0],
  ['fcvt.s.w', ALL, [0x0100_0001], [0x4b80_0000, 0x4b80_0000, 0x4b80_0000, 0x4b80_0001, 0x4b80_0001], NX],
  ['fcvt.s.wu', ALL, [0xffff_ffff], [0x4f80_0000, 0x4f7f_ffff, 0x4f7f_ffff, 0x4f80_0000, 0x4f80_0000], NX],
  ['fmv.w.x', [0], [0xffff_ffff], [0xffff_ffff], 0],
];

const toIntegers: readonly Answer[] = [
  ['feq.s', [0], [S.zero, S.negZero], [1], 0],
  ['feq.s', [0], [S.qnan, S.qnan], [0], 0],
  ['feq.s', [0], [S.snan, S.one], [0], NV],
  ['flt.s', [0], [S.qnan, S.one], [0], NV],
  ['fle.s', [0], [S.one, S.qnan], [0], NV],
  ['flt.s', [0], [S.negZero, S.zero], [0], 0],
  ['fle.s', [0], [S.negInf, S.inf], [1], 0],
  ['fclass.s', [0], [S.negInf], [1 << 0], 0],
  ['fclass.s', [0], [0xbf80_0000], [1 << 1], 0],
  ['fclass.s', [0], [0x8000_0001], [1 << 2], 0],
  ['fclass.s', [0], [S.negZero], [1 << 3], 0],
  ['fclass.s', [0], [S.zero], [1 << 4], 0],
  ['fclass.s', [0], [S.min], [1 << 5], 0],
  ['fclass.s', [0], [S.one], [1 << 6], 0],
  ['fclass.s', [0], [S.inf], [1 << 7], 0],
  ['fclass.s', [0], [S.snan], [1 << 8], 0],
  ['fclass.s', [0], [S.payload], [1 << 9], 0],
  // The manual's table of domains for conversions
  ['fcvt.w.s', ALL, [S.qnan], [0x7fff_ffff], NV],
  ['fcvt.w.s', ALL, [S.negInf], [0x8000_0000], NV],
  ['fcvt.w.s', ALL, [0xcf00_0000], [0x8000_0000], 0],
  ['fcvt.w.s', ALL, [0x4f00_0000], [0x7fff_ffff], NV],
  ['fcvt.wu.s', ALL, [0xffc0_0000], [0xffff_ffff], NV],
  ['fcvt.wu.s', ALL, [0xbf80_0000], [0], NV],
  ['fcvt.wu.s', [0, 1, 3], [0xbf00_0000], [0], NX],
  ['fcvt.wu.s', [2, 4], [0xbf00_0000], [0], NV],
  // 2.5 and -2.5
  ['fcvt.w.s', ALL, [0x4020_0000], [2, 2, 2, 3, 3], NX],
  ['fcvt.w.s', ALL, [0xc020_0000], [-2 >>> 0, -2 >>> 0, -3 >>> 0, -2 >>> 0, -3 >>> 0], NX],
];

function label(answer: Answer): string {
  return `${answer[0]} ${answer[2].map((o) => (o >>> 0).toString(16)).join(' ')}`;
}

/** What we answer and what is right, for each mode of the row. */
function outcomes(
  [name, modes, operands, results, flags]: Answer,
  box: bigint,
): { ours: unknown; right: unknown } {
  const boxed = operands.map((o) => BigInt(o) | BOX);
  const right = modes.map((mode, i) => ({
    mode,
    bits: BigInt(results[results.length === 1 ? 0 : i] ?? 0) | box,
    flags,
  }));
  return { ours: modes.map((mode) => ({ mode, ...execute(name, boxed, mode) })), right };
}

describe('single precision', () => {
  test.each(singles.map((a) => [label(a), a] as const))('%s', (_label, answer) => {
    const { ours, right } = outcomes(answer, BOX);
    expect(ours).toEqual(right);
  });

  test.each(toIntegers.map((a) => [label(a), a] as const))('%s', (_label, answer) => {
    const { ours, right } = outcomes(answer, 0n);
    expect(ours).toEqual(right);
  });
});

describe('NaN boxing', () => {
  const unboxed = 0x0000_0000_3f80_0000n;
  const one = BOX | 0x3f80_0000n;

  test('a single that is not boxed reads as the canonical NaN', () => {
    expect(execute('fadd.s', [unboxed, one], 0)).toEqual({ bits: BOX | 0x7fc0_0000n, flags: 0 });
    expect(execute('fsgnj.s', [unboxed, one], 0)).toEqual({ bits: BOX | 0x7fc0_0000n, flags: 0 });
    expect(execute('fsgnjn.s', [one, unboxed], 0)).toEqual({ bits: BOX | 0xbf80_0000n, flags: 0 });
    expect(execute('fclass.s', [unboxed], 0)).toEqual({ bits: 1n << 9n, flags: 0 });
    expect(execute('flt.s', [one, unboxed], 0)).toEqual({ bits: 0n, flags: NV });
    expect(execute('fcvt.d.s', [unboxed], 0)).toEqual({ bits: 0x7ff8_0000_0000_0000n, flags: 0 });
    expect(execute('fcvt.w.s', [unboxed], 0)).toEqual({ bits: 0x7fff_ffffn, flags: NV });
  });

  test('fmv.x.w takes the low word as it is', () => {
    expect(execute('fmv.x.w', [unboxed], 0)).toEqual({ bits: 0x3f80_0000n, flags: 0 });
  });
});

describe('double precision', () => {
  const one = 0x3ff0_0000_0000_0000n;
  const nan = 0x7ff8_0000_0000_0000n;
  const answers: readonly (readonly [string, readonly bigint[], readonly bigint[], number])[] = [
    ['fadd.d', [one, 0x3ca0_0000_0000_0000n], [one, one, one, one + 1n, one + 1n], NX],
    ['fmul.d', [1n, 1n], [0n, 0n, 0n, 1n, 0n], UF | NX],
    ['fdiv.d', [one, 0n], [0x7ff0_0000_0000_0000n], DZ],
    ['fsqrt.d', [0xbff0_0000_0000_0000n], [nan], NV],
    ['fmadd.d', [0x7ff0_0000_0000_0000n, 0n, 0x7ff8_0000_0000_1234n], [nan], NV],
    // The product overflows on its own, the fused sum does not.
    [
      'fmsub.d',
      [0x7fe0_0000_0000_0000n, 0x4000_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn],
      [0x7ca0_0000_0000_0000n],
      0,
    ],
    // Boldo and Melquiond's guard: the sum's tie is broken far below the last place.
    ['fmadd.d', [one + 1n, 0x3ca0_0000_0000_0000n, one], [one + 1n, one, one, one + 1n, one + 1n], NX],
    ['fcvt.s.d', [0x7ff0_0000_0000_0001n], [BOX | 0x7fc0_0000n], NV],
  ];

  const labelled = answers.map((a) => [`${a[0]} ${a[1].map((o) => o.toString(16)).join(' ')}`, a] as const);

  test.each(labelled)('%s', (_label, [name, operands, results, flags]) => {
    for (const mode of ALL) {
      const bits = results[results.length === 1 ? 0 : mode];
      expect({ mode, ...execute(name, operands, mode) }).toEqual({ mode, bits, flags });
    }
  });

  test('fcvt.s.d just below the smallest normal number underflows only where it rounds down', () => {
    const below = [0x380f_ffff_ffff_ffffn];
    for (const mode of [0, 3, 4]) {
      expect(execute('fcvt.s.d', below, mode)).toEqual({ bits: BOX | 0x0080_0000n, flags: NX });
    }
    for (const mode of [1, 2]) {
      expect(execute('fcvt.s.d', below, mode)).toEqual({ bits: BOX | 0x007f_ffffn, flags: UF | NX });
    }
  });
});

test('a result for x0 goes to the junk slot', () => {
  const s = makeState();
  s.f.set([0, 0x3ff0_0000], 2);
  expect(fpHelpers['fclass.d']?.(s, 32, 1, 0, 0, 0)).toBe(true);
  expect(s.x[0]).toBe(0);
  expect(s.x[32]).toBe(1 << 6);
});
