/**
 * Regions: what tier 1 compiles at once. A region begins at a hot entry and follows branches, fall-through and `jal x0`,
 * and goes on behind calls, so it has the shape of a function or of its rest. Blocks end at branches, jumps, calls and
 * environment calls, and before what only the interpreter executes.
 */
import { hasInlineFloat } from '../codegen/inlineFloat.ts';
import type { Isa } from '../isa/choice.ts';
import { insnAt, type Insn } from './insn.ts';

/** Instructions in a region at most. Where the loop of a function has a few more, each place where it is cut becomes a region of its own. */
export const MAX_INSTRUCTIONS = 512;
/**
 * Instructions in a region at most that has little that is not in others already: V8 would compile all of it again.
 */
const SIDE_INSTRUCTIONS = 100;
/** Pages that a region's code may lie in: its prologue looks at each. */
export const MAX_PAGES = 4;
/** Distance from the entry, in bytes, so that an exit's pc fits beside its refund in one constant (emit.ts). */
export const MAX_DISTANCE = 1 << 19;

/** Where control goes: to a block of the region, or out of it to a pc. */
export type Edge =
  { readonly block: number; readonly pc: number } | { readonly block: -1; readonly pc: number };

export type Terminator =
  /** The last instruction decides between two edges. */
  | { readonly kind: 'branch'; readonly taken: Edge; readonly fall: Edge }
  /** One successor; the last instruction may be a `jal x0`. */
  | { readonly kind: 'jump'; readonly to: Edge }
  /** The last instruction, JAL or JALR, links, or is an ECALL. `target`: where a JAL goes. */
  | { readonly kind: 'call'; readonly target: number | 'ecall' | null; readonly back: Edge }
  /**
   * The last instruction is a JALR. `targets`: where it has gone so far; it may go anywhere. `otherwise`: the block that goes there; null: it leaves
   * the region.
   */
  | { readonly kind: 'indirect'; readonly targets: readonly Edge[]; readonly otherwise: Edge | null };

export interface Block {
  readonly pc: number;
  readonly insns: readonly Insn[];
  readonly end: Terminator;
}

export interface RegionCode {
  readonly entry: number;
  /** The first is the entry's. */
  readonly blocks: readonly Block[];
  /** How many of these are the region's own: the others are copies of functions that it calls (inlineCalls.ts). */
  readonly own: number;
  /** Virtual page numbers that its instructions touch. */
  readonly pages: readonly number[];
}

/** Reads guest code in the present address space. */
export interface CodeReader {
  /** The halfword at that address, or -1 where the page has not been executed from. */
  half(va: number): number;
  /** Where the interpreter has seen the JALR at that address go. */
  targets(pc: number): readonly number[];
  /** Execution must stop before that address. */
  stopsAt(va: number): boolean;
  readonly isa: Isa;
}

/** Rows that tier 1 leaves to the interpreter. */
function isLeftOut(insn: Insn): boolean {
  const { helper, fp } = insn.traits;
  return (helper !== null && !isEcall(insn)) || (fp !== null && !hasInlineFloat(fp));
}

/** An environment call. */
export function isEcall({ instruction }: Insn): boolean {
  return instruction.row.name === 'ecall';
}

class Explorer {
  readonly #reader: CodeReader;
  readonly #half: (va: number) => number;
  readonly entry: number;
  readonly #limit: number;
  /** The page of the last instruction. */
  #page = -1;
  readonly pages = new Set<number>();
  /** Instructions by pc, in the order of their discovery. */
  readonly insns = new Map<number, Insn>();
  /** Addresses at which blocks begin. */
  readonly leaders = new Set<number>();
  /** Targets of the jumps to computed addresses, by their pc. */
  readonly targets = new Map<number, readonly number[]>();

  constructor(reader: CodeReader, entry: number, limit: number) {
    this.#reader = reader;
    this.#half = (va) => reader.half(va);
    this.entry = entry;
    this.#limit = limit;
  }

  /** The instruction at `pc`, or null where a region must not go. */
  #fetch(pc: number): Insn | null {
    const reader = this.#reader;
    if (Math.abs(pc - this.entry) >= MAX_DISTANCE || reader.stopsAt(pc)) return null;
    const insn = insnAt(pc, this.#half, reader.isa);
    if (insn === null || isLeftOut(insn)) return null;
    if (!reader.isa.compressed && mayMisalign(insn)) return null;
    return this.#touch(pc >>> 12, ((pc + insn.length - 1) >>> 0) >>> 12) ? insn : null;
  }

  /** Notes the pages of an instruction, one or two; false: they would be too many. */
  #touch(first: number, last: number): boolean {
    const { pages } = this;
    if (first === this.#page && last === first) return true;
    const fresh = Number(!pages.has(first)) + Number(last !== first && !pages.has(last));
    if (pages.size + fresh > MAX_PAGES) return false;
    if (fresh > 0) pages.add(first).add(last);
    this.#page = last;
    return true;
  }

  /** Follows the straight line from `start`; returns where else to look. */
  #line(start: number): readonly number[] {
    const { insns } = this;
    this.leaders.add(start);
    let pc = start;
    for (;;) {
      if (insns.has(pc) || insns.size >= this.#limit) return [];
      const insn = this.#fetch(pc);
      if (insn === null) return [];
      insns.set(pc, insn);
      const next = (pc + insn.length) >>> 0;
      if (insn.traits.control) {
        const { row } = insn.instruction;
        const links = insn.fields.rd !== 0 && (row.name === 'jal' || row.name === 'jalr');
        const target = (pc + insn.fields.imm) >>> 0;
        if (row.name === 'jalr') return links ? [next] : this.#targetsOf(insn);
        if (row.name === 'jal') return [links ? next : target];
        return [next, target];
      }
      if (insn.traits.helper !== null) return [next]; // An environment call.
      pc = next;
    }
  }

  /** A return goes to whoever called: that is no place in the region. */
  #targetsOf({ pc, fields }: Insn): readonly number[] {
    if (fields.rs1 === 1 || fields.rs1 === 5) return [];
    const targets = this.#reader.targets(pc);
    this.targets.set(pc, targets);
    return targets;
  }

  /** `until`: an instruction that it stops at, when it has found that. */
  explore(until = -1): void {
    const work = [this.entry];
    while (work.length > 0 && !this.insns.has(until)) {
      const start = work.pop() as number;
      if (this.leaders.has(start)) continue;
      const found = this.#line(start);
      for (let i = found.length - 1; i >= 0; i--) work.push(found[i]);
    }
  }
}

/** A jump or branch whose target may not be a multiple of four. */
function mayMisalign({ instruction, fields, traits }: Insn): boolean {
  return traits.relative ? (fields.imm & 2) !== 0 : instruction.row.name === 'jalr';
}

/** Where a JALR goes behind the AUIPC that makes its address, as compilers write far calls; null: who knows. */
function pairTarget(jalr: Insn, before: Insn | undefined): number | null {
  if (before?.instruction.row.name !== 'auipc' || before.fields.rd !== jalr.fields.rs1) return null;
  return ((before.pc + before.fields.imm + jalr.fields.imm) & ~1) >>> 0;
}

/** The terminator of a block of those instructions. */
function terminator(
  insns: readonly Insn[],
  edge: (pc: number) => Edge,
  targets: readonly number[],
): Terminator {
  const last = insns[insns.length - 1];
  const next = (last.pc + last.length) >>> 0;
  const target = (last.pc + last.fields.imm) >>> 0;
  const { row } = last.instruction;
  if (isEcall(last)) return { kind: 'call', target: 'ecall', back: edge(next) };
  if (!last.traits.control) return { kind: 'jump', to: edge(next) };
  if (row.name === 'jal') {
    if (last.fields.rd === 0) return { kind: 'jump', to: edge(target) };
    return { kind: 'call', target, back: edge(next) };
  }
  if (row.name === 'jalr') {
    const pair = pairTarget(last, insns[insns.length - 2]);
    if (last.fields.rd !== 0) return { kind: 'call', target: pair, back: edge(next) };
    if (pair !== null) return { kind: 'jump', to: edge(pair) };
    return { kind: 'indirect', targets: targets.map(edge).filter((e) => e.block >= 0), otherwise: null };
  }
  return { kind: 'branch', taken: edge(target), fall: edge(next) };
}

function explored(reader: CodeReader, entry: number, limit: number, until?: number): Explorer {
  const explorer = new Explorer(reader, entry, limit);
  explorer.explore(until);
  return explorer;
}

/** The region of what has been found; null when its first instruction cannot be compiled. */
function regionOf({ entry, insns, leaders, targets, pages }: Explorer): RegionCode | null {
  if (!insns.has(entry)) return null;
  const index = new Map<number, number>();
  for (const pc of leaders) if (insns.has(pc)) index.set(pc, index.size);
  const edge = (pc: number): Edge => ({ block: index.get(pc) ?? -1, pc });
  const blocks = Array.from(index.keys(), (pc): Block => {
    const body: Insn[] = [];
    let last = insns.get(pc) as Insn;
    for (;;) {
      body.push(last);
      const next = (last.pc + last.length) >>> 0;
      if (last.traits.control || last.traits.helper !== null || index.has(next)) break;
      const following = insns.get(next);
      if (following === undefined) break;
      last = following;
    }
    return { pc, insns: body, end: terminator(body, edge, targets.get(last.pc) ?? []) };
  });
  return { entry, blocks, own: blocks.length, pages: [...pages] };
}

/** Finds the region at `entry`, of `limit` instructions at most; null when its first one cannot be compiled. */
export function discover(reader: CodeReader, entry: number, limit = MAX_INSTRUCTIONS): RegionCode | null {
  return regionOf(explored(reader, entry, limit));
}

/** Halfwords at the beginning of a function within which it makes room on the stack, if it does. */
const PROLOGUE = 8;

/** Whether a function seems to begin at `pc`: it stands behind a return, or makes room on the stack. */
export function isFunctionLike(reader: CodeReader, pc: number): boolean {
  // c.jr; jalr with x0.
  if ((reader.half(pc - 2) & 0xf07f) === 0x8002 || (reader.half(pc - 4) & 0xfff) === 0x067) return true;
  for (let at = pc; at < pc + 2 * PROLOGUE; at += 2) {
    const half = reader.half(at);
    // c.addi and c.addi16sp of sp with a negative number; addi sp,sp.
    if ((half & 0xff83) === 0x1101 || (half & 0xff83) === 0x7101) return true;
    if (half === 0x0113 && (reader.half(at + 2) & 0x800f) === 0x8001) return true;
  }
  return false;
}

/** Whether the region at `entry` has the instruction at `pc`. */
export function reaches(reader: CodeReader, entry: number, pc: number): boolean {
  return explored(reader, entry, MAX_INSTRUCTIONS, pc).insns.has(pc);
}

/** It has more instructions than that, and hardly any that are new. */
function isMostlyKnown({ insns }: Explorer, least: number, isKnown: (pc: number) => boolean): boolean {
  if (insns.size <= least) return false;
  let fresh = 0;
  insns.forEach(({ pc }) => {
    if (!isKnown(pc)) fresh++;
  });
  return 8 * fresh < insns.size;
}

/**
 * The same, but small where the entry lies in the midst of another region, or where little of a large region would be new. A loop around
 * others that have been compiled by themselves is not cut in pieces: that costs more than it saves.
 */
export function discoverBeside(
  reader: CodeReader,
  entry: number,
  limit: number,
  isKnown: (pc: number) => boolean,
): RegionCode | null {
  const side = Math.min(limit, SIDE_INSTRUCTIONS);
  if (isKnown(entry)) return discover(reader, entry, side);
  const all = explored(reader, entry, limit);
  return isMostlyKnown(all, 2 * side, isKnown) ? discover(reader, entry, side) : regionOf(all);
}
