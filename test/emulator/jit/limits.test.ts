/**
 * Where tier 1 has limits: the depth of calls, the slots of its table, the instructions and pages of a region. Beyond them programs
 * run as before.
 */
import { describe, expect, test } from 'vitest';
import { assemble as a, RAM_BASE, type Machine } from '../../../emulator/index.ts';
import { MAX_DEPTH, TABLE_SIZE } from '../../../emulator/jit/convention.ts';
import { MAX_INSTRUCTIONS } from '../../../emulator/jit/region.ts';
import { place } from '../harness.ts';
import { agree, machineMode } from './agree.ts';

const A0 = 10;
const S2 = 18;
const STACK = RAM_BASE + 0x80_0000;

const x = (machine: Machine, register: number): number => (machine.hart.x[register] as number) >>> 0;

/** Enters a function: ra and a3 onto the stack. */
const enter = 'addi sp, sp, -16\n sw ra, 0(sp)\n sw a3, 4(sp)';
const leave = 'lw ra, 0(sp)\n addi sp, sp, 16\n jalr x0, 0(ra)';

/** Calls f with a3 = depth, over and over. */
const begin = (depth: number): string => `
  li sp, ${STACK}
  la s3, f
  la s4, g
  again: addi s2, s2, 1
  li a3, ${depth}
  jal ra, f
  back: j again`;

/** One level: at the bottom `bottom`, else `call`, and then a0 += a3. */
const level = (name: string, bottom: string, call: string): string => `
  ${name}: ${enter}
  beq a3, x0, ${name}_end
  addi a3, a3, -1
  ${call}
  lw t0, 4(sp)
  add a0, a0, t0
  ${leave}
  ${name}_end: ${bottom}
  ${leave}`;

describe('recursion', () => {
  /** a0 is the sum of 1 to depth for each round; the last one may be under way. */
  const verify =
    (depth: number) =>
    (machine: Machine): void => {
      const rounds = x(machine, S2);
      expect(rounds).toBeGreaterThan(2);
      const each = (depth * (depth + 1)) / 2;
      expect(x(machine, A0)).toBeGreaterThanOrEqual((rounds - 1) * each);
      expect(x(machine, A0)).toBeLessThanOrEqual(rounds * each);
    };

  test.each([MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 2 * MAX_DEPTH + 1, 1000])('of depth %i', (depth) => {
    const source = `${begin(depth)}\n ${level('f', '', 'jal ra, f')}\n g: jalr x0, 0(ra)`;
    agree({ setUp: (m) => void machineMode(m, source), total: 40 * depth, verify: verify(depth) });
  });

  test.each([
    ['of two functions', 'jal ra, g', 'jal ra, f', ''],
    ['of two functions in two pages', 'jal ra, g', 'jal ra, f', '.align 4096'],
    ['through computed calls', 'jalr ra, 0(s4)', 'jalr ra, 0(s3)', ''],
    ['one way computed', 'jal ra, g', 'jalr ra, 0(s3)', '.align 4096'],
  ])('%s, beyond the depth', (_name, callG, callF, align) => {
    const source = `${begin(600)}\n ${level('f', '', callG)}\n ${align}\n ${level('g', '', callF)}`;
    agree({ setUp: (m) => void machineMode(m, source), total: 24_000, verify: verify(600) });
  });

  test('left at its bottom by a jump to the first caller, as longjmp does', () => {
    const source = `${begin(300)}\n ${level('f', `li sp, ${STACK}\n j back`, 'jal ra, g')}
      ${level('g', `li sp, ${STACK}\n la ra, back\n jalr x0, 0(ra)`, 'jal ra, f')}`;
    agree({
      setUp: (m) => void machineMode(m, source),
      total: 24_000,
      verify: (m) => {
        expect(x(m, S2)).toBeGreaterThan(10);
        expect(x(m, A0)).toBe(0);
      },
    });
  });

  test('of one coroutine, which at each level hands over to another', () => {
    // a4 and a5: the other's sp and where it goes on. Both recurse 250 deep and begin anew.
    const yieldTo = 'jal t2, switch';
    const source = `
      li sp, ${STACK}
      li a4, ${STACK - 0x1_0000}
      la a5, second
      first: li a3, 250
      jal ra, f
      addi s2, s2, 1
      j first
      second: li a3, 250
      jal ra, g
      addi s5, s5, 1
      j second
      switch: addi t3, sp, 0
      addi sp, a4, 0
      addi a4, t3, 0
      addi t3, a5, 0
      addi a5, t2, 0
      addi t4, a3, 0
      addi a3, a6, 0
      addi a6, t4, 0
      jalr x0, 0(t3)
      ${level('f', '', `${yieldTo}\n jal ra, f`)}
      ${level('g', '', `${yieldTo}\n jal ra, g`)}`;
    agree({
      setUp: (m) => void machineMode(m, source),
      total: 40_000,
      verify: (m) => expect([x(m, S2), x(m, 21)]).not.toContain(0),
    });
  });
});

test('more hot entries than slots: the oldest regions give way, and may come again', () => {
  const COUNT = TABLE_SIZE + 40;
  const BYTES = 32;
  const base = RAM_BASE + 0x10_0000;
  const source = `
    again: addi s2, s2, 1
    li s0, ${base}
    li s1, ${COUNT}
    each: jalr ra, 0(s0)
    addi s0, s0, ${BYTES}
    addi s1, s1, -1
    bne s1, x0, each
    j again`;
  const counts = agree({
    setUp: (machine) => {
      machineMode(machine, source);
      for (let n = 0; n < COUNT; n++) {
        place(machine, base + n * BYTES, [
          a('addi', { rd: A0, rs1: A0, imm: n & 1023 }),
          a('addi', { rd: 6, imm: 3 }),
          a('add', { rd: 11, rs1: 11, rs2: A0 }),
          a('addi', { rd: 6, rs1: 6, imm: -1 }),
          a('bne', { rs1: 6, rs2: 0, imm: -8 }),
          a('jalr', { rd: 0, rs1: 1 }),
        ]);
      }
    },
    // A round and a half.
    total: 50_000,
    // Making so many takes long, and with short slices they hardly run.
    quanta: [5003],
    verify: (m) => expect(x(m, S2)).toBeGreaterThanOrEqual(2),
  });
  for (const stats of counts.values()) {
    expect(stats.regions).toBeGreaterThan(TABLE_SIZE);
    // No code changes here: these had to make room.
    expect(stats.dropped).toBeGreaterThan(0);
    expect(stats.regions - stats.dropped).toBeLessThanOrEqual(TABLE_SIZE);
  }
});

describe('a region that would be too large', () => {
  test('a straight line of thousands of instructions, round and round', () => {
    const LENGTH = 8 * MAX_INSTRUCTIONS;
    const line = [
      a('addi', { rd: 5, rs1: 5, imm: 1 }),
      a('add', { rd: 6, rs1: 6, rs2: 5 }),
      a('xor', { rd: 7, rs1: 7, rs2: 6 }),
      a('mul', { rd: 8, rs1: 7, rs2: 6 }),
    ];
    const words = Array.from({ length: LENGTH }, (_, i) => line[i % 4] as number);
    const counts = agree({
      setUp: (machine) => {
        place(machine, RAM_BASE, [...words, a('jal', { rd: 0, imm: -4 * LENGTH })]);
        machine.hart.pc = RAM_BASE;
      },
      total: 20_000,
      verify: ({ hart }) => expect(hart.x[5]).toBeGreaterThan(4000),
    });
    for (const { regions, instructions } of counts.values()) {
      expect(instructions).toBeLessThanOrEqual(regions * MAX_INSTRUCTIONS);
    }
  });

  test('a loop through more pages than a region may have', () => {
    // Each page adds and jumps to the next; the last one jumps back.
    const PAGES = 7;
    const pages = Array.from(
      { length: PAGES },
      (_, n) => `.align 4096
        p${n}: addi a0, a0, ${n + 1}
        addi t1, x0, 2
        l${n}: add a1, a1, a0
        addi t1, t1, -1
        bne t1, x0, l${n}
        j p${(n + 1) % PAGES}`,
    );
    agree({
      setUp: (m) => void machineMode(m, `j p0\n${pages.join('\n')}`),
      total: 10_000,
      verify: (m) => expect(x(m, A0)).toBeGreaterThan(1000),
    });
  });

  test('a nest of branches with more blocks than instructions fit', () => {
    const blocks = Array.from(
      { length: 2 * MAX_INSTRUCTIONS },
      (_, n) => `andi t0, a0, ${1 << (n % 8)}
        beq t0, x0, b${n}
        addi a1, a1, ${n}
        b${n}: addi a0, a0, 1`,
    );
    agree({
      setUp: (m) => void machineMode(m, `again: ${blocks.join('\n')}\n jal x0, again`),
      total: 10_000,
      inRegions: 300,
      verify: (m) => expect(x(m, A0)).toBeGreaterThan(2000),
    });
  });
});
