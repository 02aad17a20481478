/** What the tests of translation share: programs in S mode that change something in every round and then call hot code. */
import { expect } from 'vitest';
import type { Machine } from '../../../emulator/index.ts';
import { CODE_VA } from './agree.ts';

export const A0 = 10;
export const S4 = 20;
export const S6 = 22;
export const TOTAL = 4000;

export const x = (machine: Machine, register: number): number => (machine.hart.x[register] as number) >>> 0;

/** Adds `n` to a0, and is hot. */
export const adding = (n: number): string => `
  addi a0, a0, ${n}
  addi t1, x0, 6
  loop: add a1, a1, a0
  addi t1, t1, -1
  bne t1, x0, loop
  jalr x0, 0(ra)`;

/** s4 counts rounds; in odd ones `odd` is done, in even ones `even`; then the code at s0 is called. */
export const alternating = (
  begin: string,
  odd: string,
  even: string,
  fence: string,
  start = CODE_VA,
): string => `
  li s0, ${start}
  ${begin}
  again: addi s4, s4, 1
  andi t0, s4, 1
  beq t0, x0, even
  ${odd}
  j both
  even: ${even}
  both: ${fence}
  jalr ra, 0(s0)
  j again
  handler: j handler`;

/** After s4 rounds of adding `odd` and `even` in turn, the last of which may not be done. */
export function verifyTurns(odd: number, even: number): (machine: Machine) => void {
  const after = (rounds: number): number => Math.ceil(rounds / 2) * odd + Math.floor(rounds / 2) * even;
  return (machine) => {
    const rounds = x(machine, S4);
    expect(rounds).toBeGreaterThan(50);
    expect([after(rounds), after(rounds - 1)]).toContain(x(machine, A0));
  };
}
