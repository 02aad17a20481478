/** Where the host's time goes: measured from outside, nothing counted twice, and nothing that the guest does depends on it. */
import { describe, expect, test } from 'vitest';
import { assemble as a, Machine, type Hart, type Supervisor } from '../../emulator/index.ts';

import { CODE_VA, physicalOf } from './jit/userland.ts';
import { A, D, R, Tables, U, V, X } from './paging.ts';

/** Sums for ever, with an ECALL in each round. */
const LOOP = [
  a('addi', { rd: 5, rs1: 5, imm: 1 }),
  a('add', { rd: 6, rs1: 6, rs2: 5 }),
  a('ecall'),
  a('jal', { rd: 0, imm: -12 }),
];
const ROUND = 3;
const ROUNDS = 10_000;

function looping(trap: () => void, options: { tier: 0 | 1; clock?: () => number }): Hart {
  const machine = new Machine({ ramBytes: 16 << 20, ...options });
  const supervisor: Supervisor = {
    trap(hart) {
      trap();
      hart.pc += 4;
      return true;
    },
  };
  machine.hart.enterHostedUserMode(supervisor);
  const tables = new Tables(machine);
  machine.hart.setAddressSpace(tables.satp);
  tables.map(CODE_VA, physicalOf(CODE_VA), V | R | X | U | A | D);
  for (const [i, insn] of LOOP.entries()) machine.ram.write32(physicalOf(CODE_VA) + 4 * i, insn);
  machine.hart.pc = CODE_VA;
  machine.hart.run(ROUND * ROUNDS);
  machine.hart.tier1.count();
  return machine.hart;
}

const state = (hart: Hart): number[] => [hart.pc, hart.retired, hart.tier1.stats.retired, ...hart.x];

describe.each([0, 1] as const)('tier %i', (tier) => {
  test('without a clock nothing is measured', () => {
    const { total, compiling, regions, supervisor, interpreter } = looping(() => {}, { tier }).hostTime;
    expect([total, compiling, regions, supervisor, interpreter]).toEqual([0, 0, 0, 0, 0]);
  });

  test('what a trap takes is the supervisor’s, not that of the region or loop that it interrupts', () => {
    let now = 1000;
    let traps = 0;
    const trap = (): void => {
      traps++;
      now += 5;
    };
    const { hostTime } = looping(trap, { tier, clock: () => now });
    expect(traps).toBeGreaterThanOrEqual(ROUNDS - 1);
    expect(hostTime.supervisor).toBe(5 * traps);
    expect(hostTime.total).toBe(5 * traps);
    expect([hostTime.compiling, hostTime.regions, hostTime.interpreter]).toEqual([0, 0, 0]);
  });

  test('each stretch is in one place, and the places make the whole', () => {
    let now = 0;
    const { hostTime, tier1 } = looping(() => {}, { tier, clock: () => now++ });
    const { total, compiling, regions, supervisor, interpreter } = hostTime;
    expect(compiling + regions + supervisor + interpreter).toBe(total);
    expect(supervisor).toBeGreaterThan(0);
    expect(compiling > 0).toBe(tier === 1);
    expect(regions > 0).toBe(tier === 1);
    expect(tier1.stats.retired > 0).toBe(tier === 1);
  });

  test('the guest does the same with a clock', () => {
    let now = 0;
    expect(state(looping(() => {}, { tier, clock: () => now++ }))).toEqual(
      state(looping(() => {}, { tier })),
    );
  });
});
