/**
 * What one operation costs with few and with many things beside it, counted: `npm run bench:counts`.
 *
 * Where scale.ts takes the time, this counts instructions, and lines of the processor's cache that had to be fetched. Valgrind carries out the
 * code that V8 has made and simulates two caches with 16 ways: of 1 MiB, as L2, and of 8, about what is left of L3 to one of several machines
 * on a processor. So two runs agree, in instructions to a tenth of a percent and in lines to a few, however busy the machine is, and
 * --functions shows where one is lost. How long an instruction takes it does not say.
 *
 * Needs valgrind (Debian's package).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { execa } from 'execa';
import { compile } from '../../guest/toolchain.ts';
import { addCounts, noCounts, readDump, readPerfMap, type Counts } from './callgrind.ts';
import { benchCommand, positive } from './options.ts';
import { MODES, type Mode } from './scaleModes.ts';

/** Operations before those that are counted: so many that V8 has optimised all. */
const WARM_UP = 40_000;
/** Operations that are counted, about. */
const COUNTED = 1000;
const FEW = 100;

const CALLGRIND = [
  '--tool=callgrind',
  '--instr-atstart=no',
  '--dump-before=uv_loadavg',
  '--dump-instr=yes',
  '--cache-sim=yes',
  '--simulate-wb=yes',
  '--D1=1048576,16,64',
  '--LL=8388608,16,64',
  '--smc-check=all-non-file',
];

/**
 * The map of V8's code; all of V8 in one thread; a young generation so large that no collection falls to one operation or another by chance:
 * those are no part of what is counted.
 */
const NODE = [
  '--perf-basic-prof',
  '--single-threaded',
  '--min-semi-space-size=256',
  '--max-semi-space-size=256',
];

/** By function. */
type Functions = Map<string, Counts>;

/** What each phase cost, by letter, and the operations of which. */
interface Measured {
  readonly phases: ReadonlyMap<string, Functions>;
  readonly operations: number;
}

async function measure(path: string, { name }: Mode, count: number): Promise<Measured> {
  const counted = Math.max(1, Math.round(COUNTED / count));
  const rounds = Math.max(3, Math.ceil(WARM_UP / count)) + counted;
  const folder = mkdtempSync(join(tmpdir(), 'sameframe-counts-'));
  const out = join(folder, 'out');
  const child = join(import.meta.dirname, 'countedChild.mjs');
  const node = [process.execPath, ...NODE, child];
  const program = [path, name, String(count), String(rounds), String(counted)];
  try {
    // V8 leaves a log where it works.
    const command = [...CALLGRIND, `--callgrind-out-file=${out}`, ...node, ...program];
    const result = await execa('valgrind', command, { cwd: folder, reject: false });
    const pid = /^==(\d+)==/m.exec(result.stderr)?.[1];
    if (result.exitCode !== 0 || pid === undefined)
      throw new Error(
        result.exitCode === undefined ? 'valgrind is needed (Debian: valgrind)' : result.stderr,
      );
    const map = `/tmp/perf-${pid}.map`;
    const nameOf = readPerfMap(map);
    rmSync(map);
    const phases = new Map<string, Functions>();
    [...result.stdout].forEach((letter, n) => {
      const functions = phases.get(letter) ?? new Map<string, Counts>();
      phases.set(letter, functions);
      readDump(`${out}.${n + 1}`, nameOf, functions);
    });
    return { phases, operations: counted * count };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function total(functions: Functions): Counts {
  const sum = noCounts();
  for (const counts of functions.values()) addCounts(sum, counts);
  return sum;
}

function cells({ instructions, beyondL2, beyondL3 }: Counts, operations: number): string {
  const per = (value: number, digits: number): string => (value / operations).toFixed(digits);
  return `${per(instructions, 0).padStart(17)}${per(beyondL2, 1).padStart(9)}${per(beyondL3, 1).padStart(9)}`;
}

const NOTHING = noCounts();

interface Options {
  readonly functions: number;
  readonly by: keyof Counts;
}

async function table(mode: Mode, path: string, { functions, by }: Options): Promise<void> {
  const many = mode.counts.at(-1) ?? FEW;
  const few = await measure(path, mode, FEW);
  const most = await measure(path, mode, many);
  const columns = (count: number): string =>
    `${`${count}: instr.`.padStart(17)}${'> L2'.padStart(9)}${'> L3'.padStart(9)}`;
  const print = (name: string, a: Counts, b: Counts): void => {
    process.stdout.write(`${name.padEnd(34)}${cells(a, few.operations)}${cells(b, most.operations)}\n`);
  };
  process.stdout.write(`${`per operation, ${mode.name}:`.padEnd(34)}${columns(FEW)}${columns(many)}\n`);
  for (const { letter, name } of mode.phases) {
    const fewOnes = few.phases.get(letter) ?? new Map<string, Counts>();
    const manyOnes = most.phases.get(letter) ?? new Map<string, Counts>();
    print(`  ${name}`, total(fewOnes), total(manyOnes));
    const order = [...manyOnes].sort(([, a], [, b]) => b[by] - a[by]).slice(0, functions);
    for (const [fn, counts] of order) print(`    ${fn.slice(0, 29)}`, fewOnes.get(fn) ?? NOTHING, counts);
  }
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const source = join(import.meta.dirname, '../../guest/bench/scale.c');
  const { path } = await compile(source, { flags: ['-Wall', '-Wextra'] });
  for (const mode of MODES)
    if (names.length === 0 || names.includes(mode.name)) await table(mode, path, options);
}

await benchCommand(
  'bench:counts',
  'What an operation costs with few and with many things beside it, in instructions and in lines that no cache had.',
  MODES.map(({ name }) => name),
)
  .option('--functions <n>', 'the n functions with the most, for each phase', positive, 0)
  .addOption(
    new Option('--by <what>', 'the most of what').choices(Object.keys(NOTHING)).default('instructions'),
  )
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`bench:counts: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
