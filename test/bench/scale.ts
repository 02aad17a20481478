/**
 * The cost of one operation against the number of things beside it: `npm run bench:scale`.
 *
 * guest/bench/scale.c writes a letter between its phases, each of as many operations as there are things; at each the processor time of this
 * process is taken. Few things are repeated as often as it takes to do as many operations as with many, so that every cell stands for
 * the same work, tier 1's included. The library is the built one, as its users have it. Cells are microseconds per operation, the best of
 * the rounds, which go over all counts in turn. The ratio compares the last count with the first. The first repetition in each machine
 * does not count: there the host finds memory for what the guest touches first, page by page, which costs more than many an operation.
 *
 * Beside it stands what the same C costs on the host's Linux with the last count, and that ratio: in an ipc namespace of its own, on one
 * processor, by its own clock. That needs root; without it, or with --no-native, the columns are left out.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { boot } from 'sameframe';
import { compile } from '../../guest/toolchain.ts';
import { benchCommand, positive } from './options.ts';
import { MODES, type Mode } from './scaleModes.ts';

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds per operation of each phase, by letter. */
function measure(image: Uint8Array, mode: Mode, count: number, repeats: number): Map<string, number> {
  const spent = new Map<string, number>();
  const seen = new Set<string>();
  let last = 0;
  const mark = (bytes: Uint8Array): void => {
    const now = cpuMicroseconds();
    const letter = String.fromCharCode(bytes[0] ?? 0);
    if (letter !== '(' && seen.has(letter)) spent.set(letter, (spent.get(letter) ?? 0) + now - last);
    seen.add(letter);
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
  return new Map(
    mode.phases.map(({ letter }) => [letter, (spent.get(letter) ?? NaN) / (count * (repeats - 1))]),
  );
}

/** vm.max_map_count of a real Linux, less what a process has anyway: nobody should change that of the host. */
const NATIVE_ATTACHES = 60_000;

/** Microseconds per operation of each phase on the host's Linux, by letter; null where that cannot be measured. */
async function measureNative(path: string, mode: Mode, count: number): Promise<Map<string, number> | null> {
  const repeats = Math.max(1, Math.round(mode.total / count));
  const command = ['--ipc', 'taskset', '-c', '0', path, mode.name, String(count), String(repeats), 'clock'];
  const result = await execa('unshare', command, { reject: false });
  if (result.exitCode !== 0) return null;
  const lines = result.stdout.split('\n').map((line) => line.split(' '));
  return new Map(lines.map(([letter = '', ns]) => [letter, Number(ns) / 1000 / (count * repeats)]));
}

interface Options {
  readonly rounds: number;
  readonly native: boolean;
}

/** The least value of each cell. */
class Cells {
  readonly #best = new Map<string, number>();

  add(count: number, measured: ReadonlyMap<string, number>): void {
    for (const [letter, value] of measured) {
      const key = `${letter}${count}`;
      this.#best.set(key, Math.min(this.#best.get(key) ?? Infinity, value));
    }
  }

  get(letter: string, count: number): number {
    return this.#best.get(`${letter}${count}`) ?? NaN;
  }
}

/** The table of one mode. `native`: the program for the host; null: without it. */
async function table(
  mode: Mode,
  image: Uint8Array,
  nativePath: string | null,
  rounds: number,
): Promise<void> {
  const { counts, phases } = mode;
  const [first = 0, last = 0] = [counts[0], counts.at(-1)];
  const nativeLast = Math.min(last, NATIVE_ATTACHES);
  const cells = new Cells();
  const native = new Cells();
  let hasNative = nativePath !== null;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const count of counts) {
      const repeats = Math.max(2, Math.round(mode.total / count));
      const measured = measure(image, mode, count, repeats);
      if (round > 0) cells.add(count, measured);
    }
    // Less often: it varies less, and most of the time goes here.
    for (const count of round % 3 === 0 ? [first, nativeLast] : []) {
      const measured = hasNative && nativePath !== null ? await measureNative(nativePath, mode, count) : null;
      if (measured === null) hasNative = false;
      else native.add(count, measured);
    }
  }
  const head = counts.map((count) => String(count).padStart(9)).join('');
  const nativeHead = hasNative ? `${`Linux ${nativeLast}`.padStart(16)}    ratio` : '';
  process.stdout.write(`${`us per operation, ${mode.name}:`.padEnd(34)}${head}    ratio${nativeHead}\n`);
  for (const { letter, name } of phases) {
    const text = counts.map((count) => cells.get(letter, count).toFixed(2).padStart(9)).join('');
    const ratio = cells.get(letter, last) / cells.get(letter, first);
    const onLinux = native.get(letter, nativeLast);
    const nativeText = hasNative
      ? `${onLinux.toFixed(2).padStart(16)}${(onLinux / native.get(letter, first)).toFixed(2).padStart(9)}`
      : '';
    process.stdout.write(`  ${name.padEnd(32)}${text}${ratio.toFixed(2).padStart(9)}${nativeText}\n`);
  }
}

async function main(names: readonly string[], { rounds, native }: Options): Promise<void> {
  const source = join(import.meta.dirname, '../../guest/bench/scale.c');
  const flags = ['-Wall', '-Wextra'];
  const image = new Uint8Array(readFileSync((await compile(source, { flags })).path));
  const nativePath = native ? (await compile(source, { flags, target: 'native' })).path : null;
  for (const mode of MODES) {
    if (names.length === 0 || names.includes(mode.name)) await table(mode, image, nativePath, rounds);
  }
}

await benchCommand(
  'bench:scale',
  'What an operation costs with few and with many things beside it, in microseconds.',
  MODES.map(({ name }) => name),
)
  .option('--rounds <n>', 'rounds over all counts; one more comes first and does not count', positive, 4)
  .option('--no-native', "leave the host's Linux out")
  .action(main)
  .parseAsync();
