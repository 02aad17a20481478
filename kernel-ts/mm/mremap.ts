/** mremap(2): mm/mremap.c of 6.18, which moves several mappings at once. */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, type Errno } from '../abi/errno.ts';
import {
  MAP_FIXED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SHIFT,
  PAGE_SIZE,
  pageAlignUp,
  TASK_SIZE,
} from '../abi/mman.ts';
import { mayExpandVm, mlockFutureOk, vmEnoughMemory, vmStatAccount } from './accounting.ts';
import type { MmContext } from './context.ts';
import { doMunmap } from './mmap.ts';
import type { MmStruct } from './mm.ts';
import {
  flushTlbMm,
  forEachPte,
  freePgtables,
  PGDIR_SIZE,
  pteAlloc,
  pteClear,
  pteOffset,
  setPte,
  USER_PGTABLES_CEILING,
} from './pgtable.ts';
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

/** struct vma_remap_struct: what is asked for, lengths rounded up to pages. */
interface Remap {
  readonly addr: number;
  readonly oldLen: number;
  readonly newLen: number;
  readonly flags: number;
  readonly newAddr: number;
}

/** vrm_implies_new_addr(). */
const impliesNewAddr = (flags: number): boolean => (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;

/** check_mremap_params(). */
function checkParams({ addr, oldLen, newLen, flags, newAddr }: Remap): 0 | Errno {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  if (addr % PAGE_SIZE !== 0 || newLen === 0 || newLen > TASK_SIZE) return -EINVAL;
  if (!impliesNewAddr(flags)) return 0;
  if (newAddr > TASK_SIZE - newLen || newAddr % PAGE_SIZE !== 0) return -EINVAL;
  if ((flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
  // "MREMAP_DONTUNMAP was specified, but old_size and new_size were not equal."
  if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLen !== newLen) return -EINVAL;
  // Old and new range must not overlap.
  return addr + oldLen > newAddr && newAddr + newLen > addr ? -EINVAL : 0;
}

/**
 * sys_mremap(): resizes or moves the mapping at `addr`; with MREMAP_FIXED and without resizing, every mapping in the range.
 *
 * @returns the address, EINVAL (arguments), EFAULT (not mapped, or more than one mapping), ENOMEM (no room, limits),
 * EAGAIN (locked memory).
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
  // PAGE_ALIGN wraps in 32 bits, to 0.
  const oldLen = pageAlignUp(oldLength) % 0x1_0000_0000;
  const newLen = pageAlignUp(newLength) % 0x1_0000_0000;
  const remap: Remap = { addr, oldLen, newLen, flags, newAddr };
  const refused = checkParams(remap);
  if (refused < 0) return refused;
  // A move may need four more VMAs than there are.
  if (impliesNewAddr(flags) && mm.mmap.size + 2 >= ctx.vm.maxMapCount - 3) return -ENOMEM;
  if ((flags & MREMAP_FIXED) !== 0 && oldLen === newLen) return remapMove(ctx, mm, remap);
  const vma = mm.mmap.lookup(addr);
  if (vma === null) return -EFAULT;
  const error = checkVma(ctx, vma, remap);
  if (error < 0) return error;
  return impliesNewAddr(flags) ? mremapTo(ctx, vma, remap) : mremapAt(ctx, vma, remap);
}

/** mremap_at(): no new address was given. */
function mremapAt(ctx: MmContext, vma: VmArea, remap: Remap): number {
  const { addr, oldLen, newLen, flags } = remap;
  const mm = vma.vmMm;
  if (oldLen >= newLen) {
    if (oldLen > newLen) {
      const error = doMunmap(ctx, mm, addr + newLen, oldLen - newLen);
      if (error < 0) return error;
    }
    return addr;
  }
  const delta = newLen - oldLen;
  if (oldLen === vma.vmEnd - addr && vmaExpandable(ctx, vma, delta)) {
    expandInPlace(ctx, vma, delta);
    if ((vma.vmFlags & VM_LOCKED) !== 0) populateRange(ctx, mm, addr + oldLen, addr + newLen);
    return addr;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const target = getUnmappedArea(ctx, mm, 0, newLen, 0);
  return target < 0 ? target : moveVma(ctx, vma, { ...remap, newAddr: target * PAGE_SIZE });
}

/** mremap_to(): MREMAP_FIXED, or MREMAP_DONTUNMAP, for which the address is a hint. */
function mremapTo(ctx: MmContext, source: VmArea, remap: Remap): number {
  const { addr, newLen, flags, newAddr } = remap;
  const mm = source.vmMm;
  const fixed = (flags & MREMAP_FIXED) !== 0;
  let vma: VmArea | null = source;
  let { oldLen } = remap;
  if (fixed) {
    const error = doMunmap(ctx, mm, newAddr, newLen);
    if (error < 0) return error;
    vma = mm.mmap.lookup(addr);
  }
  if (oldLen > newLen) {
    const error = doMunmap(ctx, mm, addr + newLen, oldLen - newLen);
    if (error < 0) return error;
    oldLen = newLen;
    vma = mm.mmap.lookup(addr);
  }
  if (vma === null) return -EFAULT;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && !mayExpandVm(ctx, mm, vma.vmFlags, oldLen / PAGE_SIZE))
    return -ENOMEM;
  const target = getUnmappedArea(ctx, mm, newAddr, newLen, fixed ? MAP_FIXED : 0);
  return target < 0 ? target : moveVma(ctx, vma, { ...remap, oldLen, newAddr: target * PAGE_SIZE });
}

/**
 * remap_move(): moves each mapping of the range, and keeps the gaps between them. The first has to begin before or at the
 * range. An error leaves what was moved before it where it is.
 */
function remapMove(ctx: MmContext, mm: MmStruct, remap: Remap): number {
  const end = remap.addr + remap.oldLen;
  let result = -EFAULT;
  let position = remap.addr;
  while (position < end) {
    const vma = mm.mmap.find(position);
    if (vma === null || vma.vmStart >= end) break;
    if (position === remap.addr && vma.vmStart > position) return -EFAULT;
    // vma_multi_allowed(): what moves alone is neither one of several nor less than the range.
    const alone = vma.vmOps?.movesAlone === true;
    if (alone && (position !== remap.addr || vma.vmEnd < end)) return -EFAULT;
    const addr = Math.max(vma.vmStart, position);
    const length = Math.min(vma.vmEnd, end) - addr;
    const newAddr = remap.newAddr + (addr - remap.addr);
    const part: Remap = { ...remap, addr, oldLen: length, newLen: length, newAddr };
    const error = checkVma(ctx, vma, part);
    const target = error < 0 ? error : mremapTo(ctx, vma, part);
    if (target < 0) return target;
    if (addr === remap.addr) result = target;
    position = addr + length;
  }
  return result;
}

/** check_prep_vma(): whether this VMA may be resized or moved so; shrinking in place is free. */
function checkVma(ctx: MmContext, vma: VmArea, { addr, oldLen, newLen, flags }: Remap): 0 | Errno {
  if (newLen <= oldLen && !impliesNewAddr(flags)) return 0;
  // old_len 0 asks for a second mapping of the same pages: of shared memory only.
  if (oldLen === 0 && (vma.vmFlags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (vma.vmFlags & VM_DONTEXPAND) !== 0) return -EINVAL;
  // What shrinking leaves has to lie in one VMA; what it cuts off need not.
  if (Math.min(oldLen, newLen) > vma.vmEnd - addr) return -EFAULT;
  if (newLen <= oldLen) return 0;
  if ((vma.vmFlags & VM_DONTEXPAND) !== 0) return -EFAULT;
  const delta = newLen - oldLen;
  if (!mlockFutureOk(ctx, vma.vmMm, vma.vmFlags, delta)) return -EAGAIN;
  if (!mayExpandVm(ctx, vma.vmMm, vma.vmFlags, delta / PAGE_SIZE)) return -ENOMEM;
  if ((vma.vmFlags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(ctx, delta / PAGE_SIZE)) return -ENOMEM;
  return 0;
}

/** vma_expandable(): whether `delta` bytes behind the VMA are free. */
function vmaExpandable(ctx: MmContext, vma: VmArea, delta: number): boolean {
  const end = vma.vmEnd + delta;
  const next = vma.vmMm.mmap.next(vma);
  if (end > TASK_SIZE || (next !== null && end > vmStartGap(next))) return false;
  return getUnmappedArea(ctx, vma.vmMm, vma.vmStart, end - vma.vmStart, MAP_FIXED) >= 0;
}

/** Grows a VMA at its end, joining it with a neighbour it then touches. */
function expandInPlace(ctx: MmContext, vma: VmArea, delta: number): void {
  const mm = vma.vmMm;
  const { vmEnd: end, vmFlags } = vma;
  const pgoff = vma.vmPgoff + vmaPages(vma);
  if (
    vmaMergeNewRange(ctx, mm, vma.endPage, vma.endPage + delta / PAGE_SIZE, vmFlags, vma.vmFile, pgoff, {
      anonVma: vma.anonVma,
      copiedFrom: null,
      privateData: vma.vmPrivateData,
    }) === null
  ) {
    mm.mmap.setBounds(vma, vma.vmStart, end + delta);
  }
  vmStatAccount(mm, vmFlags, delta / PAGE_SIZE);
  if ((vmFlags & VM_LOCKED) !== 0) mm.lockedVm += delta / PAGE_SIZE;
}

/** move_vma(): a second VMA at the new address, the page-table entries carried over, the old range unmapped or kept. */
function moveVma(ctx: MmContext, vma: VmArea, remap: Remap): number {
  const { addr, oldLen, newLen, newAddr: target } = remap;
  const keep = (remap.flags & MREMAP_DONTUNMAP) !== 0;
  const mm = vma.vmMm;
  // Splitting the old VMA and adding the new one must stay below the limit.
  if (mm.mmap.size >= ctx.vm.maxMapCount - 3) return -ENOMEM;
  const { vmFlags } = vma;
  if (keep && (vmFlags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(ctx, newLen / PAGE_SIZE)) return -ENOMEM;
  // copy_vma(): of memory that nobody has written nothing says where it was born.
  const unborn = vma.vmOps === null && vma.anonVma === null;
  const pgoff = unborn ? target / PAGE_SIZE : vma.vmPgoff + (addr - vma.vmStart) / PAGE_SIZE;
  // Tables first: then nothing can fail half way.
  if (!allocTables(ctx, mm, addr, oldLen, target)) {
    dropTables(ctx, mm, target, newLen);
    return -ENOMEM;
  }
  const end = target + newLen;
  const merged = vmaMergeNewRange(ctx, mm, target / PAGE_SIZE, end / PAGE_SIZE, vmFlags, vma.vmFile, pgoff, {
    anonVma: vma.anonVma,
    copiedFrom: vma,
    privateData: vma.vmPrivateData,
  });
  if (merged === null) {
    const created = vmaAreaRange(ctx, vma, target, end, pgoff);
    if (created === null) {
      dropTables(ctx, mm, target, newLen);
      return -ENOMEM;
    }
    created.vmOps?.open?.(ctx, created);
    vmaLink(mm, created);
  }
  vmStatAccount(mm, vmFlags, newLen / PAGE_SIZE);
  if ((vmFlags & VM_LOCKED) !== 0) mm.lockedVm += newLen / PAGE_SIZE;
  movePageTables(ctx, mm, addr, oldLen, target);
  if (keep) {
    // It may have become one with the new area and the one before.
    const old = mm.mmap.lookup(addr);
    if (old !== null) unlockVma(old);
    // unlink_anon_vmas(): all its pages have moved.
    if (old !== null && old !== merged && addr === old.vmStart && addr + oldLen === old.vmEnd)
      old.anonVma = null;
  } else if (oldLen > 0) {
    // "OOM: unable to split vma": then the old mapping stays, without its pages.
    doMunmap(ctx, mm, addr, oldLen);
  }
  if ((vmFlags & VM_LOCKED) !== 0) populateRange(ctx, mm, target + oldLen, target + newLen);
  return target;
}

/** dontunmap_complete(): the whole old VMA is no longer locked, moved or not. */
function unlockVma(vma: VmArea): void {
  if ((vma.vmFlags & VM_LOCKED) !== 0) vma.vmMm.lockedVm -= vmaPages(vma);
  vma.vmFlags &= ~VM_LOCKED_MASK;
}

/** Frees the level-0 tables that were made for a move that is not to be. */
function dropTables(ctx: MmContext, mm: MmStruct, target: number, len: number): void {
  const next = mm.mmap.find(target);
  const prev = mm.mmap.before(target);
  const first = target >>> PAGE_SHIFT;
  const ceiling = next?.startPage ?? USER_PGTABLES_CEILING;
  freePgtables(ctx, mm, first, first + (len >>> PAGE_SHIFT), prev?.endPage ?? 0, ceiling);
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
    pteClear(ctx, pteAddress);
    setPte(ctx, pteOffset(ctx, mm, va - addr + target), pte);
    moved++;
  });
  if (moved > 0) flushTlbMm(ctx, mm);
}
