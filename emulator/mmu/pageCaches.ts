/**
 * The page caches of tier 1: for each look at the TLB in compiled code, the page that it found last. An entry is filled by
 * `lookUp` (tier0/lookUp.ts) and lives until anything in the TLB is taken back, or other views are chosen.
 *
 * Entries of one pool may be shared, since all its looks ask for the same: to read or to write, groups of at most so many bytes.
 */
import * as layout from '../layout.ts';

/** The spans, in bytes, that the pools for each direction are for. */
export const CACHE_SPANS = [16, 64, 512, 2048] as const;

/** How often an entry was not the right one, and how often the TLB did not say or the pages were apart. */
export interface CacheCounts {
  readonly misses: number;
  readonly failures: number;
}

export class PageCaches {
  readonly #words: Int32Array;
  /** Entries of each pool that looks use, and the next to be given away. */
  readonly #used = new Int32Array(layout.PAGE_CACHE_POOLS);
  readonly #next = new Int32Array(layout.PAGE_CACHE_POOLS);

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Int32Array(memory.buffer, 0, layout.RAM >>> 2);
  }

  /** The address of an entry for groups of at most CACHE_SPANS[size] bytes. */
  reserve(write: boolean, size: number): number {
    const pool = (write ? CACHE_SPANS.length : 0) + size;
    const index = this.#next[pool] as number;
    this.#next[pool] = (index + 1) % layout.PAGE_CACHE_POOL_SIZE;
    this.#used[pool] = Math.max(this.#used[pool] as number, index + 1);
    return layout.PAGE_CACHES + (pool * layout.PAGE_CACHE_POOL_SIZE + index) * layout.PAGE_CACHE_BYTES;
  }

  /** The same for an entry that `reserve` gave for this in another machine: it may be shared. */
  share(entry: number): number {
    const index = (entry - layout.PAGE_CACHES) / layout.PAGE_CACHE_BYTES;
    const pool = Math.floor(index / layout.PAGE_CACHE_POOL_SIZE);
    this.#used[pool] = Math.max(this.#used[pool] as number, (index % layout.PAGE_CACHE_POOL_SIZE) + 1);
    return entry;
  }

  /** Forgets all pages. Every switch to another address space comes here, and every change of an entry of a page table. */
  clear(): void {
    const words = this.#words;
    const cached = words[layout.PAGES_CACHED >>> 2] as number;
    if (cached === 0) return;
    words[layout.PAGES_CACHED >>> 2] = 0;
    if (cached > layout.PAGES_LISTED) {
      this.#clearUsed();
      return;
    }
    const list = layout.PAGES_LIST >>> 2;
    for (let n = 0; n < cached; n++) words[((words[list + n] as number) + layout.CACHED_ROOM) >>> 2] = 0;
  }

  /** Forgets what holds that page, a number, among others. */
  clearPage(page: number): void {
    const words = this.#words;
    const cached = words[layout.PAGES_CACHED >>> 2] as number;
    if (cached === 0) return;
    if (cached > layout.PAGES_LISTED) {
      this.clear();
      return;
    }
    const list = layout.PAGES_LIST >>> 2;
    const address = page << 12;
    let left = 0;
    for (let n = 0; n < cached; n++) {
      const entry = words[list + n] as number;
      if (this.#holds(entry, address) || this.#holds(entry + layout.CACHED_BEFORE, address))
        words[(entry + layout.CACHED_ROOM) >>> 2] = 0;
      else words[list + left++] = entry;
    }
    words[layout.PAGES_CACHED >>> 2] = left;
  }

  /** Whether the page at that address is one of the run: those that begin in front of where its last group may. */
  #holds(run: number, address: number): boolean {
    const first = this.#words[(run + layout.CACHED_PAGE) >>> 2] as number;
    const room = this.#words[(run + layout.CACHED_ROOM) >>> 2] as number;
    return (address - first) >>> 0 < room >>> 0;
  }

  /** No call in it: `fill` costs as much as 50 entries. */
  #clearUsed(): void {
    const words = this.#words;
    const stride = layout.PAGE_CACHE_BYTES >>> 2;
    for (let pool = 0; pool < layout.PAGE_CACHE_POOLS; pool++) {
      const first = (layout.PAGE_CACHES + layout.CACHED_ROOM) >>> 2;
      const from = first + pool * layout.PAGE_CACHE_POOL_SIZE * stride;
      const end = from + (this.#used[pool] as number) * stride;
      for (let at = from; at < end; at += stride) words[at] = 0;
    }
  }

  #counts(entry: number): number {
    return (layout.PAGE_CACHE_COUNTS + (entry - layout.PAGE_CACHES) / 2) >>> 2;
  }

  counts(entry: number): CacheCounts {
    const at = this.#counts(entry);
    return { misses: this.#words[at] as number, failures: this.#words[at + 1] as number };
  }

  /** Begins to count anew. */
  resetCounts(): void {
    const first = layout.PAGE_CACHE_COUNTS >>> 2;
    this.#words.fill(0, first, first + 2 * layout.PAGE_CACHE_POOLS * layout.PAGE_CACHE_POOL_SIZE);
  }
}
