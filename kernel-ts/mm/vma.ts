/**
 * struct vm_area_struct and vm_operations_struct: include/linux/mm_types.h, mm.h. VM_* bits have Linux's values.
 * Missing: NUMA policy, userfaultfd.
 */
import { PAGE_SHIFT, PROT_EXEC, PROT_READ, PROT_WRITE } from '../abi/mman.ts';
import type { File } from '../fs/file.ts';
import type { AnonVma } from './anonVma.ts';
import type { MmContext } from './context.ts';
import type { MmStruct } from './mm.ts';
import type { Page } from './page.ts';
import { VM_AREA_CACHEP, kmemCacheFree } from './slab.ts';

export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
export const VM_GROWSDOWN = 0x100;
export const VM_LOCKED = 0x2000;
export const VM_SEQ_READ = 0x8000;
export const VM_RAND_READ = 0x1_0000;
export const VM_DONTCOPY = 0x2_0000;
export const VM_DONTEXPAND = 0x4_0000;
export const VM_LOCKONFAULT = 0x8_0000;
export const VM_ACCOUNT = 0x10_0000;
export const VM_NORESERVE = 0x20_0000;
export const VM_WIPEONFORK = 0x0200_0000;
export const VM_DONTDUMP = 0x0400_0000;
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

/** What a fault ends in: vm_fault_t, as far as user space can tell. */
export const FaultCode = {
  /** The access may be retried. */
  Handled: 0,
  /** SIGSEGV, SEGV_MAPERR: no mapping there. */
  SegvMaperr: 1,
  /** SIGSEGV, SEGV_ACCERR: the mapping forbids it. */
  SegvAccerr: 2,
  /** SIGBUS, BUS_ADRERR: the mapped object ends before. */
  SigbusAdrerr: 3,
  /** No frame left. */
  Oom: 4,
} as const;
export type FaultCode = (typeof FaultCode)[keyof typeof FaultCode];

/** How a page is accessed. */
export type Access = 'read' | 'write' | 'exec';

/** struct vm_operations_struct: module-level constants only. `open` is not called for the first mapping. */
export interface VmOperations {
  /** Name of the C structure, e.g. "shm_vm_ops". */
  readonly name: string;
  /** vm_ops->name(): what /proc/PID/maps calls an area without a file. */
  readonly mapsName?: string;
  /** The area was duplicated: fork, split, mremap. */
  readonly open?: (ctx: MmContext, vma: VmArea) => void;
  /** The area is gone. */
  readonly close?: (ctx: MmContext, vma: VmArea) => void;
  /** fault(): the page at page offset `pgoff` of the file with its count raised, or why not: a FaultCode as a negative number. */
  readonly nopage?: (ctx: MmContext, vma: VmArea, pgoff: number, write: boolean) => Page;
  /** map_pages(): the page at page offset `pgoff` if it is in the page cache and up to date, with its count raised; else 0. */
  readonly mapPage?: (ctx: MmContext, vma: VmArea, pgoff: number) => Page;
  /** may_split(): an Errno when the area cannot be split at this address, else 0. */
  readonly maySplit?: (ctx: MmContext, vma: VmArea, addr: number) => number;
  /** The file has a get_unmapped_area() of its own and is not shmem's: mremap moves such an area by itself alone. */
  readonly movesAlone?: boolean;
}

/** struct vm_area_struct. Invariant: page-aligned, vmStart < vmEnd <= TASK_SIZE, disjoint from the others of vmMm. */
export class VmArea {
  vmMm: MmStruct;
  /** The bounds as int32: V8 boxes larger numbers, which would be two more objects for each of a hundred thousand areas. */
  private start: number;
  private end: number;
  /** Offset in vmFile, in pages; for private anonymous memory vmStart >>> 12 at its birth. */
  vmPgoff: number;
  /** VM_*. */
  vmFlags: number;
  vmFile: File | null = null;
  vmOps: VmOperations | null = null;
  vmPrivateData: unknown = null;
  /** anon_vma: a private page may have been made here, so fork must copy the PTEs. */
  anonVma: AnonVma | null = null;
  /** list_is_singular(&anon_vma_chain): it has no ancestors' beside its own (anonVma.ts). */
  anonSingular = false;
  /** Links of the inode's i_mmap (iMmapInsert). */
  mappingPrev: VmArea | null = null;
  mappingNext: VmArea | null = null;

  constructor(mm: MmStruct, vmStart: number, vmEnd: number, vmFlags: number, vmPgoff: number) {
    this.vmMm = mm;
    this.start = vmStart | 0;
    this.end = vmEnd | 0;
    this.vmFlags = vmFlags;
    this.vmPgoff = vmPgoff;
  }

  /** As the constructor, of a free one; by pages. */
  reuse(mm: MmStruct, first: number, end: number, vmFlags: number, vmPgoff: number): void {
    this.vmMm = mm;
    this.start = first << PAGE_SHIFT;
    this.end = end << PAGE_SHIFT;
    this.vmFlags = vmFlags;
    this.vmPgoff = vmPgoff;
  }

  /** Lets go of all that a free one would keep alive. To use it then is a mistake, which the missing vmMm brings to light. */
  forget(): void {
    this.vmMm = null as unknown as MmStruct;
    this.vmFile = null;
    this.vmOps = null;
    this.vmPrivateData = null;
    this.anonVma = null;
    this.anonSingular = false;
    this.mappingPrev = null;
    this.mappingNext = null;
  }

  get vmStart(): number {
    return this.start >>> 0;
  }

  set vmStart(address: number) {
    this.start = address | 0;
  }

  /** Exclusive. */
  get vmEnd(): number {
    return this.end >>> 0;
  }

  set vmEnd(address: number) {
    this.end = address | 0;
  }

  /** vmStart in pages: a small integer, which V8 boxes nowhere. */
  get startPage(): number {
    return this.start >>> PAGE_SHIFT;
  }

  /** vmEnd in pages. */
  get endPage(): number {
    return this.end >>> PAGE_SHIFT;
  }
}

/**
 * vm_area_alloc() of memory that kmemCacheAlloc has counted: an area of pages [first, end). It takes one that was freed, if there is any:
 * V8 would copy a hundred thousand new ones twice before it took them for old, at a third of what an attach costs (bench:scale).
 */
export function vmAreaInit(
  { slab }: MmContext,
  mm: MmStruct,
  first: number,
  end: number,
  vmFlags: number,
  vmPgoff: number,
): VmArea {
  const vma = slab.freeAreas.pop();
  if (vma === undefined) return new VmArea(mm, first << PAGE_SHIFT, end << PAGE_SHIFT, vmFlags, vmPgoff);
  vma.reuse(mm, first, end, vmFlags, vmPgoff);
  return vma;
}

/** vm_area_free(). Whoever still has the area must not look at it any more. */
export function vmAreaFree(ctx: MmContext, vma: VmArea): void {
  kmemCacheFree(ctx, VM_AREA_CACHEP);
  const { freeAreas, maxFreeAreas } = ctx.slab;
  if (freeAreas.length >= maxFreeAreas) return;
  vma.forget();
  freeAreas.push(vma);
}

/** vma_pages(). Pages are counted by shifts: V8 boxes what a division yields, wherever it is kept. */
export function vmaPages(vma: VmArea): number {
  return (vma.vmEnd - vma.vmStart) >>> PAGE_SHIFT;
}

/** calc_vm_prot_bits(): PROT_* are VM_* by value. */
export function calcVmProtBits(prot: number): number {
  return prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/** "rw-s", as in /proc/PID/maps. */
export function vmaPerms(vma: VmArea): string {
  const f = vma.vmFlags;
  const bit = (mask: number, letter: string): string => ((f & mask) !== 0 ? letter : '-');
  return bit(VM_READ, 'r') + bit(VM_WRITE, 'w') + bit(VM_EXEC, 'x') + ((f & VM_MAYSHARE) !== 0 ? 's' : 'p');
}
