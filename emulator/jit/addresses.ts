/**
 * Which registers are known to be how far from one another: each holds, where an instruction begins, a *root* and a
 * constant. A root is a value of which nothing else is known: what the region was entered with, what control brought
 * together from several sides, what an instruction computed, or what a call left; or the sum of two roots, or a root shifted,
 * as indices are. Static single assignment without the names: a root is the same value wherever it is found, until control
 * passes a place that makes it, or what it consists of, again.
 */
import type { Block, Insn } from './region.ts';
import { numbers } from './registers.ts';

/** The root of constants: address zero. */
const ABSOLUTE = 0;

const SP = 2;
/**
 * What a call preserves by the calling convention: sp and s0 to s11. A region that relies on it looks, when the call
 * comes back, whether the callee kept to it.
 */
const PRESERVED = 0x0ffc_0304;

/** The values of the registers: their roots, and what is to be added, at 32 + register. */
type Values = Int32Array;

/** Where a root comes from. */
export type Origin =
  /** Made anew where that block begins, ends with a call, or has executed that instruction. */
  | { readonly kind: 'merge' | 'return'; readonly block: number }
  | { readonly kind: 'result'; readonly block: number; readonly index: number };

/** A place in memory: a root and a distance from it in bytes. */
export interface Address {
  readonly root: number;
  readonly offset: number;
}

/** Places at which the parts of a root are made, at most: what consists of more is a root by itself. */
const MAX_ORIGINS = 3;

/** Places at which a loop brings a register together, at most: one for each round of an unrolled one. */
const MAX_ROUNDS = 4;

/** Passes over the blocks at most; code that has not settled then is compiled without. */
const MAX_PASSES = 12;

function sameValues(a: Values, b: Values): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

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

/** An access of a block: its instruction's index, and where it goes. */
export interface PlainAccess extends Address {
  readonly index: number;
}

export class Addresses {
  readonly #blocks: readonly LinkedBlock[];
  /** Registers that calls are trusted to preserve. */
  readonly kept: number;
  /** The others. */
  readonly #lost: readonly number[];
  /** Number of a block's first instruction. */
  readonly #first: number[] = [];
  /** What registers hold at a block's beginning; null: what they hold at the end of its one predecessor. */
  readonly #inputs: (Values | null)[];
  readonly #outputs: (Values | null)[];
  /** Sums and shifted roots: their names, by what they consist of, and their origins. */
  readonly #derived = new Map<string, number>();
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
    for (const { insns } of blocks) {
      this.#first.push(count);
      count += insns.length;
      for (let i = 0; i < insns.length; i++) {
        const { instruction, fields } = insns[i];
        if (instruction.traits.bytes > 0) bases |= 1 << fields.rs1;
      }
    }
    this.kept = bases & PRESERVED;
    this.#lost = numbers(~this.kept & ~1);
    this.#firstDerived = 32 * (1 + 2 * blocks.length) + count;
    this.#outputs = blocks.map(() => null);
    this.#inputs = blocks.map(({ previous }, i) =>
      i > 0 && previous.length === 1 ? null : new Int32Array(64),
    );
    const first = this.#inputs[0] as Values;
    for (let r = 0; r < 32; r++) first[r] = r;
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
  #derive(name: string, terms: readonly number[], shift: number): number {
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
    return this.#derive(a < b ? `${a} + ${b}` : `${b} + ${a}`, [a, b], 0);
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
      const values = this.#outputs[from] as Values;
      const more = this.#more(root, values[register], loop, depth - 1) + values[32 + register];
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

  #solve(): boolean {
    // Blocks whose predecessors have news.
    const stale = new Uint8Array(this.#blocks.length).fill(1);
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      let changed = false;
      for (let i = 0; i < stale.length; i++) {
        if (stale[i] === 0) continue;
        stale[i] = 0;
        const values = this.#meet(i).slice();
        this.#execute(i, values);
        const before = this.#outputs[i];
        if (before !== null && sameValues(before, values)) continue;
        this.#outputs[i] = values;
        const { next } = this.#blocks[i];
        for (let k = 0; k < next.length; k++) stale[next[k]] = 1;
        changed = true;
      }
      if (!changed) return true;
    }
    return false;
  }

  /** What the predecessors agree on, as far as they are known; the entry also has what it was entered with. */
  #meet(i: number): Values {
    const input = this.#inputs[i];
    const { previous } = this.#blocks[i];
    if (input === null) return this.#outputs[previous[0]] as Values;
    let first = i > 0;
    for (let k = 0; k < previous.length; k++) {
      const output = this.#outputs[previous[k]];
      if (output === null) continue;
      this.#join(input, this.#mergeRoot(i, 0), output, first);
      first = false;
    }
    return input;
  }

  /** Once apart, always apart, with the root `merge` + register: so that this comes to an end. `first`: nothing is there to agree with. */
  #join(input: Values, merge: number, output: Values, first: boolean): void {
    for (let r = 1; r < 32; r++) {
      if (input[r] === merge + r) continue;
      const root = output[r];
      const offset = output[32 + r];
      if (first) {
        input[r] = root;
        input[32 + r] = offset;
      } else if (input[r] !== root || input[32 + r] !== offset) {
        input[r] = merge + r;
        input[32 + r] = 0;
      }
    }
  }

  #execute(i: number, values: Values): void {
    const { insns, end } = this.#blocks[i];
    for (let index = 0; index < insns.length; index++) this.#step(i, index, insns[index], values);
    if (end.kind !== 'call') return;
    const lost = this.#lost;
    for (let k = 0; k < lost.length; k++) {
      const r = lost[k];
      values[r] = this.#returnRoot(i, r);
      values[32 + r] = 0;
    }
  }

  #step(block: number, index: number, { instruction, fields, pc }: Insn, values: Values): void {
    const { rd, rs1, rs2, imm } = fields;
    if (instruction.rd !== 'x' || rd === 0) return;
    let root = -1;
    let offset = 0;
    switch (instruction.row.name) {
      case 'addi':
        root = values[rs1];
        offset = values[32 + rs1] + imm;
        break;
      case 'lui':
        root = ABSOLUTE;
        offset = imm;
        break;
      case 'auipc':
        root = ABSOLUTE;
        offset = pc + imm;
        break;
      case 'add':
        root = this.#sum(values[rs1], values[rs2]);
        offset = values[32 + rs1] + values[32 + rs2];
        break;
      case 'slli':
        root = values[rs1];
        if (root !== ABSOLUTE) root = this.#derive(`${root} << ${imm}`, [root], imm);
        offset = values[32 + rs1] << imm;
        break;
      default:
    }
    values[rd] = root < 0 ? this.#resultRoot(block, index) : root;
    values[32 + rd] = root < 0 ? 0 : offset;
  }

  /** Where the plain loads and stores of a block go. */
  accesses(i: number): readonly PlainAccess[] {
    const { insns } = this.#blocks[i];
    const values = this.#meet(i).slice();
    const found: PlainAccess[] = [];
    for (let index = 0; index < insns.length; index++) {
      const insn = insns[index];
      const { rs1, imm } = insn.fields;
      if (insn.instruction.traits.bytes > 0)
        found.push({ index, root: values[rs1], offset: (values[32 + rs1] + imm) | 0 });
      this.#step(i, index, insn, values);
    }
    return found;
  }
}
