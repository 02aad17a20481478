/** mremap(2): mm/mremap.c of 6.x. Missing: moving several mappings at once (EFAULT, as kernels before 6.17). */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, type Errno } from '../abi/errno.ts';
import {
  MAP_FIXED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  pageAlignUp,
  TASK_SIZE,
} from '../abi/mman.ts';
import { mayExpandVm, mlockFutureOk, vmEnoughMemory, vmStatAccount } from './accounting.ts';
import type { MmContext } from './context.ts';
import { doMunmap } from './mmap.ts';
import type { MmStruct } from './mm.ts';
import { forEachPte, freePgtables, pteAlloc, pteOffset, setPte, flushTlbMm, PGDIR_SIZE } from './pgtable.ts';
import { populateRange } from './populate.ts';
import { getUnmappedArea } from './unmappedArea.ts';
import {
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_SHARED,
  VM_MAYSHARE,
  vmaPages,
  type VmArea,
} from './vma.ts';
import { vmaAreaRange, vmaLink, vmaMergeNewRange } from './vmaOps.ts';
import { vmStartGap } from './vmaTree.ts';

/**
 * sys_mremap(): resizes or moves the mapping at `addr`.
 *
 * @returns the address, EINVAL (arguments), EFAULT (not one mapping), ENOMEM (no room, limits), EAGAIN (locked memory).
 */
export function doMremap(
  ctx: MmContext,
  mm: MmStruct,
  addr: number,
  oldLength: number,
  newLength: number,
  flags: number,
  newAddr: number,
): number {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  const placed = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (placed && (flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
  if (addr % PAGE_SIZE !== 0) return -EINVAL;
  // PAGE_ALIGN wraps in 32 bits, to 0.
  const oldLen = pageAlignUp(oldLength) % 0x1_0000_0000;
  const newLen = pageAlignUp(newLength) % 0x1_0000_0000;
  if (newLen === 0 || newLen > TASK_SIZE) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLen !== newLen) return -EINVAL;
  if (placed) return mremapTo(ctx, mm, addr, oldLen, newAddr, newLen, flags);

  const vma = mm.mmap.lookup(addr);
  if (vma === null) return -EFAULT;
  if (oldLen >= newLen) {
    if (oldLen > newLen) {
      const error = doMunmap(ctx, mm, addr + newLen, oldLen - newLen);
      if (error < 0) return error;
    }
    return addr;
  }
  const error = vmaToResize(ctx, vma, addr, oldLen, newLen);
  if (error < 0) return error;
  const delta = newLen - oldLen;
  if (oldLen === vma.vmEnd - addr && vmaExpandable(ctx, vma, delta)) {
    expandInPlace(ctx, vma, delta);
    if ((vma.vmFlags & VM_LOCKED) !== 0) populateRange(ctx, mm, addr + oldLen, addr + newLen);
    return addr;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const target = getUnmappedArea(ctx, mm, 0, newLen, 0);
  return target < 0 ? target : moveVma(ctx, vma, addr, oldLen, newLen, target);
}

/** mremap_to(): MREMAP_FIXED, MREMAP_DONTUNMAP. */
function mremapTo(
  ctx: MmContext,
  mm: MmStruct,
  addr: number,
  oldLength: number,
  newAddr: number,
  newLen: number,
  flags: number,
): number {
  const fixed = (flags & MREMAP_FIXED) !== 0;
  const keep = (flags & MREMAP_DONTUNMAP) !== 0;
  if (newAddr % PAGE_SIZE !== 0 || newAddr > TASK_SIZE - newLen) return -EINVAL;
  // Old and new range must not overlap.
  if (addr + oldLength > newAddr && newAddr + newLen > addr) return -EINVAL;
  if (mm.mmap.lookup(addr) === null) return -EFAULT;
  // The move may need four more VMAs than there are.
  if (mm.mmap.size + 2 >= ctx.vm.maxMapCount - 3) return -ENOMEM;
  let oldLen = oldLength;
  let error = fixed ? doMunmap(ctx, mm, newAddr, newLen) : 0;
  if (error < 0) return error;
  if (oldLen > newLen) {
    error = doMunmap(ctx, mm, addr + newLen, oldLen - newLen);
    if (error < 0) return error;
    oldLen = newLen;
  }
  const vma = mm.mmap.lookup(addr);
  if (vma === null) return -EFAULT;
  error = vmaToResize(ctx, vma, addr, oldLen, newLen);
  if (error < 0) return error;
  if (keep) {
    if ((vma.vmFlags & VM_DONTEXPAND) !== 0) return -EINVAL;
    if (!mayExpandVm(mm, vma.vmFlags, newLen / PAGE_SIZE)) return -ENOMEM;
  }
  const target = getUnmappedArea(ctx, mm, newAddr, newLen, fixed ? MAP_FIXED : 0);
  return target < 0 ? target : moveVma(ctx, vma, addr, oldLen, newLen, target, keep);
}

/** vma_to_resize(): whether this VMA may be resized so. */
function vmaToResize(ctx: MmContext, vma: VmArea, addr: number, oldLen: number, newLen: number): 0 | Errno {
  // old_len 0 asks for a second mapping of the same pages: of shared memory only.
  if (oldLen === 0 && (vma.vmFlags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
  if (oldLen > vma.vmEnd - addr) return -EFAULT;
  if (newLen === oldLen) return 0;
  if ((vma.vmFlags & VM_DONTEXPAND) !== 0) return -EFAULT;
  const delta = newLen - oldLen;
  if (!mlockFutureOk(ctx, vma.vmMm, vma.vmFlags, delta)) return -EAGAIN;
  if (!mayExpandVm(vma.vmMm, vma.vmFlags, delta / PAGE_SIZE)) return -ENOMEM;
  if ((vma.vmFlags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(ctx, delta / PAGE_SIZE)) return -ENOMEM;
  return 0;
}

/** vma_expandable(): whether `delta` bytes behind the VMA are free. */
function vmaExpandable(ctx: MmContext, vma: VmArea, delta: number): boolean {
  const end = vma.vmEnd + delta;
  if (end > TASK_SIZE || (vma.vmNext !== null && end > vmStartGap(vma.vmNext))) return false;
  return getUnmappedArea(ctx, vma.vmMm, vma.vmStart, end - vma.vmStart, MAP_FIXED) >= 0;
}

/** Grows a VMA at its end, joining it with a neighbour it then touches. */
function expandInPlace(ctx: MmContext, vma: VmArea, delta: number): void {
  const mm = vma.vmMm;
  const { vmEnd: end, vmFlags } = vma;
  const pgoff = vma.vmPgoff + vmaPages(vma);
  if (
    vma.vmOps?.close !== undefined ||
    vmaMergeNewRange(ctx, mm, end, end + delta, vmFlags, vma.vmFile, pgoff) === null
  ) {
    mm.mmap.setBounds(vma, vma.vmStart, end + delta);
  }
  vmStatAccount(mm, vmFlags, delta / PAGE_SIZE);
  if ((vmFlags & VM_LOCKED) !== 0) mm.lockedVm += delta / PAGE_SIZE;
}

/** move_vma(): a second VMA at `target`, the page-table entries carried over, the old range unmapped unless `keep`. */
function moveVma(
  ctx: MmContext,
  vma: VmArea,
  addr: number,
  oldLen: number,
  newLen: number,
  target: number,
  keep = false,
): number {
  const mm = vma.vmMm;
  // Splitting the old VMA and adding the new one must stay below the limit.
  if (mm.mmap.size >= ctx.vm.maxMapCount - 3) return -ENOMEM;
  const { vmFlags } = vma;
  const pgoff = vma.vmPgoff + (addr - vma.vmStart) / PAGE_SIZE;
  // Tables first: then nothing can fail half way.
  if (!allocTables(ctx, mm, addr, oldLen, target)) {
    const next = mm.mmap.find(target);
    const prev = next === null ? mm.mmap.last : next.vmPrev;
    freePgtables(ctx, mm, target, target + newLen, prev?.vmEnd ?? 0, next?.vmStart ?? 0x1_0000_0000);
    return -ENOMEM;
  }
  const merged =
    vma.vmOps?.close === undefined
      ? vmaMergeNewRange(ctx, mm, target, target + newLen, vmFlags, vma.vmFile, pgoff)
      : null;
  if (merged === null) {
    const created = vmaAreaRange(vma, target, target + newLen, pgoff);
    created.vmOps?.open?.(ctx, created);
    vmaLink(mm, created);
  } else {
    merged.anonVma ||= vma.anonVma;
  }
  vmStatAccount(mm, vmFlags, newLen / PAGE_SIZE);
  if ((vmFlags & VM_LOCKED) !== 0) mm.lockedVm += newLen / PAGE_SIZE;
  movePageTables(ctx, mm, addr, oldLen, target);
  if (keep) {
    unlockVma(vma);
  } else if (oldLen > 0) {
    const error = doMunmap(ctx, mm, addr, oldLen);
    // maxMapCount was checked and nothing else makes an aligned unmapping of a mapping fail.
    if (error < 0) throw new Error(`mremap cannot unmap the old range: ${error}`);
  }
  if ((vmFlags & VM_LOCKED) !== 0) populateRange(ctx, mm, target + oldLen, target + newLen);
  return target;
}

/** dontunmap_complete(): what stays behind is empty and not locked. */
function unlockVma(vma: VmArea): void {
  if ((vma.vmFlags & VM_LOCKED) !== 0) vma.vmMm.lockedVm -= vmaPages(vma);
  vma.vmFlags &= ~VM_LOCKED_MASK;
}

/** Makes the level-0 tables that the moved entries need. */
function allocTables(ctx: MmContext, mm: MmStruct, addr: number, len: number, target: number): boolean {
  let ok = true;
  let ready = -1;
  forEachPte(ctx, mm, addr, addr + len, (va) => {
    const to = va - addr + target;
    const slot = Math.floor(to / PGDIR_SIZE);
    if (!ok || slot === ready) return;
    ok = pteAlloc(ctx, mm, to) !== 0;
    ready = slot;
  });
  return ok;
}

/** move_page_tables(): the frames keep their counts, only the address changes. */
function movePageTables(ctx: MmContext, mm: MmStruct, addr: number, len: number, target: number): void {
  let moved = 0;
  forEachPte(ctx, mm, addr, addr + len, (va, pteAddress, pte) => {
    setPte(ctx, pteAddress, 0);
    setPte(ctx, pteOffset(ctx, mm, va - addr + target), pte);
    moved++;
  });
  if (moved > 0) flushTlbMm(ctx, mm);
}
