/**
 * Random bare-metal programs, compared with what qemu-system-riscv32 made of them (corpus7.json and corpus10.json; written by
 * regenerate.ts): traps, delegation, mode changes, page-table edits, A and D, PMP, CSR traffic, WFI. Those for 10.0 mask less.
 * `campaign/main.ts --group priv` runs more.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fnv1a } from '../differential/image.ts';
import { generate } from './generator.ts';
import { runProgram } from './machine.ts';

interface Corpus {
  oracle: string;
  /** Of seed 1, 2, ...: hash of the image, and of what it prints. */
  outcomes: [image: string, output: string][];
}

const read = (file: string): Corpus =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Corpus;

describe.each([
  { young: false, corpus: read('corpus7.json') },
  { young: true, corpus: read('corpus10.json') },
])('random bare-metal programs against $corpus.oracle', ({ young, corpus }) => {
  const programs = corpus.outcomes.map((_, index) => generate(index + 1, young));

  test('the programs are those that the oracle ran', () => {
    expect(corpus.outcomes.length).toBeGreaterThanOrEqual(120);
    expect(programs.map((p) => fnv1a(p.image))).toEqual(corpus.outcomes.map(([image]) => image));
  });

  // Each program runs on one of the two paths of tier 0, and in tier 1.
  test.each([
    ['jit', () => true],
    ['run', (seed: number) => seed % 8 !== 0],
    ['step', (seed: number) => seed % 8 === 0],
  ] as const)('same trap log, tables and memory (%s)', { timeout: 120_000 }, (path, takes) => {
    const differing = programs
      .filter(({ seed }) => takes(seed))
      .filter(
        (program) => fnv1a(runProgram(program, path).output) !== corpus.outcomes[program.seed - 1]?.[1],
      );
    expect(differing.map(({ seed }) => seed)).toEqual([]);
  });
});
