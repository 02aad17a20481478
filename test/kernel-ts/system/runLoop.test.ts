/** The run loop's promises that no single program shows: progress under the shortest quanta. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compile } from '../../../guest/toolchain.ts';
import { boot } from '../../../kernel-ts/index.ts';

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
