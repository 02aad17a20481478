/**
 * Linking, splitting and merging VMAs: mm/vma.c of 6.x (__split_vma, vma_merge_new_range, vma_merge_existing_range).
 * A VMA whose operations have `close` is never removed by a merge, so that a segment's nattch counts VMAs. What anon_vma
 * allows is in anonVma.ts.
 */
import { PAGE_SIZE } from '../abi/mman.ts';
import { ENOMEM, type Errno } from '../abi/errno.ts';
import type { File } from '../fs/file.ts';
import { iMmapInsert, iMmapRemove } from './addressSpace.ts';
import { areAnonVmasCompatible, dupAnonVma, isMergeableAnonVma, type AnonVma } from './anonVma.ts';
import type { MmContext } from './context.ts';
import { fput, getFile } from './fileRef.ts';
import { VM_AREA_CACHEP, kmemCacheAlloc } from './slab.ts';
import type { MmStruct } from './mm.ts';
import { vmAreaFree, vmAreaInit, vmaPages, VM_DONTEXPAND, type VmArea } from './vma.ts';

/** vma_link(): into the tree and into the file's i_mmap. The file reference is already counted. */
export function vmaLink(mm: MmStruct, vma: VmArea): void {
  mm.mmap.insert(vma);
  if (vma.vmFile !== null) iMmapInsert(vma.vmFile.fInode.iMapping, vma);
}

/** Takes a VMA out of the tree and of i_mmap. */
export function vmaUnlink(mm: MmStruct, vma: VmArea): void {
  mm.mmap.remove(vma);
  if (vma.vmFile !== null) iMmapRemove(vma.vmFile.fInode.iMapping, vma);
}

/** remove_vma(): the end of an unlinked VMA. */
export function removeVma(ctx: MmContext, vma: VmArea): void {
  vma.vmOps?.close?.(ctx, vma);
  if (vma.vmFile !== null) fput(ctx, vma.vmFile);
  vmAreaFree(ctx, vma);
}

/** vm_area_dup(): the same area for `mm`, file counted, not linked, open not called; null without memory for it. */
export function vmAreaDup(ctx: MmContext, vma: VmArea, mm: MmStruct = vma.vmMm): VmArea | null {
  if (!kmemCacheAlloc(ctx, VM_AREA_CACHEP)) return null;
  const copy = vmAreaInit(ctx, mm, vma.startPage, vma.endPage, vma.vmFlags, vma.vmPgoff);
  copy.vmFile = vma.vmFile;
  copy.vmOps = vma.vmOps;
  copy.vmPrivateData = vma.vmPrivateData;
  copy.anonVma = vma.anonVma;
  copy.anonSingular = vma.anonSingular;
  if (copy.vmFile !== null) getFile(copy.vmFile);
  return copy;
}

/** The same kind of area at another place (copy_vma): file counted, not linked, open not called; null without memory for it. */
export function vmaAreaRange(
  ctx: MmContext,
  vma: VmArea,
  vmStart: number,
  vmEnd: number,
  vmPgoff: number,
): VmArea | null {
  const copy = vmAreaDup(ctx, vma);
  if (copy === null) return null;
  copy.vmStart = vmStart;
  copy.vmEnd = vmEnd;
  copy.vmPgoff = vmPgoff;
  return copy;
}

/** __split_vma(): cuts at `addr`, strictly inside. The new VMA is the lower part when `newBelow`, and is returned. */
export function splitVma(ctx: MmContext, vma: VmArea, addr: number, newBelow: boolean): VmArea | Errno {
  const refused = vma.vmOps?.maySplit?.(ctx, vma, addr) ?? 0;
  if (refused !== 0) return refused;
  const mm = vma.vmMm;
  const created = vmAreaDup(ctx, vma);
  if (created === null) return -ENOMEM;
  const offset = (addr - vma.vmStart) / PAGE_SIZE;
  if (newBelow) {
    created.vmEnd = addr;
    vma.vmPgoff += offset;
    mm.mmap.setBounds(vma, addr, vma.vmEnd);
  } else {
    created.vmStart = addr;
    created.vmPgoff += offset;
    mm.mmap.setBounds(vma, vma.vmStart, addr);
  }
  created.vmOps?.open?.(ctx, created);
  vmaLink(mm, created);
  return created;
}

/** split_vma(): ENOMEM at the limit of vm.max_map_count. */
export function splitVmaChecked(
  ctx: MmContext,
  vma: VmArea,
  addr: number,
  newBelow: boolean,
): VmArea | Errno {
  if (vma.vmMm.mmap.size >= ctx.vm.maxMapCount) return -ENOMEM;
  return splitVma(ctx, vma, addr, newBelow);
}

function isMergeable(vma: VmArea, vmFlags: number, file: File | null, privateData: unknown): boolean {
  if ((vmFlags & VM_DONTEXPAND) !== 0 || vma.vmPrivateData !== privateData) return false;
  return vma.vmFlags === vmFlags && vma.vmFile === file;
}

/** can_merge_remove_vma(). */
function canRemove(vma: VmArea): boolean {
  return vma.vmOps?.close === undefined;
}

/** What is to lie in a new range, as far as it is not new memory. */
export interface MergeSource {
  readonly anonVma: AnonVma | null;
  /** copied_from: the area whose pages are moved here; null when an area is extended. */
  readonly copiedFrom: VmArea | null;
  /** vmPrivateData of the area that it comes from, which tells attaches of one segment apart; null of new memory. */
  readonly privateData: unknown;
}

export const NEW_MEMORY: MergeSource = { anonVma: null, copiedFrom: null, privateData: null };

/** can_vma_merge_before/after(), as far as the places do not matter. Not a closure: every mmap comes here. */
function mayExtend(
  vma: VmArea | null,
  vmFlags: number,
  file: File | null,
  { anonVma, copiedFrom, privateData }: MergeSource,
): vma is VmArea {
  return (
    vma !== null &&
    isMergeable(vma, vmFlags, file, privateData) &&
    isMergeableAnonVma(vma, anonVma, null, copiedFrom)
  );
}

/**
 * vma_merge_new_range(): extends a neighbour over the free pages [first, last) instead of making a VMA. Nobody is told of that by `open`;
 * so an area with `close` may grow, but not go.
 */
export function vmaMergeNewRange(
  ctx: MmContext,
  mm: MmStruct,
  first: number,
  last: number,
  vmFlags: number,
  file: File | null,
  pgoff: number,
  source: MergeSource = NEW_MEMORY,
): VmArea | null {
  const next = mm.mmap.find(first * PAGE_SIZE);
  const prev = next === null ? mm.mmap.last : mm.mmap.prev(next);
  const left =
    mayExtend(prev, vmFlags, file, source) &&
    prev.endPage === first &&
    prev.vmPgoff + vmaPages(prev) === pgoff;
  let right =
    mayExtend(next, vmFlags, file, source) &&
    next.startPage === last &&
    pgoff + last - first === next.vmPgoff;
  if (left && right && next !== null && !(areAnonVmasCompatible(prev, next) && canRemove(next)))
    right = false;
  const target = left ? prev : right ? next : null;
  if (target === null) return null;
  if (left && right && next !== null) {
    vmaUnlink(mm, next);
    dupAnonVma(prev, next);
    mm.mmap.setBounds(prev, prev.vmStart, next.vmEnd);
    removeVma(ctx, next);
  } else if (left) {
    mm.mmap.setBounds(prev, prev.vmStart, last * PAGE_SIZE);
  } else {
    target.vmPgoff = pgoff;
    mm.mmap.setBounds(target, first * PAGE_SIZE, target.vmEnd);
  }
  if (source.copiedFrom !== null) dupAnonVma(target, source.copiedFrom);
  return target;
}

/**
 * vma_merge_existing_range(): [start, end) of `vma` is to get `vmFlags`; merges it into the neighbours that already have
 * them. Returns the VMA that now covers the range, or null when nothing can be merged.
 */
export function vmaMergeExistingRange(
  ctx: MmContext,
  vma: VmArea,
  start: number,
  end: number,
  vmFlags: number,
): VmArea | null {
  const mm = vma.vmMm;
  const { vmFile: file } = vma;
  const prev = mm.mmap.prev(vma);
  const next = mm.mmap.next(vma);
  const leftSide = start === vma.vmStart;
  const rightSide = end === vma.vmEnd;
  const mergeable = (other: VmArea | null): other is VmArea =>
    other !== null &&
    isMergeable(other, vmFlags, file, vma.vmPrivateData) &&
    isMergeableAnonVma(other, vma.anonVma, vma, null);
  const left =
    leftSide && mergeable(prev) && prev.vmEnd === start && prev.vmPgoff + vmaPages(prev) === vma.vmPgoff;
  let right =
    rightSide && mergeable(next) && next.vmStart === end && vma.vmPgoff + vmaPages(vma) === next.vmPgoff;
  if (!left && !right) return null;
  if (left && right && next !== null && !areAnonVmasCompatible(prev, next)) right = false;
  const removeMiddle = leftSide && rightSide;
  if (removeMiddle && !canRemove(vma)) return null;
  if (left && right && !(next !== null && canRemove(next))) right = false;
  if (left && prev !== null) {
    dupAnonVma(prev, right && next !== null && next.anonVma !== null ? next : vma);
    if (removeMiddle) {
      vmaUnlink(mm, vma);
    } else {
      vma.vmPgoff += (end - start) / PAGE_SIZE;
      mm.mmap.setBounds(vma, end, vma.vmEnd);
    }
    let last = end;
    if (right && next !== null) {
      vmaUnlink(mm, next);
      last = next.vmEnd;
    }
    mm.mmap.setBounds(prev, prev.vmStart, last);
    if (removeMiddle) removeVma(ctx, vma);
    if (right && next !== null) removeVma(ctx, next);
    return prev;
  }
  if (next === null) return null;
  dupAnonVma(next, vma);
  if (removeMiddle) vmaUnlink(mm, vma);
  else mm.mmap.setBounds(vma, vma.vmStart, start);
  next.vmPgoff -= (end - start) / PAGE_SIZE;
  mm.mmap.setBounds(next, start, next.vmEnd);
  if (removeMiddle) removeVma(ctx, vma);
  return next;
}

/** vma_modify_flags(): gives [start, end) of `vma` the flags by merging or splitting; the VMA that covers it, or an Errno. */
export function vmaModifyFlags(
  ctx: MmContext,
  vma: VmArea,
  start: number,
  end: number,
  vmFlags: number,
): VmArea | Errno {
  const merged = vmaMergeExistingRange(ctx, vma, start, end, vmFlags);
  if (merged !== null) return merged;
  if (vma.vmStart < start) {
    const lower = splitVmaChecked(ctx, vma, start, true);
    if (typeof lower === 'number') return lower;
  }
  if (vma.vmEnd > end) {
    const upper = splitVmaChecked(ctx, vma, end, false);
    if (typeof upper === 'number') return upper;
  }
  vma.vmFlags = vmFlags;
  return vma;
}
