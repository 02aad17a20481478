/**
 * The benchmark: `npm run bench -- [kernel...]`.
 *
 * Each kernel runs in sameframe, under qemu-riscv32 (the same ELF) and natively (the same C), turn by turn in one
 * run, so that a busy machine slows all of them. Processor seconds, medians, and ratios. A kernel's output has to
 * be the same everywhere; where it is not, or does not come, the table says n/a and the reason stands below.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { argumentsOf, kernels, wholeRuns } from './kernels.ts';
import type { BenchKernel, WholeRun } from './kernels.ts';
import { benchCommand, positive } from './options.ts';
import { median, render, renderStartUps, rowOf } from './report.ts';
import type { Row, Side, StartUp } from './report.ts';
import { build, buildCpu, byCommand, byLibrary, COMMAND, commandFor, measured, which } from './runners.ts';
import type { Runner } from './runners.ts';

interface Options {
  readonly rounds: number;
  readonly scale: number;
  readonly json?: string;
  readonly qemu: boolean;
  readonly v8Flags: boolean;
  readonly native: boolean;
  readonly startUp: boolean;
}

/**
 * Runs the sides in turn, `rounds` times. tinybench counts the seconds that the runs report, not the clock's;
 * the first round warms caches up and is not counted when there are more.
 */
async function interleave(
  sides: Readonly<Partial<Record<Side, () => Promise<number | null>>>>,
  rounds: number,
): Promise<Record<Side, number | null>> {
  const samples: Record<Side, number[]> = { sameframe: [], qemu: [], native: [] };
  const broken = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
    for (const [side, run] of Object.entries(sides)) {
      if (broken.has(side)) continue;
      bench.add(side, async () => {
        const seconds = await run();
        if (seconds === null) broken.add(side);
        return { overriddenDuration: (seconds ?? 0) * 1000 };
      });
    }
    await bench.run();
    for (const task of bench.tasks) {
      const result = task.result;
      if (broken.has(task.name) || result.state !== 'completed') continue;
      if (round > 0 || rounds === 1) samples[task.name as Side].push(result.latency.mean / 1000);
    }
  }
  return { sameframe: median(samples.sameframe), qemu: median(samples.qemu), native: median(samples.native) };
}

async function sidesOf(name: string, cpu: string, options: Options): Promise<Partial<Record<Side, Runner>>> {
  const elf = await build(name, 'riscv32-linux-musl');
  const qemu = options.qemu ? which('qemu-riscv32') : null;
  return {
    sameframe: options.v8Flags ? byCommand(cpu, elf) : byLibrary(elf),
    ...(qemu === null ? {} : { qemu: measured(cpu, [qemu, elf]) }),
    ...(options.native ? { native: measured(cpu, [await build(name, 'native')]) } : {}),
  };
}

async function benchKernel(kernel: BenchKernel, cpu: string, options: Options): Promise<Row> {
  const args = argumentsOf(kernel, options.scale);
  const failures: Partial<Record<Side, string>> = {};
  const outputs = new Map<Side, string>();
  let instructions: number | null = null;
  const runs: Partial<Record<Side, () => Promise<number | null>>> = {};
  for (const [side, run] of Object.entries(await sidesOf(kernel.name, cpu, options)) as [Side, Runner][]) {
    runs[side] = async () => {
      const result = await run(args);
      if ('failure' in result) {
        failures[side] = result.failure;
        return null;
      }
      outputs.set(side, result.stdout);
      instructions = result.instructions ?? instructions;
      return result.seconds;
    };
  }
  const seconds = await interleave(runs, options.rounds);
  const expected = outputs.get('native') ?? outputs.get('qemu');
  for (const [side, output] of outputs) {
    if (expected === undefined || output === expected) continue;
    failures[side] = `printed "${output}", expected "${expected}"`;
    seconds[side] = null;
  }
  return rowOf(kernel, Number(args[0] ?? 1), seconds, instructions, failures);
}

/** Whole processes, so that what Node itself costs is seen: the built command against `node -e 0`. */
async function benchWhole(run: WholeRun, cpu: string, options: Options): Promise<StartUp> {
  const elf = await build(run.kernel, 'riscv32-linux-musl');
  const qemu = which('qemu-riscv32');
  type Process = Exclude<keyof StartUp, 'size' | 'kernel'>;
  const kept = await mkdtemp(join(tmpdir(), 'sameframe-bench-'));
  const ours = (codeCache: string): Runner => measured(cpu, [...commandFor(elf, codeCache), ...run.args]);
  const runners: Record<Process, Runner | null> = {
    node: measured(cpu, [process.execPath, '-e', '0']),
    sameframe: ours('off'),
    again: ours(kept),
    qemu: options.qemu && qemu !== null ? measured(cpu, [qemu, elf, ...run.args]) : null,
    native: options.native ? measured(cpu, [await build(run.kernel, 'native'), ...run.args]) : null,
  };
  const samples: Record<Process, number[]> = { node: [], sameframe: [], again: [], qemu: [], native: [] };
  for (let round = 0; round <= 3 * options.rounds; round++) {
    for (const name of ['node', 'sameframe', 'again', 'qemu', 'native'] as const) {
      const result = await runners[name]?.([]);
      if (result && 'seconds' in result && round > 0) samples[name].push(result.seconds * 1000);
    }
  }
  await rm(kept, { recursive: true, force: true });
  return {
    size: run.size,
    kernel: run.kernel,
    node: median(samples.node),
    sameframe: median(samples.sameframe),
    again: median(samples.again),
    qemu: median(samples.qemu),
    native: median(samples.native),
  };
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const wanted = (name: string) => names.length === 0 || names.includes(name);
  if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is not there: npm run build`);
  const cpu = await buildCpu();
  const rows: Row[] = [];
  for (const kernel of kernels.filter((one) => wanted(one.name))) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${kernel.name} ...`);
    rows.push(await benchKernel(kernel, cpu, options));
  }
  const startUp: StartUp[] = [];
  if (wanted('hello') && options.startUp)
    for (const run of wholeRuns) startUp.push(await benchWhole(run, cpu, options));
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  if (rows.length > 0) process.stdout.write(`${render(rows)}\n`);
  if (startUp.length > 0) process.stdout.write(`${renderStartUps(startUp)}\n`);
  if (options.json !== undefined) {
    const record = {
      node: process.version,
      rounds: options.rounds,
      scale: options.scale,
      kernels: rows,
      startUp,
    };
    await writeFile(options.json, `${JSON.stringify(record, null, 2)}\n`);
  }
}

const program = benchCommand(
  'bench',
  'Runs the bench kernels in sameframe, under qemu-riscv32 and natively. Ratios above 1: sameframe is faster.',
  [...kernels.map((kernel) => kernel.name), 'hello'],
)
  .option('--rounds <n>', 'runs of each side; the first does not count when there are more', positive, 4)
  .option('--scale <x>', 'multiplies the iterations', positive, 1)
  .option('--json <file>', 'also writes the numbers to a file')
  .option('--no-qemu', 'leave qemu-riscv32 out')
  .option('--no-v8-flags', 'the library, without the flags of V8 that the command sets')
  .option('--no-native', 'leave the native runs out')
  .option('--no-start-up', 'leave the whole processes out')
  .action((names: string[], options: Options) => main(names, options));

await program.parseAsync();
