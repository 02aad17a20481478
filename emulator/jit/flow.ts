/**
 * What the code generator must know of a region's control flow: order, dominators, loops, how long a path can get
 * between two looks at the budget, and which registers are dirty or needed where.
 *
 * A register is *dirty* when its local may be newer than the register file; it is *live* when its local is read before it is
 * written, or dirty at an exit, since exits write back what may be dirty. So whatever an exit writes back is in its local on
 * every path.
 */
import { successors, type Block, type Edge, type Insn, type RegionCode, type Terminator } from './region.ts';

export interface FlowBlock extends Block {
  /** Number of its instructions. */
  readonly count: number;
  /** The target of a branch from below: a loop begins here. */
  isLoop: boolean;
  /** It lies in a loop. */
  inLoop: boolean;
  /** Blocks that jump forward to it. */
  forward: number;
  /** The immediate dominator; -1 for the entry. */
  idom: number;
  /** Blocks that it dominates immediately, in reverse post-order. */
  readonly children: number[];
  /** Instructions until the next look at the budget, at most. */
  need: number;
  /** Registers dirty at its beginning, and live there. Bit n: x[n]. */
  dirtyIn: number;
  dirtyOut: number;
  liveIn: number;
}

export interface Flow {
  /** In reverse post-order; the first is the entry. Edges hold indices into this array. */
  readonly blocks: readonly FlowBlock[];
}

function mapEdges(end: Terminator, edge: (e: Edge) => Edge): Terminator {
  if (end.kind === 'branch') return { ...end, taken: edge(end.taken), fall: edge(end.fall) };
  if (end.kind === 'jump') return { ...end, to: edge(end.to) };
  if (end.kind === 'call') return { ...end, back: edge(end.back) };
  return { ...end, targets: end.targets.map(edge) };
}

/** Reverse post-order of what the entry reaches. The fall-through is visited last, so that it comes next in the order. */
function reversePostOrder(blocks: readonly Block[]): number[] {
  const order: number[] = [];
  const state = new Uint8Array(blocks.length);
  const stack: { block: number; next: number }[] = [{ block: 0, next: 0 }];
  state[0] = 1;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const edge = successors(blocks[top.block].end)[top.next++];
    if (edge === undefined) {
      order.push(top.block);
      stack.pop();
    } else if (edge.block >= 0 && state[edge.block] === 0) {
      state[edge.block] = 1;
      stack.push({ block: edge.block, next: 0 });
    }
  }
  return order.reverse();
}

function renumber(blocks: readonly Block[]): FlowBlock[] {
  const order = reversePostOrder(blocks);
  const place = new Map(order.map((old, index) => [old, index]));
  const edge = (e: Edge): Edge => (e.block < 0 ? e : { block: place.get(e.block) as number, pc: e.pc });
  return order.map((old) => {
    const block = blocks[old];
    return {
      ...block,
      end: mapEdges(block.end, edge),
      count: block.insns.length,
      isLoop: false,
      inLoop: false,
      forward: 0,
      idom: -1,
      children: [],
      need: 0,
      dirtyIn: 0,
      dirtyOut: 0,
      liveIn: 0,
    };
  });
}

/** Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". */
function dominators(blocks: readonly FlowBlock[]): void {
  const predecessors: number[][] = blocks.map(() => []);
  for (const [i, block] of blocks.entries()) {
    for (const { block: to } of successors(block.end)) if (to >= 0) predecessors[to].push(i);
  }
  const idom = new Int32Array(blocks.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 1; i < blocks.length; i++) {
      let common = -1;
      for (const p of predecessors[i]) {
        if (idom[p] < 0) continue;
        let [a, b] = [p, common < 0 ? p : common];
        while (a !== b) {
          while (a > b) a = idom[a];
          while (b > a) b = idom[b];
        }
        common = a;
      }
      if (idom[i] !== common) {
        idom[i] = common;
        changed = true;
      }
    }
  }
  for (let i = 1; i < blocks.length; i++) {
    blocks[i].idom = idom[i];
    blocks[idom[i]].children.push(i);
  }
}

function dominates(blocks: readonly FlowBlock[], a: number, b: number): boolean {
  let at = b;
  while (at > a) at = blocks[at].idom;
  return at === a;
}

/** A branch backwards into the middle of a loop has no structured form: it leaves the region. */
function cutIrreducible(blocks: readonly FlowBlock[]): Block[] | null {
  let cut = false;
  const cutBlocks = blocks.map((block, i): Block => {
    const end = mapEdges(block.end, (e) => {
      if (e.block < 0 || e.block > i || dominates(blocks, e.block, i)) return e;
      cut = true;
      return { block: -1, pc: e.pc };
    });
    return { pc: block.pc, insns: block.insns, end };
  });
  return cut ? cutBlocks : null;
}

function findLoops(blocks: readonly FlowBlock[]): void {
  const predecessors: number[][] = blocks.map(() => []);
  const backEdges: { from: number; to: number }[] = [];
  for (const [i, block] of blocks.entries()) {
    for (const { block: to } of successors(block.end)) {
      if (to < 0) continue;
      predecessors[to].push(i);
      if (to > i) blocks[to].forward++;
      else backEdges.push({ from: i, to });
    }
  }
  for (const { from, to } of backEdges) {
    blocks[to].isLoop = true;
    blocks[to].inLoop = true;
    // The natural loop: what reaches the edge without passing the header.
    const work = [from];
    const seen = new Set([to]);
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      blocks[at].inLoop = true;
      work.push(...predecessors[at]);
    }
  }
}

/** Every loop and every return from a call looks at the budget, so paths end there. */
function findNeeds(blocks: readonly FlowBlock[]): void {
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i];
    let longest = 0;
    if (block.end.kind !== 'call') {
      for (const { block: to } of successors(block.end)) {
        if (to > i && !blocks[to].isLoop) longest = Math.max(longest, blocks[to].need);
      }
    }
    block.need = block.count + longest;
  }
}

/** The x registers that an instruction reads, as a mask; x0 is none. */
export function reads({ instruction, fields }: Insn): number {
  let mask = 0;
  if (instruction.rs1 === 'x') mask |= 1 << fields.rs1;
  if (instruction.rs2 === 'x') mask |= 1 << fields.rs2;
  return mask & ~1;
}

/** The x register that it writes, as a mask. */
export function writes({ instruction, fields }: Insn): number {
  return instruction.rd === 'x' ? (1 << fields.rd) & ~1 : 0;
}

/** The page cache of a memory access: its base register times 2, plus 1 for writing; 0 when it has none. */
export function cacheKey({ instruction: { traits }, fields }: Insn): number {
  if (fields.rs1 === 0 || !(traits.load || traits.store)) return 0;
  return fields.rs1 * 2 + (traits.store ? 1 : 0);
}

/** It may leave the region in its midst. */
export function mayBail({ instruction: { traits } }: Insn): boolean {
  return traits.load || traits.store || traits.fp !== null;
}

function findDirty(blocks: readonly FlowBlock[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const block of blocks) {
      let dirty = block.dirtyIn;
      for (const insn of block.insns) dirty |= writes(insn);
      block.dirtyOut = dirty;
      // A call writes everything back.
      const after = block.end.kind === 'call' ? 0 : dirty;
      for (const { block: to } of successors(block.end)) {
        if (to < 0 || (after & ~blocks[to].dirtyIn) === 0) continue;
        blocks[to].dirtyIn |= after;
        changed = true;
      }
    }
  }
}

/** Registers live before a block. */
function liveBefore(blocks: readonly FlowBlock[], block: FlowBlock): number {
  const { end } = block;
  let live = block.end.kind === 'indirect' || end.kind === 'call' ? block.dirtyOut : 0;
  if (end.kind !== 'call') {
    for (const { block: to } of successors(end)) live |= to < 0 ? block.dirtyOut : blocks[to].liveIn;
  }
  const dirtyAt: number[] = [];
  let dirty = block.dirtyIn;
  for (const insn of block.insns) {
    dirtyAt.push(dirty);
    dirty |= writes(insn);
  }
  for (let i = block.insns.length - 1; i >= 0; i--) {
    const insn = block.insns[i];
    live = (live & ~writes(insn)) | reads(insn);
    if (mayBail(insn)) live |= dirtyAt[i];
  }
  return block.isLoop ? live | block.dirtyIn : live;
}

function findLive(blocks: readonly FlowBlock[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const live = liveBefore(blocks, blocks[i]);
      if (live === blocks[i].liveIn) continue;
      blocks[i].liveIn = live;
      changed = true;
    }
  }
}

export function analyse(code: RegionCode): Flow {
  let plain: readonly Block[] = code.blocks;
  for (;;) {
    const blocks = renumber(plain);
    dominators(blocks);
    const cut = cutIrreducible(blocks);
    if (cut !== null) {
      plain = cut;
      continue;
    }
    findLoops(blocks);
    findNeeds(blocks);
    findDirty(blocks);
    findLive(blocks);
    return { blocks };
  }
}
