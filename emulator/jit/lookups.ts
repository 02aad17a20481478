/**
 * The memory accesses of a region: looks at the TLB as checks.ts plans them, and what depends on them.
 *
 * A look compares with the page that it found last, in its page cache: a subtraction and a comparison. When that is another page,
 * `lookUp` reads the TLB; so it does for a group that straddles two pages, which passes if they lie one behind the other in
 * RAM too. Where looks meet too many pages for that they read the TLB's table themselves.
 */
import {
  get,
  i32const,
  isGet,
  loadState,
  memoryOp,
  set,
  storeState,
  type HostPlace,
} from '../codegen/emitter.ts';
import { InlineEmitter } from '../codegen/inlineEmitter.ts';
import type { I32 } from '../isa/builder.ts';
import * as layout from '../layout.ts';
import { CACHE_SPANS } from '../mmu/pageCaches.ts';
import { askOf } from '../tier0/lookUp.ts';
import { isInvariant, WRITABLE, type Access, type Group } from './checks.ts';
import { READ, WRITE, type KnownOperands } from './frame.ts';
import { byte, uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

const PAGE = 4096;

/**
 * Stores behind a look that walks by whole pages. All that such a loop touches falls into one set of the host's first-level cache, and a
 * processor with more rounds in flight than the set has ways evicts what it has just fetched. These keep it from running ahead: they
 * fill its queue of stores.
 */
const IDLE_STORES = 8;

/** Index among a region's functions of the imported `lookUp`. */
const LOOK_UP = 0;

/** A look of a region: the instruction that looks, all that it may look for, and its page cache. */
export interface Look {
  readonly pc: number;
  readonly pcs: readonly number[];
  readonly cache: number;
}

/** What looks need of the world around the region. */
export interface LookContext {
  /** Gives away a page cache: its address. `size`: of CACHE_SPANS. */
  reserve(write: boolean, size: number): number;
  /** The look of that instruction meets too many pages for a cache to be of use. */
  isWild(pc: number): boolean;
}

export abstract class LookupEmitter extends InlineEmitter<KnownOperands> {
  readonly looks: Look[] = [];
  protected abstract readonly lookContext: LookContext;
  /** The host address of each group's first byte. */
  readonly #hosts = new Map<Group, number>();
  #vectorLocal: number | null = null;
  /** Some access reads the tables of the TLB, at READ and WRITE. */
  protected readsTables = false;
  /** Of the instruction under way: what is planned for its access, and the innermost loop around it. */
  protected access: Access | null = null;
  protected loop: ReadonlySet<number> | null = null;

  /** if (condition) { then }, which is not to be expected. */
  protected abstract ifUnlikely(condition: Code, then: () => void): void;

  #hostOf(group: Group): number {
    let host = this.#hosts.get(group);
    if (host === undefined) this.#hosts.set(group, (host = this.locals.keep('i32')));
    return host;
  }

  protected override place(size: number, address: I32, write: boolean): HostPlace {
    const { access } = this;
    if (access === null) return super.place(size, address, write);
    const { group, offset, look } = access;
    const local = this.#hostOf(group);
    if (look > 0) {
      const start = this.op('add', address, this.i32(-offset));
      if (group.lazy && isInvariant(group, this.loop)) {
        this.ifUnlikely(get(local) + OP.i32_eqz, () => {
          this.#look(group, start, look === WRITABLE, 1);
        });
      } else {
        this.#look(group, start, look === WRITABLE, 0);
      }
    }
    return { local, offset };
  }

  protected override lookUp(va: I32, size: number, write: boolean, pages: number, depth?: number): void {
    this.readsTables = true;
    super.lookUp(va, size, write, pages, depth);
  }

  /** The groups' root is made anew: what is looked at once is looked at again. */
  protected forget(groups: readonly Group[] | undefined): void {
    if (groups === undefined) return;
    for (const group of groups) if (group.lazy) this.out += i32const(0) + set(this.#hostOf(group));
  }

  /** What `lookUp` is called with besides: nobody sets or reads it. */
  get #vector(): number {
    return (this.#vectorLocal ??= this.locals.keep('v128'));
  }

  /** An address that is to be used often: its code where it is used first, and behind that. */
  #often({ code, constant }: I32): { first: Code; va: Code } {
    if (isGet(code) || constant !== undefined) return { first: code, va: code };
    const local = this.locals.take('i32');
    return { first: code + OP.local_tee + uleb(local), va: get(local) };
  }

  #look(group: Group, start: I32, write: boolean, depth: number): void {
    const { pc } = this.operands.insn;
    const size = CACHE_SPANS.findIndex((span) => group.span <= span);
    const cache = this.lookContext.reserve(write, size);
    this.looks.push({ pc, pcs: group.pcs, cache });
    const { first, va } = this.#often(start);
    const host = this.#hostOf(group);
    const call = va + i32const(askOf(cache, group.span)) + get(this.#vector) + OP.call + byte(LOOK_UP);
    if (this.lookContext.isWild(pc)) {
      this.#lookAtTable(group, first, va, write, depth, call);
      return;
    }
    const distance = first + loadState(cache + layout.CACHED_PAGE) + OP.i32_sub;
    this.ifUnlikely(distance + loadState(cache + layout.CACHED_ROOM) + OP.i32_ge_u, () => {
      this.bailIf(call + OP.i32_eqz, depth + 1);
    });
    // Read now, so that nothing hangs on which way control came.
    this.out += va + loadState(cache + layout.CACHED_DELTA) + OP.i32_add + set(host);
    if (group.walksPages) this.out += storeState(layout.IDLE, get(host)).repeat(IDLE_STORES);
  }

  #lookAtTable(group: Group, first: Code, va: Code, write: boolean, depth: number, call: Code): void {
    const { span } = group;
    this.readsTables = true;
    const page = this.locals.take('i32');
    const index = first + i32const(10) + OP.i32_shr_u + i32const(0x3f_fffc) + OP.i32_and;
    const entry = get(write ? WRITE : READ) + index + OP.i32_add + memoryOp(OP.i32_load, 2, 0);
    this.out += entry + i32const(1) + OP.i32_sub + set(page);
    const low = span > 1 ? get(page) + va + OP.i32_or : get(page);
    const misaligned = low + i32const((span - 1) | 1) + OP.i32_and;
    // With one access, misalignment stands for straddling. Else bit 12 tells either that the entry is invalid or that
    // the last byte is in another page.
    const last = va + i32const(PAGE - 1) + OP.i32_and + i32const(span - 1) + OP.i32_add;
    const invalid = get(page) + i32const(12) + OP.i32_shl;
    const beyond = invalid + last + OP.i32_or + i32const(PAGE) + OP.i32_and;
    this.ifUnlikely(span <= 8 && (span & (span - 1)) === 0 ? misaligned : beyond, () => {
      this.out += call + va + OP.i32_xor + OP.local_tee + uleb(page) + va + OP.i32_xor;
      this.bailIf(OP.i32_eqz, depth + 1);
    });
    this.out += get(page) + va + OP.i32_xor + set(this.#hostOf(group));
  }
}
