/**
 * Which instructions follow each other, and which of those sequences are worth a handler: makes the list of emulator/tier0/fusion.ts.
 *
 *     npx tsx test/bench/sequences.ts [--length 8500] [--parts 3] > list
 *
 * Executes the beginning of each bench kernel and C test step by step, and chooses one sequence after the other, until their handlers have
 * that length together (bytes of WebAssembly).
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../../guest/toolchain.ts';
import { Locals } from '../../emulator/codegen/emitter.ts';
import { decode, type Machine } from '../../emulator/index.ts';
import { FastEmitter } from '../../emulator/tier0/fast.ts';
import { partOf } from '../../emulator/tier0/fusion.ts';
import { FIRST_FREE, loopLocals } from '../../emulator/tier0/loopLocals.ts';
import { boot } from '../../kernel-ts/index.ts';
import { C_TESTS, compileTest } from '../guest/tiers.ts';
import { kernels } from './kernels.ts';

const { values } = parseArgs({
  options: { length: { type: 'string', default: '8500' }, parts: { type: 'string', default: '3' } },
});
const LENGTH = Number(values.length);
const PARTS = Number(values.parts);

/** Instructions of each program, and of the kernels' full iterations so many at first. */
const EXECUTED = 700_000;
const SCALE = 1 / 3000;
/** How much longer handlers must be worth it. */
const POWER = 0.6;
/** A value that goes from one to the next without memory, in dispatches. */
const FORWARDED = 0.35;
/** Sequences that save less than this part of all dispatches are not worth a handler. */
const LEAST = 0.0004;
const SYSTEM_CALLS = new Set(kernels.filter((k) => k.operation !== null).map((k) => k.name));

/** Instructions that were executed one after the other within a page, by their names as fusion.ts writes them, and how often. */
const runs = new Map<string, number>();

/** Of an instruction: its name in fusion.ts, null when no sequence may have it; and the x registers that it writes and reads, or 0. */
interface Seen {
  readonly name: string | null;
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly length: number;
}

function seenAt(pc: number, insn: number): Seen {
  const d = decode(insn);
  if (d === null) throw new Error(`an illegal instruction has retired at ${pc.toString(16)}`);
  const { instruction: i, fields: f, length } = d;
  const target = (pc & 0xfff) + f.imm;
  const far = i.traits.relative && (target < 0 || target > 4095 || (i.rd !== '' && f.rd !== 0));
  const name =
    far || i.traits.helper !== null || i.traits.fp !== null
      ? null
      : `${length === 2 ? 'c.' : ''}${i.row.name}`;
  return {
    name,
    rd: i.rd === 'x' ? f.rd : 0,
    rs1: i.rs1 === 'x' ? f.rs1 : 0,
    rs2: i.rs2 === 'x' ? f.rs2 : 0,
    length,
  };
}

/** What is in a run, as fusion.ts writes it; `-`: no sequence may have it. */
function runText(run: readonly Seen[]): string {
  return run
    .map(({ name, rs1, rs2 }, i) => {
      if (name === null) return '-';
      const written = run[i - 1]?.rd ?? 0;
      const [one, two] = written === 0 ? [false, false] : [rs1 === written, rs2 === written];
      return one === two ? name : `${name}<${one ? '1' : '2'}`;
    })
    .join(' ');
}

/** Adds what a program does; all of it together weighs `weight`. */
function measure(image: Uint8Array, args: readonly string[], weight: number): void {
  const system = boot({ tier: 0 });
  const { machine } = system as unknown as { readonly machine: Machine };
  const counts = new Map<string, number>();
  const known = new Map<number, Seen>();
  let run: Seen[] = [];
  let next = -1;
  let total = 0;
  const end = (): void => {
    const text = runText(run);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  };
  machine.hart.onRetire = ({ pc, insn }) => {
    if (pc !== next || (pc & 0xfff) === 0) {
      end();
      run = [];
    }
    let seen = known.get(pc);
    if (seen === undefined) known.set(pc, (seen = seenAt(pc, insn)));
    run.push(seen);
    next = pc + seen.length;
    total++;
  };
  system.spawn(image, { name: '/bin/program', args: ['/bin/program', ...args] });
  system.run({ instructions: EXECUTED });
  end();
  for (const [text, count] of counts) runs.set(text, (runs.get(text) ?? 0) + (count * weight) / total);
}

const bench = join(import.meta.dirname, '../../guest/bench');
for (const { name, iterations, scalable } of kernels) {
  const { bytes } = await compile(join(bench, `${name}.c`), { flags: ['-lm'] });
  const few = scalable === false ? 18 : Math.max(1, Math.round(iterations * SCALE));
  measure(bytes, iterations === 0 ? [] : [String(few)], SYSTEM_CALLS.has(name) ? 0.2 : 1);
}
for (const name of C_TESTS) measure((await compileTest(name)).bytes, [], 6 / C_TESTS.length);

// Choosing

const lines = Array.from(runs, ([text, weight]) => ({ names: text.split(' '), weight }));
const total = lines.reduce((sum, { names, weight }) => sum + names.length * weight, 0);
const chosen = new Set<string>();

const locals = new Locals(1);
for (let i = 1; i < FIRST_FREE; i++) locals.types.push('i32');
const emitter = new FastEmitter(locals, loopLocals);
const labels = { slow: 0, slowLater: 0, jump: 0, next: 0, resume: 0 };
const lengths = new Map<string, number>();

/** Of the sequence's handler; Infinity when it cannot have one. */
function lengthOf(sequence: string): number {
  let length = lengths.get(sequence);
  if (length === undefined) {
    const parts = sequence.split(' ').map(partOf);
    const stops = parts.slice(0, -1).some(({ instruction }) => instruction.traits.control);
    length = stops ? Infinity : (emitter.handler(parts, labels)?.length ?? Infinity);
    lengths.set(sequence, length);
  }
  return length;
}

/** Names as a sequence: the first one's value comes from memory. */
const sequenceOf = (names: readonly string[]): string =>
  [(names[0] as string).replace(/<.$/, ''), ...names.slice(1)].join(' ');

/** How many instructions each dispatch of a run executes. */
function dispatches(names: readonly string[]): number[] {
  const found: number[] = [];
  for (let i = 0; i < names.length; i += found.at(-1) as number) {
    let parts = Math.min(PARTS, names.length - i);
    while (parts > 1 && !chosen.has(sequenceOf(names.slice(i, i + parts)))) parts--;
    found.push(parts);
  }
  return found;
}

const add = (sums: Map<string, number>, key: string, value: number): void =>
  void sums.set(key, (sums.get(key) ?? 0) + value);

/** What the chosen sequences save in dispatches, and what others would, which are made of two that follow each other. */
function savings(): { saved: Map<string, number>; possible: Map<string, number> } {
  const saved = new Map<string, number>();
  const possible = new Map<string, number>();
  for (const { names, weight } of lines) {
    const parts = dispatches(names);
    let at = 0;
    parts.forEach((count, i) => {
      const sequence = names.slice(at, at + count);
      if (count > 1) add(saved, sequenceOf(sequence), weight * (count - 1));
      const both = count + (parts[i + 1] ?? PARTS);
      at += count;
      if (both > PARTS || names.slice(at - count, at - count + both).includes('-')) return;
      const gain = 1 + ((names[at] as string).includes('<') ? FORWARDED : 0);
      add(possible, sequenceOf(names.slice(at - count, at - count + both)), weight * gain);
    });
  }
  return { saved, possible };
}

const spent = (): number => Array.from(chosen, lengthOf).reduce((sum, length) => sum + length, 0);
const worth = ([sequence, gain]: readonly [string, number]): number => gain / lengthOf(sequence) ** POWER;

while (spent() < LENGTH) {
  const { saved, possible } = savings();
  for (const sequence of chosen) if ((saved.get(sequence) ?? 0) < LEAST * total) chosen.delete(sequence);
  const best = Array.from(possible)
    .sort((a, b) => worth(b) - worth(a))
    .slice(0, 4);
  for (const [sequence] of best) chosen.add(sequence);
}
const { saved } = savings();
const sorted = Array.from(saved).sort((a, b) => b[1] - a[1]);
const all = sorted.reduce((sum, [, value]) => sum + value, 0);
process.stderr.write(
  `${String(sorted.length)} sequences save ${(all / total).toFixed(3)} of all dispatches\n`,
);
process.stdout.write(sorted.map(([sequence]) => `  '${sequence}',\n`).join(''));
