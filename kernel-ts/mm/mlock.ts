/** mlock(2) and friends: mm/mlock.c. Nothing is ever paged out here; the flags, limits and counters are Linux's. */
import { CAP_IPC_LOCK } from '../abi/capability.ts';
import { EAGAIN, EINVAL, ENOMEM, EPERM, type Errno } from '../abi/errno.ts';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT, PAGE_SIZE, pageAlignUp } from '../abi/mman.ts';
import { RLIMIT_MEMLOCK, rlimit } from '../abi/resource.ts';
import { canDoMlock } from './accounting.ts';
import type { MmContext } from './context.ts';
import { capable } from './cred.ts';
import type { MmStruct } from './mm.ts';
import { populateRange } from './populate.ts';
import { FaultCode, VM_DONTEXPAND, VM_LOCKED, VM_LOCKED_MASK, VM_LOCKONFAULT, vmaPages } from './vma.ts';
import { vmaModifyFlags } from './vmaOps.ts';

/** apply_vma_lock_flags(): gives every VMA of the range exactly these lock flags. ENOMEM for a hole. */
function applyLockFlags(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  end: number,
  lockFlags: number,
): 0 | Errno {
  if (start === end) return 0;
  let vma = mm.mmap.lookup(start);
  if (vma === null) return -ENOMEM;
  let position = start;
  while (position < end) {
    if (vma === null || vma.vmStart > position) return -ENOMEM;
    const to = Math.min(vma.vmEnd, end);
    const wasLocked = (vma.vmFlags & VM_LOCKED) !== 0;
    const newFlags: number = (vma.vmFlags & ~VM_LOCKED_MASK) | lockFlags;
    // VM_SPECIAL: the kernel's own pages need no lock.
    if (newFlags !== vma.vmFlags && (vma.vmFlags & VM_DONTEXPAND) === 0) {
      const result = vmaModifyFlags(ctx, vma, position, to, newFlags);
      if (typeof result === 'number') return result;
      const isLocked = (lockFlags & VM_LOCKED) !== 0;
      if (isLocked !== wasLocked) mm.lockedVm += ((isLocked ? 1 : -1) * (to - position)) / PAGE_SIZE;
    }
    position = to;
    vma = mm.mmap.find(position);
  }
  return 0;
}

/** The pages of [start, end) that are locked already. */
function countLocked(mm: MmStruct, start: number, end: number): number {
  let pages = 0;
  for (let vma = mm.mmap.find(start); vma !== null && vma.vmStart < end; vma = mm.mmap.next(vma)) {
    if ((vma.vmFlags & VM_LOCKED) === 0) continue;
    pages += (Math.min(end, vma.vmEnd) - Math.max(start, vma.vmStart)) / PAGE_SIZE;
  }
  return pages;
}

/** The page range of a byte range, or null when it wraps. */
function pageRange(start: number, length: number): { start: number; end: number } | null {
  const offset = start % PAGE_SIZE;
  const end = start - offset + pageAlignUp(length + offset);
  return end > 0xffff_ffff ? null : { start: start - offset, end };
}

/** do_mlock(), mlock2(2): EPERM without limit and capability, ENOMEM over the limit or for a hole, EAGAIN without frames. */
export function doMlock(ctx: MmContext, mm: MmStruct, addr: number, length: number, flags = 0): 0 | Errno {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  if (!canDoMlock(ctx)) return -EPERM;
  const range = pageRange(addr, length);
  if (range === null) return -EINVAL;
  const { start, end } = range;
  const limit = Math.floor(rlimit(ctx.current.rlim, RLIMIT_MEMLOCK) / PAGE_SIZE);
  let locked = mm.lockedVm + (end - start) / PAGE_SIZE;
  if (locked > limit && !capable(ctx.current.cred, CAP_IPC_LOCK)) {
    locked -= countLocked(mm, start, end);
    if (locked > limit) return -ENOMEM;
  }
  const onFault = (flags & MLOCK_ONFAULT) !== 0;
  const error = applyLockFlags(ctx, mm, start, end, onFault ? VM_LOCKED_MASK : VM_LOCKED);
  if (error < 0 || onFault) return error;
  switch (populateRange(ctx, mm, start, end)) {
    case FaultCode.Handled:
      return 0;
    case FaultCode.Oom:
      return -EAGAIN;
    default:
      return -ENOMEM;
  }
}

/** munlock(2). */
export function doMunlock(ctx: MmContext, mm: MmStruct, addr: number, length: number): 0 | Errno {
  const range = pageRange(addr, length);
  return range === null ? -EINVAL : applyLockFlags(ctx, mm, range.start, range.end, 0);
}

/** mlockall(2). */
export function doMlockall(ctx: MmContext, mm: MmStruct, flags: number): 0 | Errno {
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT)
    return -EINVAL;
  if (!canDoMlock(ctx)) return -EPERM;
  const current = (flags & MCL_CURRENT) !== 0;
  const limit = rlimit(ctx.current.rlim, RLIMIT_MEMLOCK);
  if (current && mm.totalVm * PAGE_SIZE > limit && !capable(ctx.current.cred, CAP_IPC_LOCK)) return -ENOMEM;
  const onFault = (flags & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0;
  mm.defFlags &= ~VM_LOCKED_MASK;
  if ((flags & MCL_FUTURE) !== 0) mm.defFlags |= VM_LOCKED | onFault;
  if (!current) return 0;
  lockEverything(ctx, mm, VM_LOCKED | onFault);
  // What cannot be populated is no error here.
  if (onFault === 0) for (const vma of mm.mmap) populateRange(ctx, mm, vma.vmStart, vma.vmEnd);
  return 0;
}

/** munlockall(2). */
export function doMunlockall(ctx: MmContext, mm: MmStruct): 0 | Errno {
  mm.defFlags &= ~VM_LOCKED_MASK;
  lockEverything(ctx, mm, 0);
  return 0;
}

function lockEverything(ctx: MmContext, mm: MmStruct, lockFlags: number): void {
  let vma = mm.mmap.first;
  while (vma !== null) {
    const end = vma.vmEnd;
    applyLockFlags(ctx, mm, vma.vmStart, end, lockFlags);
    vma = mm.mmap.find(end);
  }
}

/** Recount of lockedVm from the VMAs; for the invariant checker. */
export function recountLockedVm(mm: MmStruct): number {
  let pages = 0;
  for (const vma of mm.mmap) if ((vma.vmFlags & VM_LOCKED) !== 0) pages += vmaPages(vma);
  return pages;
}
