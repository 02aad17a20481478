/**
 * Random programs, compared with what qemu-riscv32 made of them (corpus.json; written by regenerate.ts).
 * A program that fails is reproduced with its seed: generate(seed), elfFile, `qemu-riscv32 file | xxd`.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generate } from './generator.ts';
import { elfFile, fnv1a } from './image.ts';
import { DifferentialMachine, MODES } from './machine.ts';

interface Corpus {
  oracle: string;
  /** Of seed 1, 2, ...: hash of the ELF file, and of what it writes. */
  outcomes: [image: string, output: string][];
}

const corpus = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Corpus;
const programs = corpus.outcomes.map((_, index) => generate(index + 1));

describe(`random programs against ${corpus.oracle}`, () => {
  test('the programs are those that the oracle ran', () => {
    expect(corpus.outcomes.length).toBeGreaterThanOrEqual(300);
    expect(programs.map((p) => fnv1a(elfFile(p)))).toEqual(corpus.outcomes.map(([image]) => image));
  });

  test.each(MODES)('same registers and memory: $name', (mode) => {
    const machine = new DifferentialMachine(mode.tier);
    const differing = programs.filter(
      (program, index) => fnv1a(machine.run(program, mode)) !== corpus.outcomes[index]?.[1],
    );
    expect(differing.map((program) => program.seed)).toEqual([]);
    if (mode.tier === 1) expect(machine.regions).toBeGreaterThan(3 * programs.length);
  });
});
