/**
 * Frames of guest RAM: struct page and the page allocator (include/linux/mm_types.h, mm/page_alloc.c), one page at
 * a time. Freed frames are reused last in, first out; fresh ones are taken from low to high, with room for the
 * frames of neighbouring pages, so the order is a function of the calls alone. Missing: orders above 0, zones, reclaim, swap.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { AddressSpace } from './addressSpace.ts';
import { bug } from './bug.ts';
import type { MmContext, PhysicalMemory } from './context.ts';
import { shouldFail, type FaultAttr } from './slab.ts';

/** The frame holds a page table: all of its entries are 0 when it is freed. */
export const PG_TABLE = 0x1;
/** The frame holds anonymous memory. */
export const PG_ANON = 0x2;
/** PG_dirty: written through an entry that is gone, or by write(2). An entry that is there tells by its D bit. */
export const PG_DIRTY = 0x8;
/** The frame is the zero page: part of no rss, never written, copied when somebody wants to. */
export const PG_ZERO = 0x10;
/** A page of shmem that fallocate reserved and nobody has used: SEEK_DATA takes it for a hole (PG_uptodate is clear). */
export const PG_FALLOCATED = 0x4;
/** The frame does not hold yet what its mapping's `contents` have for it (a file's page before read_folio, without PG_uptodate). */
export const PG_UNREAD = 0x20;

/**
 * struct page, named by its physical page number (physical address >>> 12): what belongs to it is a row of mem_map, and no object, since a
 * thousand processes have some seven thousand frames, whose rows fit the processor's cache and whose objects did not.
 */
export type Page = number;

/**
 * Frames in a run, a power of two up to the entries of a table. Pages side by side in memory get frames side by side where that can be
 * had, as large folios do it in Linux: tier 1 of the emulator then needs one look at the TLB for what straddles them.
 */
export const RUN = 64;
/** Frames in a run of a large mapping at most: what a page table maps. */
const LONGEST_RUN = 1024;

/** A list of frames, by index; each frame is on one at most. */
class FrameList {
  head = -1;
  count = 0;
}

/** mem_map and the free lists. Invariant: freeFrames + frames with count > 0 == totalFrames. */
export class MemMap {
  readonly firstPfn: number;
  readonly totalFrames: number;
  freeFrames: number;
  /** Frames from this index on are on no list and have never been used. */
  nextFresh = 0;
  /** The frame last given to a page without neighbours. */
  lastAlone = -1;
  /** Freed frames, the last one first. */
  readonly freed = new FrameList();
  /** Frames that have never been used, kept for the neighbours of others in their run. */
  readonly kept = new FrameList();
  /**
   * quicklists (include/linux/quicklist.h until 5.1): freed page tables, which hold nothing but zeros. The next table takes one, and only
   * its few entries in use come into the processor's cache.
   */
  readonly tables = new FrameList();
  /** mem_map: PAGE_WORDS for each frame, half a line of the processor's cache. */
  readonly words: Int32Array;
  /** page->mapping by frame: the page cache that it is in, null for anonymous memory and tables. Never with holes, which would make a dictionary of it. */
  readonly mappings: (AddressSpace | null)[] = [];
  /** Fault injection: allocations that still succeed; Infinity switches it off. */
  failAfter = Infinity;
  /** Fault injection: the n-th allocation fails, and no other. */
  readonly fault: FaultAttr = { nth: 0, injected: 0 };

  /** Bytes; `base` and `size` are multiples of the page size. */
  constructor(base: number, size: number) {
    this.firstPfn = base >>> PAGE_SHIFT;
    this.totalFrames = size >>> PAGE_SHIFT;
    this.freeFrames = this.totalFrames;
    this.words = new Int32Array(this.totalFrames * PAGE_WORDS);
  }
}

/** MemMap.words: the fields of struct page. */
const PAGE_WORDS = 8;
/** _refcount: PTEs that map it + 1 in an address_space + 1 as a page table + pins. 0 is free. */
const COUNT = 0;
/** _mapcount + 1: PTEs that map it. Invariant: mapcount <= count. */
const MAPCOUNT = 1;
/** PG_*. */
const FLAGS = 2;
/** In pages, in the page cache that it is in. */
const INDEX = 3;
/** The list that a free frame is on (0 none, or LISTED_*), then its neighbours there, -1 at the ends. */
const LISTED = 4;
const AFTER = 5;
const BEFORE = 6;
/** Of a page table in use, in place of the neighbours: a bit for each of its lines (64 bytes, ENTRIES_IN_LINE) that has had an entry. */
const LINES = 5;
/** 1 once the frame was handed out or written to: it may hold something else than zeros. */
const USED = 7;

const LISTED_FREED = 1;
const LISTED_KEPT = 2;
const LISTED_TABLE = 3;

/** A field of the struct page of a frame of RAM. */
function field({ words, firstPfn }: MemMap, page: Page, word: number): number {
  return words[(page - firstPfn) * PAGE_WORDS + word] as number;
}

function setField({ words, firstPfn }: MemMap, page: Page, word: number, value: number): void {
  words[(page - firstPfn) * PAGE_WORDS + word] = value;
}

/** page_count(): _refcount. */
export function pageCount(memMap: MemMap, page: Page): number {
  return field(memMap, page, COUNT);
}

/** page_mapcount(): PTEs that map it. */
export function pageMapcount(memMap: MemMap, page: Page): number {
  return field(memMap, page, MAPCOUNT);
}

/** page->flags: PG_*. */
export function pageFlags(memMap: MemMap, page: Page): number {
  return field(memMap, page, FLAGS);
}

/** SetPageDirty() and its like: sets PG_* bits. */
export function setPageFlag(memMap: MemMap, page: Page, bits: number): void {
  setField(memMap, page, FLAGS, field(memMap, page, FLAGS) | bits);
}

/** ClearPageDirty() and its like. */
export function clearPageFlag(memMap: MemMap, page: Page, bits: number): void {
  setField(memMap, page, FLAGS, field(memMap, page, FLAGS) & ~bits);
}

/** page_index(), in pages; of a cached page. */
export function pageIndex(memMap: MemMap, page: Page): number {
  return field(memMap, page, INDEX);
}

/** page_mapping(): the page cache that it is in, or null. */
export function pageMapping({ mappings, firstPfn }: MemMap, page: Page): AddressSpace | null {
  const frame = page - firstPfn;
  return frame < mappings.length ? (mappings[frame] as AddressSpace | null) : null;
}

/** Puts a page into a page cache, or with null takes it out; the caller's business is the cache's side. */
export function setPageMapping(
  memMap: MemMap,
  page: Page,
  mapping: AddressSpace | null,
  index: number,
): void {
  const { mappings, firstPfn } = memMap;
  const frame = page - firstPfn;
  while (mappings.length <= frame) mappings.push(null);
  mappings[frame] = mapping;
  setField(memMap, page, INDEX, index);
}

/** Entries in a line of a page table, which is a line of the processor's cache, and their logarithm. */
export const ENTRIES_IN_LINE = 16;
export const LINE_SHIFT = 4;
/** Lines of a page table: two words have a bit for each. */
const TABLE_LINES = 64;

/** Notes that a page table has an entry there; a physical address. Every entry is made known here, so that nobody need look for others. */
export function markEntry({ words, firstPfn }: MemMap, pteAddress: number): void {
  const line = (pteAddress >>> 6) & (TABLE_LINES - 1);
  const at = ((pteAddress >>> PAGE_SHIFT) - firstPfn) * PAGE_WORDS + LINES + (line >>> 5);
  words[at] = (words[at] as number) | (1 << (line & 31));
}

/** The first entry from `index` on, of 0 to 1023, in a line of the table that has had one; 1024 when there is none. */
export function nextMarked({ words, firstPfn }: MemMap, table: Page, index: number): number {
  const at = (table - firstPfn) * PAGE_WORDS + LINES;
  const line = index >>> LINE_SHIFT;
  let first = line & 31;
  for (let half = line >>> 5; half < TABLE_LINES / 32; half++) {
    const lines = (words[at + half] as number) & (-1 << first);
    const marked = half * 32 + 31 - Math.clz32(lines & -lines);
    if (lines !== 0) return Math.max(index, marked << LINE_SHIFT);
    first = 0;
  }
  return TABLE_LINES << LINE_SHIFT;
}

/** Changes the number of PTEs that map the page by 1 or -1. */
export function addMapcount({ words, firstPfn }: MemMap, page: Page, by: 1 | -1): void {
  const at = (page - firstPfn) * PAGE_WORDS + MAPCOUNT;
  words[at] = (words[at] as number) + by;
}

/** The list that a frame is on: 0 none, or LISTED_*. */
function listOf({ words }: MemMap, frame: number): number {
  return words[frame * PAGE_WORDS + LISTED] ?? 0;
}

/** The frame behind that one on its list, or -1. */
export function nextListed({ words }: MemMap, frame: number): number {
  return words[frame * PAGE_WORDS + AFTER] as number;
}

function listAdd(memMap: MemMap, list: FrameList, frame: number): void {
  const { words, freed, kept } = memMap;
  const { head } = list;
  const at = frame * PAGE_WORDS;
  words[at + LISTED] = list === freed ? LISTED_FREED : list === kept ? LISTED_KEPT : LISTED_TABLE;
  words[at + AFTER] = head;
  words[at + BEFORE] = -1;
  if (head >= 0) words[head * PAGE_WORDS + BEFORE] = frame;
  list.head = frame;
  list.count++;
}

function listDel(memMap: MemMap, frame: number): void {
  const { words } = memMap;
  const at = frame * PAGE_WORDS;
  const listed = words[at + LISTED] as number;
  const list = listed === LISTED_FREED ? memMap.freed : listed === LISTED_KEPT ? memMap.kept : memMap.tables;
  const after = words[at + AFTER] as number;
  const before = words[at + BEFORE] as number;
  if (after >= 0) words[after * PAGE_WORDS + BEFORE] = before;
  if (before >= 0) words[before * PAGE_WORDS + AFTER] = after;
  else list.head = after;
  words[at + LISTED] = 0;
  list.count--;
}

/** Somebody has written to a frame without having allocated it (the host): it does not hold zeros any more. */
export function frameWritten(memMap: MemMap, pfn: number): void {
  const frame = pfn - memMap.firstPfn;
  setField(memMap, pfn, USED, 1);
  if (listOf(memMap, frame) !== LISTED_TABLE) return;
  listDel(memMap, frame);
  listAdd(memMap, memMap.freed, frame);
}

/** A MemMap over all of RAM, which holds zeros. */
export function memMapInit(ram: PhysicalMemory): MemMap {
  return new MemMap(ram.base, ram.size);
}

/** pfn_valid(): whether the number is that of a frame of RAM. */
export function pfnValid({ firstPfn, totalFrames }: MemMap, pfn: number): boolean {
  return pfn >= firstPfn && pfn < firstPfn + totalFrames;
}

/** page_to_phys(): the physical address of the frame, as an int32. */
export function pageToPhys(page: Page): number {
  return page << PAGE_SHIFT;
}

/** Where a page wants its frame, next to which others. */
export interface FramePlace {
  /** The frame that follows (precedes) those of the pages around it; 0: there are none. */
  pfn: number;
  /** The page's number in its mapping. */
  index: number;
  /** Pages that the mapping may get. */
  pages: number;
}

/**
 * The first frame of a run that has never been used goes to the page's place in it, the others are kept for its neighbours. Large
 * mappings get longer runs while there are any.
 */
function openRun(memMap: MemMap, { index, pages }: FramePlace): number {
  let run = RUN;
  while (run < LONGEST_RUN && run < pages) run *= 2;
  let first = 0;
  for (; ; run /= 2) {
    first = Math.ceil(memMap.nextFresh / run) * run;
    if (first + run <= memMap.totalFrames) break;
    if (run === RUN) return memMap.nextFresh++;
  }
  const frame = first + (index % run);
  for (let other = first + run - 1; other >= memMap.nextFresh; other--)
    if (other !== frame) listAdd(memMap, memMap.kept, other);
  memMap.nextFresh = first + run;
  return frame;
}

/** The frame is where a run has its n-th. */
export function isAtPlace(memMap: MemMap, pfn: number, n: number): boolean {
  return (pfn - memMap.firstPfn) % RUN === n;
}

/** Whether a page may have this frame. */
export function isFree(memMap: MemMap, pfn: number): boolean {
  const frame = pfn - memMap.firstPfn;
  return listOf(memMap, frame) !== 0 || (frame >= memMap.nextFresh && frame < memMap.totalFrames);
}

/** The place of a page that has no neighbours; pages of page tables for instance. */
const ANYWHERE: FramePlace = { pfn: 0, index: 0, pages: 1 };

/** A free frame, off its list. There is one. */
function takeFrame(memMap: MemMap, place: FramePlace | null): number {
  if (place === null) {
    // What is nobody's neighbour gets what was freed last, or has runs of its own, so that it does not lie between others'.
    const { freed, lastAlone } = memMap;
    const isNext = freed.head < 0 && (lastAlone + 1) % RUN !== 0;
    ANYWHERE.pfn = isNext ? memMap.firstPfn + lastAlone + 1 : 0;
    ANYWHERE.index = freed.head < 0 ? 0 : freed.head;
    memMap.lastAlone = takeFrame(memMap, ANYWHERE);
    return memMap.lastAlone;
  }
  const wanted = place.pfn - memMap.firstPfn;
  // A run does not go on into another that has never been used while there are freed frames: those are in the processor's cache.
  const mayGoOn = memMap.freed.head < 0 || wanted % RUN !== 0;
  if (wanted > 0 && wanted === memMap.nextFresh && wanted < memMap.totalFrames && mayGoOn)
    return memMap.nextFresh++;
  let frame = -1;
  if (wanted > 0 && listOf(memMap, wanted) !== 0) frame = wanted;
  else if (memMap.freed.head >= 0) {
    frame = memMap.freed.head;
    const inRun = frame - (frame % RUN) + (place.index % RUN);
    if (listOf(memMap, inRun) === LISTED_FREED) frame = inRun;
  } else if (memMap.nextFresh < memMap.totalFrames) {
    return openRun(memMap, place);
  } else frame = memMap.kept.head >= 0 ? memMap.kept.head : memMap.tables.head;
  listDel(memMap, frame);
  return frame;
}

/**
 * alloc_page(GFP_KERNEL | __GFP_ZERO when `zero`): count 1, or null when memory is out. `place`: where the frame should be, if that
 * is free.
 */
export function allocPage(
  ctx: MmContext,
  flags: number,
  zero = true,
  place: FramePlace | null = null,
): Page | null {
  const memMap = ctx.memMap;
  if (memMap.freeFrames === 0 || memMap.failAfter <= 0) return null;
  if (memMap.fault.nth !== 0 && shouldFail(memMap.fault)) return null;
  memMap.failAfter--;
  memMap.freeFrames--;
  const { words } = memMap;
  const isTable = (flags & PG_TABLE) !== 0 && memMap.tables.head >= 0;
  const frame = isTable ? memMap.tables.head : takeFrame(memMap, place);
  if (isTable) listDel(memMap, frame);
  const page = memMap.firstPfn + frame;
  const at = frame * PAGE_WORDS;
  if (words[at + COUNT] !== 0) throw bug('a free frame is in use', page);
  words[at + COUNT] = 1;
  words[at + FLAGS] = flags;
  if ((flags & PG_TABLE) !== 0) {
    words[at + LINES] = 0;
    words[at + LINES + 1] = 0;
  }
  // Nobody has written to a frame that was never used: zeros would only make the host find memory for it.
  if (words[at + USED] === 0) words[at + USED] = 1;
  else if (zero && !isTable) ctx.ram.zero(pageToPhys(page), PAGE_SIZE);
  return page;
}

/** get_page(): one more reference. */
export function getPage({ memMap }: MmContext, page: Page): void {
  const at = (page - memMap.firstPfn) * PAGE_WORDS + COUNT;
  memMap.words[at] = (memMap.words[at] as number) + 1;
}

/** put_page(): drops a reference; the last one frees the frame. */
export function putPage({ memMap }: MmContext, page: Page): void {
  const { words, firstPfn } = memMap;
  const at = (page - firstPfn) * PAGE_WORDS;
  const count = words[at + COUNT] as number;
  if (count > 1) words[at + COUNT] = count - 1;
  else freePage(memMap, page);
}

/** The same for a PTE that mapped the page and is gone. Returns PG_* as they were, with `bits` among them. */
export function putMappedPage({ memMap }: MmContext, page: Page, bits: number): number {
  const { words, firstPfn } = memMap;
  const at = (page - firstPfn) * PAGE_WORDS;
  const flags = (words[at + FLAGS] as number) | bits;
  const count = words[at + COUNT] as number;
  words[at + MAPCOUNT] = (words[at + MAPCOUNT] as number) - 1;
  if (count > 1) {
    words[at + COUNT] = count - 1;
    words[at + FLAGS] = flags;
  } else freePage(memMap, page);
  return flags;
}

/** The last reference to a page goes. */
function freePage(memMap: MemMap, page: Page): void {
  const { words, firstPfn } = memMap;
  const frame = page - firstPfn;
  const at = frame * PAGE_WORDS;
  if ((words[at + COUNT] as number) <= 0) throw bug('put_page of a free frame', page);
  if (words[at + MAPCOUNT] !== 0) throw bug('a frame is freed while mapped', page);
  words[at + COUNT] = 0;
  const list = ((words[at + FLAGS] as number) & PG_TABLE) !== 0 ? memMap.tables : memMap.freed;
  words[at + FLAGS] = 0;
  words[at + INDEX] = 0;
  memMap.freeFrames++;
  listAdd(memMap, list, frame);
}

/** Number of pages that hold `bytes`. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / 2 ** PAGE_SHIFT);
}
