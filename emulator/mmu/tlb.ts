/**
 * The TLB: per view (address space and privilege) three full tables of 2^20 words, for read, write and fetch.
 *
 * A data entry is `(hostPage ^ virtualPage) + 1`; zero is invalid. An access of `size` bytes at `va` hits when
 * `((entry - 1) | va) & ((size - 1) | 1)` is zero: the entry is valid and the access aligned, so it cannot leave
 * the page; the host address is then `(entry - 1) ^ va`. (A byte leaves `va` out of the test.) Zero as the invalid
 * entry keeps untouched tables free of charge.
 *
 * A fetch entry is the address of the page's micro-ops (layout.ts, decoded pages).
 *
 * An entry may be left invalid on purpose: whoever wants to see every access to a page leaves it out here.
 */
import * as layout from '../layout.ts';
import { PageCaches } from './pageCaches.ts';
import type { TranslationView } from './sv32.ts';

export const TABLE_READ = 0;
export const TABLE_WRITE = 1;
export const TABLE_FETCH = 2;
export type Table = 0 | 1 | 2;

/** Entries a view remembers as filled before it is flushed whole: bounds the list, not the table. */
const MAX_FILLED = 1 << 16;
const PAGE_MASK = ~0xfff;
const FILLED_SHIFT = 2;
const FILLED_TABLE = 3;
/** Places for views that were selected lately; a power of two. */
const RECENT = 64;

interface View {
  /**
   * Entries that are valid, or were: the first `count`, each as the virtual page number << FILLED_SHIFT | the table. The rest is
   * room, which V8 would make anew each time.
   */
  readonly filled: number[];
  count: number;
  /** Virtual addresses >>> 22 of the 4 MiB pages among them: one leaf stands behind 1024 entries. */
  readonly megapages: Set<number>;
  /** Some of them are of fetches. */
  fetched: boolean;
}

/** The mode of a view that nobody has. */
const UNUSED = -1;

/** The part of satp that a view depends on, as an int32 so that comparing it is cheap: nothing when addresses are not translated. */
function viewSatp(view: TranslationView): number {
  return view.privilege === 3 || view.satp >>> 31 === 0 ? 0 : view.satp | 0;
}

/** SUM means something in S mode alone, MXR where addresses are translated. */
function viewMode(view: TranslationView): number {
  if (viewSatp(view) === 0) return view.privilege;
  return view.privilege | (view.privilege === 1 && view.sum ? 4 : 0) | (view.mxr ? 8 : 0);
}

/** One page as the TLB holds it, for the invariant checker. */
export interface TlbEntry {
  readonly va: number;
  /** Offset of the page in RAM. */
  readonly ramOffset: number;
  readonly writable: boolean;
}

export class Tlb {
  /** Of tier 1: what they hold is of the tables, so it goes when that does. */
  readonly caches: PageCaches;
  readonly #words: Int32Array;
  readonly #views: View[] = Array.from({ length: layout.VIEW_COUNT }, () => ({
    filled: [],
    count: 0,
    megapages: new Set(),
    fetched: false,
  }));
  // Of each view; side by side, since with many address spaces each switch looks at all of them.
  readonly #satps = new Int32Array(layout.VIEW_COUNT);
  /** Privilege, SUM and MXR in one number. */
  readonly #modes = new Int8Array(layout.VIEW_COUNT).fill(UNUSED);
  readonly #lastUses = new Float64Array(layout.VIEW_COUNT);
  /** Views that were selected lately, by a hash of their conditions: a context switch looks here first. */
  readonly #recent = new Uint8Array(RECENT);
  #uses = 0;
  /** Counts what makes knowledge of entries out of date: another view is selected, an entry goes. Filling one does not. */
  generation = 0;

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Int32Array(memory.buffer);
    this.caches = new PageCaches(memory);
  }

  /** Byte address of a view's table. */
  tableBase(view: number, table: Table): number {
    return layout.VIEWS + view * layout.VIEW_BYTES + table * layout.TABLE_BYTES;
  }

  /** The number of the view for these conditions; the least recently used one gives way. `keep` may not. */
  select(conditions: TranslationView, keep: number): number {
    this.generation++;
    const satp = viewSatp(conditions);
    const mode = viewMode(conditions);
    const place = (satp ^ mode) & (RECENT - 1);
    const recent = this.#recent[place] as number;
    const index = this.#matches(recent, satp, mode) ? recent : this.#find(satp, mode, keep);
    this.#recent[place] = index;
    this.#lastUses[index] = ++this.#uses;
    return index;
  }

  #matches(index: number, satp: number, mode: number): boolean {
    return this.#satps[index] === satp && this.#modes[index] === mode;
  }

  #find(satp: number, mode: number, keep: number): number {
    const satps = this.#satps;
    const modes = this.#modes;
    const lastUses = this.#lastUses;
    let oldest = 0;
    let leastUse = Infinity;
    for (let index = 0; index < layout.VIEW_COUNT; index++) {
      if (satps[index] === satp && modes[index] === mode) return index;
      const use = lastUses[index] as number;
      if (index === keep || use >= leastUse) continue;
      oldest = index;
      leastUse = use;
    }
    this.#flushView(oldest);
    this.#satps[oldest] = satp;
    this.#modes[oldest] = mode;
    return oldest;
  }

  #word(view: number, table: Table, page: number): number {
    return (this.tableBase(view, table) >>> 2) + page;
  }

  /** The entry, 0 when invalid. */
  entry(view: number, table: Table, va: number): number {
    return this.#words[this.#word(view, table, va >>> 12)] as number;
  }

  #fill(view: number, table: Table, page: number, value: number): void {
    const words = this.#words;
    const at = this.#word(view, table, page);
    if (words[at] === 0) {
      const { filled, count } = this.#views[view] as View;
      if (count >= MAX_FILLED) this.#flushView(view);
      filled[(this.#views[view] as View).count++] = (page << FILLED_SHIFT) | table;
    }
    words[at] = value;
  }

  /** Maps the page of `va` to RAM at `ramOffset` (of its page) for reading or writing. */
  fillData(view: number, table: 0 | 1, va: number, ramOffset: number): void {
    const hostPage = layout.RAM + (ramOffset & PAGE_MASK);
    this.#fill(view, table, va >>> 12, (hostPage ^ (va & PAGE_MASK)) + 1);
  }

  /** Maps the page of `va` to decoded micro-ops. */
  fillFetch(view: number, va: number, decoded: number): void {
    this.#fill(view, TABLE_FETCH, va >>> 12, decoded);
    (this.#views[view] as View).fetched = true;
  }

  /** Whether fillFetch() has filled anything since the view was empty. */
  hasFetched(view: number): boolean {
    return (this.#views[view] as View).fetched;
  }

  /** Entries for that address come from a leaf that maps 4 MiB. */
  noteMegapage(view: number, va: number): void {
    (this.#views[view] as View).megapages.add(va >>> 22);
  }

  /** Forgets what the leaf behind `va` gave. */
  #forget(index: number, va: number): void {
    if ((this.#views[index] as View).megapages.has(va >>> 22)) this.#flushView(index);
    else this.#clearPage(index, va >>> 12);
  }

  /** Entries are taken back: what was read of the tables is out of date. */
  #changed(): void {
    this.generation++;
    this.caches.clear();
  }

  #clearPage(view: number, page: number): void {
    this.generation++;
    this.caches.clearPage(page);
    const at = this.#word(view, TABLE_READ, page);
    const stride = layout.TABLE_BYTES >>> 2;
    this.#words[at] = 0;
    this.#words[at + stride] = 0;
    this.#words[at + 2 * stride] = 0;
  }

  #flushView(index: number): void {
    const view = this.#views[index] as View;
    const { filled, count } = view;
    if (count > 0) this.#changed();
    // Nothing else is written: what has never had an entry costs the host no memory, and other tables' words are not in the processor's cache.
    for (let n = 0; n < count; n++) this.#words[this.#filledWord(index, filled[n] as number)] = 0;
    view.count = 0;
    view.fetched = false;
    if (view.megapages.size > 0) view.megapages.clear();
  }

  /** Where the entry is that `filled` names. */
  #filledWord(view: number, entry: number): number {
    return this.#word(view, (entry & FILLED_TABLE) as Table, entry >>> FILLED_SHIFT);
  }

  /**
   * The first view of an address space from `index` on, or VIEW_COUNT. The kernel comes here for every entry that it changes, every fork and
   * every exit: no closure, and nothing but the numbers is looked at.
   */
  #nextOf(satp: number, index: number): number {
    const satps = this.#satps;
    const modes = this.#modes;
    const wanted = satp | 0;
    let next = index;
    while (next < layout.VIEW_COUNT && (satps[next] !== wanted || modes[next] === UNUSED)) next++;
    return next;
  }

  /** Forgets one page of an address space, in every privilege. */
  flushPage(satp: number, va: number): void {
    for (let view = this.#nextOf(satp, 0); view < layout.VIEW_COUNT; view = this.#nextOf(satp, view + 1))
      this.#forget(view, va);
  }

  /** Forgets one page in every address space. */
  flushPageEverywhere(va: number): void {
    for (let index = 0; index < layout.VIEW_COUNT; index++)
      if (this.#modes[index] !== UNUSED) this.#forget(index, va);
  }

  /** Forgets an address space. */
  flushAll(satp: number): void {
    for (let view = this.#nextOf(satp, 0); view < layout.VIEW_COUNT; view = this.#nextOf(satp, view + 1))
      this.#flushView(view);
  }

  /** Forgets everything. */
  flushEverything(): void {
    for (let index = 0; index < this.#views.length; index++) this.#flushView(index);
  }

  /**
   * The address space is gone: its views are the first to be taken again. Until then they stay its own, since one may be selected, and the next
   * address space may have the same root table.
   */
  drop(satp: number): void {
    for (let view = this.#nextOf(satp, 0); view < layout.VIEW_COUNT; view = this.#nextOf(satp, view + 1)) {
      this.#flushView(view);
      this.#lastUses[view] = 0;
    }
  }

  #clearMatching(table: Table, matches: (entry: number, page: number) => boolean): void {
    this.#changed();
    // Every page of code comes here, and iterators are objects.
    for (let index = 0; index < this.#views.length; index++) {
      const { filled, count } = this.#views[index] as View;
      for (let n = 0; n < count; n++) {
        const entry = filled[n] as number;
        if ((entry & FILLED_TABLE) !== table) continue;
        const at = this.#filledWord(index, entry);
        if (matches(this.#words[at] as number, entry >>> FILLED_SHIFT)) this.#words[at] = 0;
      }
    }
  }

  /** The RAM page at `ramOffset` may no longer be written without the slow path. */
  dropWrites(ramOffset: number): void {
    const hostPage = layout.RAM + (ramOffset & PAGE_MASK);
    this.#clearMatching(TABLE_WRITE, (entry, page) => entry === (hostPage ^ (page << 12)) + 1);
  }

  /** Nothing may be fetched any more from that decoded page. */
  dropFetches(decoded: number): void {
    this.#clearMatching(TABLE_FETCH, (entry) => entry === decoded);
  }

  /** The data entries of an address space in user mode, by address. */
  entries(satp: number): TlbEntry[] {
    const found = new Map<number, TlbEntry>();
    for (
      let index = this.#nextOf(satp, 0);
      index < layout.VIEW_COUNT;
      index = this.#nextOf(satp, index + 1)
    ) {
      if (this.#modes[index] !== 0) continue;
      const { filled, count } = this.#views[index] as View;
      for (const place of filled.slice(0, count)) {
        const table = place & FILLED_TABLE;
        const entry = this.#words[this.#filledWord(index, place)] as number;
        if (entry === 0 || table === TABLE_FETCH) continue;
        const va = ((place >>> FILLED_SHIFT) << 12) >>> 0;
        const hostPage = (entry - 1) ^ (va | 0);
        const writable = table === TABLE_WRITE || found.get(va)?.writable === true;
        found.set(va, { va, ramOffset: (hostPage >>> 0) - layout.RAM, writable });
      }
    }
    return [...found.values()].sort((a, b) => a.va - b.va);
  }
}
