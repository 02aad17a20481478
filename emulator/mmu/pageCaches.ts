/**
 * The page caches of tier 1: for each look at the TLB in compiled code, the page that it found last. An entry is filled by
 * `lookUp` (tier0/lookUp.ts) and lives until one of its pages is taken back from the TLB, or other views are chosen, or sooner.
 *
 * Entries of one pool may be shared, since all its looks ask for the same: to read or to write, groups of at most so many bytes.
 */
import * as layout from '../layout.ts';

/** The spans, in bytes, that the pools for each direction are for. */
export const CACHE_SPANS = [16, 64, 512, 2048] as const;

// Of an entry, in words.
const PAGE = layout.CACHED_PAGE >>> 2;
const ROOM = layout.CACHED_ROOM >>> 2;
/** The run that it held before. */
const BEFORE = layout.CACHED_BEFORE >>> 2;

/** With more entries that hold something it costs more to look at each than to fill those anew that are used. */
const FEW = 16;
/** After so many changes of single pages all are forgotten: else those stay in the way whose code is not running any more. */
const ALL_AFTER = 16;

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
  /** Changes of single pages since all were forgotten, as far as anything was cached. */
  #changes = 0;

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

  /** Forgets all pages. Every switch to another address space comes here. */
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
    for (let n = 0; n < cached; n++) words[((words[list + n] as number) >>> 2) + ROOM] = 0;
  }

  /** Forgets what holds that page, a number, among others; or all, where that costs less. Every change of an entry of a page table comes here. */
  clearPage(page: number): void {
    const words = this.#words;
    const cached = words[layout.PAGES_CACHED >>> 2] as number;
    if (cached === 0) return;
    this.#changes++;
    if (cached > FEW || this.#changes >= ALL_AFTER) {
      this.#changes = 0;
      this.clear();
      return;
    }
    const list = layout.PAGES_LIST >>> 2;
    const address = page << 12;
    let left = 0;
    for (let n = 0; n < cached; n++) {
      const entry = words[list + n] as number;
      // A group begins where the last of its run's pages does, or in front of that.
      const at = entry >>> 2;
      const isHeld = (address - (words[at + PAGE] as number)) >>> 0 < (words[at + ROOM] as number);
      const wasHeld =
        (address - (words[at + BEFORE + PAGE] as number)) >>> 0 < (words[at + BEFORE + ROOM] as number);
      if (isHeld || wasHeld) words[at + ROOM] = 0;
      else words[list + left++] = entry;
    }
    words[layout.PAGES_CACHED >>> 2] = left;
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
