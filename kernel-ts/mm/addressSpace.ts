/**
 * struct address_space: the page cache of one inode (include/linux/fs.h, mm/filemap.c), held in frames of guest RAM.
 */
import { PAGE_SIZE } from '../abi/mman.ts';
import type { Inode } from '../fs/inode.ts';
import { bug } from './bug.ts';
import type { MmContext } from './context.ts';
import {
  clearPageFlag,
  getPage,
  pageFlags,
  pageIndex,
  pageMapping,
  pageToPhys,
  PG_UNREAD,
  putPage,
  setPageMapping,
  type Page,
} from './page.ts';
import type { VmArea } from './vma.ts';
import { XArray } from './xarray.ts';

const NOTHING = new Uint8Array(0);

/** Bytes of the host's that are asked for when they are wanted. They are the same at each call. */
export interface HostBytes {
  readonly length: number;
  /** Those from `offset` on, `length` of them or as many as there are. Who asks does not change them. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes that are there already. */
export function inMemory(bytes: Uint8Array): HostBytes {
  return { length: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** What a file holds where nobody has looked yet. */
export interface Contents {
  /** From the file's beginning. */
  readonly bytes: HostBytes;
  /** Pages of the file from here on have no frames yet (shmemFillRest); Infinity: all had. */
  unplaced: number;
}

/**
 * struct address_space. It is the beginning of each inode (Linux: i_data), and so the class of which those are made; and so is i_pages of
 * itself: with thousands of them each further object is another cache miss.
 */
export abstract class AddressSpace extends XArray<Page> {
  /**
   * i_mmap: the VMAs that map the inode, shared or private, in the order in which they came. Linked through the VMAs themselves, since
   * attaches come and go by the hundred thousand (Linux: an interval tree through vma->shared).
   */
  iMmapFirst: VmArea | null = null;
  iMmapLast: VmArea | null = null;
  /** What its PG_UNREAD pages are to hold, and pages that are not there yet. Null: there are none. */
  contents: Contents | null = null;

  /** The inode it belongs to. */
  abstract get host(): Inode;

  /** i_pages by index; iterate with `sortedPages`. Each holds one reference to its page. */
  get iPages(): XArray<Page> {
    return this;
  }

  /** The inode's number. */
  get id(): number {
    return this.host.iIno;
  }

  /** nrpages. */
  get nrpages(): number {
    return this.size;
  }
}

/** vma_interval_tree_insert(). */
export function iMmapInsert(mapping: AddressSpace, vma: VmArea): void {
  const last = mapping.iMmapLast;
  vma.mappingPrev = last;
  vma.mappingNext = null;
  if (last === null) mapping.iMmapFirst = vma;
  else last.mappingNext = vma;
  mapping.iMmapLast = vma;
}

/** vma_interval_tree_remove() of a VMA that is in it. */
export function iMmapRemove(mapping: AddressSpace, vma: VmArea): void {
  const { mappingPrev: prev, mappingNext: next } = vma;
  if (prev === null) mapping.iMmapFirst = next;
  else prev.mappingNext = next;
  if (next === null) mapping.iMmapLast = prev;
  else next.mappingPrev = prev;
  vma.mappingPrev = null;
  vma.mappingNext = null;
}

/** Whether the VMA is linked here: by its neighbours, without a walk. */
export function iMmapHas(mapping: AddressSpace, vma: VmArea): boolean {
  const { mappingPrev: prev, mappingNext: next } = vma;
  return (
    (prev === null ? mapping.iMmapFirst : prev.mappingNext) === vma &&
    (next === null ? mapping.iMmapLast : next.mappingPrev) === vma
  );
}

/** read_folio(): fills the page, if that has been left for later. */
export function readFolio(ctx: MmContext, page: Page): void {
  const { memMap } = ctx;
  if ((pageFlags(memMap, page) & PG_UNREAD) === 0) return;
  clearPageFlag(memMap, page, PG_UNREAD);
  const from = pageIndex(memMap, page) * PAGE_SIZE;
  const bytes = pageMapping(memMap, page)?.contents?.bytes.read(from, PAGE_SIZE) ?? NOTHING;
  ctx.ram.writeBytes(pageToPhys(page), bytes);
  ctx.ram.zero(pageToPhys(page) + bytes.length, PAGE_SIZE - bytes.length);
}

/** filemap_read()'s way to a page: the cached one with what it is to hold. */
export function cachedPage(ctx: MmContext, mapping: AddressSpace, index: number): Page | undefined {
  const page = mapping.iPages.get(index);
  if (page !== undefined) readFolio(ctx, page);
  return page;
}

/** find_get_page(): the cached page with its count raised, or null. */
export function findGetPage(ctx: MmContext, mapping: AddressSpace, index: number): Page | null {
  const page = cachedPage(ctx, mapping, index);
  if (page === undefined) return null;
  getPage(ctx, page);
  return page;
}

/** add_to_page_cache(): the cache takes a reference of its own. */
export function addToPageCache(ctx: MmContext, mapping: AddressSpace, page: Page, index: number): void {
  if (pageMapping(ctx.memMap, page) !== null || mapping.iPages.get(index) !== undefined)
    throw bug('this slot of the page cache is taken', index);
  mapping.iPages.set(index, page);
  setPageMapping(ctx.memMap, page, mapping, index);
  getPage(ctx, page);
}

/** delete_from_page_cache(): drops the cache's reference. The page must not be mapped through this cache any more. */
export function deleteFromPageCache(ctx: MmContext, page: Page): void {
  const mapping = pageMapping(ctx.memMap, page);
  const index = pageIndex(ctx.memMap, page);
  if (mapping === null || mapping.iPages.get(index) !== page)
    throw bug('this frame is not in the page cache', page);
  mapping.iPages.delete(index);
  setPageMapping(ctx.memMap, page, null, 0);
  putPage(ctx, page);
}

/** The cached pages by index: for inspection and for tests. */
export function sortedPages(mapping: AddressSpace): Page[] {
  return mapping.iPages.sorted();
}
