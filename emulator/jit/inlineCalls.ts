/**
 * Small functions that call nobody become part of their callers' regions, once for each call: a call between regions writes all registers back
 * and reads them again, which costs more than such a function. Where a computed call has gone to several of them, it is compared with each
 * first, and whatever else it goes to is called as usual. Their returns are compared with the place behind the call.
 */
import type { Insn } from './insn.ts';
import {
  discover,
  isFunctionLike,
  MAX_DISTANCE,
  MAX_INSTRUCTIONS,
  MAX_PAGES,
  type Block,
  type CodeReader,
  type Edge,
  type RegionCode,
} from './region.ts';
import { mapEdges } from './unroll.ts';

const RA = 1;

/** Instructions of a function at most. */
const MAX_LEAF = 24;

/** Instructions of such functions in a region at most. */
const MAX_INLINED = 160;

function sizeOf({ blocks }: RegionCode): number {
  let size = 0;
  for (let i = 0; i < blocks.length; i++) size += blocks[i].insns.length;
  return size;
}

/** It ends with a return by that register. */
function returns(insns: readonly Insn[], link: number): boolean {
  const { instruction, fields } = insns[insns.length - 1];
  return instruction.row.name === 'jalr' && fields.rd === 0 && fields.rs1 === link && fields.imm === 0;
}

/** Control goes on in the function, and nowhere back. */
function goesOn(from: Block, { block, pc }: Edge): boolean {
  return block >= 0 && pc > from.pc;
}

/** The function at `pc`, if it is small, calls no function, has no loop and returns by that register; or null. */
function leafAt(reader: CodeReader, pc: number, link: number): RegionCode | null {
  const code = discover(reader, pc, MAX_LEAF + 1);
  if (code === null || sizeOf(code) > MAX_LEAF) return null;
  for (const block of code.blocks) {
    const { end } = block;
    if (end.kind === 'call') {
      if (end.target !== 'ecall' || !goesOn(block, end.back)) return null;
    } else if (end.kind === 'indirect') {
      if (!returns(block.insns, link)) return null;
    } else if (end.kind === 'jump') {
      if (!goesOn(block, end.to)) return null;
    } else if (!goesOn(block, end.taken) || !goesOn(block, end.fall)) return null;
  }
  return code;
}

/** A function that its callers may have in their regions. */
export function isLeaf(reader: CodeReader, pc: number): boolean {
  return isFunctionLike(reader, pc) && leafAt(reader, pc, RA) !== null;
}

class Inliner {
  readonly #reader: CodeReader;
  readonly #entry: number;
  readonly #pages: Set<number>;
  /** What has been looked at, by where it begins and the register of its return. */
  readonly #leaves = new Map<number, RegionCode | null>();
  readonly blocks: Block[];
  #room: number;

  constructor(reader: CodeReader, region: RegionCode) {
    this.#reader = reader;
    this.#entry = region.entry;
    this.#pages = new Set(region.pages);
    this.blocks = region.blocks.slice();
    this.#room = Math.min(MAX_INLINED, MAX_INSTRUCTIONS - sizeOf(region));
  }

  get pages(): readonly number[] {
    return [...this.#pages];
  }

  #leafAt(pc: number, link: number): RegionCode | null {
    const key = pc * 32 + link;
    let leaf = this.#leaves.get(key);
    if (leaf === undefined) this.#leaves.set(key, (leaf = leafAt(this.#reader, pc, link)));
    return leaf;
  }

  /** A copy of the function at `pc`, which returns to `back`: its beginning; null: it is none, or there is no room for it. */
  #copy(pc: number, link: number, back: Edge): Edge | null {
    if (Math.abs(pc - this.#entry) >= MAX_DISTANCE) return null;
    const leaf = this.#leafAt(pc, link);
    if (leaf === null) return null;
    const size = sizeOf(leaf);
    const pages = new Set([...this.#pages, ...leaf.pages]);
    if (size > this.#room || pages.size > MAX_PAGES) return null;
    this.#room -= size;
    for (const page of leaf.pages) this.#pages.add(page);
    const first = this.blocks.length;
    for (const { pc: at, insns, end } of leaf.blocks) {
      this.blocks.push({
        pc: at,
        insns,
        end:
          end.kind === 'indirect'
            ? { kind: 'indirect', targets: [back], otherwise: null }
            : mapEdges(end, (edge) => ({ block: first + edge.block, pc: edge.pc })),
      });
    }
    return { block: first, pc };
  }

  /** The call in which that block ends. `isUsed`: a function is called often. */
  call(index: number, isUsed: (pc: number) => boolean): void {
    const { pc, insns, end } = this.blocks[index];
    if (end.kind !== 'call' || end.target === 'ecall' || end.back.block < 0) return;
    const last = insns[insns.length - 1];
    const link = last.fields.rd;
    if (end.target !== null) {
      const to = isUsed(end.target) ? this.#copy(end.target, link, end.back) : null;
      if (to !== null) this.blocks[index] = { pc, insns, end: { kind: 'jump', to } };
      return;
    }
    const targets: Edge[] = [];
    for (const target of this.#reader.targets(last.pc)) {
      // Strangers are mostly places that calls come back to.
      const to = isFunctionLike(this.#reader, target) ? this.#copy(target, link, end.back) : null;
      if (to !== null) targets.push(to);
    }
    if (targets.length === 0) return;
    const otherwise: Edge = { block: this.blocks.push({ pc: last.pc, insns: [], end }) - 1, pc: last.pc };
    this.blocks[index] = { pc, insns, end: { kind: 'indirect', targets, otherwise } };
  }
}

/** The region with the small functions that it calls. */
export function inlineCalls(
  reader: CodeReader,
  region: RegionCode,
  isUsed: (pc: number) => boolean,
): RegionCode {
  const inliner = new Inliner(reader, region);
  for (let i = 0; i < region.blocks.length; i++) inliner.call(i, isUsed);
  const { blocks, pages } = inliner;
  return blocks.length === region.blocks.length ? region : { ...region, blocks, pages };
}
