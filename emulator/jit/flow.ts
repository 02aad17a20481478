/**
 * What the code generator must know of a region's control flow: order, dominators, loops, how long a path can get
 * between two looks at the budget, and which registers are dirty or needed where.
 *
 * A register is *dirty* when its local may be newer than the register file; it is *live* when its local is read before it is
 * written, or dirty at an exit, since exits write back what may be dirty. So whatever an exit writes back is in its local on
 * every path.
 */
import { noChecks, planChecks, type Access, type Checks, type CheckContext } from './checks.ts';
import { accesses, equal, NONE, union, type FloatTypes, type Regs } from './registers.ts';
import { successors, type Block, type Edge, type Insn, type RegionCode, type Terminator } from './region.ts';
import { mapEdges, unroll } from './unroll.ts';

interface Use {
  readonly reads: Regs;
  readonly writes: Regs;
}

export interface FlowBlock extends Block {
  /** Number of its instructions. */
  readonly count: number;
  /** Its successors and predecessors in the region. */
  readonly next: readonly number[];
  readonly previous: number[];
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

/** The blocks that its edges lead to. */
function nextOf(end: Terminator): number[] {
  const next: number[] = [];
  for (const { block } of successors(end)) if (block >= 0) next.push(block);
  return next;
}

/** Reverse post-order of what the entry reaches. The fall-through is visited last, so that it comes next in the order. */
function reversePostOrder(next: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const visited = new Uint8Array(next.length);
  const stack = [0];
  /** How many successors of those on the stack have been visited. */
  const done = new Int32Array(next.length);
  visited[0] = 1;
  while (stack.length > 0) {
    const block = stack[stack.length - 1];
    const to = next[block][done[block]++];
    if (to === undefined) {
      order.push(block);
      stack.pop();
    } else if (visited[to] === 0) {
      visited[to] = 1;
      stack.push(to);
    }
  }
  return order.reverse();
}

function renumber(blocks: readonly Block[]): FlowBlock[] {
  const targets = blocks.map(({ end }) => nextOf(end));
  const order = reversePostOrder(targets);
  const place = new Int32Array(blocks.length);
  for (let i = 0; i < order.length; i++) place[order[i]] = i;
  const edge = (e: Edge): Edge => (e.block < 0 ? e : { block: place[e.block], pc: e.pc });
  const renumbered = order.map((old): FlowBlock => {
    const block = blocks[old];
    return {
      pc: block.pc,
      insns: block.insns,
      end: mapEdges(block.end, edge),
      count: block.insns.length,
      next: targets[old].map((to) => place[to]),
      previous: [],
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
  for (let i = 0; i < renumbered.length; i++)
    for (const to of renumbered[i].next) renumbered[to].previous.push(i);
  return renumbered;
}

/** Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". */
function dominators(blocks: readonly FlowBlock[]): void {
  const idom = new Int32Array(blocks.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 1; i < blocks.length; i++) {
      let common = -1;
      const { previous } = blocks[i];
      for (let k = 0; k < previous.length; k++) {
        const p = previous[k];
        if (idom[p] < 0) continue;
        let a = p;
        let b = common < 0 ? p : common;
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
  const isBad = (from: number, to: number): boolean => to >= 0 && to <= from && !dominates(blocks, to, from);
  if (!blocks.some(({ next }, i) => next.some((to) => isBad(i, to)))) return null;
  return blocks.map(({ pc, insns, end }, i): Block => {
    const edge = (e: Edge): Edge => (isBad(i, e.block) ? { block: -1, pc: e.pc } : e);
    return { pc, insns, end: mapEdges(end, edge) };
  });
}

function findLoops(blocks: readonly FlowBlock[]): void {
  // The natural loop: what reaches an edge back to its header without passing it.
  const bodies = new Map<number, Set<number>>();
  for (let from = 0; from < blocks.length; from++) {
    for (const to of blocks[from].next) {
      if (to > from) {
        blocks[to].forward++;
        continue;
      }
      blocks[to].isLoop = true;
      const body = bodies.get(to) ?? new Set([to]);
      bodies.set(to, body);
      const work = [from];
      for (let at = work.pop(); at !== undefined; at = work.pop()) {
        if (body.has(at)) continue;
        body.add(at);
        work.push(...blocks[at].previous);
      }
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
      for (const to of block.next) {
        if (to > i && !blocks[to].isLoop && blocks[to].need > longest) longest = blocks[to].need;
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
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    const { insns } = block;
    let uses = known.get(insns);
    if (uses === undefined) known.set(insns, (uses = insns.map((insn) => accesses(insn, types))));
    const planned = checks.accesses[i];
    const bails: boolean[] = [];
    let readX = 0;
    let readF = 0;
    let writtenX = 0;
    let writtenF = 0;
    for (let j = 0; j < uses.length; j++) {
      const { reads, writes } = uses[j];
      const bail = mayBail(insns[j], planned[j], types.size > 0);
      bails.push(bail);
      if (bail) block.writtenAtBail ??= { x: writtenX, f: writtenF };
      readX |= reads.x & ~writtenX;
      readF |= reads.f & ~writtenF;
      writtenX |= writes.x;
      writtenF |= writes.f;
    }
    block.uses = uses;
    block.bails = bails;
    block.writes = { x: writtenX, f: writtenF };
    block.reads = { x: readX, f: readF };
  }
}

function findDirty(blocks: readonly FlowBlock[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const block of blocks) {
      const dirty = union(block.dirtyIn, block.writes);
      block.dirtyOut = dirty;
      // A call writes everything back.
      if (block.end.kind === 'call') continue;
      for (const to of block.next) {
        const { dirtyIn } = blocks[to];
        if (((dirty.x & ~dirtyIn.x) | (dirty.f & ~dirtyIn.f)) === 0) continue;
        blocks[to].dirtyIn = union(dirtyIn, dirty);
        changed = true;
      }
    }
  }
}

/** True when an edge leaves the region. */
function leaves(end: Terminator): boolean {
  if (end.kind === 'branch') return end.taken.block < 0 || end.fall.block < 0;
  return end.kind === 'jump' && end.to.block < 0;
}

/** Registers live before a block. */
function liveBefore(blocks: readonly FlowBlock[], block: FlowBlock, kept: number): Regs {
  const { end, dirtyIn, dirtyOut, writes, reads, writtenAtBail } = block;
  let { x, f } = end.kind === 'indirect' || end.kind === 'call' || leaves(end) ? dirtyOut : NONE;
  if (end.kind === 'call') {
    // What is to be compared when the call comes back.
    if (end.back.block >= 0) x |= blocks[end.back.block].liveIn.x & kept;
  } else {
    for (const to of block.next) {
      const { liveIn } = blocks[to];
      x |= liveIn.x;
      f |= liveIn.f;
    }
  }
  x = (x & ~writes.x) | reads.x;
  f = (f & ~writes.f) | reads.f;
  if (writtenAtBail !== null) {
    x |= dirtyIn.x & ~writtenAtBail.x;
    f |= dirtyIn.f & ~writtenAtBail.f;
  }
  if (block.isLoop) {
    x |= dirtyIn.x;
    f |= dirtyIn.f;
  }
  return { x, f };
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
 * `types`: formats of the f registers that are to be in locals. `context`: what planning looks at the TLB asks; null:
 * each access looks for itself.
 */
export function analyse(code: RegionCode, types: FloatTypes, context: CheckContext | null): Flow {
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
    const checks = context === null ? noChecks(blocks) : planChecks(blocks, context);
    findUses(blocks, types, checks);
    findDirty(blocks);
    findLive(blocks, checks.kept);
    return { blocks, types, checks };
  }
}
