/**
 * Finds the first instruction in which two logs differ, reading both once.
 *
 * Two commit logs are compared change by change; register dumps by all registers after each instruction; a commit log
 * with dumps by the registers that the commit log has written so far. Instructions of boot ROMs (0x1000 to 0x1fff) at
 * the beginning are passed over on both sides. With dumps, a jump to itself that changes nothing counts once, because
 * QEMU also dumps an instruction twice when it looks at its events before it (states.ts leaves the first out).
 */
import { inHandler } from './states.ts';
import type { Effects, Registers, Step, StepReader } from './step.ts';

export interface CompareOptions {
  /** Values that counters give (cycle, time, instret, mcycle, mtime of the CLINT) are not compared. */
  readonly ignoreCounters?: boolean;
  /** The encoding at a virtual address, for logs that have none; null when unknown. */
  readonly insnAt?: (pc: number) => number | null;
}

/** A value that differs. */
export interface Difference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

export type Verdict =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different'; readonly differences: readonly Difference[] }
  /** That log has ended and the other goes on. */
  | { readonly kind: 'prefix'; readonly ended: 'a' | 'b' };

/** Written beside their instruction by what Spike's versions do not agree on logging. */
const BY_THE_WAY = new Set(['mstatus', 'mstatush', 'tcontrol']);
/** Logged beside mie and mip since 2025, when the instruction's own register is another one. */
const ALIASES = new Set(['sie', 'mvip']);
/** What devices drive, which QEMU's clock moves. */
const NEVER_COMPARED = new Set(['mip', 'mhartid']);

const isSystem = (insn: number): boolean => (insn & 0x7f) === 0x73;
const isCsrInsn = (insn: number): boolean => isSystem(insn) && (insn & 0x7000) !== 0;

/** Does an instruction read a counter, or load from the CLINT's mtime? */
function readsCounter(insn: number | null, effects: Effects | null): boolean {
  if (effects !== null && effects.memory.some((at) => /^200bff[89a-f]$/.test(at))) return true;
  if (insn === null || !isCsrInsn(insn)) return false;
  const csr = insn >>> 20;
  return (csr >= 0xc00 && csr <= 0xc9f) || (csr >= 0xb00 && csr <= 0xb9f);
}

const hex8 = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
const hex = (digits: string | undefined): string => (digits === undefined ? 'not written' : `0x${digits}`);

/** Values of registers of different lengths (FLEN 32 and 64) agree when their common digits do. */
function sameValue(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length === b.length) return false;
  const digits = Math.min(a.length, b.length);
  return digits >= 8 && a.slice(-digits) === b.slice(-digits);
}

export class Comparison {
  readonly a: StepReader;
  readonly b: StepReader;
  /** Instructions that agreed. */
  count = 0;
  private readonly options: CompareOptions;
  private readonly mixed: boolean;
  /** With a commit log beside dumps: values of the registers that it has written and that can be compared. */
  private readonly known = new Map<string, string>();
  private readonly last: { a: Step | null; b: Step | null } = { a: null, b: null };
  private readonly booted = { a: false, b: false };

  constructor(a: StepReader, b: StepReader, options: CompareOptions = {}) {
    this.a = a;
    this.b = b;
    this.options = options;
    this.mixed = a.kind === 'states' || b.kind === 'states';
  }

  /** The next instruction of a side, after the boot ROM, and without repeated jumps to itself. */
  take(side: 'a' | 'b'): Step | null {
    for (;;) {
      const step = this[side].next();
      if (step === null) return null;
      if (!this.booted[side]) {
        if (step.pc >= 0x1000 && step.pc < 0x2000) continue;
        this.booted[side] = true;
      }
      const before = this.last[side];
      if (this.mixed && before !== null && before.pc === step.pc && changesNothing(step.effects)) continue;
      this.last[side] = step;
      return step;
    }
  }

  /** Compares the next instruction of both. null: it agrees, and there are more. */
  step(a: Step | null, b: Step | null): Verdict | null {
    if (a === null && b === null) return { kind: 'equal' };
    if (a === null || b === null) return { kind: 'prefix', ended: a === null ? 'a' : 'b' };
    if (a.text === null || a.text !== b.text) {
      const differences = this.differences(a, b);
      if (differences.length > 0) return { kind: 'different', differences };
    }
    this.count++;
    return null;
  }

  private differences(a: Step, b: Step): Difference[] {
    if (a.pc !== b.pc) return [{ what: 'pc', a: hex8(a.pc), b: hex8(b.pc) }];
    const found: Difference[] = [];
    if (a.insn !== null && b.insn !== null && a.insn !== b.insn) {
      found.push({ what: 'instruction', a: hex8(a.insn), b: hex8(b.insn) });
    }
    if (a.privilege !== null && b.privilege !== null && a.privilege !== b.privilege) {
      found.push({ what: 'privilege', a: String(a.privilege), b: String(b.privilege) });
    }
    const insn = a.insn ?? b.insn ?? this.options.insnAt?.(a.pc) ?? null;
    const ignored =
      this.options.ignoreCounters === true && readsCounter(insn, a.effects ?? b.effects ?? null);
    if (a.effects !== null && b.effects !== null) {
      compareEffects(a.effects, b.effects, insn, ignored, found);
    } else if (a.effects !== null && b.after !== null) {
      this.compareWithState(a.effects, b.after, ignored, found, false);
    } else if (b.effects !== null && a.after !== null) {
      this.compareWithState(b.effects, a.after, ignored, found, true);
    } else if (a.after !== null && b.after !== null) {
      compareStates(a.after, b.after, ignored && insn !== null ? (insn >>> 7) & 31 : 0, found);
    }
    return found;
  }

  private compareWithState(
    effects: Effects,
    after: Registers,
    ignored: boolean,
    found: Difference[],
    swapped: boolean,
  ): void {
    for (const [name, value] of effects.registers) {
      if (ignored) this.known.delete(name);
      else this.known.set(name, value);
    }
    const differ = (what: string, commit: string, state: string): void => {
      found.push(swapped ? { what, a: state, b: commit } : { what, a: commit, b: state });
    };
    for (const [name, value] of this.known) {
      const number = Number(name.slice(1));
      const state = name.startsWith('x') ? (after.x[number] ?? 0).toString(16) : after.f[number];
      if (state !== undefined && !sameValue(value, state)) differ(name, hex(value), hex(state));
    }
    // A trap in between has changed some of them.
    if (ignored || inHandler(after)) return;
    for (const [name, value] of effects.csrs) {
      const state = after.csrs.get(name);
      if (state !== undefined && state !== value && !NEVER_COMPARED.has(name))
        differ(name, hex(value), hex(state));
    }
  }
}

/** Of an instruction right after itself: a jump to itself. */
function changesNothing(effects: Effects | null): boolean {
  return (
    effects !== null && effects.registers.size === 0 && effects.memory.length === 0 && effects.csrs.size === 0
  );
}

/** "0x80001000 0x00000001" for a store, one after the other. */
function accesses({ memory }: Effects): string {
  return memory.map((one) => one.replaceAll(/\w+/g, '0x$&')).join(', ') || 'no access';
}

function compareEffects(
  a: Effects,
  b: Effects,
  insn: number | null,
  ignored: boolean,
  found: Difference[],
): void {
  if (!ignored) {
    for (const name of new Set([...a.registers.keys(), ...b.registers.keys()])) {
      const [left, right] = [a.registers.get(name), b.registers.get(name)];
      if (!sameValue(left, right)) found.push({ what: name, a: hex(left), b: hex(right) });
    }
  }
  const byInsn = insn !== null && isCsrInsn(insn);
  for (const name of ignored ? [] : new Set([...a.csrs.keys(), ...b.csrs.keys()])) {
    const [left, right] = [a.csrs.get(name), b.csrs.get(name)];
    if (left === right) continue;
    const oneSided = left === undefined || right === undefined;
    if (oneSided && (ALIASES.has(name) || (!byInsn && BY_THE_WAY.has(name)))) continue;
    found.push({ what: name, a: hex(left), b: hex(right) });
  }
  const [left, right] = [accesses(a), accesses(b)];
  if (left !== right) found.push({ what: 'memory', a: left, b: right });
}

/** @param ignoredX number of an integer register that is not compared; 0 for none */
function compareStates(a: Registers, b: Registers, ignoredX: number, found: Difference[]): void {
  for (let i = 1; i < 32; i++) {
    const [left = 0, right = 0] = [a.x[i], b.x[i]];
    if (left !== right && i !== ignoredX)
      found.push({ what: `x${String(i)}`, a: hex8(left), b: hex8(right) });
  }
  for (const [i, left] of a.f.entries()) {
    const right = b.f[i];
    if (right !== undefined && !sameValue(left, right)) {
      found.push({ what: `f${String(i)}`, a: hex(left), b: hex(right) });
    }
  }
  for (const [name, left] of a.csrs) {
    const right = b.csrs.get(name);
    if (right !== undefined && left !== right && !NEVER_COMPARED.has(name)) {
      found.push({ what: name, a: hex(left), b: hex(right) });
    }
  }
}
