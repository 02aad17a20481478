/**
 * prefetch() (include/linux/prefetch.h): what will be needed soon is brought into the processor's cache. Of a thousand processes, each with
 * 24 KiB of frames and 3 KiB of objects, hardly anything is there when its turn comes, and a load from memory takes 150 ns. JavaScript
 * has no instruction for it; but a processor has many loads under way at a time, as long as none needs another's result. So what leads
 * to the data of several processes is loaded level by level, a level of all of them in one loop, at 10 to 13 ns for a line.
 *
 * Nothing here changes anything that can be seen. What is loaded is added up, or the compiler would leave the loads out.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import { areaAt } from './mapleNode.ts';
import type { MmStruct } from './mm.ts';
import { ENTRIES_IN_LINE, LINE_SHIFT, nextListed, nextMarked, type MemMap } from './page.ts';
import { pteIndex, ptePfn, PTRS_PER_PTE } from './pgtable.ts';
import { MM_CACHEP } from './slab.ts';

/** Processes at a time: so many that their loads take longer than one does, and so few that the nearest cache holds what they bring. */
export const PREFETCH_BATCH = 8;
/** Pages whose entries are looked at for each process: the last of each area, and those of its state. */
const AREA_PAGES = 24;
const STATE_PAGES = 4;
const PAGES = AREA_PAGES + STATE_PAGES;

/** Pages by number, the tables on the way to them and their frames, 0 for none. Nothing stays here from one call to the next. */
const pages = new Int32Array(PREFETCH_BATCH * PAGES);
const offsets = new Int32Array(PREFETCH_BATCH * PAGES);
const tables = new Int32Array(PREFETCH_BATCH * PAGES);
const frames = new Int32Array(PREFETCH_BATCH * PAGES);

/** Where the entries lie, and what they are. */
const addresses = new Int32Array(PREFETCH_BATCH * PAGES);
const entries = new Int32Array(PREFETCH_BATCH * PAGES);

/** The physical address of that byte of a frame, as an int32. */
function physOf(pfn: number, offset: number): number {
  return (pfn << PAGE_SHIFT) | offset;
}

/**
 * The frame that an entry names, or 0: no branch, which would have to wait for the entry when it was guessed wrong. PTE_V is bit 0: it is
 * spread by shifts, since V8 negates by way of a float, for the sake of -0.
 */
function frameOf(pte: number): number {
  return ((pte << 31) >> 31) & ptePfn(pte);
}

let sink = 0;

/** Takes the sum of what was loaded. */
export function prefetched(sum: number): void {
  sink = (sink + sum) | 0;
}

/** Those who may have an address space, by their places. */
interface Tasks {
  at(place: number): { readonly mm: MmStruct | null } | undefined;
}

/** Looks at an address space. */
export function lookAtMm(mm: MmStruct): number {
  return mm.mmUsers + mm.hiwaterRss + (mm.exeFile === null ? 1 : 0);
}

/** Looks at its tree. */
export function lookAtTree(mm: MmStruct): number {
  return mm.pgd + mm.mmap.size;
}

/** Asks for the entries of a page; the answer is the number of pages asked for. */
function wantPage(count: number, mm: MmStruct, page: number): number {
  pages[count] = page;
  tables[count] = mm.pgd;
  return count + 1;
}

/** The same, and for what lies there and 64 bytes behind it, by prefetchWords(). */
export function wantWord(count: number, mm: MmStruct, va: number): number {
  offsets[count] = va & 0xffc;
  return wantPage(count, mm, va >>> PAGE_SHIFT);
}

/** The entries of the pages that are asked for: of the root tables, then of the tables below. */
export function prefetchEntries({ ram }: MmContext, count: number): void {
  for (let n = 0; n < count; n++)
    addresses[n] = physOf(tables[n] as number, ((pages[n] as number) >>> 10) << 2);
  ram.gather32(addresses, count, entries);
  for (let n = 0; n < count; n++) {
    const table = frameOf(entries[n] as number);
    tables[n] = table;
    // Without a table the root's entry once more.
    if (table !== 0) addresses[n] = physOf(table, pteIndex(pages[n] as number) << 2);
  }
  ram.gather32(addresses, count, entries);
  for (let n = 0; n < count; n++) frames[n] = tables[n] === 0 ? 0 : frameOf(entries[n] as number);
}

/** Of the pages from the `first` on that are asked for with wantWord(), after prefetchEntries(): the words. */
export function prefetchWords({ ram }: MmContext, first: number, count: number): void {
  let places = 0;
  for (let n = first; n < count; n++) {
    if (frames[n] === 0) continue;
    const at = physOf(frames[n] as number, offsets[n] as number);
    addresses[places++] = at;
    addresses[places++] = (offsets[n] as number) < PAGE_SIZE - 64 ? at + 64 : at;
  }
  ram.gather32(addresses, places, entries);
}

/** The areas, and asks for what exit_mmap() needs of the page tables. The answer is the number of pages asked for. */
export function prefetchAreas(tasks: Tasks): number {
  let sum = 0;
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const leaf = tasks.at(i)?.mm?.mmap.onlyLeaf;
    if (leaf) sum += leaf.count + leaf.gap;
  }
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const leaf = tasks.at(i)?.mm?.mmap.onlyLeaf;
    if (leaf) sum += (leaf.slots[0] === null ? 1 : 0) + (leaf.slots[8] === null ? 1 : 0);
  }
  // Nothing here depends on what the areas hold, so that none waits for another.
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const leaf = tasks.at(i)?.mm?.mmap.onlyLeaf;
    if (!leaf) continue;
    for (let slot = 0; slot < leaf.count; slot++) {
      const vma = areaAt(leaf, slot);
      sum += vma.startPage + (vma.mappingNext === null ? 1 : 0);
    }
  }
  let count = 0;
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const mm = tasks.at(i)?.mm;
    const leaf = mm?.mmap.onlyLeaf;
    if (!mm || !leaf) continue;
    let line = -1;
    for (let slot = 0; slot < leaf.count; slot++) {
      const page = areaAt(leaf, slot).endPage - 1;
      // Small areas side by side have their entries in one line.
      if (page >>> LINE_SHIFT !== line) count = wantPage(count, mm, page);
      line = page >>> LINE_SHIFT;
    }
  }
  prefetched(sum);
  return count;
}

/**
 * After prefetchEntries(), what the allocator has about the tables and some of the frames of the first pages, their places on the free lists
 * too, and all that the tables hold.
 */
export function prefetchFrames(ctx: MmContext, count: number): void {
  const { memMap } = ctx;
  prefetchStructPages(memMap, tables, count);
  prefetchStructPages(memMap, frames, count);
  prefetchLines(ctx, count);
}

/** The lines of the tables that have had entries. */
function prefetchLines({ memMap, ram }: MmContext, count: number): void {
  let places = 0;
  let last = 0;
  for (let n = 0; n < count; n++) {
    const table = tables[n] as number;
    if (table === last) continue;
    last = table;
    if (table === 0) continue;
    let index = nextMarked(memMap, table, 0);
    for (
      ;
      index < PTRS_PER_PTE && places < addresses.length;
      index = nextMarked(memMap, table, index + ENTRIES_IN_LINE)
    )
      addresses[places++] = physOf(table, index << 2);
  }
  ram.gather32(addresses, places, entries);
}

function prefetchStructPages(memMap: MemMap, pfns: Int32Array, count: number): void {
  const { firstPfn } = memMap;
  let sum = 0;
  let last = 0;
  for (let n = 0; n < count; n++) {
    const pfn = pfns[n] as number;
    if (pfn === last) continue;
    last = pfn;
    if (pfn >= firstPfn) sum += nextListed(memMap, pfn - firstPfn);
  }
  prefetched(sum);
}

/** With fewer address spaces all that is theirs is in the cache. */
const MANY = 128;

/** Whether there are so many processes that prefetching pays. */
export function manyMms({ slab }: MmContext): boolean {
  return (slab.live[MM_CACHEP] as number) >= MANY;
}

/** Areas and page tables of a fork that are got ready at most. */
const DUP_AREAS = 16;
const DUP_TABLES = 8;

/**
 * What the next dup_mm()s are about to take, if they are of that address space, as those of a server's are: free areas and nodes, root tables and
 * the tables below them, which the allocator gives in the order of its list, and of those the lines that get entries. Now and then.
 */
export function prefetchDup(ctx: MmContext, old: MmStruct): void {
  if ((ctx.slab.live[MM_CACHEP] as number) % PREFETCH_BATCH !== 0) return;
  const { memMap, ram } = ctx;
  const { freeAreas, mapleNodes } = ctx.slab;
  let sum = 0;
  const areas = Math.min(PREFETCH_BATCH * Math.min(old.mmap.size, DUP_AREAS), freeAreas.length);
  for (let n = 1; n <= areas; n++) {
    const vma = freeAreas[freeAreas.length - n];
    if (vma) sum += vma.vmFlags + (vma.mappingNext === null ? 1 : 0);
  }
  const { free } = mapleNodes;
  const firstNode = Math.max(0, free.length - PREFETCH_BATCH);
  for (let n = firstNode; n < free.length; n++) {
    const node = free[n];
    if (node) sum += node.count + node.gap + node.keys.length + node.slots.length;
  }
  for (let n = firstNode; n < free.length; n++) {
    const node = free[n];
    if (node) sum += (node.keys[0] as number) + (node.keys[8] as number) + (node.slots[0] === null ? 1 : 0);
  }
  // Of each fork the root table, then those below.
  let wanted = 1;
  let covered = -1;
  let vma = old.mmap.first;
  for (let n = 0; n < DUP_AREAS && vma !== null; n++, vma = old.mmap.next(vma)) {
    // As copy_page_range(): the others' entries are left to faults.
    if (vma.anonVma === null) continue;
    const page = vma.endPage - 1;
    if (page >>> 10 === covered || wanted === DUP_TABLES) continue;
    covered = page >>> 10;
    pages[wanted++] = page;
  }
  let count = 0;
  for (let frame = memMap.tables.head; frame >= 0 && count < wanted * PREFETCH_BATCH; count++) {
    tables[count] = frame + memMap.firstPfn;
    frame = nextListed(memMap, frame);
  }
  let places = 0;
  for (let n = 0; n + wanted <= count; n += wanted) {
    for (let below = 1; below < wanted; below++) {
      const page = pages[below] as number;
      addresses[places++] = physOf(tables[n] as number, (page >>> 10) << 2);
      addresses[places++] = physOf(tables[n + below] as number, pteIndex(page) << 2);
    }
  }
  ram.gather32(addresses, places, entries);
  prefetched(sum);
}
