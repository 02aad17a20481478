/**
 * Frames of guest RAM: struct page and the page allocator (include/linux/mm_types.h, mm/page_alloc.c), one page at
 * a time. Freed frames are reused last in, first out; fresh ones are taken from low to high, with room for the
 * frames of neighbouring pages, so the order is a function of the calls alone. Missing: orders above 0, zones, reclaim, swap.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { AddressSpace } from './addressSpace.ts';
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

/** struct page. */
export class Page {
  /** Physical page number: physical address >>> 12. */
  readonly pfn: number;
  /** _refcount: PTEs that map it + 1 in an address_space + 1 as a page table + pins. 0 is free. */
  count = 0;
  /** _mapcount + 1: PTEs that map it. Invariant: mapcount <= count. */
  mapcount = 0;
  /** The page cache it is in, with `index` in pages; null for anonymous memory and tables. */
  mapping: AddressSpace | null = null;
  index = 0;
  /** PG_*. */
  flags = 0;

  constructor(pfn: number) {
    this.pfn = pfn;
  }
}

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

/** mem_map and the free lists. Invariant: freeFrames + pages with count > 0 == totalFrames. */
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
  /**
   * Where each frame is listed, four words for each, side by side since they are used together: the list (0 none, or LISTED_*), then its
   * neighbours on it, -1 at the ends.
   */
  readonly links: Int32Array;
  /** struct page by pfn - firstPfn, made at first use. Never with holes, which would make a dictionary of it. */
  readonly pages: (Page | undefined)[] = [];
  /** Fault injection: allocations that still succeed; Infinity switches it off. */
  failAfter = Infinity;
  /** Fault injection: the n-th allocation fails, and no other. */
  readonly fault: FaultAttr = { nth: 0, injected: 0 };

  /** Bytes; `base` and `size` are multiples of the page size. */
  constructor(base: number, size: number) {
    this.firstPfn = base >>> PAGE_SHIFT;
    this.totalFrames = size >>> PAGE_SHIFT;
    this.freeFrames = this.totalFrames;
    this.links = new Int32Array(this.totalFrames * LINKS);
  }
}

/** MemMap.links: words for each frame, and what comes behind the first. */
const LINKS = 4;
const AFTER = 1;
const BEFORE = 2;
const LISTED_FREED = 1;
const LISTED_KEPT = 2;
const LISTED_TABLE = 3;

/** The list that a frame is on: 0 none, or LISTED_*. */
function listOf({ links }: MemMap, frame: number): number {
  return links[frame * LINKS] ?? 0;
}

/** The frame behind that one on its list, or -1. */
export function nextListed({ links }: MemMap, frame: number): number {
  return links[frame * LINKS + AFTER] as number;
}

function listAdd(memMap: MemMap, list: FrameList, frame: number): void {
  const { links, freed, kept } = memMap;
  const { head } = list;
  const at = frame * LINKS;
  links[at] = list === freed ? LISTED_FREED : list === kept ? LISTED_KEPT : LISTED_TABLE;
  links[at + AFTER] = head;
  links[at + BEFORE] = -1;
  if (head >= 0) links[head * LINKS + BEFORE] = frame;
  list.head = frame;
  list.count++;
}

function listDel(memMap: MemMap, frame: number): void {
  const { links } = memMap;
  const at = frame * LINKS;
  const listed = links[at] as number;
  const list = listed === LISTED_FREED ? memMap.freed : listed === LISTED_KEPT ? memMap.kept : memMap.tables;
  const after = links[at + AFTER] as number;
  const before = links[at + BEFORE] as number;
  if (after >= 0) links[after * LINKS + BEFORE] = before;
  if (before >= 0) links[before * LINKS + AFTER] = after;
  else list.head = after;
  links[at] = 0;
  list.count--;
}

/** The struct page of a frame that had none. */
function initPage(memMap: MemMap, frame: number): Page {
  const { pages } = memMap;
  while (pages.length <= frame) pages.push(undefined);
  const page = new Page(memMap.firstPfn + frame);
  pages[frame] = page;
  return page;
}

/** Somebody has written to a frame without having allocated it (the host): it does not hold zeros any more. */
export function frameWritten(memMap: MemMap, pfn: number): void {
  const frame = pfn - memMap.firstPfn;
  if (pfnToPage(memMap, pfn) === undefined) initPage(memMap, frame);
  if (listOf(memMap, frame) !== LISTED_TABLE) return;
  listDel(memMap, frame);
  listAdd(memMap, memMap.freed, frame);
}

/** A MemMap over all of RAM, which holds zeros. */
export function memMapInit(ram: PhysicalMemory): MemMap {
  return new MemMap(ram.base, ram.size);
}

/** pfn_to_page(): the struct page of a frame that was handed out; undefined for any other number. */
export function pfnToPage(memMap: MemMap, pfn: number): Page | undefined {
  const { pages, firstPfn } = memMap;
  const frame = pfn - firstPfn;
  return frame >= 0 && frame < pages.length ? pages[frame] : undefined;
}

/** page_to_phys(): the physical address of the frame. */
export function pageToPhys(page: Page): number {
  return page.pfn * PAGE_SIZE;
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
  const isTable = (flags & PG_TABLE) !== 0 && memMap.tables.head >= 0;
  const frame = isTable ? memMap.tables.head : takeFrame(memMap, place);
  if (isTable) listDel(memMap, frame);
  const used = frame < memMap.pages.length ? memMap.pages[frame] : undefined;
  const page = used ?? initPage(memMap, frame);
  if (page.count !== 0) throw new Error(`free frame ${page.pfn} is in use`);
  page.count = 1;
  page.flags = flags;
  // Nobody has written to a frame that was never used: zeros would only make the host find memory for it.
  if (zero && used !== undefined && !isTable) ctx.ram.zero(pageToPhys(page), PAGE_SIZE);
  return page;
}

/** get_page(): one more reference. */
export function getPage(page: Page): void {
  page.count++;
}

/** put_page(): drops a reference; the last one frees the frame. */
export function putPage(ctx: MmContext, page: Page): void {
  if (page.count <= 0) throw new Error(`put_page of the free frame ${page.pfn}`);
  page.count--;
  if (page.count > 0) return;
  if (page.mapcount !== 0 || page.mapping !== null) throw new Error(`frame ${page.pfn} freed while mapped`);
  const { memMap } = ctx;
  const list = (page.flags & PG_TABLE) !== 0 ? memMap.tables : memMap.freed;
  page.flags = 0;
  page.index = 0;
  memMap.freeFrames++;
  listAdd(memMap, list, page.pfn - memMap.firstPfn);
}

/** Number of pages that hold `bytes`. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / 2 ** PAGE_SHIFT);
}
