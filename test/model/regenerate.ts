/**
 * Makes the corpus anew: `npx tsx test/model/regenerate.ts [--sequences 6000] [--length 24]`.
 *
 * Runs the sequences of the numbers from 1 on on this host's Linux and keeps each that covers something new, and the findings. Needs Linux and
 * root. A corpus is not replaced by one that our kernel answers differently without a word: the tests then fail.
 */
import { parseArgs } from 'node:util';
import { readFindings, writeCorpus, type Entry } from './corpus.ts';
import { coverage } from './coverage.ts';
import { HostKernel } from './machines.ts';
import { sequenceOf, sequences } from './generate.ts';

const { values } = parseArgs({
  options: {
    sequences: { type: 'string', default: '6000' },
    length: { type: 'string', default: '24' },
  },
});
const arbitrary = sequences(Number(values.length));
const host = await HostKernel.make();
const candidates: (Entry & { readonly covers: readonly string[] })[] = [];
const findings: Entry[] = [];
try {
  for (const sequence of readFindings()) {
    const [answers = []] = await host.run([sequence]);
    findings.push({ sequence, answers });
  }
  for (let first = 1; first <= Number(values.sequences); first += 100) {
    const made = Array.from({ length: 100 }, (_, i) => sequenceOf(arbitrary, first + i));
    const all = await host.run(made);
    made.forEach((sequence, i) => {
      const answers = all[i] ?? [];
      candidates.push({ sequence, answers, covers: [...new Set(coverage(sequence, answers))] });
    });
  }
} finally {
  host.close();
}
// Those that cover most come first, so that few are needed.
candidates.sort((a, b) => b.covers.length - a.covers.length);
const covered = new Set(findings.flatMap(({ sequence, answers }) => coverage(sequence, answers)));
const kept = candidates.filter(({ covers }) => {
  const found = covers.filter((entry) => !covered.has(entry));
  for (const entry of found) covered.add(entry);
  return found.length > 0;
});
writeCorpus(`${host.version}, by test/model/regenerate.ts`, [...findings, ...kept]);
console.log(
  `${findings.length} findings, and ${kept.length} sequences that cover ${covered.size} outcomes of operations`,
);
