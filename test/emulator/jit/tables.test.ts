/** A guest that makes code for ever: regions are bound to tables, and tables are given up, so that the host does not grow. */
import { expect, test } from 'vitest';
import { assemble } from '../../../emulator/index.ts';
import { CODE, place, smallMachine } from '../harness.ts';

const SUM = 5;
const COUNT = 6;
const TIMES = 6;

test('after a thousand modules regions begin anew with another table, and still compute', () => {
  const machine = smallMachine({ tier: 1 });
  const { hart } = machine;
  let expected = 0;
  for (let change = 0; change < 1100; change++) {
    const addend = change % 2000;
    place(machine, CODE, [
      assemble('addi', { rd: SUM, rs1: SUM, imm: addend }),
      assemble('addi', { rd: COUNT, rs1: COUNT, imm: -1 }),
      assemble('bne', { rs1: COUNT, rs2: 0, imm: -8 }),
    ]);
    hart.x[COUNT] = TIMES;
    hart.pc = CODE;
    const before = hart.retired;
    hart.run(3 * TIMES);
    expect(hart.retired - before).toBe(3 * TIMES);
    expected += TIMES * addend;
  }
  expect(hart.x[SUM]).toBe(expected);
  hart.tier1.count();
  expect(hart.tier1.stats.modules).toBeGreaterThan(1000);
  expect(hart.tier1.stats.retired).toBeGreaterThan(1100 * TIMES);
  expect(hart.tier1.stats.tables).toBe(2);
});
