/**
 * The cost of one operation against the number of things beside it: `npm run bench:scale`.
 *
 * guest/bench/scale.c writes a letter between its phases, each of as many operations as there are things; at each the processor time of this
 * process is taken. Few things are repeated as often as it takes to do as many operations as with many, so that every cell stands for
 * the same work, tier 1's included. The library is the built one, as its users have it. Cells are microseconds per operation, the best of
 * the rounds, which go over all counts in turn. The ratio compares the last count with the first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { boot } from 'sameframe';
import { compile } from '../../guest/toolchain.ts';

interface Phase {
  readonly letter: string;
  readonly name: string;
}

interface Mode {
  readonly name: string;
  readonly counts: readonly number[];
  /** Things made in all, at every count. */
  readonly total: number;
  readonly phases: readonly Phase[];
}

const MODES: readonly Mode[] = [
  {
    name: 'segments',
    counts: [16, 256, 4096],
    total: 65_536,
    phases: [
      { letter: 'c', name: 'create one' },
      { letter: 'g', name: 'find one by key' },
      { letter: 'w', name: 'first attach, touch, detach' },
      { letter: 'a', name: 'find, attach, touch, detach' },
      { letter: 's', name: 'find and IPC_STAT' },
      { letter: 'r', name: 'find and remove one' },
    ],
  },
  {
    name: 'processes',
    counts: [10, 100, 1000],
    total: 1000,
    phases: [
      { letter: 'f', name: 'fork, attach, touch' },
      { letter: 'x', name: 'exit and wait' },
    ],
  },
  {
    name: 'attaches',
    counts: [100, 1000, 10_000, 100_000],
    total: 100_000,
    phases: [
      { letter: 'a', name: 'attach one more' },
      { letter: 't', name: 'first touch' },
      { letter: 'o', name: 'attach, touch, detach' },
      { letter: 'd', name: 'detach one' },
    ],
  },
  {
    name: 'exit',
    counts: [100, 1000, 10_000, 100_000],
    total: 100_000,
    phases: [{ letter: 'x', name: 'exit, per attach' }],
  },
];

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds per operation of each phase, by letter. */
function measure(image: Uint8Array, mode: Mode, count: number, repeats: number): Map<string, number> {
  const spent = new Map<string, number>();
  let last = 0;
  const mark = (bytes: Uint8Array): void => {
    const now = cpuMicroseconds();
    const letter = String.fromCharCode(bytes[0] ?? 0);
    if (letter !== '(') spent.set(letter, (spent.get(letter) ?? 0) + now - last);
    last = cpuMicroseconds();
  };
  const system = boot();
  const args = ['/bin/scale', mode.name, String(count), String(repeats)];
  const program = system.spawn(image, { name: '/bin/scale', args, stdout: mark });
  system.run();
  if (program.exit?.code !== 0)
    throw new Error(`scale ${mode.name} ${count}: exit ${program.exit?.status ?? '?'}`);
  const problems = system.checkInvariants();
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return new Map(mode.phases.map(({ letter }) => [letter, (spent.get(letter) ?? NaN) / (count * repeats)]));
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const program = await compile(join(import.meta.dirname, '../../guest/bench/scale.c'), {
  flags: ['-Wall', '-Wextra'],
});
const image = new Uint8Array(readFileSync(program.path));

for (const mode of MODES.filter(({ name }) => values.only === undefined || name === values.only)) {
  const cells = new Map<string, number>();
  const best = (key: string, value: number): void =>
    void cells.set(key, Math.min(cells.get(key) ?? Infinity, value));
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const count of mode.counts) {
      const repeats = Math.max(1, Math.round(mode.total / count));
      for (const [letter, value] of measure(image, mode, count, repeats))
        if (round > 0) best(`${letter}${count}`, value);
    }
  }
  const head = mode.counts.map((count) => String(count).padStart(9)).join('');
  process.stdout.write(`${`us per operation, ${mode.name}:`.padEnd(34)}${head}    ratio\n`);
  for (const { letter, name } of mode.phases) {
    const row = mode.counts.map((count) => cells.get(`${letter}${count}`) ?? NaN);
    const ratio = (row.at(-1) ?? NaN) / (row[0] ?? NaN);
    const text = row.map((value) => value.toFixed(2).padStart(9)).join('');
    process.stdout.write(`  ${name.padEnd(32)}${text}${ratio.toFixed(2).padStart(9)}\n`);
  }
}
