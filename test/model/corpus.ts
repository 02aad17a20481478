/**
 * The corpus: sequences with what a real Linux answered (corpus.txt, made by regenerate.ts). A line for each step as the driver
 * reads it, below it the answer, marked by `> `.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answers } from './machines.ts';
import { decodeStep, encodeStep, type Sequence, type Step } from './operations.ts';

export interface Entry {
  readonly sequence: Sequence;
  readonly answers: Answers;
}

const path = join(import.meta.dirname, 'corpus.txt');

export function readCorpus(): Entry[] {
  return readEntries(path);
}

/** The sequences of findings.txt, which has no answers. */
export function readFindings(): Sequence[] {
  return readEntries(join(import.meta.dirname, 'findings.txt')).map(({ sequence }) => sequence);
}

function readEntries(file: string): Entry[] {
  const entries: { sequence: Step[]; answers: string[] }[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line === 'sequence') {
      entries.push({ sequence: [], answers: [] });
      continue;
    }
    const entry = entries.at(-1);
    if (entry === undefined) throw new Error('the corpus begins with no sequence');
    if (line.startsWith('> ')) {
      const answer = entry.answers[entry.sequence.length - 1];
      entry.answers[entry.sequence.length - 1] =
        answer === undefined ? line.slice(2) : `${answer}\n${line.slice(2)}`;
    } else {
      entry.sequence.push(decodeStep(line));
    }
  }
  return entries;
}

/** @param made how the answers were made, for the first line */
export function writeCorpus(made: string, entries: readonly Entry[]): void {
  const lines = [`# ${made}`];
  for (const { sequence, answers } of entries) {
    lines.push('sequence');
    sequence.forEach((step, i) => {
      lines.push(encodeStep(step), ...(answers[i] ?? '').split('\n').map((line) => `> ${line}`));
    });
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
}
