/** Where decoding marks entries of tier 1, seen by what becomes hot. */
import { describe, expect, test } from 'vitest';
import { assemble } from '../../../emulator/index.ts';
import { CODE, place, smallMachine } from '../harness.ts';

const SUM = 5;
const COUNT = 6;
const ROUNDS = 50_000;

/** Runs a loop from CODE + `from` on; returns how many instructions regions have retired. */
function retiredInRegions(code: readonly number[], from: number, instructions: number): number {
  const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
  const { hart } = machine;
  place(machine, CODE, code);
  hart.x[COUNT] = ROUNDS;
  hart.pc = CODE + from;
  hart.run(instructions);
  expect(hart.x[COUNT]).toBe(0);
  expect(hart.x[SUM]).toBeGreaterThanOrEqual(2 * (ROUNDS - 1));
  hart.tier1.count();
  return hart.tier1.stats.retired;
}

describe('what a branch goes back to is an entry', () => {
  const loop = [
    assemble('addi', { rd: SUM, rs1: SUM, imm: 2 }),
    assemble('addi', { rd: COUNT, rs1: COUNT, imm: -1 }),
    assemble('bne', { rs1: COUNT, rs2: 0, imm: -8 }),
  ];

  test('decoded before the branch', () => {
    expect(retiredInRegions(loop, 0, 3 * ROUNDS)).toBeGreaterThan(2.5 * ROUNDS);
  });

  test('decoded after it, since the loop is entered in its middle', () => {
    expect(retiredInRegions(loop, 4, 3 * ROUNDS - 1)).toBeGreaterThan(2.5 * ROUNDS);
  });
});
