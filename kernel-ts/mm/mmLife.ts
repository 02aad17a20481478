/** The life of an address space: kernel/fork.c (mm_alloc, dup_mm, mmput), mm/mmap.c (dup_mmap, exit_mmap). */
import { ENOMEM, type Errno } from '../abi/errno.ts';
import { PAGE_SHIFT, TASK_SIZE } from '../abi/mman.ts';
import type { File } from '../fs/file.ts';
import { vmEnoughMemory, vmStatAccount } from './accounting.ts';
import { iMmapRemove } from './addressSpace.ts';
import { anonVmaFork } from './anonVma.ts';
import { bug } from './bug.ts';
import type { MmContext } from './context.ts';
import { fput, getFile } from './fileRef.ts';
import { areaAfter, areaAt } from './mapleNode.ts';
import { MM_CACHEP, kmemCacheAlloc, kmemCacheFree } from './slab.ts';
import { copyPageRange } from './memory.ts';
import { mmSatp, MmStruct } from './mm.ts';
import { manyMms, prefetchDup } from './prefetch.ts';
import { putPage } from './page.ts';
import { flushTlbMm, freePgtables, pgdAlloc, USER_PGTABLES_CEILING } from './pgtable.ts';
import { VM_ACCOUNT, VM_DONTCOPY, VM_LOCKED_MASK, VM_WIPEONFORK, vmaPages, type VmArea } from './vma.ts';
import { removeVma, vmaLink, vmAreaDup } from './vmaOps.ts';
import { zapPageRange } from './zap.ts';

export { archPickMmapLayout } from './unmappedArea.ts';

/** mm_alloc(): an empty address space with one user, or ENOMEM. */
export function mmAlloc(ctx: MmContext): MmStruct | Errno {
  if (!kmemCacheAlloc(ctx, MM_CACHEP)) return -ENOMEM;
  const pgd = pgdAlloc(ctx);
  if (pgd === null) {
    kmemCacheFree(ctx, MM_CACHEP);
    return -ENOMEM;
  }
  return new MmStruct(ctx.vm.nextMmId++, pgd, ctx.slab.mapleNodes);
}

/** dup_mm(): fork's copy of an address space, copy-on-write. On ENOMEM everything made so far is given back. */
export function dupMm(ctx: MmContext, old: MmStruct): MmStruct | Errno {
  if (manyMms(ctx)) prefetchDup(ctx, old);
  const mm = mmAlloc(ctx);
  if (typeof mm === 'number') return mm;
  copyLayout(mm, old);
  let failed = false;
  for (let vma = old.mmap.first; vma !== null; vma = old.mmap.next(vma)) {
    if ((vma.vmFlags & VM_DONTCOPY) !== 0) continue;
    if (!dupVma(ctx, mm, vma)) {
      failed = true;
      break;
    }
  }
  // The parent's pages lost W.
  flushTlbMm(ctx, old);
  if (!failed) return mm;
  mmput(ctx, mm);
  return -ENOMEM;
}

function copyLayout(mm: MmStruct, old: MmStruct): void {
  mm.layout = old.layout;
  mm.brk = old.brk;
  mm.vdso = old.vdso;
  mm.dumpable = old.dumpable;
  if (old.exeFile !== null) setMmExeFile(mm, getFile(old.exeFile));
}

/** dup_mmap()'s loop body. False on ENOMEM; what was linked is the child's to drop. */
function dupVma(ctx: MmContext, mm: MmStruct, vma: VmArea): boolean {
  if ((vma.vmFlags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(ctx, vmaPages(vma))) return false;
  const copy = vmAreaDup(ctx, vma, mm);
  if (copy === null) return false;
  // Locks are not inherited.
  copy.vmFlags &= ~VM_LOCKED_MASK;
  const wipe = (vma.vmFlags & VM_WIPEONFORK) !== 0;
  if (wipe) copy.anonVma = null;
  else anonVmaFork(copy, vma);
  vmaLink(mm, copy);
  vmStatAccount(mm, copy.vmFlags, vmaPages(copy));
  copy.vmOps?.open?.(ctx, copy);
  return wipe || copyPageRange(ctx, copy, vma);
}

/** set_mm_exe_file() of a fresh address space: takes the reference over; the program cannot be written while it runs. */
export function setMmExeFile(mm: MmStruct, file: File): void {
  if (mm.exeFile !== null) throw new Error('the address space has a program already');
  mm.exeFile = file;
  file.fInode.iWritecount--;
}

/** mmget(): one more user. */
export function mmget(mm: MmStruct): MmStruct {
  mm.mmUsers++;
  return mm;
}

/** mmput(): the last user's release unmaps everything (exit_mmap) and frees the tables. */
export function mmput(ctx: MmContext, mm: MmStruct): void {
  if (mm.mmUsers <= 0) throw bug('mmput of a dead mm', mm.id);
  mm.mmUsers--;
  if (mm.mmUsers > 0) return;
  exitMmap(ctx, mm);
  if (mm.exeFile !== null) {
    mm.exeFile.fInode.iWritecount++;
    fput(ctx, mm.exeFile);
    mm.exeFile = null;
  }
  ctx.hart.dropAddressSpace(mmSatp(mm));
  putPage(ctx, mm.pgd);
  kmemCacheFree(ctx, MM_CACHEP);
}

/**
 * exit_mmap(): closes every VMA. Nobody runs in this address space any more, so nothing is flushed page by page; and one walk does what
 * takes Linux three, since a hundred thousand areas are too many for the processor's cache.
 */
function exitMmap(ctx: MmContext, mm: MmStruct): void {
  for (let leaf = mm.mmap.firstLeaf; leaf !== null; leaf = leaf.next) {
    for (let slot = 0; slot < leaf.count; slot++) {
      const vma = areaAt(leaf, slot);
      const { startPage, endPage } = vma;
      zapPageRange(ctx, mm, startPage, endPage, false);
      if (vma.vmFile !== null) iMmapRemove(vma.vmFile.fInode.iMapping, vma);
      removeVma(ctx, vma);
      if (mm.pgtables === 0) continue;
      // A table that the next area has a part in goes with that one.
      const ceiling = areaAfter(leaf, slot)?.startPage ?? USER_PGTABLES_CEILING;
      freePgtables(ctx, mm, startPage, endPage, 0, ceiling);
    }
  }
  mm.mmap.clear();
  // What failed half-way may have left a table behind.
  if (mm.pgtables > 0) freePgtables(ctx, mm, 0, TASK_SIZE >>> PAGE_SHIFT, 0, USER_PGTABLES_CEILING);
  mm.totalVm = 0;
  mm.dataVm = 0;
  mm.execVm = 0;
  mm.stackVm = 0;
  mm.lockedVm = 0;
}
