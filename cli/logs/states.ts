/**
 * QEMU's register dumps (`-d cpu`, written before each translated block), with the instructions of `-d in_asm` when
 * they are there. Blocks must have one instruction each: -singlestep, or -accel tcg,one-insn-per-tb=on since QEMU 8.1.
 *
 * An instruction that traps has a dump of its own and no commit: it is recognised by the next dump, which is at the
 * handler with mepc or sepc at the instruction, and left out.
 */
import { CliError } from '../errors.ts';
import type { LineReader } from './lines.ts';
import { plainHex, type Registers, type Step, type StepReader } from './step.ts';

const PC = /^ pc +([0-9a-f]{8,16})\s*$/;
const X = / x(\d+)\/\w+ +([0-9a-f]{8,16})/g;
const F = / f(\d+)\/\w+ +([0-9a-f]{8,16})/g;
const CSR = /^ ([a-z]\w*) +([0-9a-f]{8,16})\s*$/;
const ASSEMBLY = /^0x([0-9a-f]{8,16}): +([0-9a-f]{4}(?:[0-9a-f]{4})?) /;

export function isDump(line: string): boolean {
  return PC.test(line);
}

interface Dump extends Registers {
  readonly line: number;
  readonly insn: number | null;
}

/** Does `next` begin in a trap handler, entered from the instruction or before the instruction at `pc`? */
function entersHandler(next: Registers, pc: number): boolean {
  for (const mode of ['m', 's']) {
    const vector = parseInt(next.csrs.get(`${mode}tvec`) ?? '', 16);
    const epc = parseInt(next.csrs.get(`${mode}epc`) ?? '', 16);
    const cause = parseInt(next.csrs.get(`${mode}cause`) ?? '', 16);
    const base = vector - (vector % 4);
    const handler = vector % 4 === 1 && cause >= 2 ** 31 ? base + 4 * (cause - 2 ** 31) : base;
    if (epc === pc && next.pc === handler) return true;
  }
  return false;
}

const sameRegisters = (a: Registers, b: Registers): boolean =>
  a.x.every((value, i) => value === b.x[i]) && a.f.every((value, i) => value === b.f[i]);

export class StateReader implements StepReader {
  readonly kind = 'states';
  readonly path: string;
  private readonly lines: LineReader;
  /** The line with the pc of the dump after `ahead`. */
  private header: RegExpExecArray | null = null;
  private headerLine = 0;
  /** Instructions that in_asm showed since the last dump. */
  private shown: number[] = [];
  private ahead: Dump | null = null;
  private started = false;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.path = lines.path;
  }

  next(): Step | null {
    if (!this.started) {
      this.started = true;
      this.seekHeader();
      this.ahead = this.dump();
    }
    for (;;) {
      const before = this.ahead;
      if (before === null) return null;
      const after = this.dump();
      this.ahead = after;
      if (after !== null && sameRegisters(before, after)) {
        // It trapped; or QEMU left it to look at its events and will dump it again; or it jumps to itself.
        if (after.pc === before.pc || entersHandler(after, before.pc)) continue;
      }
      const { line, pc, insn } = before;
      return { line, pc, insn, privilege: null, effects: null, before, after, text: null };
    }
  }

  private seekHeader(): void {
    this.header = null;
    for (;;) {
      const line = this.lines.next();
      if (line === null) return;
      const header = PC.exec(line);
      if (header === null) {
        this.noteAssembly(line);
        continue;
      }
      this.header = header;
      this.headerLine = this.lines.number;
      return;
    }
  }

  private noteAssembly(line: string): void {
    const match = ASSEMBLY.exec(line);
    if (match === null) return;
    this.shown.push(parseInt(match[2] ?? '', 16));
    if (this.shown.length > 1) {
      throw new CliError(
        `${this.path}, line ${String(this.lines.number)}: a block of several instructions; run QEMU with -singlestep (since 8.1: -accel tcg,one-insn-per-tb=on)`,
      );
    }
  }

  /** Reads the dump whose header is at hand, and the next header. */
  private dump(): Dump | null {
    const { header, headerLine } = this;
    if (header === null) return null;
    const insn = this.shown[0] ?? null;
    this.shown = [];
    const x = Array.from({ length: 32 }, () => 0);
    const f: string[] = [];
    const csrs = new Map<string, string>();
    this.header = null;
    for (;;) {
      const line = this.lines.next();
      if (line === null) break;
      const next = PC.exec(line);
      if (next !== null) {
        this.header = next;
        this.headerLine = this.lines.number;
        break;
      }
      if (line.startsWith(' x')) {
        for (const [, number, value] of line.matchAll(X)) {
          x[Number(number)] = parseInt((value ?? '').slice(-8), 16);
        }
      } else if (line.startsWith(' f') && line.includes('/')) {
        for (const [, number, value] of line.matchAll(F)) f[Number(number)] = value ?? '';
      } else {
        const csr = CSR.exec(line);
        if (csr === null) this.noteAssembly(line);
        else csrs.set(csr[1] ?? '', plainHex(csr[2] ?? ''));
      }
    }
    const pc = parseInt((header[1] ?? '').slice(-8), 16);
    return { line: headerLine, insn, pc, x, f, csrs };
  }

  close(): void {
    this.lines.close();
  }
}

/** True when the state after a step is that of a trap handler's first instruction, so that CSRs may have changed. */
export function inHandler(after: Registers): boolean {
  return (
    entersHandler(after, parseInt(after.csrs.get('mepc') ?? '', 16)) ||
    entersHandler(after, parseInt(after.csrs.get('sepc') ?? '', 16))
  );
}
