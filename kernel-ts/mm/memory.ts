/**
 * Page faults and copy-on-write: mm/memory.c (handle_mm_fault, do_wp_page, copy_page_range), arch/riscv/mm/fault.c,
 * mm/mmap.c (expand_stack). Missing: swap.
 */
import { PAGE_SHIFT, PAGE_SIZE, pageAlignDown, TASK_SIZE } from '../abi/mman.ts';
import { RLIMIT_STACK, rlimit } from '../abi/resource.ts';
import { anonVmaPrepare } from './anonVma.ts';
import type { MmContext } from './context.ts';
import type { MmStruct } from './mm.ts';
import {
  allocPage,
  getPage,
  isAtPlace,
  isFree,
  PG_ANON,
  PG_DIRTY,
  PG_ZERO,
  pageCount,
  pageFlags,
  pageToPhys,
  putPage,
  setPageFlag,
  RUN,
  type FramePlace,
  type Page,
} from './page.ts';
import {
  changePte,
  flushTlbMm,
  forEachPte,
  mkPte,
  nextPte,
  PTE_A,
  PTE_D,
  PTE_PROT_NONE,
  PTE_R,
  PTE_V,
  PTE_W,
  PTE_X,
  pmdNext,
  pteAfter,
  pteAlloc,
  pteIndex,
  pteOffset,
  ptePfn,
  PTRS_PER_PTE,
  pteTable,
  setPte,
  vmPageProt,
} from './pgtable.ts';
import { mayExpandVm, mlockFutureOk, vmStatAccount } from './accounting.ts';
import {
  FaultCode,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  vmaPages,
  type Access,
  type VmArea,
} from './vma.ts';
import { STACK_GUARD_GAP } from './vmaTree.ts';
import { pageAddRmap, pageOfPte, pageRemoveRmap } from './zap.ts';

/** do_page_fault(): what an access at `va` (u32, or as an int32) needs, done; or the signal it deserves. */
export function doPageFault(ctx: MmContext, mm: MmStruct, va: number, access: Access): FaultCode {
  const page = va >>> PAGE_SHIFT;
  if (page >= TASK_SIZE >>> PAGE_SHIFT) return FaultCode.SegvMaperr;
  const vma = mm.mmap.findPage(page);
  if (vma === null) return FaultCode.SegvMaperr;
  if (page < vma.startPage && !expandStack(ctx, vma, va >>> 0)) return FaultCode.SegvMaperr;
  if (accessError(vma, access)) return FaultCode.SegvAccerr;
  return handleMmFault(ctx, vma, page, access === 'write');
}

/** access_error(): writing implies reading, as the entries cannot say otherwise. */
function accessError(vma: VmArea, access: Access): boolean {
  switch (access) {
    case 'exec':
      return (vma.vmFlags & VM_EXEC) === 0;
    case 'read':
      return (vma.vmFlags & (VM_READ | VM_WRITE)) === 0;
    case 'write':
      return (vma.vmFlags & VM_WRITE) === 0;
  }
}

/** expand_downwards(): grows a stack to the page of `va`, if limits and the guard gap allow it. */
export function expandStack(ctx: MmContext, vma: VmArea, va: number): boolean {
  const address = pageAlignDown(va);
  const mm = vma.vmMm;
  if ((vma.vmFlags & VM_GROWSDOWN) === 0 || address < ctx.vm.mmapMinAddr) return false;
  const prev = mm.mmap.prev(vma);
  if (
    prev !== null &&
    (prev.vmFlags & VM_GROWSDOWN) === 0 &&
    (prev.vmFlags & (VM_READ | VM_WRITE | VM_EXEC)) !== 0
  ) {
    if (address - prev.vmEnd < STACK_GUARD_GAP) return false;
  }
  const grow = (vma.vmStart - address) >>> PAGE_SHIFT;
  if (grow > vma.vmPgoff) return false;
  if (!mayExpandVm(ctx, mm, vma.vmFlags, grow)) return false;
  if (vma.vmEnd - address > rlimit(ctx.current.rlim, RLIMIT_STACK)) return false;
  if (!mlockFutureOk(ctx, mm, vma.vmFlags, grow * PAGE_SIZE)) return false;
  if ((vma.vmFlags & VM_LOCKED) !== 0) mm.lockedVm += grow;
  vmStatAccount(mm, vma.vmFlags, grow);
  vma.vmPgoff -= grow;
  mm.mmap.setBounds(vma, address, vma.vmEnd);
  return true;
}

/** handle_mm_fault(): the page lies in `vma` and the access is allowed. Pages by number, as V8 boxes most addresses. */
function handleMmFault(ctx: MmContext, vma: VmArea, page: number, write: boolean): FaultCode {
  const mm = vma.vmMm;
  const pteAddress = pteAlloc(ctx, mm, page << PAGE_SHIFT);
  if (pteAddress === 0) return FaultCode.Oom;
  const pte = ctx.ram.read32(pteAddress);
  if (pte === 0) {
    if (vma.vmOps?.nopage === undefined) return doAnonymousPage(ctx, vma, page, pteAddress, write);
    return doFault(ctx, vma, page, pteAddress, write);
  }
  if (write && (pte & PTE_W) === 0) return doWpPage(ctx, vma, page, pteAddress, pte);
  // Already as it should be: another fault was faster, or A and D are left to software.
  changePte(ctx, mm, page << PAGE_SHIFT, pteAddress, pte | PTE_A | (write ? PTE_D : 0));
  return FaultCode.Handled;
}

/** The entry of a page that may be written through this VMA if the VMA may. */
function writableBits(vma: VmArea, write: boolean): number {
  const bits = vmPageProt(vma.vmFlags);
  if ((vma.vmFlags & VM_WRITE) === 0) return bits;
  return bits | PTE_W | (write ? PTE_D : 0);
}

/** ZERO_PAGE(), with a reference for the entry that is to map it; null when it cannot be made. */
function zeroPage(ctx: MmContext): Page | null {
  const page = (ctx.vm.zeroPage ??= allocPage(ctx, PG_ZERO));
  if (page !== null) getPage(ctx, page);
  return page;
}

/** The answer of framePlace, which nobody keeps: page faults are frequent. */
const place = { pfn: 0, index: 0, pages: 0 };

/** The entry of the page before that one, whose entry is at `pteAddress`; 0 when it has none. */
function entryBefore(ctx: MmContext, vma: VmArea, page: number, pteAddress: number): number {
  if ((pteAddress & 0xfff) !== 0) return ctx.ram.read32(pteAddress - 4);
  const before = page === 0 ? 0 : pteOffset(ctx, vma.vmMm, (page - 1) << PAGE_SHIFT);
  return before === 0 ? 0 : ctx.ram.read32(before);
}

/**
 * The frame that lies to those of the pages around this one as the pages lie: the page before it, and as far as their entries are in the
 * same table the page behind it, or any of those that share a run with it and have their places there.
 */
function framePlace(ctx: MmContext, vma: VmArea, page: number, pteAddress: number): FramePlace {
  const { ram } = ctx;
  place.index = page;
  place.pages = vmaPages(vma);
  place.pfn = 0;
  // A large mapping does not go on behind a small one, where there may be no room for it.
  const isFirst = place.pages > RUN && page === vma.startPage;
  const before = isFirst ? 0 : entryBefore(ctx, vma, page, pteAddress);
  if (before !== 0) place.pfn = ptePfn(before) + 1;
  else {
    const after = (pteAddress & 0xfff) === 0xffc ? 0 : ram.read32(pteAddress + 4);
    if (after !== 0) place.pfn = ptePfn(after) - 1;
    const first = pteAddress - 4 * (page % RUN);
    const least = place.pages > RUN ? (page % RUN) - (page - vma.startPage) : 0;
    for (let at = Math.max(least, 0); at < RUN && place.pfn === 0; at++) {
      at += ram.zeroWords(first + 4 * at, RUN - at);
      if (at >= RUN) break;
      const entry = ram.read32(first + 4 * at);
      if (isAtPlace(ctx.memMap, ptePfn(entry), at)) place.pfn = ptePfn(entry) - at + (page % RUN);
    }
  }
  return place;
}

/**
 * The same for a copy of a page that fork has left to two: those around it often stay as they are, so it opens no run, or a thousand
 * processes would lie scattered over all of RAM.
 */
function copyPlace(ctx: MmContext, vma: VmArea, page: number, pteAddress: number): FramePlace | null {
  const wanted = framePlace(ctx, vma, page, pteAddress);
  return isFree(ctx.memMap, wanted.pfn) ? wanted : null;
}

/** do_anonymous_page(). What is only read gives the VMA no anon_vma, so fork leaves it to the child's own faults. */
function doAnonymousPage(
  ctx: MmContext,
  vma: VmArea,
  page: number,
  pteAddress: number,
  write: boolean,
): FaultCode {
  if (!write) {
    const zero = zeroPage(ctx);
    if (zero === null) return FaultCode.Oom;
    setPte(ctx, pteAddress, mkPte(zero, vmPageProt(vma.vmFlags)));
    pageAddRmap(ctx, vma.vmMm, zero);
    return FaultCode.Handled;
  }
  const frame = allocPage(ctx, PG_ANON, true, framePlace(ctx, vma, page, pteAddress));
  if (frame === null) return FaultCode.Oom;
  anonVmaPrepare(vma);
  setPte(ctx, pteAddress, mkPte(frame, writableBits(vma, true)));
  pageAddRmap(ctx, vma.vmMm, frame);
  return FaultCode.Handled;
}

/** fault_around_pages: of 64 KiB. */
const FAULT_AROUND = 16;

/**
 * do_fault_around(): maps what the page cache has of the pages that lie in the same 64 KiB, the same area and the same table. True when
 * that was the page itself too.
 */
function doFaultAround(ctx: MmContext, vma: VmArea, page: number, pteAddress: number): boolean {
  const mapPage = vma.vmOps?.mapPage;
  if (mapPage === undefined) return false;
  const { ram } = ctx;
  const first = Math.max(page - (page % FAULT_AROUND), vma.startPage);
  const end = Math.min(first + FAULT_AROUND, pmdNext(page), vma.endPage);
  const bits = vmPageProt(vma.vmFlags);
  for (let other = first; other < end; other++) {
    const at = pteAddress + (other - page) * 4;
    if (ram.read32(at) !== 0) continue;
    const cached = mapPage(ctx, vma, vma.vmPgoff + (other - vma.startPage));
    if (cached === 0) continue;
    setPte(ctx, at, mkPte(cached, bits));
    pageAddRmap(ctx, vma.vmMm, cached);
  }
  return ram.read32(pteAddress) !== 0;
}

/** do_fault(): do_read_fault, do_cow_fault, do_shared_fault. */
function doFault(ctx: MmContext, vma: VmArea, page: number, pteAddress: number, write: boolean): FaultCode {
  if (!write && doFaultAround(ctx, vma, page, pteAddress)) return FaultCode.Handled;
  const pgoff = vma.vmPgoff + (page - vma.startPage);
  const result = vma.vmOps?.nopage?.(ctx, vma, pgoff, write);
  if (result === undefined) throw new Error('a mapping without nopage');
  if (result < 0) return -result as FaultCode;
  let frame: Page = result;
  let bits = vmPageProt(vma.vmFlags) | (write ? PTE_D : 0);
  if (write && (vma.vmFlags & VM_SHARED) === 0) {
    const copy = allocPage(ctx, PG_ANON, false, framePlace(ctx, vma, page, pteAddress));
    if (copy !== null) ctx.ram.copy(pageToPhys(copy), pageToPhys(frame), PAGE_SIZE);
    putPage(ctx, frame);
    if (copy === null) return FaultCode.Oom;
    anonVmaPrepare(vma);
    frame = copy;
    bits = writableBits(vma, true);
  } else if (write) {
    // fault_dirty_shared_page()
    setPageFlag(ctx.memMap, frame, PG_DIRTY);
  }
  setPte(ctx, pteAddress, mkPte(frame, bits));
  pageAddRmap(ctx, vma.vmMm, frame);
  return FaultCode.Handled;
}

/** do_wp_page(): a write to a present page without W. */
function doWpPage(ctx: MmContext, vma: VmArea, page: number, pteAddress: number, pte: number): FaultCode {
  const mm = vma.vmMm;
  const old = pageOfPte(ctx, pte);
  const anonymous = (pageFlags(ctx.memMap, old) & PG_ANON) !== 0;
  if ((vma.vmFlags & VM_SHARED) !== 0 || (anonymous && pageCount(ctx.memMap, old) === 1)) {
    changePte(ctx, mm, page << PAGE_SHIFT, pteAddress, pte | PTE_W | PTE_A | PTE_D);
    return FaultCode.Handled;
  }
  const placeOf = anonymous ? copyPlace : framePlace;
  const copy = allocPage(ctx, PG_ANON, false, placeOf(ctx, vma, page, pteAddress));
  if (copy === null) return FaultCode.Oom;
  ctx.ram.copy(pageToPhys(copy), pageToPhys(old), PAGE_SIZE);
  anonVmaPrepare(vma);
  changePte(ctx, mm, page << PAGE_SHIFT, pteAddress, mkPte(copy, writableBits(vma, true)));
  pageRemoveRmap(ctx, mm, old);
  pageAddRmap(ctx, mm, copy);
  return FaultCode.Handled;
}

/**
 * change_protection(): gives the present entries of [start, end) the rights of the VMA's new flags. A private page
 * becomes writable at once only when nobody else holds it.
 */
export function changeProtection(ctx: MmContext, vma: VmArea, start: number, end: number): void {
  const mm = vma.vmMm;
  const prot = vmPageProt(vma.vmFlags);
  const { memMap } = ctx;
  const reuse = (vma.vmFlags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
  let changed = 0;
  forEachPte(ctx, mm, start, end, (_va, pteAddress, pte) => {
    const page = pageOfPte(ctx, pte);
    let bits = prot | (pte & PTE_D);
    if (reuse && (pageFlags(memMap, page) & PG_ANON) !== 0 && pageCount(memMap, page) === 1) bits |= PTE_W;
    setPte(ctx, pteAddress, mkPte(page, bits));
    changed++;
  });
  if (changed > 0) flushTlbMm(ctx, mm);
}

/**
 * copy_page_range(): fork's part for one VMA. What a fault can bring back from the file is left to the fault
 * (vma_needs_copy). False when a table cannot be allocated; the caller drops the whole child.
 */
export function copyPageRange(ctx: MmContext, child: VmArea, parent: VmArea): boolean {
  if (parent.anonVma === null) return true;
  const cow = (parent.vmFlags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
  const { ram } = ctx;
  const { endPage } = parent;
  // As forEachPte, without a closure, and by pages: V8 boxes addresses.
  for (let first = parent.startPage; first < endPage; first = pmdNext(first)) {
    const table = pteTable(ctx, parent.vmMm, first << PAGE_SHIFT);
    if (table === 0) continue;
    const end = Math.min(endPage - (first - pteIndex(first)), PTRS_PER_PTE);
    let childTable = 0;
    let index = nextPte(ctx, table, pteIndex(first), end);
    for (; index < end; index = pteAfter(ctx, table, index, end)) {
      const offset = index << 2;
      const pte = ram.read32(table | offset);
      childTable ||= pteAlloc(ctx, child.vmMm, first << PAGE_SHIFT) & -PAGE_SIZE;
      if (childTable === 0) return false;
      const entry = cow ? (pte & ~PTE_W) >>> 0 : pte;
      // The caller flushes the parent's whole address space once.
      if (entry !== pte) setPte(ctx, table | offset, entry);
      const copied = pageOfPte(ctx, pte);
      getPage(ctx, copied);
      // pte_mkold()
      setPte(ctx, childTable | offset, (entry & ~PTE_A) >>> 0);
      pageAddRmap(ctx, child.vmMm, copied);
    }
  }
  return true;
}

/** Whether a present entry lets user mode do this. */
export function ptePermits(pte: number, access: Access): boolean {
  if ((pte & PTE_V) === 0 || pte === PTE_PROT_NONE) return false;
  return (pte & (access === 'write' ? PTE_W : access === 'read' ? PTE_R : PTE_X)) !== 0;
}
