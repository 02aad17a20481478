/**
 * Taking pages out of page tables: mm/memory.c (unmap_page_range, unmap_mapping_range), mm/rmap.c (page_remove_rmap).
 */
import { PAGE_SHIFT } from '../abi/mman.ts';
import type { AddressSpace } from './addressSpace.ts';
import { bug } from './bug.ts';
import type { MmContext } from './context.ts';
import { updateHiwaterRss, type MmStruct } from './mm.ts';
import {
  addMapcount,
  pageFlags,
  pfnValid,
  PG_ANON,
  PG_DIRTY,
  PG_ZERO,
  putMappedPage,
  type Page,
} from './page.ts';
import {
  flushTlbMm,
  flushTlbPage,
  nextPte,
  pmdNext,
  PTE_D,
  pteAfter,
  pteClear,
  pteIndex,
  ptePfn,
  pteTable,
} from './pgtable.ts';
import { vmaPages } from './vma.ts';

/** Up to this many pages a range is flushed page by page, above it as a whole. */
const FLUSH_PAGES = 32;

/** vm_normal_page(): the page of a present entry. */
export function pageOfPte({ memMap }: MmContext, pte: number): Page {
  const page = ptePfn(pte);
  if (!pfnValid(memMap, page)) throw bug('a PTE names an unknown frame', page);
  return page;
}

/** page_add_rmap(): one more PTE maps the page; its reference is the caller's. Linux counts no mappings of the zero page. */
export function pageAddRmap({ memMap }: MmContext, mm: MmStruct, page: Page): void {
  addMapcount(memMap, page, 1);
  const flags = pageFlags(memMap, page);
  if ((flags & PG_ANON) !== 0) mm.rssAnon++;
  else if ((flags & PG_ZERO) === 0) mm.rssShmem++;
}

/** page_remove_rmap() and put_page(): one PTE less. `bits`: PG_* that it leaves behind. */
export function pageRemoveRmap(ctx: MmContext, mm: MmStruct, page: Page, bits = 0): void {
  const flags = putMappedPage(ctx, page, bits);
  if ((flags & PG_ANON) !== 0) mm.rssAnon--;
  else if ((flags & PG_ZERO) === 0) mm.rssShmem--;
}

/**
 * zap_page_range(): empties the entries of the pages [firstPage, endPage). With `keepAnon` private copies stay. `flush` is false only when
 * the whole address space goes away.
 */
export function zapPageRange(
  ctx: MmContext,
  mm: MmStruct,
  firstPage: number,
  endPage: number,
  flush = true,
  keepAnon = false,
): void {
  updateHiwaterRss(mm);
  const single = flush && endPage - firstPage <= FLUSH_PAGES;
  let zapped = 0;
  for (let first = firstPage; first < endPage; first = pmdNext(first)) {
    const table = pteTable(ctx, mm, first << PAGE_SHIFT);
    if (table !== 0)
      zapped += zapPteRange(ctx, mm, table, first, Math.min(endPage, pmdNext(first)), single, keepAnon);
  }
  if (flush && !single && zapped > 0) flushTlbMm(ctx, mm);
}

/**
 * zap_pte_range(): the same for pages of one level-0 table. The answer is the number of entries emptied. As forEachPte, without a closure and
 * by pages, which V8 does not box: every munmap and every exit comes here, once for each VMA.
 */
function zapPteRange(
  ctx: MmContext,
  mm: MmStruct,
  table: number,
  firstPage: number,
  endPage: number,
  flush: boolean,
  keepAnon: boolean,
): number {
  const { ram, memMap } = ctx;
  const firstOfTable = firstPage - pteIndex(firstPage);
  const end = endPage - firstOfTable;
  let zapped = 0;
  let index = nextPte(ctx, table, pteIndex(firstPage), end);
  for (; index < end; index = pteAfter(ctx, table, index, end)) {
    const pteAddress = table | (index << 2);
    const pte = ram.read32(pteAddress);
    const mapped = pageOfPte(ctx, pte);
    if (keepAnon && (pageFlags(memMap, mapped) & PG_ANON) !== 0) continue;
    pteClear(ctx, pteAddress);
    if (flush) flushTlbPage(ctx, mm, (firstOfTable + index) << PAGE_SHIFT);
    pageRemoveRmap(ctx, mm, mapped, (pte & PTE_D) !== 0 ? PG_DIRTY : 0);
    zapped++;
  }
  return zapped;
}

/**
 * unmap_mapping_pages(): takes the pages [first, end) of a file out of every address space that maps them; with `evenCows`
 * private copies too (truncation), else they stay (hole punching).
 */
export function unmapMappingRange(
  ctx: MmContext,
  mapping: AddressSpace,
  first: number,
  end: number,
  evenCows: boolean,
): void {
  for (let vma = mapping.iMmapFirst; vma !== null; vma = vma.mappingNext) {
    const from = Math.max(first, vma.vmPgoff);
    const to = Math.min(end, vma.vmPgoff + vmaPages(vma));
    if (from >= to) continue;
    const firstPage = vma.startPage + (from - vma.vmPgoff);
    zapPageRange(ctx, vma.vmMm, firstPage, firstPage + (to - from), true, !evenCows);
  }
}
