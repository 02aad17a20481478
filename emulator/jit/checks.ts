/**
 * Where a region looks at the TLB, and for how much at once.
 *
 * Accesses at constant distances from one root form a *group*: one look makes sure that all of the group's bytes may be
 * accessed and lie in one piece of RAM, and leaves the host address of the group's first byte in a local. It serves every access of
 * the group that it dominates, until the root is made anew: nothing changes the TLB while regions run, but for environment calls,
 * and regions that wait for one that did return at once. A look asks for bytes
 * that may never be accessed; where that fails too often (pages apart in RAM, or not there), the region is made again with
 * smaller groups.
 */
import { Addresses, type Origin } from './addresses.ts';
import type { Block, Insn } from './region.ts';

const PAGE_SIZE = 4096;

/** What a look has made sure of. */
export const READABLE = 1;
export const WRITABLE = 2;

/**
 * How much looks ask for: as much as they like; not so much; no more than the access under way needs.
 */
export type Reach = 0 | 1 | 2;

/**
 * Bytes from a group's first to its last at most, by reach: more, and it straddles pages too often. A stack frame is used as
 * a whole.
 */
const MAX_SPAN = [512, 64, 0] as const;
const MAX_FRAME = [2048, 64, 0] as const;

/** What planning looks asks. */
export interface CheckContext {
  /** The reach for the look of an instruction. */
  reachOf(pc: number): Reach;
  /** What a register holds when the region is entered, as far as one can guess. */
  entered(register: number): number;
}

export interface Group {
  readonly index: number;
  /** Where its root is made anew. */
  readonly origins: readonly Origin[];
  /** From the root to the first byte. */
  readonly low: number;
  /** Bytes from the first to behind the last. */
  readonly span: number;
  /** The instructions that access it. */
  readonly pcs: readonly number[];
  /**
   * A loop accesses it whose root is not made in that loop: it is looked at once, when its local is still zero, and the local is zero
   * again when the root is made anew. All looks then ask for `level`.
   */
  lazy: boolean;
  /** The most that an access needs. */
  readonly level: typeof READABLE | typeof WRITABLE;
  readonly stack: boolean;
  /** A loop goes through memory with it by whole pages, one or more a round. */
  readonly walksPages: boolean;
}

export interface Access {
  readonly group: Group;
  /** From the group's first byte. */
  readonly offset: number;
  /** What the access has to make sure of; 0: an earlier look serves. */
  look: 0 | typeof READABLE | typeof WRITABLE;
}

/** What this file must know of a block beyond its code. */
interface LoopBlock extends Block {
  /** Its successors and predecessors in the region. */
  readonly next: readonly number[];
  readonly previous: readonly number[];
  /** The blocks of the innermost loop around it; null: it lies in none. */
  readonly loop: ReadonlySet<number> | null;
}

export interface Checks {
  /** By block and instruction; null: no plain load or store, or one that looks for itself. */
  readonly accesses: readonly (readonly (Access | null)[])[];
  /** Registers that calls are trusted to preserve. */
  readonly kept: number;
  /** Groups whose root is made anew where a block begins (no index), by an instruction, by its call (index: its length). */
  readonly remade: (block: number, index?: number) => readonly Group[];
}

const NO_GROUPS: readonly Group[] = [];

/** The root is the same whenever control comes round in that loop. */
export function isInvariant({ origins }: Group, loop: ReadonlySet<number> | null): boolean {
  return loop !== null && !origins.some(({ block }) => loop.has(block));
}

/** Every access looks for itself. */
export function noChecks(blocks: readonly Block[]): Checks {
  return {
    accesses: blocks.map(({ insns }) => insns.map(() => null)),
    kept: 0,
    remade: () => NO_GROUPS,
  };
}

/** Where in its block a root is made: before the first instruction, -1, behind one, or behind all. */
function placeOf(origin: Origin, block: Block): number {
  if (origin.kind === 'merge') return -1;
  return origin.kind === 'result' ? origin.index : block.insns.length;
}

interface Use {
  readonly block: number;
  readonly index: number;
  readonly offset: number;
  readonly end: number;
  readonly store: boolean;
}

const isStore = (insn: Insn): boolean => insn.instruction.traits.store;

class Planner {
  readonly #blocks: readonly LoopBlock[];
  readonly #addresses: Addresses;
  readonly #context: CheckContext;
  readonly groups: Group[] = [];
  readonly accesses: (Access | null)[][];
  /**
   * Groups whose root is made anew at a block's beginning, by its instructions, at its call: by the place's number, one more than
   * `placeOf` says. Undefined, as at most places: none.
   */
  readonly #made: (Group[] | undefined)[][];
  /** What a walk through a block meets, in order: instructions that access, and the complements of groups that are made anew. */
  readonly #events: number[][] = [];

  constructor(blocks: readonly LoopBlock[], addresses: Addresses, context: CheckContext) {
    this.#blocks = blocks;
    this.#context = context;
    this.#addresses = addresses;
    this.accesses = blocks.map(({ insns }) => Array<Access | null>(insns.length).fill(null));
    this.#made = blocks.map(() => []);
    this.#group();
    for (let block = 0; block < blocks.length; block++) this.#events.push(this.#eventsOf(block));
  }

  #group(): void {
    const uses = new Map<number, Use[]>();
    for (let block = 0; block < this.#blocks.length; block++) {
      const { insns } = this.#blocks[block];
      for (const { index, root, offset } of this.#addresses.accesses(block)) {
        const { bytes, store } = insns[index].instruction.traits;
        const use = { block, index, offset, end: offset + bytes, store };
        const others = uses.get(root);
        if (others === undefined) uses.set(root, [use]);
        else others.push(use);
      }
    }
    for (const [root, list] of uses) this.#cluster(root, list);
  }

  #eventsOf(block: number): number[] {
    const accesses = this.accesses[block];
    const made = this.#made[block];
    const events: number[] = [];
    for (let place = 0; place <= accesses.length + 1; place++) {
      if (place > 0 && accesses[place - 1]) events.push(place - 1);
      for (const { index } of made[place] ?? NO_GROUPS) events.push(~index);
    }
    return events;
  }

  #cluster(root: number, uses: Use[]): void {
    if (uses.length > 1) uses.sort((a, b) => a.offset - b.offset);
    const stack = this.#addresses.isStack(root);
    for (let from = 0; from < uses.length;) {
      const low = uses[from].offset;
      let end = uses[from].end;
      let to = from + 1;
      let limit = 4096;
      for (; to <= uses.length; to++) {
        const last = uses[to - 1];
        const { pc } = this.#blocks[last.block].insns[last.index];
        limit = Math.min(limit, (stack ? MAX_FRAME : MAX_SPAN)[this.#context.reachOf(pc)]);
        if (to === uses.length || Math.max(end, uses[to].end) - low > limit) break;
        end = Math.max(end, uses[to].end);
      }
      this.#add(root, low, end - low, uses.slice(from, to));
      from = to;
    }
  }

  #add(root: number, low: number, span: number, uses: readonly Use[]): void {
    const origins = this.#addresses.origins(root);
    const level = uses.some(({ store }) => store) ? WRITABLE : READABLE;
    const group: Group = {
      index: this.groups.length,
      origins,
      low,
      span,
      pcs: uses.map(({ block, index }) => this.#blocks[block].insns[index].pc),
      lazy: false,
      level,
      stack: this.#addresses.isStack(root),
      walksPages: uses.some(({ block }) => this.#isWalk(root, block)),
    };
    this.groups.push(group);
    for (const origin of origins) {
      const made = this.#made[origin.block];
      const there = (made[placeOf(origin, this.#blocks[origin.block]) + 1] ??= []);
      if (!there.includes(group)) there.push(group);
    }
    for (const { block, index, offset } of uses)
      this.accesses[block][index] = { group, offset: offset - low, look: 0 };
  }

  #isWalk(root: number, block: number): boolean {
    const { loop } = this.#blocks[block];
    const step = loop === null ? 0 : this.#addresses.stepOf(root, loop);

    return step !== 0 && step % PAGE_SIZE === 0;
  }

  /** What a look at that access should make sure of, so that it serves those behind it too. */
  #wanted(block: number, index: number, { group }: Access): 1 | 2 {
    if (group.pcs.length === 1) return isStore(this.#blocks[block].insns[index]) ? WRITABLE : READABLE;
    if (group.stack) return WRITABLE;
    if (group.lazy) return group.level;
    const { insns } = this.#blocks[block];
    const accesses = this.accesses[block];
    for (let i = index; i < insns.length; i++)
      if (accesses[i]?.group === group && isStore(insns[i])) return WRITABLE;
    return READABLE;
  }

  /** Groups whose root is made anew at that place of a block. */
  remade(block: number, index: number): readonly Group[] {
    return this.#made[block][index + 1] ?? NO_GROUPS;
  }

  /** What is sure behind a block, in place of what is before it. */
  #walk(block: number, sure: Uint8Array): void {
    const accesses = this.accesses[block];
    const events = this.#events[block];
    for (let k = 0; k < events.length; k++) {
      const event = events[k];
      if (event < 0) {
        sure[~event] = 0;
        continue;
      }
      const access = accesses[event] as Access;
      const { index } = access.group;
      access.look = 0;
      const need = isStore(this.#blocks[block].insns[event]) ? WRITABLE : READABLE;
      if (sure[index] < need) sure[index] = access.look = this.#wanted(block, event, access);
    }
  }

  /** Places the looks: what is sure before a block is what is sure behind all its predecessors. */
  place(): void {
    const count = this.groups.length;
    const sure = this.#blocks.map((_b, i) => new Uint8Array(count).fill(i === 0 ? 0 : WRITABLE));
    // Blocks before which less is sure than when they were walked through.
    const stale = new Uint8Array(sure.length).fill(1);
    for (let changed = true; changed;) {
      changed = false;
      for (let i = 0; i < stale.length; i++) {
        if (stale[i] === 0) continue;
        stale[i] = 0;
        const behind = sure[i].slice();
        this.#walk(i, behind);
        const { next } = this.#blocks[i];
        for (let k = 0; k < next.length; k++) {
          if (!lower(sure[next[k]], behind)) continue;
          stale[next[k]] = 1;
          changed = true;
        }
      }
    }
  }

  /** True when there are any. */
  findLazy(): boolean {
    let found = false;
    for (let block = 0; block < this.accesses.length; block++) {
      const { loop } = this.#blocks[block];
      if (loop === null) continue;
      for (const access of this.accesses[block]) {
        if (access === null || access.look === 0 || !isInvariant(access.group, loop)) continue;
        access.group.lazy = true;
        found = true;
      }
    }
    return found;
  }
}

/** Lowers what is above a limit; true when something was. */
function lower(levels: Uint8Array, limits: Uint8Array): boolean {
  let changed = false;
  for (let i = 0; i < levels.length; i++) {
    if (levels[i] <= limits[i]) continue;
    levels[i] = limits[i];
    changed = true;
  }
  return changed;
}

/** `blocks`: in reverse post-order. */
export function planChecks(blocks: readonly LoopBlock[], context: CheckContext): Checks {
  const addresses = new Addresses(blocks, (register) => context.entered(register));
  if (!addresses.settled) return noChecks(blocks);
  const planner = new Planner(blocks, addresses, context);
  planner.place();
  if (planner.findLazy()) planner.place();
  return {
    accesses: planner.accesses,
    kept: addresses.kept,
    remade: (block, index = -1) => planner.remade(block, index),
  };
}
