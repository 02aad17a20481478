/** From measurements to the table and the JSON of a bench run. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { BenchKernel } from './kernels.ts';

export type Side = 'sameframe' | 'qemu' | 'native';

/** What came out for one kernel. Seconds are medians of processor time; null: not measured, see `failures`. */
export interface Row {
  readonly name: string;
  readonly operation: string | null;
  /** Operations done in a run; null without an operation. */
  readonly operations: number | null;
  readonly instructions: number | null;
  readonly mips: number | null;
  readonly seconds: Readonly<Record<Side, number | null>>;
  readonly failures: Readonly<Partial<Record<Side, string>>>;
  /** Above 1: sameframe is faster. */
  readonly ratios: { readonly qemu: number | null; readonly native: number | null };
}

/** Processor milliseconds of whole processes. */
export interface StartUp {
  readonly size: string;
  readonly kernel: string;
  readonly node: number | null;
  readonly sameframe: number | null;
  /** With the code that an earlier run has kept. */
  readonly again: number | null;
  readonly qemu: number | null;
  readonly native: number | null;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function geometricMean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return Math.exp(known.reduce((sum, value) => sum + Math.log(value), 0) / known.length);
}

export function rowOf(
  kernel: BenchKernel,
  iterations: number,
  seconds: Row['seconds'],
  instructions: number | null,
  failures: Row['failures'],
): Row {
  const ours = seconds.sameframe;
  const ratio = (other: number | null) => (ours !== null && other !== null && ours > 0 ? other / ours : null);
  return {
    name: kernel.name,
    operation: kernel.operation,
    operations: kernel.operation === null ? null : iterations * (kernel.perIteration ?? 1),
    instructions,
    mips: instructions !== null && ours !== null ? instructions / ours / 1e6 : null,
    seconds,
    failures,
    ratios: { qemu: ratio(seconds.qemu), native: ratio(seconds.native) },
  };
}

const fixed = (value: number | null, digits: number) => (value === null ? 'n/a' : value.toFixed(digits));
const times = (value: number | null) =>
  value === null ? 'n/a' : value >= 1 ? pc.green(`${value.toFixed(2)}x`) : `${value.toPrecision(2)}x`;

/** The table of all kernels, the operations, what failed, and the means. */
export function render(rows: readonly Row[]): string {
  const table = new Table({
    head: ['kernel', 'MIPS', 'sameframe s', 'qemu s', 'native s', 'vs qemu', 'vs native'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const { sameframe, qemu, native } = row.seconds;
    table.push([
      row.name,
      fixed(row.mips, 0),
      fixed(sameframe, 3),
      fixed(qemu, 3),
      fixed(native, 3),
      times(row.ratios.qemu),
      times(row.ratios.native),
    ]);
  }
  const mean = (side: 'qemu' | 'native') => times(geometricMean(rows.map((row) => row.ratios[side])));
  table.push(['geometric mean', '', '', '', '', mean('qemu'), mean('native')]);
  return [table.toString(), ...operations(rows), ...failures(rows)].join('\n');
}

function operations(rows: readonly Row[]): string[] {
  const lines: string[] = [];
  for (const { name, operation, operations, seconds } of rows) {
    if (operation === null || operations === null) continue;
    const each = (side: Side) => {
      const s = seconds[side];
      return `${side} ${s === null ? 'n/a' : ((s / operations) * 1e6).toFixed(2)}`;
    };
    lines.push(`${name}: us per ${operation}: ${each('sameframe')}, ${each('qemu')}, ${each('native')}`);
  }
  return lines;
}

function failures(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    Object.entries(row.failures).map(([side, why]) => pc.yellow(`${row.name}: ${side}: ${why}`)),
  );
}

/** Whole processes: milliseconds, ratios to Node's own start with QEMU's run, and the means of programs of one size. */
export function renderStartUps(runs: readonly StartUp[]): string {
  const table = new Table({
    head: ['whole process', 'node ms', 'qemu ms', 'native ms', 'first ms', 'x', 'again ms', 'x'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const ratio = (run: StartUp, value: number | null): number | null =>
    value === null || run.node === null || run.qemu === null ? null : value / (run.node + run.qemu);
  for (const size of new Set(runs.map((run) => run.size))) {
    const all = runs.filter((run) => run.size === size);
    for (const run of all)
      table.push([
        size === run.kernel ? size : `${size} ${run.kernel}`,
        ...[run.node, run.qemu, run.native, run.sameframe].map((value) => fixed(value, 0)),
        fixed(ratio(run, run.sameframe), 2),
        fixed(run.again, 0),
        fixed(ratio(run, run.again), 2),
      ]);
    const mean = (side: 'sameframe' | 'again'): string =>
      fixed(geometricMean(all.map((run) => ratio(run, run[side]))), 2);
    if (all.length > 1)
      table.push([`${size} geometric mean`, '', '', '', '', mean('sameframe'), '', mean('again')]);
  }
  return table.toString();
}
