/**
 * struct address_space: the page cache of one inode (include/linux/fs.h, mm/filemap.c), held in frames of guest RAM.
 */
import { PAGE_SIZE } from '../abi/mman.ts';
import type { Inode } from '../fs/inode.ts';
import type { MmContext } from './context.ts';
import { pageToPhys, PG_UNREAD, putPage, type Page } from './page.ts';
import type { VmArea } from './vma.ts';
import { XArray } from './xarray.ts';

/**
 * i_mmap: the VMAs that map one inode, in the order in which they came. Linked through the VMAs themselves, since attaches come and go by
 * the hundred thousand (Linux: an interval tree through vma->shared).
 */
export class MappingList {
  first: VmArea | null = null;
  last: VmArea | null = null;

  add(vma: VmArea): void {
    vma.mappingPrev = this.last;
    vma.mappingNext = null;
    if (this.last === null) this.first = vma;
    else this.last.mappingNext = vma;
    this.last = vma;
  }

  /** Takes out a VMA that is in it. */
  delete(vma: VmArea): void {
    const { mappingPrev: prev, mappingNext: next } = vma;
    if (prev === null) this.first = next;
    else prev.mappingNext = next;
    if (next === null) this.last = prev;
    else next.mappingPrev = prev;
    vma.mappingPrev = null;
    vma.mappingNext = null;
  }

  /** Whether the VMA is linked here: by its neighbours, without a walk. */
  has(vma: VmArea): boolean {
    const { mappingPrev: prev, mappingNext: next } = vma;
    return (
      (prev === null ? this.first : prev.mappingNext) === vma &&
      (next === null ? this.last : next.mappingPrev) === vma
    );
  }

  /** The VMA that a visit is at may be taken out meanwhile. */
  [Symbol.iterator](): Iterator<VmArea> {
    let at = this.first;
    return {
      next(): IteratorResult<VmArea> {
        if (at === null) return { done: true, value: undefined };
        const value = at;
        at = value.mappingNext;
        return { done: false, value };
      },
    };
  }
}

const NOTHING = new Uint8Array(0);

/** struct address_space. */
export class AddressSpace {
  /** The inode it belongs to. */
  readonly host: Inode;
  /** i_pages by index; iterate with `sortedPages`. Each holds one reference to its page. */
  readonly iPages = new XArray<Page>();
  /** What its PG_UNREAD pages are to hold, from the file's beginning; nobody changes it. Null: there are none. */
  contents: Uint8Array | null = null;
  /** i_mmap: every VMA that maps the inode, shared or private. */
  readonly iMmap = new MappingList();

  constructor(host: Inode) {
    this.host = host;
  }

  /** The inode's number. */
  get id(): number {
    return this.host.iIno;
  }

  /** nrpages. */
  get nrpages(): number {
    return this.iPages.size;
  }
}

/** read_folio(): fills the page, if that has been left for later. */
export function readFolio(ctx: MmContext, page: Page): void {
  if ((page.flags & PG_UNREAD) === 0) return;
  page.flags &= ~PG_UNREAD;
  const from = page.index * PAGE_SIZE;
  const bytes = page.mapping?.contents?.subarray(from, from + PAGE_SIZE) ?? NOTHING;
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
  page.count++;
  return page;
}

/** add_to_page_cache(): the cache takes a reference of its own. */
export function addToPageCache(mapping: AddressSpace, page: Page, index: number): void {
  if (page.mapping !== null || mapping.iPages.get(index) !== undefined)
    throw new Error(`page cache slot ${index} is taken`);
  mapping.iPages.set(index, page);
  page.mapping = mapping;
  page.index = index;
  page.count++;
}

/** delete_from_page_cache(): drops the cache's reference. The page must not be mapped through this cache any more. */
export function deleteFromPageCache(ctx: MmContext, page: Page): void {
  const mapping = page.mapping;
  if (mapping === null || mapping.iPages.get(page.index) !== page)
    throw new Error(`frame ${page.pfn} is not cached`);
  mapping.iPages.delete(page.index);
  page.mapping = null;
  putPage(ctx, page);
}

/** The cached pages by index: for inspection and for tests. */
export function sortedPages(mapping: AddressSpace): Page[] {
  return mapping.iPages.sorted();
}
