/** Whether hot code gets a region, and where that begins. */
import { describe, expect, test } from 'vitest';
import { assemble, type Hart } from '../../../emulator/index.ts';
import { FULL_ISA } from '../../../emulator/isa/choice.ts';
import { Heat } from '../../../emulator/jit/heat.ts';
import { isFunctionLike, type CodeReader } from '../../../emulator/jit/region.ts';
import { RegionStart, type Verdict } from '../../../emulator/jit/regionStart.ts';
import * as layout from '../../../emulator/layout.ts';
import { ENTRY } from '../../../emulator/tier0/uop.ts';
import { CODE, place, smallMachine } from '../harness.ts';

const RET = assemble('jalr', { rd: 0, rs1: 1, imm: 0 });
const NOP = assemble('addi', { rd: 0, rs1: 0, imm: 0 });
/** A function: room on the stack, a loop of two instructions, and back. */
const FUNCTION = [
  assemble('addi', { rd: 2, rs1: 2, imm: -16 }),
  assemble('addi', { rd: 10, rs1: 10, imm: -1 }),
  assemble('bne', { rs1: 10, rs2: 0, imm: -4 }),
  assemble('addi', { rd: 2, rs1: 2, imm: 16 }),
  RET,
];

function readerOf(halves: readonly number[]): CodeReader {
  return {
    half: (va) => halves[(va - CODE) >>> 1] ?? -1,
    targets: () => [],
    stopsAt: () => false,
    isa: FULL_ISA,
  };
}

const halvesOf = (words: readonly number[]): number[] => words.flatMap((w) => [w & 0xffff, w >>> 16]);

describe('what looks like the beginning of a function', () => {
  const like = (halves: readonly number[], index: number): boolean =>
    isFunctionLike(readerOf(halves), CODE + 2 * index);

  test('stands behind a return, short or long', () => {
    expect(like([0x8082, 0x0001, 0x0001], 1)).toBe(true);
    expect(like([0x8082, 0x0001, 0x0001], 2)).toBe(false);
    expect(like(halvesOf([RET, NOP]), 2)).toBe(true);
    // c.jalr and c.ebreak go on.
    expect(like([0x9082, 0x0001], 1)).toBe(false);
    expect(like([0x9002, 0x0001], 1)).toBe(false);
  });

  test('or makes room on the stack, at once or a little later', () => {
    // c.addi sp,-16; c.addi16sp sp,-64; addi sp,sp,-16.
    for (const first of [[0x1141], [0x7139], halvesOf([FUNCTION[0] as number])]) {
      expect(like([0x0001, ...first], 1)).toBe(true);
      expect(like([0x0001, 0xc21d, ...first], 1)).toBe(true);
    }
    // Giving it back is the end of one.
    expect(like([0x0001, 0x0141, ...halvesOf([FUNCTION[3] as number])], 1)).toBe(false);
  });
});

/** Counts of the function above, at the beginning of a page of micro-ops, whose loop is hot. */
function counted(mayBegin = true): {
  start: RegionStart;
  run: (index: number, times: number) => void;
  /** What is said of the loop, when the machine has retired so many instructions. */
  ask: (retired?: number) => Verdict;
  uop: number;
} {
  const words = new Int32Array((layout.HEAT >>> 2) + layout.HEAT_SIZE);
  const heat = new Heat(words);
  heat.choose('auto', ENTRY);
  const uopOf = (index: number): number => layout.DECODED + index * 16;
  const run = (index: number, times: number): void => {
    const uop = uopOf(index);
    words[uop >>> 2] = (words[uop >>> 2] ?? 0) | ENTRY;
    const at = (layout.HEAT >>> 2) + ((uop >>> 3) & (layout.HEAT_SIZE - 1));
    words[at] = (words[at] ?? 0) + times;
  };
  const start = new RegionStart(heat, readerOf(halvesOf(FUNCTION)), () => mayBegin);
  const uop = uopOf(1);
  return { start, run, ask: (retired = 0) => start.of(CODE + 4, uop, retired), uop };
}

describe('hot code', () => {
  test('has a region when it is looked at again soon enough', () => {
    const { ask } = counted();
    expect(ask(7_000_000)).toBe('again');
    expect(ask(9_500_000)).toBe(CODE + 4);
  });

  test('waits when that took longer, but not twice', () => {
    const { ask } = counted();
    expect(ask(7_000_000)).toBe('again');
    expect(ask(9_500_001)).toBe('rare');
    expect(ask(80_000_000)).toBe('again');
    expect(ask(90_000_000)).toBe(CODE + 4);
  });

  test('waits anew when other code is there', () => {
    const { start, ask, uop } = counted();
    expect([ask(0), ask(3_000_000)]).toEqual(['again', 'rare']);
    start.deleteRange(uop, uop + 1);
    expect([ask(0), ask(3_000_000)]).toEqual(['again', 'rare']);
  });

  /** A loop for ever that calls a function in every round of so many thousand instructions. */
  function calledEvery(thousands: number): Hart {
    const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
    place(machine, CODE, [
      assemble('addi', { rd: 12, rs1: 0, imm: thousands }),
      assemble('addi', { rd: 11, rs1: 0, imm: 500 }),
      assemble('addi', { rd: 11, rs1: 11, imm: -1 }),
      assemble('bne', { rs1: 11, rs2: 0, imm: -4 }),
      assemble('addi', { rd: 12, rs1: 12, imm: -1 }),
      assemble('bne', { rs1: 12, rs2: 0, imm: -16 }),
      assemble('jal', { rd: 1, imm: 0x40 - 24 }),
      assemble('jal', { rd: 0, imm: -28 }),
    ]);
    place(machine, CODE + 0x40, [NOP, NOP, NOP, RET]);
    machine.hart.pc = CODE;
    return machine.hart;
  }

  test.each([
    [4, 1],
    [6, 0],
  ])('that is executed once in %i,000 instructions has so many regions for now: %i', (thousands, regions) => {
    const hart = calledEvery(thousands);
    hart.run(60_000_000);
    // Beside the loop's.
    expect(hart.tier1.stats.regions).toBe(1 + regions);
  });
});

describe('a hot loop', () => {
  test('has its region from its function on, when that is called meanwhile', () => {
    const { ask, run } = counted();
    run(0, 7);
    expect([ask(), ask()]).toEqual(['again', 'again']);
    run(0, 1);
    expect(ask()).toBe(CODE);
  });

  test('has one of its own when its function is not called', () => {
    const { ask, run } = counted();
    expect([ask(), ask()]).toEqual(['again', CODE + 4]);
    run(0, 7);
    expect([ask(), ask(), ask()]).toEqual(['again', 'again', CODE + 4]);
  });

  test('and when that cannot have one, or its micro-ops have gone', () => {
    const without = counted(false);
    without.run(0, 7);
    expect([without.ask(), without.ask()]).toEqual(['again', CODE + 4]);
    const { start, ask, run, uop } = counted();
    run(0, 7);
    expect([ask(), ask()]).toEqual(['again', 'again']);
    for (const forget of [() => start.deleteRange(uop, uop + 1), () => start.clear()]) {
      forget();
      run(0, 1);
      expect([ask(), ask()]).toEqual(['again', 'again']);
    }
    run(0, 1);
    expect(ask()).toBe(CODE);
  });

  test('is compiled once, with its function', () => {
    const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
    const call = [assemble('addi', { rd: 10, rs1: 0, imm: 50 }), assemble('jal', { rd: 1, imm: 0x40 - 4 })];
    place(machine, CODE, [...call, assemble('jal', { rd: 0, imm: -8 })]);
    place(machine, CODE + 0x40, FUNCTION);
    machine.hart.pc = CODE;
    const hart: Hart = machine.hart;
    hart.run(1_000_000);
    hart.tier1.count();
    const { regions, instructions, retired } = hart.tier1.stats;
    // The function, and the loop around its calls.
    expect([regions, instructions]).toEqual([2, FUNCTION.length + 3]);
    expect(retired).toBeGreaterThan(500_000);
  });
});
