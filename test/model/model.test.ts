/**
 * The corpus of sequences on our kernel: each step answers what a real Linux answered, and after each system call of a worker
 * every invariant holds. campaign.ts compares new sequences, where there is a Linux to compare with.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { firstDifference, report } from './compare.ts';
import { readCorpus } from './corpus.ts';
import { OurKernel } from './machines.ts';
import { OPERATIONS } from './operations.ts';

const corpus = readCorpus();
let ours: OurKernel;

beforeAll(async () => {
  ours = await OurKernel.make();
});

/** Sequences of one machine, one after the other, each with its own ipc namespace. */
const BATCH = 50;
const batches = Array.from({ length: Math.ceil(corpus.length / BATCH) }, (_, i) => i * BATCH);

describe('sequences answer what Linux answers', () => {
  test.each(batches)('from number %i', { timeout: 120_000 }, (first) => {
    const entries = corpus.slice(first, first + BATCH);
    const got = ours.run(entries.map(({ sequence }) => sequence));
    for (const [i, { sequence, answers }] of entries.entries()) {
      const our = got[i] ?? [];
      if (firstDifference(our, answers) < 0) continue;
      expect.fail(`sequence ${first + i} of the corpus:\n${report(sequence, our, answers)}`);
    }
    expect(got.length).toBe(entries.length);
  });
});

test.each([...new Set(OPERATIONS.map(({ name }) => name))])('the corpus has %s', (name) => {
  expect(corpus.some(({ sequence }) => sequence.some((step) => step.name === name))).toBe(true);
});
