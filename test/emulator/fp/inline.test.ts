/**
 * The instructions on the machine: the inline code of the fast loop agrees with the helpers, bit for bit and flag for
 * flag, and settles what it is there for without calling them.
 */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { F32, F64 } from '../../../emulator/fp/format.ts';
import { fpHelpers } from '../../../emulator/fp/helpers.ts';
import { assemble, Cause } from '../../../emulator/index.ts';
import { rv32d } from '../../../emulator/isa/d.ts';
import { rv32f } from '../../../emulator/isa/f.ts';
import { CODE, DATA, execute as run, PATHS, place } from '../harness.ts';
import { anyPattern, modes } from './arbitrary.ts';
import { BOX, execute, general, takesInteger } from './machine.ts';
import { executeOnMachine, spinningMachine } from './onMachine.ts';

const NX = 1;

const word = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -9, max: 9 }));
/** Small integers and their fractions, as doubles or singles: arithmetic on them is often exact. */
const plain = fc
  .tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 0, max: 3 }))
  .map(([n, k]) => n / 2 ** k);

function doubleBits(x: number): bigint {
  return new BigUint64Array(new Float64Array([x]).buffer)[0] ?? 0n;
}

function singleBits(x: number): bigint {
  return BOX | BigInt(new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0);
}

const doubles = fc.oneof(
  { weight: 3, arbitrary: anyPattern(F64) },
  { weight: 1, arbitrary: plain.map(doubleBits) },
);
const singles = fc.oneof(
  { weight: 30, arbitrary: anyPattern(F32).map((bits) => bits | BOX) },
  { weight: 10, arbitrary: plain.map(singleBits) },
  { weight: 1, arbitrary: anyPattern(F64) },
);

function operand(name: string): fc.Arbitrary<bigint> {
  if (takesInteger(name)) return word.map((n) => BigInt.asUintN(32, BigInt(n)));
  return name.endsWith('.d') && name !== 'fcvt.d.s' ? doubles : singles;
}

test.each(Object.keys(fpHelpers))('%s agrees with its helper on both paths', (name) => {
  const property = fc.property(
    fc.tuple(operand(name), operand(name), operand(name)),
    modes,
    fc.record({ accrued: fc.constantFrom(0, 1, 17), dynamic: fc.boolean(), path: fc.constantFrom(...PATHS) }),
    (operands, mode, options) => {
      const modeless = / 0[01][01] rd /.test(patternOf(name));
      const used = modeless ? 0 : mode;
      expect(executeOnMachine(name, operands, used, options)).toEqual(execute(name, operands, used, options));
    },
  );
  fc.assert(property, { numRuns: 1500 });
});

function patternOf(name: string): string {
  return [...rv32f, ...rv32d].find((r) => r.name === name)?.pattern ?? '';
}

/** Path, whether NX is accrued, and how many operands. A region is made for one state of the flags, so they are not mixed there. */
const CANCELLING = [
  ['run', [0, NX], 2000],
  ['jit', [NX], 1000],
  ['jit', [0], 500],
] as const;

describe.each(CANCELLING)(
  'addends that almost cancel the product, on the path %s, flags %j',
  (path, flags, numRuns) => {
    test.each(['fmadd', 'fmsub', 'fnmsub', 'fnmadd'])('%s', (stem) => {
      for (const [suffix, fmt, box] of [
        ['s', F32, BOX],
        ['d', F64, 0n],
      ] as const) {
        const name = `${stem}.${suffix}`;
        const negates = stem === 'fmadd' || stem === 'fnmadd';
        const pattern = anyPattern(fmt);
        const property = fc.property(
          pattern,
          pattern,
          fc.integer({ min: -2, max: 2 }),
          fc.constantFrom(...flags),
          (a, b, d, accrued) => {
            const product = general(`fmul.${suffix}`, [a | box, b | box], 0)?.bits ?? 0n;
            const c = BigInt.asUintN(64, (negates ? product ^ fmt.signBit : product) + BigInt(d)) | box;
            const operands = [a | box, b | box, c];
            expect(executeOnMachine(name, operands, 0, { accrued, path })).toEqual(
              execute(name, operands, 0, { accrued }),
            );
          },
        );
        fc.assert(property, { numRuns });
      }
    });
  },
);

describe('what the fast loop settles by itself', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Row, operands, and whether it needs NX accrued. */
  const settled: readonly (readonly [string, readonly number[], number])[] = [
    ['fadd', [0.1, 0.2], NX],
    ['fadd', [1.5, 0.25], 0],
    ['fsub', [1.5, 1.5], 0],
    ['fmul', [0.1, 0.3], NX],
    ['fmul', [3, 0.5], 0],
    ['fmul', [0, -7.5], 0],
    ['fdiv', [1, 3], NX],
    ['fdiv', [6, 3], 0],
    ['fsqrt', [2], NX],
    ['fsqrt', [9], 0],
    ['fmadd', [0.1, 0.3, 0.7], NX],
    ['fmadd', [3, 5, -15], 0],
    ['fnmadd', [0, 5, 1], 0],
    ['fmsub', [2, 3, 4], 0],
    ['fnmsub', [0.1, 0.1, 0.01], NX],
    ['fmin', [-0, 0], 0],
    ['fmax', [1, 2], 0],
    ['feq', [1, 1], 0],
    ['flt', [1, 2], 0],
    ['fle', [1, 2], 0],
    ['fsgnj', [NaN, -1], 0],
    ['fsgnjn', [1, 1], 0],
    ['fsgnjx', [-1, -1], 0],
  ];

  test.each(settled.map(([stem, operands, accrued]) => ({ stem, operands, accrued })))(
    '$stem $operands with flags $accrued',
    ({ stem, operands, accrued }) => {
      for (const suffix of ['s', 'd']) {
        const name = `${stem}.${suffix}`;
        const bits = operands.map(suffix === 's' ? singleBits : doubleBits);
        const dynamic = patternOf(name).includes(' rm ');
        const expected = execute(name, bits, 0, { accrued, dynamic });
        const helper = vi.spyOn(fpHelpers as Record<string, (typeof fpHelpers)[string]>, name);
        for (const path of ['run', 'jit'] as const) {
          expect(executeOnMachine(name, bits, 0, { accrued, dynamic, path }), path).toEqual(expected);
        }
        expect(helper).not.toHaveBeenCalled();
      }
    },
  );
});

describe.each(PATHS)('mstatus.FS, on the path %s', (path) => {
  const add = assemble('fadd.d', { rd: 4, rs1: 1, rs2: 2, rm: 7 });
  const load = assemble('fld', { rd: 4, rs1: 5, imm: 0 });
  const store = assemble('fsd', { rs2: 4, rs1: 5, imm: 0 });

  test('off: floating-point instructions are illegal, and tval is the encoding', () => {
    for (const insn of [add, load, store]) {
      const machine = spinningMachine();
      place(machine, CODE, [insn]);
      machine.hart.x[5] = DATA;
      machine.hart.fp.setFs(0);
      run(machine, path, CODE);
      expect(machine.hart.state.mcause).toBe(Cause.IllegalInstruction);
      expect(machine.hart.state.mtval >>> 0).toBe(insn);
    }
  });

  test('arithmetic and loads make it dirty, stores do not', () => {
    for (const [insn, fs] of [
      [add, 3],
      [load, 3],
      [store, 2],
    ] as const) {
      const machine = spinningMachine();
      place(machine, CODE, [insn]);
      machine.hart.x[5] = DATA;
      machine.hart.fp.setFs(2);
      run(machine, path, CODE);
      expect(machine.hart.fp.getFs()).toBe(fs);
    }
  });

  test('loads and stores keep every bit, signaling NaNs and boxes included', () => {
    const machine = spinningMachine();
    const { hart, ram } = machine;
    place(machine, CODE, [
      load,
      assemble('fsd', { rs2: 4, rs1: 5, imm: 16 }),
      assemble('flw', { rd: 6, rs1: 5, imm: 4 }),
      assemble('fsw', { rs2: 4, rs1: 5, imm: 24 }),
    ]);
    hart.x[5] = DATA;
    ram.write32(DATA, 0x0000_0001);
    ram.write32(DATA + 4, 0x7ff0_0000);
    run(machine, path, CODE, 4);
    expect([ram.read32(DATA + 16), ram.read32(DATA + 20), ram.read32(DATA + 24)]).toEqual([
      1, 0x7ff0_0000, 1,
    ]);
    expect([hart.f[12], hart.f[13]]).toEqual([0x7ff0_0000, 0xffff_ffff]);
  });
});
