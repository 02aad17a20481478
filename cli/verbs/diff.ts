/** `sameframe diff`: the first instruction in which two instruction logs differ, with what is around it. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import {
  disassemble,
  isElfProblem,
  isWide,
  NO_SYMBOLS,
  readElfHeaders,
  readSymbols,
  type ElfSegment,
  type SymbolTable,
} from '../../emulator/index.ts';
import { CliError, EXIT, fileError } from '../errors.ts';
import { printOut } from '../io.ts';
import { Comparison, type Verdict } from '../logs/compare.ts';
import { openLog } from '../logs/open.ts';
import type { Registers, Step } from '../logs/step.ts';
import { wholeNumber } from '../options.ts';
import { printable } from '../views/format.ts';

interface DiffChoices {
  readonly context: number;
  readonly elf?: string;
  readonly ignoreCounters?: true;
}

const CONTEXT = 5;

const HELP = `
Each log is a commit log (sameframe's --trace, or Spike's --log-commits) or QEMU's register dumps
(-singlestep -d cpu,in_asm, since QEMU 8.1 -accel tcg,one-insn-per-tb=on), recognised by its content.
Logs may be of any size. Instructions of the boot ROM at 0x1000 are passed over.

Exit status: 0 when they agree to the end, 1 when they differ or one is shorter, 2 for trouble.

Examples:
  $ sameframe diff ours.log spike.log
  $ sameframe diff --elf a.elf --context 20 ours.log qemu.log
  $ sameframe bare --trace ours.log --max-instructions 10000 a.elf
  $ qemu-system-riscv32 -M virt -bios none -nographic -singlestep -d cpu,in_asm -D qemu.log -kernel a.elf`;

export function diffCommand(): Command {
  return new Command('diff')
    .description('find the first difference of two instruction logs')
    .argument('<a.log>', 'a commit log, or QEMU register dumps')
    .argument('<b.log>', 'another')
    .addHelpText('after', HELP)
    .addOption(
      new Option('--context <n>', `instructions shown around the difference (default: ${String(CONTEXT)})`)
        .argParser(wholeNumber(0, 10_000))
        .default(CONTEXT, String(CONTEXT)),
    )
    .option('--elf <file>', 'the image that ran, for symbols and instructions')
    .option('--ignore-counters', 'do not compare what cycle, time, instret and mtime give')
    .action(diff);
}

/** What the ELF file knows about addresses. */
interface Image {
  readonly symbols: SymbolTable;
  readonly insnAt: (pc: number) => number | null;
}

const NO_IMAGE: Image = { symbols: NO_SYMBOLS, insnAt: () => null };

function readImage(path: string): Image {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
  const headers = readElfHeaders(bytes);
  if (isElfProblem(headers)) throw new CliError(`${path}: ${headers.problem}`);
  const segments: readonly ElfSegment[] = headers.programHeaders.filter(({ type }) => type === 1);
  const insnAt = (pc: number): number | null => {
    const segment = segments.find(({ vaddr, filesz }) => pc >= vaddr && pc + 2 <= vaddr + filesz);
    if (segment === undefined) return null;
    const at = segment.offset + pc - segment.vaddr;
    const [b0, b1, b2, b3] = bytes.subarray(at, at + 4);
    const low = (b0 ?? 0) | ((b1 ?? 0) << 8);
    return isWide(low) ? (low | ((b2 ?? 0) << 16) | ((b3 ?? 0) << 24)) >>> 0 : low;
  };
  return { symbols: readSymbols(bytes), insnAt };
}

function diff(pathA: string, pathB: string, choices: DiffChoices): void {
  const image = choices.elf === undefined ? NO_IMAGE : readImage(choices.elf);
  const readers = { a: openLog(pathA), b: openLog(pathB) };
  const comparison = new Comparison(readers.a, readers.b, {
    ignoreCounters: choices.ignoreCounters === true,
    insnAt: image.insnAt,
  });
  const recent = { a: new Recent(choices.context), b: new Recent(choices.context) };
  let a: Step | null;
  let b: Step | null;
  let verdict: Verdict | null;
  for (;;) {
    a = comparison.take('a');
    b = comparison.take('b');
    verdict = comparison.step(a, b);
    if (verdict !== null) break;
    if (a !== null && b !== null) {
      recent.a.add(a);
      recent.b.add(b);
    }
  }
  if (verdict.kind === 'equal') {
    printOut(`no difference in ${String(comparison.count)} instructions\n`);
  } else {
    const lines = headline(verdict, { pathA, pathB, a, b, count: comparison.count }, image);
    for (const side of ['a', 'b'] as const) {
      const first = side === 'a' ? a : b;
      lines.push('', `${side === 'a' ? pathA : pathB}:`);
      let number = comparison.count - recent[side].steps().length;
      for (const step of recent[side].steps()) lines.push(`   ${show(++number, step, image)}`);
      if (first === null) {
        lines.push('   (the end)');
        continue;
      }
      lines.push(` > ${show(++number, first, image)}`);
      for (let i = 0; i < choices.context; i++) {
        const step = comparison.take(side);
        if (step === null) break;
        lines.push(`   ${show(++number, step, image)}`);
      }
    }
    printOut(`${lines.join('\n')}\n`);
    process.exitCode = EXIT.notReached;
  }
  readers.a.close();
  readers.b.close();
}

interface Found {
  readonly pathA: string;
  readonly pathB: string;
  readonly a: Step | null;
  readonly b: Step | null;
  readonly count: number;
}

function headline(verdict: Verdict, found: Found, image: Image): string[] {
  const { pathA, pathB, a, b, count } = found;
  if (verdict.kind === 'different' && a !== null && b !== null) {
    const lines = [
      `the first difference is in instruction ${String(count + 1)}: line ${String(a.line)} of ${pathA}, line ${String(b.line)} of ${pathB}`,
      `  ${place(a, image)}`,
    ];
    const width = Math.max(...verdict.differences.map(({ what }) => what.length));
    for (const { what, a: left, b: right } of verdict.differences) {
      lines.push(`  ${what.padEnd(width)}  ${left} | ${right}`);
    }
    return lines;
  }
  const [ended, longer, next] =
    verdict.kind === 'prefix' && verdict.ended === 'a' ? [pathA, pathB, b] : [pathB, pathA, a];
  const at = next === null ? '' : ` at line ${String(next.line)}`;
  return [`${ended} ends after ${String(count)} instructions that agree; ${longer} goes on${at}`];
}

/** "0x80000010 <main+0x4>  addi a0, a0, 1". */
function place(step: Step, image: Image): string {
  const symbol = image.symbols.nameAt(step.pc);
  const insn = step.insn ?? image.insnAt(step.pc);
  const where = `0x${step.pc.toString(16).padStart(8, '0')}${symbol === '' ? '' : ` <${printable(symbol)}>`}`;
  if (insn === null) return where;
  const encoding = insn.toString(16).padStart(isWide(insn) ? 8 : 4, '0');
  return `${where}  ${encoding.padEnd(8)}  ${disassemble(insn, step.pc)}`;
}

function show(number: number, step: Step, image: Image): string {
  const changes = step.text === null ? stateChanges(step.before, step.after) : afterEncoding(step.text);
  return `${String(number).padStart(8)}  ${place(step, image).padEnd(56)}  ${printable(changes)}`.trimEnd();
}

/** What a commit line says behind the encoding. */
function afterEncoding(text: string): string {
  return text.slice(text.indexOf(')') + 1).trim();
}

function stateChanges(before: Registers | null, after: Registers | null): string {
  if (before === null || after === null) return '';
  const changes: string[] = [];
  for (const [i, value] of after.x.entries()) {
    if (value !== before.x[i]) changes.push(`x${String(i)} 0x${value.toString(16).padStart(8, '0')}`);
  }
  for (const [i, value] of after.f.entries()) {
    if (value !== before.f[i]) changes.push(`f${String(i)} 0x${value}`);
  }
  for (const [name, value] of after.csrs) {
    if (value !== before.csrs.get(name)) changes.push(`${name} 0x${value}`);
  }
  return changes.join(' ');
}

/** The last steps, in constant memory. */
class Recent {
  private readonly ring: Step[] = [];
  private readonly size: number;
  private at = 0;

  constructor(size: number) {
    this.size = size;
  }

  add(step: Step): void {
    if (this.size === 0) return;
    this.ring[this.at] = step;
    this.at = (this.at + 1) % this.size;
  }

  steps(): readonly Step[] {
    return this.ring.length < this.size
      ? this.ring
      : [...this.ring.slice(this.at), ...this.ring.slice(0, this.at)];
  }
}
