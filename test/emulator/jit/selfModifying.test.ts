/**
 * Programs that write their own code: in M mode, without any address translation. With FENCE.I the next instruction is the new one;
 * without it the specification lets an implementation see the change later, and all tiers see it at once.
 */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../emulator/index.ts';
import { agree, machineMode } from './agree.ts';

const A0 = 10;
const S2 = 18;

const x = (machine: Machine, register: number): number => (machine.hart.x[register] as number) >>> 0;

/** A loop of six rounds, so that there is something hot in every round of the test. */
const spin = (label: string): string => `
  addi t1, x0, 6
  ${label}: add a1, a1, a0
  addi t1, t1, -1
  bne t1, x0, ${label}`;

/** Sets t0 to `addi a0, a0, s2 & 511`. */
const nextWord = `
  andi t0, s2, 511
  slli t0, t0, 20
  or   t0, t0, s1`;

const template = `template: addi a0, a0, 0`;

/** 1 + 2 + ... with each term taken modulo 512. */
function sum(rounds: number): number {
  let total = 0;
  for (let n = 1; n <= rounds; n++) total += n & 511;
  return total;
}

/** a0 is the sum of s2 rounds, or the last one has not come so far. */
function verifySum(machine: Machine): void {
  const rounds = x(machine, S2);
  expect(rounds).toBeGreaterThan(50);
  expect([sum(rounds), sum(rounds - 1)]).toContain(x(machine, A0));
}

/** A loop that stores t0 over an instruction of its own, and goes on to it. */
const rewriting = (store: string, between: string): string => `
  la s0, patched
  la s1, template
  lw s1, 0(s1)
  again: addi s2, s2, 1
  ${nextWord}
  ${store}
  ${between}
  patched: addi a0, a0, 0
  ${spin('inner')}
  j again
  ${template}`;

describe('a loop rewrites an instruction of its own', () => {
  test.each([
    ['with fence.i', 'fence.i'],
    ['without, the instruction being the next', ''],
    ['without, some instructions ahead', 'addi x0, x0, 0\n add a2, a2, a1\n xor a2, a2, t0'],
  ])('%s', (_name, between) => {
    const source = rewriting('sw t0, 0(s0)', between);
    const counts = agree({ setUp: (m) => void machineMode(m, source), total: 4_000, verify: verifySum });
    expect(counts.get(5003)?.dropped).toBeGreaterThan(50);
  });

  test.each(['sh', 'sb', 'amoswap.w', 'sc.w'])('by %s', (how) => {
    // Bits 20 to 31 are the immediate: halfword 1, byte 3, or all of the word.
    const store = {
      sh: 'srli t2, t0, 16\n sh t2, 2(s0)',
      sb: 'srli t2, t0, 24\n sb t2, 3(s0)',
      'amoswap.w': 'amoswap.w t3, t0, (s0)',
      'sc.w': 'lr.w t3, (s0)\n sc.w t4, t0, (s0)',
    }[how] as string;
    const source = rewriting(store, '');
    const guest = { setUp: (m: Machine) => void machineMode(m, source), total: 4_000 };
    agree(how === 'sb' ? guest : { ...guest, verify: verifySum });
  });

  test('by a store across the end of a page, half of it code', () => {
    const source = `
      la s0, patched
      la s1, template
      lw s1, 0(s1)
      again: addi s2, s2, 1
      ${nextWord}
      sw t0, 0(s0)
      jal ra, patched
      ${spin('inner')}
      j again
      ${template}
      .align 4096
      pad: ${'addi x0, x0, 0\n'.repeat(1023)} c.nop
      patched: addi a0, a0, 0
      jalr x0, 0(ra)`;
    agree({ setUp: (m) => void machineMode(m, source), total: 4_000, verify: verifySum });
  });

  test('it writes its page, but never its code: data among the instructions', () => {
    const source = `
      la s0, data
      again: addi s2, s2, 1
      sw s2, 0(s0)
      lw t0, 0(s0)
      andi t0, t0, 511
      add a0, a0, t0
      ${spin('inner')}
      j again
      data: .word 0`;
    agree({ setUp: (m) => void machineMode(m, source), total: 4_000, verify: verifySum });
  });
});

describe('a callee rewrites its caller, whose frame is on the stack', () => {
  const store = `${nextWord}\n sw t0, 0(s0)`;
  const begin = `
    la s0, patched
    la s1, template
    lw s1, 0(s1)
    again: addi s2, s2, 1`;

  test.each([
    [
      'the instruction behind the call, from the same page',
      '',
      `patched: addi a0, a0, 0\n ${spin('behind')}`,
      '',
    ],
    ['the same from another page', '.align 4096', 'patched: addi a0, a0, 0', ''],
    ['an instruction in a loop behind the call', '', `${spin('behind')}\n patched: addi a0, a0, 0`, ''],
    ['in a loop of its own, each time the same', '.align 4096', 'patched: addi a0, a0, 0', 'addi t5, x0, 3'],
  ])('%s', (_name, align, behind, times) => {
    const back = times === '' ? '' : 'addi t5, t5, -1\n bne t5, x0, store';
    const source = `
      ${begin}
      jal ra, callee
      ${behind}
      j again
      ${template}
      ${align}
      callee: add a2, a2, a0
      ${times}
      store: ${store}
      ${back}
      jalr x0, 0(ra)`;
    agree({ setUp: (m) => void machineMode(m, source), total: 4_000, verify: verifySum });
  });

  test('through a chain of calls, by a computed call at its end', () => {
    const source = `
      ${begin}
      la s4, callee
      jal ra, middle
      patched: addi a0, a0, 0
      j again
      ${template}
      middle: addi s3, ra, 0
      jal ra, inner
      ${spin('behind')}
      jalr x0, 0(s3)
      .align 4096
      inner: addi s5, ra, 0
      jalr ra, 0(s4)
      add a2, a2, a0
      jalr x0, 0(s5)
      .align 4096
      callee: ${store}
      jalr x0, 0(ra)`;
    agree({ setUp: (m) => void machineMode(m, source), total: 4_000, verify: verifySum });
  });

  test('at the bottom of a recursion that it unwinds through the new code', () => {
    // f(n): n > 0 ? f(n - 1) : write; then a0 += what stands in the code now, once for each level.
    const source = `
      li sp, 0x80100000
      la s0, patched
      la s1, template
      lw s1, 0(s1)
      again: addi s2, s2, 1
      addi a3, x0, 20
      jal ra, f
      j again
      ${template}
      f: addi sp, sp, -16
      sw ra, 0(sp)
      beq a3, x0, bottom
      addi a3, a3, -1
      jal ra, f
      patched: addi a0, a0, 0
      lw ra, 0(sp)
      addi sp, sp, 16
      jalr x0, 0(ra)
      bottom: ${store}
      lw ra, 0(sp)
      addi sp, sp, 16
      jalr x0, 0(ra)`;
    agree({
      setUp: (m) => void machineMode(m, source),
      total: 10_000,
      verify: (m) => {
        const rounds = x(m, S2);
        expect(x(m, A0)).toBeGreaterThanOrEqual(20 * sum(rounds - 1));
        expect(x(m, A0)).toBeLessThanOrEqual(20 * sum(rounds));
      },
    });
  });

  test('so that it returns to a call of something else', () => {
    // The word behind the call becomes `jal x0, one` and `jal x0, two` in turn.
    const source = `
      la s0, patched
      la s3, jumps
      again: addi s2, s2, 1
      jal ra, callee
      patched: j one
      one: addi a0, a0, 1
      ${spin('first')}
      j again
      two: addi a0, a0, 100
      ${spin('second')}
      j again
      jumps: .word ${jumpWord('one')}
      .word ${jumpWord('two')}
      callee: andi t0, s2, 1
      slli t0, t0, 2
      add t0, t0, s3
      lw t0, 0(t0)
      sw t0, 0(s0)
      jalr x0, 0(ra)`;
    agree({
      setUp: (m) => void machineMode(m, source),
      total: 4_000,
      verify: (m) => {
        const rounds = x(m, S2);
        expect(x(m, A0)).toBeGreaterThan(50 * (rounds - 3));
      },
    });
  });
});

/** `jal x0` from the label patched over one word to `one`, or over that block (5 instructions and itself) to `two`. */
function jumpWord(to: 'one' | 'two'): number {
  const distance = to === 'one' ? 4 : 4 + 4 * 6;
  return ((distance >>> 1) << 21) | 0x6f;
}

test('code is generated, executed and generated anew, as a compiler at run time does', () => {
  // Each round writes `addi a0, a0, s2 & 511; jalr x0, 0(ra)` to the next of 16 places in 2 pages, and calls all of them.
  const source = `
    la s1, template
    lw s3, 4(s1)
    lw s1, 0(s1)
    li s0, 0x80008000
    again: addi s2, s2, 1
    ${nextWord}
    andi t2, s2, 15
    slli t2, t2, 9
    add t2, t2, s0
    sw t0, 0(t2)
    sw s3, 4(t2)
    addi t3, x0, 16
    addi s4, s0, 0
    each: lw t4, 0(s4)
    beq t4, x0, next
    jalr ra, 0(s4)
    next: addi s4, s4, 512
    addi t3, t3, -1
    bne t3, x0, each
    j again
    ${template}
    jalr x0, 0(ra)`;
  agree({
    setUp: (m) => void machineMode(m, source),
    total: 15_000,
    verify: (m) => expect(x(m, S2)).toBeGreaterThan(100),
  });
});
