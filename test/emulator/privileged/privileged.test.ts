/**
 * Random bare-metal programs, compared with what qemu-system-riscv32 made of them (corpus.json; written by regenerate.ts): traps,
 * delegation, mode changes, page-table edits, A and D, PMP, CSR traffic. `campaign/main.ts --group priv` runs more.
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

const corpus = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Corpus;
const programs = corpus.outcomes.map((_, index) => generate(index + 1));

describe(`random bare-metal programs against ${corpus.oracle}`, () => {
  test('the programs are those that the oracle ran', () => {
    expect(corpus.outcomes.length).toBeGreaterThanOrEqual(200);
    expect(programs.map((p) => fnv1a(p.image))).toEqual(corpus.outcomes.map(([image]) => image));
  });

  // Each program runs on one of the two paths.
  test.each([
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
