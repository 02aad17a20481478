/** When tier 'auto' begins to compile. */
import { expect, test } from 'vitest';
import { assemble, type Hart } from '../../../emulator/index.ts';
import { CODE, place, smallMachine } from '../harness.ts';

const AFTER = 100_000;

/** At the beginning of a loop for ever, on a machine that compiles after that many instructions. */
function looping(compileAfter: number): Hart {
  const machine = smallMachine({ tier: 'auto', compileAfter });
  place(machine, CODE, [
    assemble('addi', { rd: 5, rs1: 5, imm: 1 }),
    assemble('xor', { rd: 6, rs1: 6, rs2: 5 }),
    assemble('jal', { rd: 0, imm: -8 }),
  ]);
  machine.hart.pc = CODE;
  return machine.hart;
}

test('nothing is compiled before it is worth while, and what has been hot at once then', () => {
  const hart = looping(AFTER);
  const { stats } = hart.tier1;
  for (let n = 0; n < 10; n++) hart.run(AFTER / 10);
  expect(stats.regions).toBe(0);
  hart.run(AFTER / 10);
  expect(stats.regions).toBe(1);
  hart.tier1.count();
  expect(stats.retired).toBeGreaterThan(0.8 * (AFTER / 10));
});

test('in one long run too', () => {
  const hart = looping(AFTER);
  hart.run(10_000_000);
  hart.tier1.count();
  expect(hart.tier1.stats.retired).toBeGreaterThan(5_000_000);
});

test('a region has what its jump to a computed address goes to, though the targets lie 32 bytes apart', () => {
  const machine = smallMachine({ tier: 'auto', compileAfter: 0 });
  const { hart } = machine;
  place(machine, CODE, [
    assemble('xori', { rd: 10, rs1: 10, imm: 0x20 }),
    assemble('jalr', { rd: 0, rs1: 10, imm: 0 }),
  ]);
  for (const at of [0x40, 0x60])
    place(machine, CODE + at, [
      assemble('addi', { rd: 6, rs1: 6, imm: 1 }),
      assemble('jal', { rd: 0, imm: -at - 4 }),
    ]);
  hart.x[10] = CODE + 0x40;
  hart.pc = CODE;
  for (let n = 0; n < 10; n++) hart.run(100_000);
  expect(hart.x[6]).toBe(250_000);
  hart.tier1.count();
  expect(hart.tier1.stats.regions).toBe(1);
  expect(hart.tier1.stats.retired).toBeGreaterThan(950_000);
});
