import { describe, expect, test } from 'vitest';
import { assemble, type Machine } from '../../../emulator/index.ts';
import { FULL_ISA } from '../../../emulator/isa/choice.ts';
import { discoverBeside, MAX_INSTRUCTIONS, type CodeReader } from '../../../emulator/jit/region.ts';
import { CODE, place, smallMachine } from '../harness.ts';

const RA = 1;

/** A straight line of instructions that goes back to its beginning. */
function loopOf(count: number): CodeReader {
  const words = Array<number>(count).fill(assemble('addi', { rd: 5, rs1: 5, imm: 1 }));
  words[count - 1] = assemble('jal', { rd: 0, imm: -4 * (count - 1) });
  return {
    half: (va) => {
      const word = words[(va - CODE) >>> 2];
      return word === undefined ? -1 : (word >>> ((va & 2) * 8)) & 0xffff;
    },
    targets: () => [],
    stopsAt: () => false,
    isa: FULL_ISA,
  };
}

describe('a region beside others', () => {
  /** Instructions of the region at the loop's beginning, when so many of its first instructions are in others. */
  const size = (count: number, known: (index: number) => boolean, limit = MAX_INSTRUCTIONS): number =>
    discoverBeside(loopOf(count), CODE, limit, (pc) => known((pc - CODE) >>> 2))?.blocks.reduce(
      (sum, { insns }) => sum + insns.length,
      0,
    ) ?? 0;

  test('is as large as ever where all is new, or an eighth', () => {
    expect(size(300, () => false)).toBe(300);
    expect(size(300, (i) => i >= 40)).toBe(300);
    expect(size(1000, () => false)).toBe(MAX_INSTRUCTIONS);
  });

  test('is small where next to nothing is new', () => {
    expect(size(300, (i) => i >= 9)).toBe(100);
  });

  test('is whole where it is not large, as loops around others are', () => {
    expect(size(200, (i) => i >= 9)).toBe(200);
  });

  test('is small where its entry is in another', () => {
    expect(size(200, (i) => i < 5)).toBe(100);
    expect(size(90, (i) => i < 5)).toBe(90);
  });

  test('is never larger than it may be', () => {
    expect(size(300, () => false, 50)).toBe(50);
    expect(size(300, () => true, 50)).toBe(50);
  });

  test('is none where there is no code', () => {
    expect(discoverBeside(loopOf(10), CODE - 4, MAX_INSTRUCTIONS, () => false)).toBeNull();
  });
});

/** A loop with a call of a function that is the interpreter's, for the sake of its CSR, and comes back into the midst of the loop's region. */
function leftInTheMidst(): Machine {
  const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
  place(machine, CODE, [
    assemble('addi', { rd: 5, rs1: 5, imm: 1 }),
    assemble('jal', { rd: RA, imm: 12 }),
    assemble('addi', { rd: 6, rs1: 6, imm: 1 }),
    assemble('jal', { rd: 0, imm: -12 }),
    assemble('csrrw', { rd: 0, rs1: 5, csr: 0x340 }),
    assemble('jalr', { rd: 0, rs1: RA }),
  ]);
  machine.hart.pc = CODE;
  return machine;
}

test('what lies in the midst of a region must be much hotter to have one of its own', () => {
  const { hart } = leftInTheMidst();
  const { stats } = hart.tier1;
  hart.run(6 * 20_000);
  expect(stats.regions).toBe(1);
  hart.run(6 * 10_000);
  expect(stats.regions).toBe(2);
  expect(hart.x[6]).toBe(30_000);
});

test('but not within a time: it does not begin anew when counts are forgotten', () => {
  const { hart } = leftInTheMidst();
  const { stats } = hart.tier1;
  hart.run(6 * 3000);
  for (let n = 0; n < 17; n++) {
    hart.run(6 * 1000);
    // Once in 20 million instructions, as a rule; counts are forgotten every tenth time.
    for (let times = 10; times > 0; times--) hart.tier1.cool();
  }
  expect(stats.regions).toBe(1);
  hart.run(6 * 20_000);
  expect(stats.regions).toBe(2);
});
