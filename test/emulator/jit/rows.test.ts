/**
 * Each row that tier 1 compiles is executed by its region: the micro-op in the decoded page is replaced by an illegal one, so
 * that the interpreter could only trap. (That the results are right is the business of the row-driven suites, which run
 * on the path `jit` as well.)
 */
import { describe, expect, test } from 'vitest';
import { hasInlineFloat } from '../../../emulator/codegen/inlineFloat.ts';
import { assemble, type Machine } from '../../../emulator/index.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { compressedInstructions, instructions, type Instruction } from '../../../emulator/isa/table.ts';
import { CODE, DATA, place, smallMachine } from '../harness.ts';
import { poison } from './forced.ts';
import { expectSame } from './twins.ts';

const SP = 2;
const RD = 11;
const RS1 = 12;
const RS2 = 13;
const RS3 = 14;
const NX = 1;

const compiled = instructions.filter(
  ({ traits }) => traits.helper === null && (traits.fp === null || hasInlineFloat(traits.fp)),
);

/** Operands with which no row leaves: an aligned address that is in the TLB, ordinary numbers, NX already set. */
function prepare({ hart, ram }: Machine, { traits }: Instruction): void {
  hart.x[RD] = 7;
  hart.x[SP] = DATA;
  hart.x[RS1] = traits.load || traits.store ? DATA : 0x8000_2468 | 0;
  hart.x[RS2] = 3;
  hart.fp.setFs(3);
  hart.fp.setFcsr(NX);
  ram.write32(DATA, 0x4000_1234);
  ram.write32(DATA + 4, 0x4000_5678);
}

/** f registers for the row's format. */
function fillFloats({ hart }: Machine, name: string): void {
  const double = name === 'fsd' || /^f[a-z]+\.(d|[wx]u?\.d|s\.d)$/.test(name) || name.endsWith('.d');
  for (let f = 0; f < 32; f++) {
    const bits = new DataView(new ArrayBuffer(8));
    if (double && name !== 'fcvt.d.s') bits.setFloat64(0, f + 0.75);
    else {
      bits.setUint32(0, 0xffff_ffff);
      bits.setFloat32(4, f + 0.75);
    }
    hart.f[2 * f] = bits.getUint32(4);
    hart.f[2 * f + 1] = bits.getUint32(0);
  }
}

/** Conversions to integers are compiled as C means them: towards zero. */
const modeOf = (name: string): number => (/^fcvt\.wu?\./.test(name) ? 1 : 0);

/** Fields that the compressed row allows. */
function compressedFields(name: string): Partial<Fields> {
  if (name === 'c.lui') return { rd: RD, imm: 0x1000 };
  if (name === 'c.addi16sp') return { imm: 16 };
  const base = name.endsWith('sp') ? SP : RS1;
  return { rd: RD, rs1: base, rs2: RS2, imm: 8 };
}

function expectCompiled(instruction: Instruction, insn: number): void {
  const [zero, one] = [smallMachine({ tier: 0 }), smallMachine({ tier: 1 })];
  for (const machine of [zero, one]) {
    place(machine, CODE, [insn]);
    prepare(machine, instruction);
    fillFloats(machine, instruction.row.name);
    // The first time fills the TLB.
    machine.hart.step();
    prepare(machine, instruction);
    if (instruction.row.name === 'sc.w') {
      place(machine, CODE + 0x100, [assemble('lr.w', { rd: RD, rs1: RS1 })]);
      machine.hart.pc = CODE + 0x100;
      machine.hart.step();
    }
    machine.hart.pc = CODE;
  }
  expect(one.hart.compileAt(CODE, 1)).toBe(true);
  poison(one, CODE);
  expect(one.hart.run(1)).toEqual(zero.hart.run(1));
  expectSame(zero, one, [[DATA, 8]]);
  expect(one.hart.pc).not.toBe(one.hart.state.mtvec);
}

describe('a region executes', () => {
  test.each(compiled.map((i) => [i.row.name, i] as const))('%s', (name, instruction) => {
    expectCompiled(
      instruction,
      // A branch to itself would be unrolled, and need more than one instruction's budget.
      assemble(name, {
        rd: RD,
        rs1: RS1,
        rs2: RS2,
        rs3: RS3,
        imm: instruction.traits.relative ? 8 : 0,
        rm: modeOf(name),
      }),
    );
  });

  test.each(compressedInstructions.map((c) => [c.row.name, c] as const))('%s', (name, { expansion }) => {
    if (!compiled.includes(expansion)) return;
    expectCompiled(expansion, assemble(name, compressedFields(name)));
  });
});

test('poison is poison', () => {
  const machine = smallMachine({ tier: 'auto' });
  place(machine, CODE, [assemble('addi', { rd: RD, rs1: 0, imm: 1 })]);
  machine.hart.run(1);
  machine.hart.pc = CODE;
  poison(machine, CODE);
  machine.hart.run(1);
  expect(machine.hart.pc).toBe(machine.hart.state.mtvec);
});
