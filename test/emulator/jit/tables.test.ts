/**
 * A guest that makes code for ever: regions are bound to tables, which are given up so that the host does not grow; what has not
 * changed moves to the next one; and what changes too often is no longer compiled.
 */
import { expect, test } from 'vitest';
import { assemble, type Machine } from '../../../emulator/index.ts';
import { CODE, place, smallMachine } from '../harness.ts';
import { poison } from './forced.ts';

const RA = 1;
const SUM = 5;
const COUNT = 6;
const CALLS = 7;
const STABLE = 8;
const FUNCTION = CODE + 0x1000;

/** sum += addend, `COUNT` times; calls x[STABLE] before. */
function placeLoop(machine: Machine, addend: number): void {
  place(machine, CODE, [
    assemble('jalr', { rd: RA, rs1: STABLE }),
    assemble('addi', { rd: SUM, rs1: SUM, imm: addend }),
    assemble('addi', { rd: COUNT, rs1: COUNT, imm: -1 }),
    assemble('bne', { rs1: COUNT, rs2: 0, imm: -8 }),
  ]);
}

/** The function that never changes. */
function placeFunction(machine: Machine): void {
  place(machine, FUNCTION, [
    assemble('addi', { rd: CALLS, rs1: CALLS, imm: 1 }),
    assemble('jalr', { rd: 0, rs1: RA }),
  ]);
  machine.hart.x[STABLE] = FUNCTION;
}

/** Runs the loop with that addend `times` round; returns the instructions retired. */
function round(machine: Machine, addend: number, times: number): number {
  const { hart } = machine;
  placeLoop(machine, addend);
  hart.x[COUNT] = times;
  hart.pc = CODE;
  const before = hart.retired;
  hart.run(3 + 3 * times);
  return hart.retired - before;
}

test('regions move to a new table after some modules, and those whose code is gone do not', () => {
  const TIMES = 6;
  const ROUNDS = 900;
  const machine = smallMachine({ tier: 1 });
  const { hart } = machine;
  const { stats } = hart.tier1;
  placeFunction(machine);
  for (let n = 0; n < 3; n++) round(machine, 0, TIMES);
  hart.pc = FUNCTION;
  expect(hart.compileAt(FUNCTION, 400)).toBe(true);
  // From now on only its region can execute it.
  poison(machine, FUNCTION);

  let expected = 0;
  for (let n = 1; n <= ROUNDS; n++) {
    expect(round(machine, n, TIMES)).toBe(3 + 3 * TIMES);
    expected += TIMES * n;
  }
  expect(hart.x[SUM]).toBe(expected);
  expect(hart.x[CALLS]).toBe(3 + ROUNDS);
  hart.tier1.count();
  expect(stats.modules).toBeGreaterThan(ROUNDS);
  expect(stats.tables).toBeGreaterThanOrEqual(8);
  // The function is one of those that are left.
  expect(stats.regions - stats.dropped).toBeLessThan(10);
});

test('code that changes again and again is compiled less and less, until it stays as it is', () => {
  const TIMES = 5000;
  const ROUNDS = 1500;
  const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
  const { hart } = machine;
  const { stats } = hart.tier1;
  placeFunction(machine);
  for (let n = 1; n <= ROUNDS; n++) round(machine, n & 1023, TIMES);
  // Each change cost a region at first.
  expect(stats.regions).toBeGreaterThan(100);
  expect(stats.regions).toBeLessThan(ROUNDS / 2);
  expect(stats.postponed).toBeGreaterThan(ROUNDS / 2);
  expect(stats.tables).toBeLessThan(10);

  hart.tier1.count();
  const { regions, retired } = stats;
  // Losses are forgotten, a part with every 20 million instructions.
  round(machine, 1, 30_000_000);
  hart.tier1.count();
  expect(stats.regions).toBe(regions + 1);
  expect(stats.retired - retired).toBeGreaterThan(10_000_000);
});

test('breakpoints drop what is compiled, but do not make it wait', () => {
  const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
  const { hart } = machine;
  const { stats } = hart.tier1;
  placeFunction(machine);
  const ROUNDS = 800;
  for (let n = 0; n < ROUNDS; n++) {
    hart.addBreakpoint(CODE + 0x2000);
    hart.removeBreakpoint(CODE + 0x2000);
    machine.hart.x[COUNT] = 5000;
    if (n === 0) placeLoop(machine, 1);
    hart.pc = CODE;
    hart.run(3 + 3 * 5000);
  }
  expect(stats.regions).toBeGreaterThanOrEqual(ROUNDS);
  expect(stats.postponed).toBe(0);
});
