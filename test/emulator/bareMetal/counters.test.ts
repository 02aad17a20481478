/**
 * Counters that run freely. The distances are also those of qemu-system-riscv32 7.2 and 10.0 with `-icount shift=0`, where a cycle is
 * an instruction; of a written counter they read one more, against Zicntr: "the value written will be the value read by
 * the following instruction". A trap does not retire (Privileged Architecture, "Environment Call and Breakpoint").
 */
import { expect, test } from 'vitest';
import { Bare, PATHS } from './bare.ts';

const PROGRAM = `
  la    t0, handler
  csrrw x0, mtvec, t0
  csrrs a0, minstret, x0
  addi  x0, x0, 0
  addi  x0, x0, 0
  addi  x0, x0, 0
  csrrs a1, minstret, x0
  csrrs a2, mcycle, x0
  addi  x0, x0, 0
  csrrs a3, mcycle, x0
  csrrs a4, minstret, x0
  addi  t1, x0, 10
  loop: addi t1, t1, -1
  bne   t1, x0, loop
  csrrs a5, minstret, x0
  csrrs a6, instret, x0
  csrrs a7, minstret, x0
  csrrs s2, minstret, x0
  ecall
  csrrs s3, minstret, x0
  li    t0, -1
  csrrw x0, minstret, t0
  csrrw x0, minstreth, t0
  addi  x0, x0, 0
  csrrs s4, minstret, x0
  csrrs s5, minstreth, x0
  done: j done
  .align 4
  handler: csrrs t1, mepc, x0
  addi  t1, t1, 4
  csrrw x0, mepc, t1
  mret`;

test.each(PATHS)('distances of counters (%s)', (path) => {
  const bare = new Bare(path, PROGRAM);
  bare.runTo('done');
  const distance = (from: number, to: number): number => bare.x(to) - bare.x(from);
  expect([distance(10, 11), distance(12, 13), distance(14, 15), distance(16, 17)]).toEqual([4, 2, 22, 1]);
  expect(distance(18, 19)).toBe(5);
  // The nop carries into the upper half.
  expect([bare.x(20), bare.x(21)]).toEqual([0, 0]);
});
