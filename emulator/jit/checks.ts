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
import type { Insn } from './insn.ts';
import type { Block } from './region.ts';

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
  /** By block: groups whose root is made anew where it begins, by its instructions, by its call; by the place's number, `placeOf`. */
  readonly remade: readonly Remade[];
}

/** Undefined, as at most places: none. */
export type Remade = readonly (readonly Group[] | undefined)[];

/** The root is the same whenever control comes round in that loop. */
export function isInvariant({ origins }: Group, loop: ReadonlySet<number> | null): boolean {
  return loop !== null && !origins.some(({ block }) => loop.has(block));
}

/** Every access looks for itself. */
export function noChecks(blocks: readonly Block[]): Checks {
  return {
    accesses: blocks.map(({ insns }) => insns.map(() => null)),
    kept: 0,
    remade: blocks.map(() => []),
  };
}

/** Where in its block a root is made: before the first instruction, 0, behind one of them, its index + 1, or behind the call in the end. */
function placeOf(origin: Origin, block: Block): number {
  if (origin.kind === 'merge') return 0;
  return 1 + (origin.kind === 'result' ? origin.index : block.insns.length);
}

interface Use {
  readonly block: number;
  readonly index: number;
  readonly insn: Insn;
  readonly offset: number;
  readonly end: number;
}

class Planner {
  readonly #blocks: readonly LoopBlock[];
  readonly #addresses: Addresses;
  readonly #context: CheckContext;
  readonly groups: Group[] = [];
  readonly accesses: (Access | null)[][];
  readonly remade: (Group[] | undefined)[][];
  /** What a walk through a block meets, in order: instructions that access, and the complements of groups that are made anew. */
  readonly #events: number[][] = [];

  constructor(blocks: readonly LoopBlock[], addresses: Addresses, context: CheckContext) {
    this.#blocks = blocks;
    this.#context = context;
    this.#addresses = addresses;
    this.accesses = blocks.map(({ insns }) => Array<Access | null>(insns.length).fill(null));
    this.remade = blocks.map(() => []);
    this.#group();
    for (let block = 0; block < blocks.length; block++) this.#events.push(this.#eventsOf(block));
  }

  #group(): void {
    const addresses = this.#addresses;
    const uses = new Map<number, Use[]>();
    for (let block = 0; block < this.#blocks.length; block++) {
      const { insns } = this.#blocks[block];
      for (let index = 0; index < insns.length; index++) {
        const insn = insns[index];
        const { bytes } = insn.traits;
        if (bytes === 0) continue;
        const root = addresses.rootOf(block, index);
        const offset = addresses.offsetOf(block, index);
        const use = { block, index, insn, offset, end: offset + bytes };
        const others = uses.get(root);
        if (others === undefined) uses.set(root, [use]);
        else others.push(use);
      }
    }
    for (const [root, list] of uses) this.#cluster(root, list);
  }

  #eventsOf(block: number): number[] {
    const accesses = this.accesses[block];
    const remade = this.remade[block];
    const events: number[] = [];
    for (let place = 0; place <= accesses.length + 1; place++) {
      if (place > 0 && accesses[place - 1]) events.push(place - 1);
      const groups = remade[place];
      if (groups !== undefined) for (const { index } of groups) events.push(~index);
    }
    return events;
  }

  #cluster(root: number, uses: Use[]): void {
    if (uses.length > 1) uses.sort((a, b) => a.offset - b.offset);
    const spans = this.#addresses.isStack(root) ? MAX_FRAME : MAX_SPAN;
    for (let from = 0; from < uses.length;) {
      const low = uses[from].offset;
      let { end } = uses[from];
      let to = from + 1;
      let limit = PAGE_SIZE;
      for (; to <= uses.length; to++) {
        limit = Math.min(limit, spans[this.#context.reachOf(uses[to - 1].insn.pc)]);
        if (to === uses.length || Math.max(end, uses[to].end) - low > limit) break;
        end = Math.max(end, uses[to].end);
      }
      this.#add(root, low, end - low, uses.slice(from, to));
      from = to;
    }
  }

  #add(root: number, low: number, span: number, uses: readonly Use[]): void {
    const origins = this.#addresses.origins(root);
    const pcs: number[] = [];
    let level: Group['level'] = READABLE;
    for (let i = 0; i < uses.length; i++) {
      const { insn } = uses[i];
      pcs.push(insn.pc);
      if (insn.traits.store) level = WRITABLE;
    }
    const group: Group = {
      index: this.groups.length,
      origins,
      low,
      span,
      pcs,
      lazy: false,
      level,
      stack: this.#addresses.isStack(root),
      walksPages: this.#walksPages(root, uses),
    };
    this.groups.push(group);
    for (const origin of origins) {
      const made = this.remade[origin.block];
      const there = (made[placeOf(origin, this.#blocks[origin.block])] ??= []);
      if (!there.includes(group)) there.push(group);
    }
    for (let i = 0; i < uses.length; i++) {
      const { block, index, offset } = uses[i];
      this.accesses[block][index] = { group, offset: offset - low, look: 0 };
    }
  }

  #walksPages(root: number, uses: readonly Use[]): boolean {
    let known: ReadonlySet<number> | null = null;
    for (let i = 0; i < uses.length; i++) {
      const { loop } = this.#blocks[uses[i].block];
      if (loop === null || loop === known) continue;
      known = loop;
      const step = this.#addresses.stepOf(root, loop);
      if (step !== 0 && step % PAGE_SIZE === 0) return true;
    }
    return false;
  }

  /** What a look at that access should make sure of, so that it serves those behind it too. */
  #wanted(block: number, index: number, { group }: Access): 1 | 2 {
    const { insns } = this.#blocks[block];
    if (group.pcs.length === 1) return insns[index].traits.store ? WRITABLE : READABLE;
    if (group.stack) return WRITABLE;
    if (group.lazy) return group.level;
    const accesses = this.accesses[block];
    for (let i = index; i < insns.length; i++)
      if (insns[i].traits.store && accesses[i]?.group === group) return WRITABLE;
    return READABLE;
  }

  /** What is sure behind a block, in place of what is before it. */
  #walk(block: number, sure: Uint8Array): void {
    const accesses = this.accesses[block];
    const { insns } = this.#blocks[block];
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
      const need = insns[event].traits.store ? WRITABLE : READABLE;
      if (sure[index] < need) sure[index] = access.look = this.#wanted(block, event, access);
    }
  }

  /** Places the looks: what is sure before a block is what is sure behind all its predecessors. */
  place(): void {
    const blocks = this.#blocks;
    const count = this.groups.length;
    /** A row for each block. */
    const sure = new Uint8Array(count * blocks.length).fill(WRITABLE);
    sure.fill(0, 0, count);
    const behind = new Uint8Array(count);
    // Blocks before which less is sure than when they were walked through.
    const stale = new Uint8Array(blocks.length).fill(1);
    for (let changed = true; changed;) {
      changed = false;
      for (let i = 0; i < stale.length; i++) {
        if (stale[i] === 0) continue;
        stale[i] = 0;
        for (let g = 0; g < count; g++) behind[g] = sure[count * i + g];
        this.#walk(i, behind);
        const { next } = blocks[i];
        for (let k = 0; k < next.length; k++) {
          if (!lower(sure, count * next[k], behind)) continue;
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
      const accesses = this.accesses[block];
      for (let i = 0; i < accesses.length; i++) {
        const access = accesses[i];
        if (access === null || access.look === 0 || !isInvariant(access.group, loop)) continue;
        access.group.lazy = true;
        found = true;
      }
    }
    return found;
  }
}

/** Lowers what is above a limit in the row of levels from there on; true when something was. */
function lower(levels: Uint8Array, from: number, limits: Uint8Array): boolean {
  let changed = false;
  for (let i = 0; i < limits.length; i++) {
    if (levels[from + i] <= limits[i]) continue;
    levels[from + i] = limits[i];
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
    remade: planner.remade,
  };
}
