/**
 * Which registers are known to be how far from one another: each holds, where an instruction begins, a *root* and a
 * constant. A root is a value of which nothing else is known: what the region was entered with, what control brought
 * together from several sides, what an instruction computed, or what a call left; or the sum of two roots, or a root shifted,
 * as indices are. Static single assignment without the names: a root is the same value wherever it is found, until control
 * passes a place that makes it, or what it consists of, again.
 */
import { successors, type Block, type Insn } from './region.ts';
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

/** Passes over the blocks at most; code that has not settled then is compiled without. */
const MAX_PASSES = 12;

function sameValues(a: Values, b: Values): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export class Addresses {
  readonly #blocks: readonly Block[];
  readonly #predecessors: number[][];
  /** Registers that calls are trusted to preserve. */
  readonly kept: number;
  /** Number of a block's first instruction. */
  readonly #first: number[] = [];
  readonly #inputs: Values[];
  readonly #outputs: (Values | null)[];
  /** Sums and shifted roots: their names, by what they consist of, and their origins. */
  readonly #derived = new Map<string, number>();
  readonly #derivedOrigins: (readonly Origin[])[] = [];
  readonly #firstDerived: number;
  readonly settled: boolean;

  /** `blocks`: in reverse post-order, the entry first. */
  constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
    this.#predecessors = blocks.map(() => []);
    this.#outputs = blocks.map(() => null);
    let bases = 0;
    let count = 0;
    for (const [i, block] of blocks.entries()) {
      this.#first.push(count);
      count += block.insns.length;
      for (const { block: to } of successors(block.end)) if (to >= 0) this.#predecessors[to].push(i);
      for (const { instruction, fields } of block.insns)
        if (instruction.traits.bytes > 0) bases |= 1 << fields.rs1;
    }
    this.kept = bases & PRESERVED;
    this.#firstDerived = 32 * (1 + 2 * blocks.length) + count;
    this.#inputs = blocks.map(() => new Int32Array(64));
    for (let r = 0; r < 32; r++) this.#inputs[0][r] = r;
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
    if (root >= this.#firstDerived) return this.#derivedOrigins[root - this.#firstDerived];
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
  #derive(name: string, roots: readonly number[]): number {
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const origins = roots.flatMap((root) => this.origins(root));
    const root =
      origins.length > MAX_ORIGINS ? -1 : this.#firstDerived + this.#derivedOrigins.push(origins) - 1;
    this.#derived.set(name, root);
    return root;
  }

  #sum(a: number, b: number): number {
    if (a === ABSOLUTE) return b;
    if (b === ABSOLUTE) return a;
    return this.#derive(a < b ? `${a} + ${b}` : `${b} + ${a}`, [a, b]);
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
        this.#meet(i);
        const values = this.#inputs[i].slice();
        this.#execute(i, values);
        const before = this.#outputs[i];
        if (before !== null && sameValues(before, values)) continue;
        this.#outputs[i] = values;
        for (const { block } of successors(this.#blocks[i].end)) if (block >= 0) stale[block] = 1;
        changed = true;
      }
      if (!changed) return true;
    }
    return false;
  }

  /** What the predecessors agree on, as far as they are known; the entry also has what it was entered with. */
  #meet(i: number): void {
    const input = this.#inputs[i];
    const outputs: Values[] = [];
    for (const p of this.#predecessors[i]) {
      const output = this.#outputs[p];
      if (output !== null) outputs.push(output);
    }
    for (let r = 1; r < 32; r++) {
      const merge = this.#mergeRoot(i, r);
      // Once apart, always apart: so that this comes to an end.
      if (input[r] === merge) continue;
      let root = i === 0 ? r : -1;
      let offset = 0;
      for (const output of outputs) {
        if (root < 0) {
          root = output[r];
          offset = output[32 + r];
        } else if (root !== output[r] || offset !== output[32 + r]) {
          root = merge;
          offset = 0;
        }
        if (root === merge) break;
      }
      input[r] = root;
      input[32 + r] = offset;
    }
  }

  #execute(i: number, values: Values): void {
    const { insns, end } = this.#blocks[i];
    for (const [index, insn] of insns.entries()) this.#step(i, index, insn, values);
    if (end.kind !== 'call') return;
    for (const r of numbers(~this.kept & ~1)) {
      values[r] = this.#returnRoot(i, r);
      values[32 + r] = 0;
    }
  }

  #step(block: number, index: number, { instruction, fields, pc }: Insn, values: Values): void {
    const { rd, rs1, rs2, imm } = fields;
    if (instruction.rd !== 'x' || rd === 0) return;
    const put = (root: number, offset: number): void => {
      values[rd] = root;
      values[32 + rd] = offset;
    };
    const { name } = instruction.row;
    if (name === 'addi') put(values[rs1], values[32 + rs1] + imm);
    else if (name === 'lui') put(ABSOLUTE, imm);
    else if (name === 'auipc') put(ABSOLUTE, pc + imm);
    else if (name === 'add') {
      const root = this.#sum(values[rs1], values[rs2]);
      if (root >= 0) put(root, values[32 + rs1] + values[32 + rs2]);
      else put(this.#resultRoot(block, index), 0);
    } else if (name === 'slli') {
      const from = values[rs1];
      const root = from === ABSOLUTE ? ABSOLUTE : this.#derive(`${from} << ${imm}`, [from]);
      if (root >= 0) put(root, values[32 + rs1] << imm);
      else put(this.#resultRoot(block, index), 0);
    } else put(this.#resultRoot(block, index), 0);
  }

  /** Where each plain load or store of a block goes; null for other instructions. */
  accesses(i: number): (Address | null)[] {
    const values = this.#inputs[i].slice();
    return this.#blocks[i].insns.map((insn, index) => {
      const { rs1, imm } = insn.fields;
      const address =
        insn.instruction.traits.bytes > 0
          ? { root: values[rs1], offset: (values[32 + rs1] + imm) | 0 }
          : null;
      this.#step(i, index, insn, values);
      return address;
    });
  }
}
