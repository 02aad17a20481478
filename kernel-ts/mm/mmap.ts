/**
 * mmap, munmap and brk: mm/mmap.c and mm/vma.c of 6.x (do_mmap, mmap_region, do_vmi_munmap, brk).
 * Missing: huge pages (EINVAL), MAP_SYNC (EOPNOTSUPP), memory protection keys, MAP_DROPPABLE.
 */
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EINVAL,
  ENODEV,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  type Errno,
} from '../abi/errno.ts';
import { F_SEAL_FUTURE_WRITE, F_SEAL_WRITE } from '../abi/fcntl.ts';
import {
  MAP_ANONYMOUS,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_SYNC,
  MAP_TYPE,
  PAGE_SHIFT,
  PAGE_SIZE,
  pageAlignUp,
  PROT_WRITE,
  TASK_SIZE,
} from '../abi/mman.ts';
import { RLIMIT_DATA, rlimit } from '../abi/resource.ts';
import type { File } from '../fs/file.ts';
import { canDoMlock, mayExpandVm, mlockFutureOk, vmEnoughMemory, vmStatAccount } from './accounting.ts';
import type { MmContext } from './context.ts';
import { fput, fsContext, getFile } from './fileRef.ts';
import { FMODE_READ, FMODE_WRITE } from './fmode.ts';
import { VM_AREA_CACHEP, kmemCacheAlloc, kmemCacheFree } from './slab.ts';
import type { MmStruct } from './mm.ts';
import { populateRange } from './populate.ts';
import { freePgtables, USER_PGTABLES_CEILING } from './pgtable.ts';
import { getUnmappedArea, roundHintToMin } from './unmappedArea.ts';
import {
  calcVmProtBits,
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  vmAreaFree,
  vmAreaInit,
  vmaPages,
  type VmArea,
} from './vma.ts';
import { NEW_MEMORY, removeVma, splitVma, vmaLink, vmaMergeNewRange, vmaUnlink } from './vmaOps.ts';
import { zapPageRange } from './zap.ts';

/** MAP_* bits that MAP_SHARED_VALIDATE knows. */
const LEGACY_MAP_MASK =
  MAP_SHARED |
  MAP_PRIVATE |
  MAP_FIXED |
  MAP_ANONYMOUS |
  MAP_GROWSDOWN |
  MAP_DENYWRITE |
  MAP_EXECUTABLE |
  MAP_LOCKED |
  MAP_NORESERVE |
  MAP_POPULATE |
  MAP_NONBLOCK |
  MAP_STACK |
  MAP_HUGETLB;

/**
 * do_mmap(): maps `len` bytes of `file` from page `pgoff` on, or private anonymous memory when `file` is null. Shared
 * anonymous memory comes here as a shmem file (fs/mmapFile.ts). The VMA takes a file reference of its own. `fMode`
 * is what the caller may do with the file: shmat of a segment for reading passes less than the file has. `privateData`: vmPrivateData of
 * the area that the mapping takes pages over from (MergeSource), null of a new one.
 *
 * @returns the address, or EINVAL, ENOMEM, EOVERFLOW, EEXIST (MAP_FIXED_NOREPLACE), EPERM, EAGAIN (locked), EACCES, ENODEV.
 */
export function doMmap(
  ctx: MmContext,
  mm: MmStruct,
  file: File | null,
  addr: number,
  length: number,
  prot: number,
  mapFlags: number,
  pgoff: number,
  fMode: number = file?.fMode ?? 0,
  privateData: unknown = null,
): number {
  if (length === 0) return -EINVAL;
  let flags = mapFlags;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) flags |= MAP_FIXED;
  const hint = (flags & MAP_FIXED) !== 0 ? addr : roundHintToMin(ctx, addr);
  const len = pageAlignUp(length);
  if (len > 0xffff_ffff) return -ENOMEM;
  // The offset of the last page must be an unsigned long.
  if (pgoff + len / PAGE_SIZE > 0x1_0000_0000) return -EOVERFLOW;
  if (mm.mmap.size > ctx.vm.maxMapCount) return -ENOMEM;
  if ((flags & MAP_HUGETLB) !== 0) return -EINVAL;

  const page = getUnmappedArea(ctx, mm, hint, len, flags);
  if (page < 0) return page;
  const address = page * PAGE_SIZE;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0 && mm.mmap.intersection(address, address + len) !== null)
    return -EEXIST;

  let vmFlags = calcVmProtBits(prot) | mm.defFlags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  if ((flags & MAP_LOCKED) !== 0) {
    if (!canDoMlock(ctx)) return -EPERM;
    vmFlags |= VM_LOCKED;
  }
  if (!mlockFutureOk(ctx, mm, vmFlags, len)) return -EAGAIN;
  const kind = file === null ? anonymousFlags(flags) : fileFlags(file, fMode, prot, flags);
  if (kind < 0) return kind;
  // MAYWRITE and SHARED are taken away from a shared mapping of a file that is open for reading only.
  if (kind === SHARED_READ_ONLY) vmFlags = (vmFlags & ~VM_MAYWRITE) | VM_MAYSHARE;
  else vmFlags |= kind;
  if (file !== null) {
    vmFlags = checkSealsMmap(file, vmFlags);
    if (vmFlags < 0) return vmFlags;
  }
  if ((flags & MAP_NORESERVE) !== 0) vmFlags |= VM_NORESERVE;

  const error = mmapRegion(
    ctx,
    mm,
    file,
    page,
    page + (len >>> PAGE_SHIFT),
    vmFlags,
    file === null ? page : pgoff,
    privateData,
  );
  if (error < 0) return error;
  if ((vmFlags & VM_LOCKED) !== 0 || (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE) {
    populateRange(ctx, mm, address, address + len);
  }
  return address;
}

const SHARED_READ_ONLY = 0x4000_0000;

/**
 * memfd_check_seals_mmap(): a file sealed against writing cannot be mapped shared and writable, and what maps it shared for
 * reading stays so. The VMA's flags, or EPERM; nothing has been unmapped yet.
 */
function checkSealsMmap(file: File, vmFlags: number): number {
  const sealed = ((file.fInode.seals ?? 0) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0;
  if (!sealed || (vmFlags & VM_SHARED) === 0) return vmFlags;
  return (vmFlags & VM_WRITE) !== 0 ? -EPERM : vmFlags & ~VM_MAYWRITE;
}

/** VM_* bits of an anonymous mapping, or an Errno. */
function anonymousFlags(flags: number): number {
  const type = flags & MAP_TYPE;
  if (type === MAP_SHARED) throw new Error('shared anonymous memory is mapped as a shmem file');
  if (type !== MAP_PRIVATE) return -EINVAL;
  return (flags & MAP_GROWSDOWN) !== 0 ? VM_GROWSDOWN : 0;
}

/** VM_* bits of a file mapping, SHARED_READ_ONLY, or an Errno. */
function fileFlags(file: File, fMode: number, prot: number, flags: number): number {
  const type = flags & MAP_TYPE;
  let bits = 0;
  if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
    const unknown = type === MAP_SHARED_VALIDATE ? flags & ~(LEGACY_MAP_MASK | MAP_TYPE | MAP_SYNC) : 0;
    if (unknown !== 0 || (type === MAP_SHARED_VALIDATE && (flags & MAP_SYNC) !== 0)) return -EOPNOTSUPP;
    const writable = (fMode & FMODE_WRITE) !== 0;
    if ((prot & PROT_WRITE) !== 0 && !writable) return -EACCES;
    bits = writable ? VM_SHARED | VM_MAYSHARE : SHARED_READ_ONLY;
  } else if (type !== MAP_PRIVATE) {
    return -EINVAL;
  }
  if ((fMode & FMODE_READ) === 0) return -EACCES;
  if (file.fOp.mmap === undefined) return -ENODEV;
  if ((flags & MAP_GROWSDOWN) !== 0) return -EINVAL;
  return bits;
}

// The range of a new mapping is handed on in pages, since V8 boxes addresses: every mmap and every attach comes here.

/** Pages of [first, end) that are mapped. */
function mappedPages(mm: MmStruct, first: number, end: number): number {
  let pages = 0;
  for (
    let vma = mm.mmap.find(first * PAGE_SIZE);
    vma !== null && vma.startPage < end;
    vma = mm.mmap.next(vma)
  )
    pages += Math.min(end, vma.endPage) - Math.max(first, vma.startPage);
  return pages;
}

/**
 * Maps pages [first, last) that are free, by merging or with the VMA that was allocated for it, which it gives back otherwise.
 * 0, or why the file refuses.
 */
function newVma(
  ctx: MmContext,
  mm: MmStruct,
  file: File | null,
  first: number,
  last: number,
  vmFlags: number,
  pgoff: number,
  privateData: unknown,
): 0 | Errno {
  const source = privateData === null ? NEW_MEMORY : { ...NEW_MEMORY, privateData };
  if (vmaMergeNewRange(ctx, mm, first, last, vmFlags, file, pgoff, source) !== null) {
    kmemCacheFree(ctx, VM_AREA_CACHEP);
    return 0;
  }
  const vma = vmAreaInit(ctx, mm, first, last, vmFlags, pgoff);
  if (file !== null) {
    vma.vmFile = getFile(file);
    vma.vmPrivateData = privateData;
    const error = file.fOp.mmap?.(fsContext(ctx), file, vma) ?? -ENODEV;
    if (error < 0) {
      fput(ctx, file);
      vmAreaFree(ctx, vma);
      return error;
    }
  }
  vmaLink(mm, vma);
  return 0;
}

/** mmap_region(): replaces what is in pages [first, last), accounts, merges or makes a VMA. */
function mmapRegion(
  ctx: MmContext,
  mm: MmStruct,
  file: File | null,
  first: number,
  last: number,
  initialFlags: number,
  pgoff: number,
  privateData: unknown,
): 0 | Errno {
  let vmFlags = initialFlags;
  const pages = last - first;
  // What may fail comes first: what is mapped there goes only when the new mapping is certain (__mmap_prepare).
  const replaced = mappedPages(mm, first, last);
  if (!mayExpandVm(ctx, mm, vmFlags, pages - replaced)) return -ENOMEM;
  // accountable_mapping(): private writable memory that was not promised away.
  if ((vmFlags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE) {
    if (!vmEnoughMemory(ctx, pages)) return -ENOMEM;
    vmFlags |= VM_ACCOUNT;
  }
  if (!kmemCacheAlloc(ctx, VM_AREA_CACHEP)) return -ENOMEM;
  if (replaced > 0) {
    const error = doMunmap(ctx, mm, first * PAGE_SIZE, pages * PAGE_SIZE);
    if (error < 0) {
      kmemCacheFree(ctx, VM_AREA_CACHEP);
      return error;
    }
  }
  const error = newVma(ctx, mm, file, first, last, vmFlags, pgoff, privateData);
  if (error < 0) return error;
  vmStatAccount(mm, vmFlags, pages);
  if ((vmFlags & VM_LOCKED) !== 0) mm.lockedVm += pages;
  return 0;
}

/**
 * do_munmap(): takes every mapping out of [start, start + len). A hole in a VMA splits it (open), a VMA that goes is closed.
 *
 * @returns 0, EINVAL (unaligned, empty, out of range), ENOMEM (a hole would exceed vm.max_map_count).
 */
export function doMunmap(ctx: MmContext, mm: MmStruct, start: number, length: number): 0 | Errno {
  if (start % PAGE_SIZE !== 0 || start > TASK_SIZE || length > TASK_SIZE - start) return -EINVAL;
  const len = pageAlignUp(length);
  if (len === 0) return -EINVAL;
  const end = start + len;
  const first = mm.mmap.intersection(start, end);
  if (first === null) return 0;
  if (first.vmStart < start) {
    if (end < first.vmEnd && mm.mmap.size >= ctx.vm.maxMapCount) return -ENOMEM;
    const below = splitVma(ctx, first, start, true);
    if (typeof below === 'number') return below;
  }
  const last = first.vmEnd >= end ? first : mm.mmap.lookup(end - 1);
  if (last !== null && last.vmEnd > end) {
    const above = splitVma(ctx, last, end, false);
    if (typeof above === 'number') return above;
  }
  const prev = mm.mmap.prev(first);
  const gone = [first];
  let next = mm.mmap.next(first);
  for (; next !== null && next.vmStart < end; next = mm.mmap.next(next)) gone.push(next);
  for (const vma of gone) {
    zapPageRange(ctx, mm, vma.startPage, vma.endPage);
    vmaUnlink(mm, vma);
    vmStatAccount(mm, vma.vmFlags, -vmaPages(vma));
    if ((vma.vmFlags & VM_LOCKED) !== 0) mm.lockedVm -= vmaPages(vma);
  }
  freePgtables(
    ctx,
    mm,
    start >>> PAGE_SHIFT,
    end >>> PAGE_SHIFT,
    prev?.endPage ?? 0,
    next?.startPage ?? USER_PGTABLES_CEILING,
  );
  for (const vma of gone) removeVma(ctx, vma);
  return 0;
}

/** sys_brk(): moves the end of the heap. Returns the break as it is afterwards, changed or not; never fails. */
export function doBrk(ctx: MmContext, mm: MmStruct, brk: number): number {
  const current = mm.brk;
  const { startBrk, startData, endData } = mm.layout;
  if (brk < startBrk) return current;
  // check_data_rlimit(): heap and data segment together stay below RLIMIT_DATA.
  if (brk - startBrk + (endData - startData) > rlimit(ctx.current.rlim, RLIMIT_DATA)) return current;
  const newEnd = pageAlignUp(brk);
  const oldEnd = pageAlignUp(current);
  if (newEnd > TASK_SIZE) return current;
  if (newEnd === oldEnd) {
    mm.brk = brk;
    return brk;
  }
  if (newEnd < oldEnd) {
    // Only the heap itself may be cut: something else may lie there since.
    const vma = mm.mmap.intersection(newEnd, oldEnd);
    if (vma === null || vma.vmStart >= oldEnd) return current;
    if (doMunmap(ctx, mm, newEnd, oldEnd - newEnd) < 0) return current;
    mm.brk = brk;
    return brk;
  }
  // One free page stays between the heap and what follows.
  const next = mm.mmap.find(oldEnd);
  const guard =
    next === null || (next.vmFlags & VM_GROWSDOWN) === 0 ? PAGE_SIZE : PAGE_SIZE + 256 * PAGE_SIZE;
  if (next !== null && newEnd + guard > next.vmStart) return current;
  if (vmBrkFlags(ctx, mm, oldEnd, newEnd - oldEnd, false) < 0) return current;
  mm.brk = brk;
  return brk;
}

/** do_brk_flags() / vm_brk_flags(): anonymous data memory at a fixed, free, page-aligned place: the heap, a program's bss. */
export function vmBrkFlags(
  ctx: MmContext,
  mm: MmStruct,
  addr: number,
  length: number,
  exec: boolean,
): 0 | Errno {
  const len = pageAlignUp(length);
  if (len === 0) return 0;
  let vmFlags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | mm.defFlags;
  if (exec) vmFlags |= VM_EXEC;
  const area = getUnmappedArea(ctx, mm, addr, len, MAP_FIXED);
  if (area < 0) return area;
  if (!mlockFutureOk(ctx, mm, vmFlags, len)) return -EAGAIN;
  const end = addr + len;
  if (mm.mmap.intersection(addr, end) !== null) {
    const error = doMunmap(ctx, mm, addr, len);
    if (error < 0) return error;
  }
  const pages = len >>> PAGE_SHIFT;
  if (!mayExpandVm(ctx, mm, vmFlags, pages)) return -ENOMEM;
  if (mm.mmap.size > ctx.vm.maxMapCount) return -ENOMEM;
  if (!vmEnoughMemory(ctx, pages)) return -ENOMEM;
  if (!kmemCacheAlloc(ctx, VM_AREA_CACHEP)) return -ENOMEM;
  newVma(ctx, mm, null, addr >>> PAGE_SHIFT, end >>> PAGE_SHIFT, vmFlags, addr >>> PAGE_SHIFT, null);
  vmStatAccount(mm, vmFlags, pages);
  if ((vmFlags & VM_LOCKED) !== 0) {
    mm.lockedVm += pages;
    populateRange(ctx, mm, addr, end);
  }
  return 0;
}

/** setup_arg_pages(): the stack of a fresh program, `size` bytes below `top`; it grows down on demand. */
export function setupStackVma(ctx: MmContext, mm: MmStruct, top: number, size: number): VmArea | Errno {
  const vmFlags =
    VM_READ |
    VM_WRITE |
    VM_MAYREAD |
    VM_MAYWRITE |
    VM_MAYEXEC |
    VM_GROWSDOWN |
    VM_ACCOUNT |
    (mm.defFlags & ~VM_DONTEXPAND);
  const len = pageAlignUp(size);
  const pages = len >>> PAGE_SHIFT;
  const start = top - len;
  if (mm.mmap.intersection(start, top) !== null || !mayExpandVm(ctx, mm, vmFlags, pages)) return -ENOMEM;
  if (!vmEnoughMemory(ctx, pages)) return -ENOMEM;
  if (!kmemCacheAlloc(ctx, VM_AREA_CACHEP)) return -ENOMEM;
  const page = start >>> PAGE_SHIFT;
  const vma = vmAreaInit(ctx, mm, page, page + pages, vmFlags, page);
  vmaLink(mm, vma);
  vmStatAccount(mm, vmFlags, pages);
  return vma;
}
