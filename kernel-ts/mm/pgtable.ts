/**
 * Sv32 page tables in guest RAM: arch/riscv/include/asm/pgtable.h, pgtable-32.h, mm/memory.c (free_pgtables). The only
 * file of the kernel that writes page-table entries; a change of a valid entry asks the hart to forget the page. Physical addresses are int32,
 * and virtual ones may be: V8 boxes what is 2^31 or more wherever it is handed on, and every fault, fork and exit comes here many times.
 * Missing: superpages in user mappings (the hardware knows them, this kernel makes none).
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import { mmSatp, type MmStruct } from './mm.ts';
import {
  allocPage,
  ENTRIES_IN_LINE,
  markEntry,
  nextMarked,
  pageToPhys,
  PG_TABLE,
  putPage,
  type Page,
} from './page.ts';
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from './vma.ts';

export const PTE_V = 0x01;
export const PTE_R = 0x02;
export const PTE_W = 0x04;
export const PTE_X = 0x08;
export const PTE_U = 0x10;
export const PTE_G = 0x20;
export const PTE_A = 0x40;
export const PTE_D = 0x80;
/** _PAGE_PROT_NONE: with V clear, a page that is there but may not be touched. */
export const PTE_PROT_NONE = 0x20;

/** Entries of a table. */
export const PTRS_PER_PTE = 1024;
/** No ceiling of free_pgtables(), in pages: the end of the addresses. */
export const USER_PGTABLES_CEILING = 1 << 20;
/** Bytes that one level-1 entry covers. */
export const PGDIR_SIZE = 0x40_0000;

/** pte_index() of a page number. */
export function pteIndex(page: number): number {
  return page & (PTRS_PER_PTE - 1);
}

/** pmd_addr_end() of a page number, whatever the range: the first page of the next table. */
export function pmdNext(page: number): number {
  return (page | (PTRS_PER_PTE - 1)) + 1;
}

/** pte_pfn(). */
export function ptePfn(pte: number): number {
  return pte >>> 10;
}

/** pfn_pte(). */
export function mkPte(pfn: number, bits: number): number {
  return ((pfn << 10) | bits) >>> 0;
}

/** vm_get_page_prot(): PTE bits of a VMA. Private writable pages start without W, for copy-on-write. */
export function vmPageProt(vmFlags: number): number {
  if ((vmFlags & (VM_READ | VM_WRITE | VM_EXEC)) === 0) return PTE_PROT_NONE | PTE_U | PTE_A;
  let bits = PTE_V | PTE_U | PTE_A;
  // W without R is reserved in Sv32: writing implies reading.
  if ((vmFlags & (VM_READ | VM_WRITE)) !== 0) bits |= PTE_R;
  if ((vmFlags & VM_EXEC) !== 0) bits |= PTE_X;
  if ((vmFlags & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED)) bits |= PTE_W;
  return bits;
}

/** pgd_alloc(): a zeroed root table. */
export function pgdAlloc(ctx: MmContext): Page | null {
  return allocPage(ctx, PG_TABLE);
}

/** pgd_offset(): physical address of the level-1 entry. */
export function pgdOffset(mm: MmStruct, va: number): number {
  return pageToPhys(mm.pgd) | ((va >>> 22) << 2);
}

/** Physical address of the level-0 table that covers `va`, or 0. */
export function pteTable(ctx: MmContext, mm: MmStruct, va: number): number {
  const pgd = ctx.ram.read32(pgdOffset(mm, va));
  return (pgd & PTE_V) === 0 ? 0 : pageToPhys(ptePfn(pgd));
}

/** pte_offset(): physical address of the level-0 entry, or 0 when there is no table. */
export function pteOffset(ctx: MmContext, mm: MmStruct, va: number): number {
  const table = pteTable(ctx, mm, va);
  return table === 0 ? 0 : table | (pteIndex(va >>> PAGE_SHIFT) << 2);
}

/** pte_alloc(): as pteOffset, making the table; 0 when there is no frame for it. */
export function pteAlloc(ctx: MmContext, mm: MmStruct, va: number): number {
  const present = pteOffset(ctx, mm, va);
  if (present !== 0) return present;
  const page = allocPage(ctx, PG_TABLE);
  if (page === null) return 0;
  ctx.ram.write32(pgdOffset(mm, va), mkPte(page, PTE_V));
  mm.pgtables++;
  return pageToPhys(page) | (pteIndex(va >>> PAGE_SHIFT) << 2);
}

/** set_pte_at() over an empty entry: nothing to flush, invalid entries are not cached. */
export function setPte(ctx: MmContext, pteAddress: number, pte: number): void {
  ctx.ram.write32(pteAddress, pte);
  markEntry(ctx.memMap, pteAddress);
}

/** pte_clear(): empties an entry; the caller flushes what may be cached of it. */
export function pteClear(ctx: MmContext, pteAddress: number): void {
  ctx.ram.write32(pteAddress, 0);
}

/**
 * The index of the first entry of a level-0 table, from `index` on and before `end`, that is not empty; else `end`. `table` is a physical
 * address. A sparse table costs little: only lines that have had an entry are looked at.
 */
export function nextPte({ ram, memMap }: MmContext, table: number, index: number, end: number): number {
  let at = index;
  while (at < end) {
    at = nextMarked(memMap, table >>> PAGE_SHIFT, at);
    const lineEnd = Math.min(end, (at | (ENTRIES_IN_LINE - 1)) + 1);
    at += ram.zeroWords(table | (at << 2), lineEnd - at);
    if (at < lineEnd) return at;
  }
  return end;
}

/** The same for those behind the entry of that index, which is in use: pages that are there mostly lie side by side. */
export function pteAfter(ctx: MmContext, table: number, index: number, end: number): number {
  const next = index + 1;
  const isThere = next < end && next % ENTRIES_IN_LINE !== 0 && ctx.ram.read32(table | (next << 2)) !== 0;
  return isThere ? next : nextPte(ctx, table, next, end);
}

/** flush_tlb_page(). */
export function flushTlbPage(ctx: MmContext, mm: MmStruct, va: number): void {
  ctx.hart.flushTlbPage(mmSatp(mm), va);
}

/** set_pte_at() + flush_tlb_page(): replaces an entry that may be cached, by another that is not empty. */
export function changePte(ctx: MmContext, mm: MmStruct, va: number, pteAddress: number, pte: number): void {
  ctx.ram.write32(pteAddress, pte);
  flushTlbPage(ctx, mm, va);
}

/** flush_tlb_mm(). */
export function flushTlbMm(ctx: MmContext, mm: MmStruct): void {
  ctx.hart.flushTlbAll(mmSatp(mm));
}

/**
 * free_pgtables(): frees the level-0 tables around the pages [first, end) that lie between the neighbours: a table with a page below `floor` or
 * from `ceiling` on may hold their pages. The entries are empty by now.
 */
export function freePgtables(
  ctx: MmContext,
  mm: MmStruct,
  first: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  for (let page = first & -PTRS_PER_PTE; page < end; page += PTRS_PER_PTE) {
    if (page < floor || page + PTRS_PER_PTE > ceiling) continue;
    const address = pgdOffset(mm, page << PAGE_SHIFT);
    const pgd = ctx.ram.read32(address);
    if ((pgd & PTE_V) === 0) continue;
    ctx.ram.write32(address, 0);
    putPage(ctx, ptePfn(pgd));
    mm.pgtables--;
  }
}

/** Both steps of the walk of one address, whatever the entries say. */
export interface PteWalk {
  /** Physical address of the level-1 entry, unsigned, and the entry. */
  readonly pte1Address: number;
  readonly pte1: number;
  /** Of the level-0 entry; 0 and 0 when the level-1 entry is invalid. */
  readonly pte0Address: number;
  readonly pte0: number;
}

/** Walks the tables as the MMU would. */
export function walkPte(ctx: MmContext, mm: MmStruct, va: number): PteWalk {
  const pte1Address = pgdOffset(mm, va) >>> 0;
  const pte1 = ctx.ram.read32(pte1Address);
  const pte0Address = pteOffset(ctx, mm, va) >>> 0;
  return { pte1Address, pte1, pte0Address, pte0: pte0Address === 0 ? 0 : ctx.ram.read32(pte0Address) };
}

/** Calls `visit` for every non-empty level-0 entry of [start, end), by address: unsigned, and the entry's own as an int32. `visit` may change the entry. */
export function forEachPte(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  end: number,
  visit: (va: number, pteAddress: number, pte: number) => void,
): void {
  const { ram } = ctx;
  const lastPage = end / PAGE_SIZE;
  for (let first = start >>> PAGE_SHIFT; first < lastPage; first = pmdNext(first)) {
    const table = pteTable(ctx, mm, first << PAGE_SHIFT);
    if (table === 0) continue;
    const firstOfTable = first - pteIndex(first);
    const end = Math.min(lastPage - firstOfTable, PTRS_PER_PTE);
    let index = nextPte(ctx, table, pteIndex(first), end);
    for (; index < end; index = pteAfter(ctx, table, index, end)) {
      const address = table | (index << 2);
      visit((firstOfTable + index) * PAGE_SIZE, address, ram.read32(address));
    }
  }
}
