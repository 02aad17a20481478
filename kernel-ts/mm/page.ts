/**
 * Frames of guest RAM: struct page and the page allocator (include/linux/mm_types.h, mm/page_alloc.c), one page at
 * a time. Freed frames are reused last in, first out; fresh ones are taken from low to high, so the order is
 * a function of the calls alone. Missing: orders above 0, zones, reclaim, swap.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { AddressSpace } from './addressSpace.ts';
import type { MmContext, PhysicalMemory } from './context.ts';
import { shouldFail, type FaultAttr } from './slab.ts';

/** The frame holds a page table. */
export const PG_TABLE = 0x1;
/** The frame holds anonymous memory. */
export const PG_ANON = 0x2;
/** PG_dirty: written through an entry that is gone, or by write(2). An entry that is there tells by its D bit. */
export const PG_DIRTY = 0x8;
/** The frame is the zero page: part of no rss, never written, copied when somebody wants to. */
export const PG_ZERO = 0x10;
/** A page of shmem that fallocate reserved and nobody has used: SEEK_DATA takes it for a hole (PG_uptodate is clear). */
export const PG_FALLOCATED = 0x4;

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

/** mem_map and the free list. Invariant: freeFrames + pages with count > 0 == totalFrames. */
export class MemMap {
  readonly firstPfn: number;
  readonly totalFrames: number;
  freeFrames: number;
  /** Frames below this index were handed out at least once. */
  nextFresh = 0;
  /** Freed frames, as pfn: the first `freeCount` of them; the last one is reused first. */
  readonly freeList: Int32Array;
  freeCount = 0;
  /** struct page by pfn - firstPfn, made at first use. */
  readonly pages: Page[] = [];
  /** Fault injection: allocations that still succeed; Infinity switches it off. */
  failAfter = Infinity;
  /** Fault injection: the n-th allocation fails, and no other. */
  readonly fault: FaultAttr = { nth: 0, injected: 0 };

  /** Bytes; `base` and `size` are multiples of the page size. */
  constructor(base: number, size: number) {
    this.firstPfn = Math.floor(base / PAGE_SIZE);
    this.totalFrames = Math.floor(size / PAGE_SIZE);
    this.freeFrames = this.totalFrames;
    this.freeList = new Int32Array(this.totalFrames);
  }
}

/** A MemMap over all of RAM. */
export function memMapInit(ram: PhysicalMemory): MemMap {
  return new MemMap(ram.base, ram.size);
}

/** pfn_to_page(): the struct page of a frame that was handed out; undefined for any other number. */
export function pfnToPage(memMap: MemMap, pfn: number): Page | undefined {
  return memMap.pages[pfn - memMap.firstPfn];
}

/** page_to_phys(): the physical address of the frame. */
export function pageToPhys(page: Page): number {
  return page.pfn * PAGE_SIZE;
}

/** alloc_page(GFP_KERNEL | __GFP_ZERO when `zero`): count 1, or null when memory is out. */
export function allocPage(ctx: MmContext, flags: number, zero = true): Page | null {
  const memMap = ctx.memMap;
  if (memMap.freeFrames === 0 || memMap.failAfter <= 0) return null;
  if (memMap.fault.nth !== 0 && shouldFail(memMap.fault)) return null;
  memMap.failAfter--;
  memMap.freeFrames--;
  let pfn: number;
  if (memMap.freeCount > 0) {
    pfn = memMap.freeList[--memMap.freeCount] ?? 0;
  } else {
    pfn = memMap.firstPfn + memMap.nextFresh;
    memMap.pages[memMap.nextFresh] = new Page(pfn);
    memMap.nextFresh++;
  }
  const page = memMap.pages[pfn - memMap.firstPfn];
  if (page === undefined || page.count !== 0) throw new Error(`free frame ${pfn} is in use`);
  page.count = 1;
  page.flags = flags;
  if (zero) ctx.ram.zero(pageToPhys(page), PAGE_SIZE);
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
  page.flags = 0;
  page.index = 0;
  ctx.memMap.freeFrames++;
  ctx.memMap.freeList[ctx.memMap.freeCount++] = page.pfn;
}

/** Number of pages that hold `bytes`. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / 2 ** PAGE_SHIFT);
}
