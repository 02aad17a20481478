/**
 * Which registers are known to be how far from one another: each holds, where an instruction begins, a *root* and a
 * constant. A root is a value of which nothing else is known: what the region was entered with, what control brought
 * together from several sides, what an instruction computed, or what a call left; or the sum of two roots, or a root shifted,
 * as indices are. Static single assignment without the names: a root is the same value wherever it is found, until control
 * passes a place that makes it, or what it consists of, again.
 */
import { instructions } from '../isa/table.ts';
import type { Block } from './region.ts';
import { numbers } from './registers.ts';

/** The root of constants: address zero. */
const ABSOLUTE = 0;

const SP = 2;
/**
 * What a call preserves by the calling convention: sp and s0 to s11. A region that relies on it looks, when the call
 * comes back, whether the callee kept to it.
 */
const PRESERVED = 0x0ffc_0304;

/** Words for the values of the registers at one place: their roots, and what is to be added, at 32 + register. */
const ROW = 64;

/** Where a root comes from. */
export type Origin =
  /** Made anew where that block begins, ends with a call, or has executed that instruction. */
  | { readonly kind: 'merge' | 'return'; readonly block: number }
  | { readonly kind: 'result'; readonly block: number; readonly index: number };

/** More than a region has roots. */
const MAX_ROOTS = 1 << 20;

/** Places at which the parts of a root are made, at most: what consists of more is a root by itself. */
const MAX_ORIGINS = 3;

/** Places at which a loop brings a register together, at most: one for each round of an unrolled one. */
const MAX_ROUNDS = 4;

/** Passes over the blocks at most; code that has not settled then is compiled without. */
const MAX_PASSES = 12;

const [ADDI, LUI, AUIPC, ADD, SLLI] = [1, 2, 3, 4, 5] as const;
const EFFECTS: Readonly<Record<string, number>> = {
  addi: ADDI,
  lui: LUI,
  auipc: AUIPC,
  add: ADD,
  slli: SLLI,
};
/** By an instruction's index: what it makes of x[rd], a root of its own unless its row is one of those. */
const effects = Uint8Array.from(instructions, ({ row }) => EFFECTS[row.name] ?? 0);

/** A root that consists of others: their sum, shifted. */
interface Derived {
  readonly terms: readonly number[];
  readonly shift: number;
  readonly origins: readonly Origin[];
}

/** What this file must know of a block beyond its code. */
interface LinkedBlock extends Block {
  /** Its successors and predecessors in the region. */
  readonly next: readonly number[];
  readonly previous: readonly number[];
}

export class Addresses {
  readonly #blocks: readonly LinkedBlock[];
  /** Registers that calls are trusted to preserve. */
  readonly kept: number;
  /** Registers whose values matter: what accesses go through, and what that is made of. */
  readonly #tracked: number;
  readonly #trackedNumbers: readonly number[];
  /** Those among them that calls do not preserve. */
  readonly #lost: readonly number[];
  /** Number of a block's first instruction. */
  readonly #first: number[] = [];
  /**
   * A row for each block of what registers hold at its beginning, where it has not one predecessor alone, then one for each of what they hold
   * at its end. In one array: of some sixty words each, V8 would get memory from the system for every one.
   */
  readonly #values: Int32Array;
  /** Blocks whose ends are known. */
  readonly #known: Uint8Array;
  /** Where plain loads and stores go, by the instruction's number. */
  readonly #roots: Int32Array;
  readonly #offsets: Int32Array;
  /** Sums and shifted roots: their names, by what they consist of, and their origins. */
  readonly #derived = new Map<number, number>();
  readonly #derivedRoots: Derived[] = [];
  readonly #entered: (register: number) => number;
  readonly #firstDerived: number;
  readonly settled: boolean;

  /** `blocks`: in reverse post-order, the entry first. `entered`: what a register probably holds then. */
  constructor(blocks: readonly LinkedBlock[], entered: (register: number) => number) {
    this.#blocks = blocks;
    this.#entered = entered;
    let bases = 0;
    let count = 0;
    for (let i = 0; i < blocks.length; i++) {
      const { insns } = blocks[i];
      this.#first.push(count);
      count += insns.length;
      for (let k = 0; k < insns.length; k++) if (insns[k].traits.bytes > 0) bases |= 1 << insns[k].fields.rs1;
    }
    this.kept = bases & PRESERVED;
    this.#tracked = madeOf(blocks, bases);
    this.#trackedNumbers = numbers(this.#tracked & ~1);
    this.#lost = numbers(this.#tracked & ~this.kept & ~1);
    this.#firstDerived = 32 * (1 + 2 * blocks.length) + count;
    this.#values = new Int32Array(ROW * 2 * blocks.length);
    this.#known = new Uint8Array(blocks.length);
    this.#roots = new Int32Array(count);
    this.#offsets = new Int32Array(count);
    for (let r = 0; r < 32; r++) this.#values[r] = r;
    this.settled = this.#solve();
  }

  #mergeRoot(block: number, register: number): number {
    return 32 * (1 + block) + register;
  }

  #returnRoot(block: number, register: number): number {
    return 32 * (1 + this.#blocks.length + block) + register;
  }

  #resultRoot(block: number, index: number): number {
    return 32 * (1 + 2 * this.#blocks.length) + this.#first[block] + index;
  }

  /** Where the root, or what it consists of, is made anew; empty when it never is. */
  origins(root: number): readonly Origin[] {
    if (root < 32) return [];
    if (root >= this.#firstDerived) return this.#derivedRoots[root - this.#firstDerived].origins;
    const count = this.#blocks.length;
    const block = (root >>> 5) - 1;
    if (block < count) return [{ kind: 'merge', block }];
    if (block < 2 * count) return [{ kind: 'return', block: block - count }];
    const insn = root - 32 * (1 + 2 * count);
    let at = 0;
    while (at + 1 < count && this.#first[at + 1] <= insn) at++;
    return [{ kind: 'result', block: at, index: insn - this.#first[at] }];
  }

  /** The root that consists of those, by that name; -1: of too many. */
  #derive(name: number, terms: readonly number[], shift: number): number {
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const origins = terms.flatMap((root) => this.origins(root));
    const root =
      origins.length > MAX_ORIGINS
        ? -1
        : this.#firstDerived + this.#derivedRoots.push({ terms, shift, origins }) - 1;
    this.#derived.set(name, root);
    return root;
  }

  #sum(a: number, b: number): number {
    if (a === ABSOLUTE) return b;
    if (b === ABSOLUTE) return a;
    return this.#derive(Math.min(a, b) * MAX_ROOTS + Math.max(a, b), [a, b], 0);
  }

  #shifted(root: number, distance: number): number {
    return root === ABSOLUTE ? ABSOLUTE : this.#derive(-(root * 32 + distance), [root], distance);
  }

  /** By how much a root grows with each round of the innermost loop around where it is used; NaN: nobody knows. */
  stepOf(root: number, loop: ReadonlySet<number>): number {
    if (root >= this.#firstDerived) {
      const { terms, shift } = this.#derivedRoots[root - this.#firstDerived];
      return terms.reduce((sum, term) => sum + this.stepOf(term, loop), 0) * 2 ** shift;
    }
    const made = this.origins(root).find(({ block }) => loop.has(block));
    if (made === undefined) return 0;
    return made.kind === 'merge' ? this.#around(root, root, made.block, loop, MAX_ROUNDS) : NaN;
  }

  /** What `merged`, which is brought together where that block begins, is more than `root` was, as far as control comes from the loop. */
  #around(root: number, merged: number, block: number, loop: ReadonlySet<number>, depth: number): number {
    const register = merged & 31;
    for (const from of this.#blocks[block].previous) {
      if (!loop.has(from)) continue;
      const at = this.#end(from) + register;
      const more = this.#more(root, this.#values[at], loop, depth - 1) + this.#values[32 + at];
      // Loops within one another may begin at one place: what is known of any of them counts.
      if (!Number.isNaN(more)) return more;
    }
    return NaN;
  }

  /** What `value` is more than `root`: registers as they were entered with, in that round or one behind it. */
  #more(root: number, value: number, loop: ReadonlySet<number>, depth: number): number {
    if (value === root) return 0;
    if (value < this.#firstDerived) {
      const [origin] = this.origins(value);
      const isMerge = origin?.kind === 'merge' && loop.has(origin.block);
      return isMerge && depth > 0 ? this.#around(root, value, origin.block, loop, depth) : NaN;
    }
    const { terms, shift } = this.#derivedRoots[value - this.#firstDerived];
    const constant = terms.findIndex((term) => term < 32);
    if (terms.length < 2 || shift > 0 || constant < 0) return NaN;
    return this.#more(root, terms[1 - constant], loop, depth) + this.#entered(terms[constant]);
  }

  /** It is the stack pointer, wherever it came from. */
  isStack(root: number): boolean {
    return root < 32 * (1 + 2 * this.#blocks.length) && (root & 31) === SP;
  }

  /** The row of a block's end. */
  #end(block: number): number {
    return ROW * (this.#blocks.length + block);
  }

  #solve(): boolean {
    const blocks = this.#blocks;
    const count = blocks.length;
    const values = this.#values;
    const known = this.#known;
    // Blocks whose predecessors have news.
    const stale = new Uint8Array(count).fill(1);
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      let changed = false;
      for (let i = 0; i < count; i++) {
        if (stale[i] === 0) continue;
        stale[i] = 0;
        const { previous, next } = blocks[i];
        const isMeeting = i === 0 || previous.length !== 1;
        if (isMeeting && !this.#meet(i) && known[i] !== 0) continue;
        const from = ROW * (isMeeting ? i : count + previous[0]);
        values.copyWithin(ROW * (count + i), from, from + ROW);
        this.#execute(i);
        known[i] = 1;
        for (let k = 0; k < next.length; k++) stale[next[k]] = 1;
        changed = true;
      }
      if (!changed) return true;
    }
    return false;
  }

  /**
   * What the predecessors agree on, as far as they are known; the entry also has what it was entered with. True when that is news. Once
   * apart, always apart, with a root of its own: so that this comes to an end.
   */
  #meet(i: number): boolean {
    const values = this.#values;
    const known = this.#known;
    const { previous } = this.#blocks[i];
    const row = ROW * i;
    const ends = ROW * this.#blocks.length;
    const tracked = this.#trackedNumbers;
    let isNews = false;
    for (let k = 0; k < tracked.length; k++) {
      const r = tracked[k];
      const merged = this.#mergeRoot(i, r);
      if (values[row + r] === merged) continue;
      let root = i === 0 ? r : -1;
      let offset = 0;
      for (let p = 0; p < previous.length && root !== merged; p++) {
        const from = previous[p];
        if (known[from] === 0) continue;
        const at = ends + ROW * from + r;
        if (root < 0) {
          root = values[at];
          offset = values[32 + at];
        } else if (root !== values[at] || offset !== values[32 + at]) {
          root = merged;
          offset = 0;
        }
      }
      if (values[row + r] === root && values[row + 32 + r] === offset) continue;
      values[row + r] = root;
      values[row + 32 + r] = offset;
      isNews = true;
    }
    return isNews;
  }

  /** Turns what registers hold at a block's beginning, in the row of its end, into what they hold there. */
  #execute(i: number): void {
    const { insns, end } = this.#blocks[i];
    const values = this.#values;
    const row = this.#end(i);
    const first = this.#first[i];
    const tracked = this.#tracked;
    for (let index = 0; index < insns.length; index++) {
      const insn = insns[index];
      if (insn.traits.bytes > 0) {
        const { rs1, imm } = insn.fields;
        this.#roots[first + index] = values[row + rs1];
        this.#offsets[first + index] = values[row + 32 + rs1] + imm;
      }
      if ((insn.writes & tracked) !== 0) this.#step(i, index, row);
    }
    if (end.kind !== 'call') return;
    const lost = this.#lost;
    for (let k = 0; k < lost.length; k++) {
      const r = lost[k];
      values[row + r] = this.#returnRoot(i, r);
      values[row + 32 + r] = 0;
    }
  }

  #step(block: number, index: number, row: number): void {
    const { instruction, fields, pc } = this.#blocks[block].insns[index];
    const values = this.#values;
    const { imm } = fields;
    const rs1 = row + fields.rs1;
    const rs2 = row + fields.rs2;
    let root = -1;
    let offset = 0;
    switch (effects[instruction.index]) {
      case ADDI:
        root = values[rs1];
        offset = values[32 + rs1] + imm;
        break;
      case LUI:
        root = ABSOLUTE;
        offset = imm;
        break;
      case AUIPC:
        root = ABSOLUTE;
        offset = pc + imm;
        break;
      case ADD:
        root = this.#sum(values[rs1], values[rs2]);
        offset = values[32 + rs1] + values[32 + rs2];
        break;
      case SLLI:
        root = this.#shifted(values[rs1], imm);
        offset = values[32 + rs1] << imm;
        break;
      default:
    }
    values[row + fields.rd] = root < 0 ? this.#resultRoot(block, index) : root;
    values[row + 32 + fields.rd] = root < 0 ? 0 : offset;
  }

  /** Where the plain load or store of a block with that index goes: its root, and how far from it. */
  rootOf(block: number, index: number): number {
    return this.#roots[this.#first[block] + index];
  }

  offsetOf(block: number, index: number): number {
    return this.#offsets[this.#first[block] + index];
  }
}

/** Registers that those are made of by sums and shifts, and they themselves. */
function madeOf(blocks: readonly Block[], registers: number): number {
  let all = registers;
  for (let before = 0; before !== all;) {
    before = all;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const { insns } = blocks[i];
      for (let k = insns.length - 1; k >= 0; k--) {
        const { writes, reads, instruction } = insns[k];
        if ((writes & all) !== 0 && effects[instruction.index] !== 0) all |= reads;
      }
    }
  }
  return all;
}
