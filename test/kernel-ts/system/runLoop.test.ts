/** The run loop's promises that no single program shows: progress under the shortest quanta. */
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { compile } from '../../../guest/toolchain.ts';
import { boot } from '../../../kernel-ts/index.ts';
import { Hart } from '../../../emulator/index.ts';

const guest = (path: string): string => fileURLToPath(new URL(`../../../guest/${path}`, import.meta.url));

// "Eventual Success of SC": preemption must not break every LR/SC sequence of two processes that share a word.
test.each([1, 2, 7])('LR/SC loops get through with a quantum of %i', async (quantum) => {
  const { bytes } = await compile(guest('tests/atomics.c'), { includeDirs: [guest('include')] });
  const system = boot({ quantum });
  const program = system.spawn(bytes, { args: ['atomics'] });
  expect(system.run({ instructions: 20_000_000 })).toEqual({ reason: 'exited' });
  expect(program.exit?.status).toBe(0);
  expect(system.checkInvariants()).toEqual([]);
});

afterEach(() => {
  vi.restoreAllMocks();
});

// NO_HZ: stretches of up to ten turns, and of one where somebody asked for its length.
test.each([
  [undefined, 1_000_000],
  [100_000, 100_000],
])('a task that is alone, with a quantum of %s, runs %i instructions at a time', async (quantum, longest) => {
  const { bytes } = await compile(guest('bench/fib.c'), { includeDirs: [guest('include')] });
  const run = vi.spyOn(Hart.prototype, 'run');
  const system = boot(quantum === undefined ? {} : { quantum });
  const program = system.spawn(bytes, { args: ['fib', '27'] });
  expect(system.run()).toEqual({ reason: 'exited' });
  expect(program.exit?.status).toBe(0);
  expect(Math.max(...run.mock.calls.map(([budget]) => budget))).toBe(longest);
});
