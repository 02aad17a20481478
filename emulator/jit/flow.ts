/**
 * What the code generator must know of a region's control flow: order, dominators, loops, how long a path can get
 * between two looks at the budget, and which registers are dirty or needed where.
 *
 * A register is *dirty* when its local may be newer than the register file; it is *live* when its local is read before it is
 * written, or dirty at an exit, since exits write back what may be dirty. So whatever an exit writes back is in its local on
 * every path.
 */
import { noChecks, planChecks, type Access, type Checks, type ReachOf } from './checks.ts';
import { accesses, equal, isEmpty, NONE, union, without, type FloatTypes, type Regs } from './registers.ts';
import { successors, type Block, type Edge, type Insn, type RegionCode } from './region.ts';
import { mapEdges, unroll } from './unroll.ts';

interface Use {
  readonly reads: Regs;
  readonly writes: Regs;
}

export interface FlowBlock extends Block {
  /** Number of its instructions. */
  readonly count: number;
  /** The target of a branch from below: a loop begins here. */
  isLoop: boolean;
  /** The blocks of the innermost loop around it; null: it lies in none. */
  loop: ReadonlySet<number> | null;
  /** Blocks that jump forward to it. */
  forward: number;
  /** The immediate dominator; -1 for the entry. */
  idom: number;
  /** Blocks that it dominates immediately, in reverse post-order. */
  readonly children: number[];
  /** Instructions until the next look at the budget, at most. */
  need: number;
  /** What each instruction reads and writes of the registers in locals. */
  uses: readonly Use[];
  /** Registers that it writes, and those that it reads before it writes them. */
  writes: Regs;
  reads: Regs;
  /** What it has written when it may first leave the region in its midst; null: it never does. */
  writtenAtBail: Regs | null;
  /** Which instructions may leave the region in their midst. */
  bails: readonly boolean[];
  /** Registers dirty at its beginning, at its end, and live at its beginning. */
  dirtyIn: Regs;
  dirtyOut: Regs;
  liveIn: Regs;
}

export interface Flow {
  /** In reverse post-order; the first is the entry. Edges hold indices into this array. */
  readonly blocks: readonly FlowBlock[];
  readonly types: FloatTypes;
  readonly checks: Checks;
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
      pc: block.pc,
      insns: block.insns,
      end: mapEdges(block.end, edge),
      count: block.insns.length,
      isLoop: false,
      loop: null,
      forward: 0,
      idom: -1,
      children: [],
      need: 0,
      uses: [],
      writes: NONE,
      reads: NONE,
      writtenAtBail: null,
      bails: [],
      dirtyIn: NONE,
      dirtyOut: NONE,
      liveIn: NONE,
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
  // The natural loop: what reaches an edge back to its header without passing it.
  const bodies = new Map<number, Set<number>>();
  for (const { from, to } of backEdges) {
    blocks[to].isLoop = true;
    const body = bodies.get(to) ?? new Set([to]);
    bodies.set(to, body);
    const work = [from];
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      if (body.has(at)) continue;
      body.add(at);
      work.push(...predecessors[at]);
    }
  }
  for (const body of bodies.values()) {
    for (const i of body) {
      const { loop } = blocks[i];
      if (loop === null || body.size < loop.size) blocks[i].loop = body;
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

/** It may leave the region in its midst. `assumes`: floating point is known to be switched on. */
function mayBail({ instruction }: Insn, access: Access | null, assumes: boolean): boolean {
  const { traits, rd, rs2 } = instruction;
  if (traits.fp !== null || (!assumes && (rd === 'f' || rs2 === 'f'))) return true;
  return access === null ? traits.load || traits.store : access.look > 0;
}

/** What each block's instructions do with registers, and all of them together. */
function findUses(blocks: readonly FlowBlock[], types: FloatTypes, checks: Checks): void {
  // Rounds of an unrolled loop consist of the same instructions.
  const known = new Map<readonly Insn[], readonly Use[]>();
  for (const [i, block] of blocks.entries()) {
    const { insns } = block;
    const uses = known.get(insns) ?? insns.map((insn) => accesses(insn, types));
    known.set(insns, uses);
    block.uses = uses;
    const planned = checks.accesses[i];
    block.bails = insns.map((insn, j) => mayBail(insn, planned[j], types.size > 0));
    let written = NONE;
    let read = NONE;
    for (let j = 0; j < uses.length; j++) {
      const { reads, writes } = uses[j];
      if (block.bails[j]) block.writtenAtBail ??= written;
      read = union(read, without(reads, written));
      written = union(written, writes);
    }
    block.writes = written;
    block.reads = read;
  }
}

function findDirty(blocks: readonly FlowBlock[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const block of blocks) {
      const dirty = union(block.dirtyIn, block.writes);
      block.dirtyOut = dirty;
      // A call writes everything back.
      const after = block.end.kind === 'call' ? NONE : dirty;
      for (const { block: to } of successors(block.end)) {
        if (to < 0 || isEmpty(without(after, blocks[to].dirtyIn))) continue;
        blocks[to].dirtyIn = union(blocks[to].dirtyIn, after);
        changed = true;
      }
    }
  }
}

/** Registers live before a block. */
function liveBefore(blocks: readonly FlowBlock[], block: FlowBlock, kept: number): Regs {
  const { end } = block;
  let live = end.kind === 'indirect' || end.kind === 'call' ? block.dirtyOut : NONE;
  if (end.kind === 'call') {
    // What is to be compared when the call comes back.
    if (end.back.block >= 0) live = union(live, { x: blocks[end.back.block].liveIn.x & kept, f: 0 });
  } else {
    for (const { block: to } of successors(end))
      live = union(live, to < 0 ? block.dirtyOut : blocks[to].liveIn);
  }
  live = union(without(live, block.writes), block.reads);
  if (block.writtenAtBail !== null) live = union(live, without(block.dirtyIn, block.writtenAtBail));
  return block.isLoop ? union(live, block.dirtyIn) : live;
}

function findLive(blocks: readonly FlowBlock[], kept: number): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const live = liveBefore(blocks, blocks[i], kept);
      if (equal(live, blocks[i].liveIn)) continue;
      blocks[i].liveIn = live;
      changed = true;
    }
  }
}

/**
 * `types`: formats of the f registers that are to be in locals. `reachOf`: how much looks at the TLB may ask for; null:
 * each access looks for itself.
 */
export function analyse(code: RegionCode, types: FloatTypes, reachOf: ReachOf | null): Flow {
  let plain: readonly Block[] = code.blocks;
  let unrolled = false;
  for (;;) {
    const blocks = renumber(plain);
    dominators(blocks);
    const cut = cutIrreducible(blocks);
    if (cut !== null) {
      plain = cut;
      continue;
    }
    findLoops(blocks);
    const longer = unrolled ? null : unroll(blocks);
    unrolled = true;
    if (longer !== null) {
      plain = longer;
      continue;
    }
    findNeeds(blocks);
    const checks = reachOf === null ? noChecks(blocks) : planChecks(blocks, reachOf);
    findUses(blocks, types, checks);
    findDirty(blocks);
    findLive(blocks, checks.kept);
    return { blocks, types, checks };
  }
}
