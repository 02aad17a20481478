/**
 * What the code generator must know of a region's control flow: order, dominators, loops, how long a path can get
 * between two looks at the budget, and which registers are dirty or needed where.
 *
 * A register is *dirty* when its local may be newer than the register file; it is *live* when its local is read before it is
 * written, or dirty at an exit, since exits write back what may be dirty. So whatever an exit writes back is in its local on
 * every path.
 */
import { noChecks, planChecks, type Access, type Checks, type CheckContext } from './checks.ts';
import type { Insn } from './insn.ts';
import { equal, floatUse, NONE, union, type FloatTypes, type Regs } from './registers.ts';
import type { Block, Edge, RegionCode, Terminator } from './region.ts';
import { mapEdges, unroll } from './unroll.ts';

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
  /** Registers in locals that it writes, and those that it reads before it writes them. */
  writes: Regs;
  reads: Regs;
  /** What it has written where it may leave the region in its midst: from the first such place on, each time that it is more. */
  readonly writtenAtBails: Regs[];
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
  const note = ({ block }: Edge): void => {
    if (block >= 0) next.push(block);
  };
  if (end.kind === 'branch') {
    note(end.taken);
    note(end.fall);
  } else if (end.kind === 'jump') note(end.to);
  else if (end.kind === 'call') note(end.back);
  else {
    end.targets.forEach(note);
    if (end.otherwise !== null) note(end.otherwise);
  }
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
      writes: NONE,
      reads: NONE,
      writtenAtBails: [],
      dirtyIn: NONE,
      dirtyOut: NONE,
      liveIn: NONE,
    };
  });
  for (let i = 0; i < renumbered.length; i++) {
    const { next } = renumbered[i];
    for (let k = 0; k < next.length; k++) renumbered[next[k]].previous.push(i);
  }
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
  let found = false;
  for (let i = 0; i < blocks.length; i++) {
    const { next } = blocks[i];
    for (let k = 0; k < next.length; k++) if (next[k] <= i) found ||= isBad(i, next[k]);
  }
  if (!found) return null;
  return blocks.map(({ pc, insns, end }, i): Block => {
    const edge = (e: Edge): Edge => (isBad(i, e.block) ? { block: -1, pc: e.pc } : e);
    return { pc, insns, end: mapEdges(end, edge) };
  });
}

function findLoops(blocks: readonly FlowBlock[]): void {
  // The natural loop: what reaches an edge back to its header without passing it.
  const bodies = new Map<number, Set<number>>();
  for (let from = 0; from < blocks.length; from++) {
    const { next } = blocks[from];
    for (let k = 0; k < next.length; k++) {
      const to = next[k];
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
      for (let k = 0; k < block.next.length; k++) {
        const to = block.next[k];
        if (to > i && !blocks[to].isLoop && blocks[to].need > longest) longest = blocks[to].need;
      }
    }
    block.need = block.count + longest;
  }
}

/** It may leave the region in its midst. `assumes`: floating point is known to be switched on. */
function mayBail({ traits, floats }: Insn, access: Access | null, assumes: boolean): boolean {
  if (floats && (traits.fp !== null || !assumes)) return true;
  return access === null ? traits.load || traits.store : access.look > 0;
}

/** What each block's instructions do with registers, all of them together and up to where they may leave. */
function findUses(blocks: readonly FlowBlock[], types: FloatTypes, checks: Checks): void {
  const assumes = types.size > 0;
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    const { insns, writtenAtBails } = block;
    const lastBail = isExpected(block.end) ? insns.length - 1 : -1;
    const planned = checks.accesses[i];
    let readX = 0;
    let readF = 0;
    let writtenX = 0;
    let writtenF = 0;
    let last: Regs | null = null;
    for (let j = 0; j < insns.length; j++) {
      const insn = insns[j];
      if (
        (j === lastBail || mayBail(insn, planned[j], assumes)) &&
        (last === null || last.x !== writtenX || last.f !== writtenF)
      ) {
        last = { x: writtenX, f: writtenF };
        writtenAtBails.push(last);
      }
      readX |= insn.reads & ~writtenX;
      writtenX |= insn.writes;
      if (assumes && insn.floats) {
        const { reads, writes } = floatUse(insn, types);
        readF |= reads & ~writtenF;
        writtenF |= writes;
      }
    }
    block.writes = { x: writtenX, f: writtenF };
    block.reads = { x: readX, f: readF };
  }
}

function findDirty(blocks: readonly FlowBlock[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i];
      const dirty = union(block.dirtyIn, block.writes);
      block.dirtyOut = dirty;
      // A call writes everything back.
      if (block.end.kind === 'call') continue;
      for (let k = 0; k < block.next.length; k++) {
        const next = blocks[block.next[k]];
        if (((dirty.x & ~next.dirtyIn.x) | (dirty.f & ~next.dirtyIn.f)) === 0) continue;
        next.dirtyIn = union(next.dirtyIn, dirty);
        changed = true;
      }
    }
  }
}

/** True when an edge leaves the region. */
function leaves(end: Terminator): boolean {
  if (end.kind === 'branch') return end.taken.block < 0 || end.fall.block < 0;
  if (end.kind === 'indirect') return end.otherwise === null;
  return end.kind === 'jump' && end.to.block < 0;
}

/** A jump to a computed address of which one place alone is known: a function's return to its caller's region, mostly. */
export function isExpected(end: Terminator): boolean {
  return end.kind === 'indirect' && end.targets.length === 1 && end.otherwise === null;
}

/** Registers live before a block. */
function liveBefore(blocks: readonly FlowBlock[], block: FlowBlock, kept: number): Regs {
  const { end, next, dirtyIn, dirtyOut, writes, reads, writtenAtBails } = block;
  const isOut = end.kind === 'call' || leaves(end);
  let x = isOut ? dirtyOut.x : 0;
  let f = isOut ? dirtyOut.f : 0;
  if (end.kind === 'call') {
    // What is to be compared when the call comes back.
    if (end.back.block >= 0) x |= blocks[end.back.block].liveIn.x & kept;
  } else {
    for (let k = 0; k < next.length; k++) {
      const { liveIn } = blocks[next[k]];
      x |= liveIn.x;
      f |= liveIn.f;
    }
  }
  x = (x & ~writes.x) | reads.x;
  f = (f & ~writes.f) | reads.f;
  if (writtenAtBails.length > 0) {
    x |= dirtyIn.x & ~writtenAtBails[0].x;
    f |= dirtyIn.f & ~writtenAtBails[0].f;
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
