/**
 * Commit logs: Spike's (--log-commits, with or without -l and of any version that prints "core   0:" or nothing in
 * front) and our own --trace. Lines that are not commits (disassembly, exceptions, symbols) are passed over.
 */
import type { LineReader } from './lines.ts';
import { plainHex, type Effects, type Step, type StepReader } from './step.ts';

const COMMIT = /^(?:core +\d+: )?([0-3]) 0x([0-9a-f]{8,16}) \(0x([0-9a-f]{4,8})\)(.*)$/i;
const EFFECT =
  / ([xf]) ?(\d+) +0x([0-9a-f]+)| c(\d+)_(\w+) 0x([0-9a-f]+)| mem 0x([0-9a-f]+)(?: 0x([0-9a-f]+))?/gi;

export function isCommit(line: string): boolean {
  return COMMIT.test(line);
}

/** The changes that the end of a commit line lists. */
export function parseEffects(text: string): Effects {
  const registers = new Map<string, string>();
  const csrs = new Map<string, string>();
  const memory: string[] = [];
  for (const [, file, number, value, , csr, csrValue, address, stored] of text.matchAll(EFFECT)) {
    if (file !== undefined && value !== undefined) {
      registers.set(`${file}${number ?? ''}`, file === 'f' ? value.toLowerCase() : plainHex(value));
    } else if (csr !== undefined && csrValue !== undefined) csrs.set(csr, plainHex(csrValue));
    else if (address !== undefined) {
      memory.push(stored === undefined ? plainHex(address) : `${plainHex(address)} ${plainHex(stored)}`);
    }
  }
  return { registers, csrs, memory };
}

/** Parsed when somebody looks: logs that agree are compared as text. */
class CommitStep implements Step {
  readonly line: number;
  readonly text: string;
  readonly before = null;
  readonly after = null;
  private parsed: RegExpExecArray | null = null;
  private found: Effects | null = null;

  constructor(line: number, text: string) {
    this.line = line;
    this.text = text;
  }

  private field(index: number): string {
    this.parsed ??= COMMIT.exec(this.text);
    return this.parsed?.[index] ?? '';
  }

  get privilege(): number {
    return Number(this.field(1));
  }

  get pc(): number {
    return parseInt(this.field(2).slice(-8), 16);
  }

  get insn(): number {
    const bits = parseInt(this.field(3), 16);
    // Some versions print eight digits for a compressed instruction.
    return (bits & 3) === 3 ? bits : bits & 0xffff;
  }

  get effects(): Effects {
    this.found ??= parseEffects(this.field(4));
    return this.found;
  }
}

export class CommitReader implements StepReader {
  readonly kind = 'commits';
  readonly path: string;
  private readonly lines: LineReader;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.path = lines.path;
  }

  next(): Step | null {
    for (;;) {
      const line = this.lines.next();
      if (line === null) return null;
      if (COMMIT.test(line)) return new CommitStep(this.lines.number, line.trimEnd());
    }
  }

  close(): void {
    this.lines.close();
  }
}
