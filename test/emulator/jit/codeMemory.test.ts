/** Code that outlives a run: whoever does the same again takes it, whoever does not compiles, and nobody can tell. */
import { describe, expect, test } from 'vitest';
import { Machine } from '../../../emulator/index.ts';
import type { CodeMemory, RememberedBatch } from '../../../emulator/jit/codeMemory.ts';
import { machineMode } from './agree.ts';
import { expectSame, stateOf } from './twins.ts';

/** As files would have it: nothing but numbers, and each module compiled from its bytes. */
class Memory implements CodeMemory {
  readonly batches: RememberedBatch[] = [];
  ready = true;
  get again(): boolean {
    return this.batches.length > 0;
  }
  recall(pc: number): readonly RememberedBatch[] {
    return this.batches.filter((batch) => batch.pc === pc);
  }
  module({ bytes }: RememberedBatch): WebAssembly.Module {
    return new WebAssembly.Module(bytes);
  }
  used(batch: RememberedBatch): void {
    if (!this.batches.includes(batch)) this.batches.push(structuredClone(batch));
  }
}

const program = (step: number): string => `
  li s0, 0x80400000
  li s2, 0x80008000
  li t0, 0x6000
  csrrs x0, mstatus, t0
  fcvt.d.w fa1, s2
  again: addi s1, s1, 1
  andi a0, s1, 1023
  jal ra, f
  andi t0, s1, 7
  bne t0, x0, again
  la t1, other
  jalr x0, 0(t1)
  other: fadd.d fa0, fa0, fa1
  j again
  jalr x0, 0(ra)
  f: slli t0, a0, 2
  add t0, t0, s0
  lw t1, 0(t0)
  addi t1, t1, ${step}
  sw t1, 0(t0)
  add a2, a2, t1
  jalr x0, 0(ra)`;

const TOTAL = 120_000;

function run(
  step: number,
  tier: 0 | 1 | 'auto',
  quantum: number,
  memory: CodeMemory | null,
  compileAfter = 0,
): Machine {
  const machine = new Machine({ ramBytes: 16 << 20, tier, compileAfter });
  machine.hart.tier1.codeMemory = memory;
  machineMode(machine, program(step));
  while (machine.hart.retired < TOTAL) machine.hart.run(Math.min(quantum, TOTAL - machine.hart.retired));
  return machine;
}

const RAM = [[0x8000_0000, 16 << 20]] as const;

describe.each([1, 'auto'] as const)('tier %s', (tier) => {
  test.each([5003, 20_011, 100_000])('the second run compiles nothing, quantum %i', (quantum) => {
    const memory = new Memory();
    const first = run(3, tier, quantum, memory);
    const { length } = memory.batches;
    expect(length).toBeGreaterThan(0);
    expect(first.hart.tier1.stats.recalled).toBe(0);

    const second = run(3, tier, quantum, memory);
    expect(memory.batches.length).toBe(length);
    expect(second.hart.tier1.stats).toEqual({
      ...first.hart.tier1.stats,
      recalled: first.hart.tier1.stats.regions,
    });
    const plain = run(3, tier, quantum, null);
    expect(plain.hart.tier1.stats).toEqual(first.hart.tier1.stats);
    const zero = run(3, 0, quantum, null);
    for (const machine of [first, second, plain]) expectSame(zero, machine, RAM);
  });

  test('a program that differs in one instruction takes only what does not have it', () => {
    const memory = new Memory();
    run(3, tier, 5003, memory);
    const other = run(4, tier, 5003, memory);
    const { recalled, regions } = other.hart.tier1.stats;
    expect(recalled).toBeLessThan(regions);
    expectSame(run(4, 0, 5003, null), other, RAM);
  });

  test('another quantum makes other regions hot, or at another time', () => {
    const memory = new Memory();
    run(3, tier, 997, memory);
    expectSame(run(3, 0, 5003, null), run(3, tier, 5003, memory), RAM);
  });
});

test('compiling waits, but not where an earlier run has compiled: what is there is taken at once, what is not is made', () => {
  const memory = new Memory();
  const stats = (step: number, compileAfter: number): Machine['hart']['tier1']['stats'] =>
    run(step, 'auto', 5003, memory, compileAfter).hart.tier1.stats;
  expect(stats(3, 10 * TOTAL).regions).toBe(0);
  const { regions } = stats(3, 0);
  expect(regions).toBeGreaterThan(0);
  expect(stats(3, 10 * TOTAL)).toMatchObject({ regions, recalled: regions });
  const other = stats(4, 10 * TOTAL);
  expect(other.regions).toBe(regions);
  expect(other.recalled).toBeLessThan(regions);
});

test('without code of an earlier run nothing is hot any sooner', () => {
  const bare = run(3, 'auto', 5003, null).hart.tier1.stats;
  expect(run(3, 'auto', 5003, new Memory()).hart.tier1.stats).toEqual(bare);
});

test('what the host has to compile first waits as what has to be compiled does, and is then taken', () => {
  const memory = new Memory();
  memory.ready = false;
  const stats = (compileAfter: number): Machine['hart']['tier1']['stats'] =>
    run(3, 'auto', 5003, memory, compileAfter).hart.tier1.stats;
  const { regions } = stats(0);
  expect(regions).toBeGreaterThan(0);
  expect(stats(10 * TOTAL)).toMatchObject({ regions: 0, recalled: 0 });
  expect(stats(0)).toMatchObject({ regions, recalled: regions });
});

test('what was remembered is data', () => {
  const memory = new Memory();
  const { hart } = run(3, 1, 997, memory);
  expect(memory.batches.reduce((sum, { regions }) => sum + regions.length, 0)).toBe(hart.tier1.stats.regions);
  expect(stateOf(hart)).toEqual(stateOf(run(3, 1, 997, null).hart));
});
