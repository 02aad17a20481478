/**
 * madvise(2), mincore(2), msync(2): mm/madvise.c, mm/mincore.c, mm/msync.c. Advice about reading ahead, paging and huge pages
 * is checked and has no effect, but MADV_PAGEOUT drops clean pages. MADV_FREE keeps the data (there is never memory pressure). Missing: MADV_REMOVE on
 * anything but shmem, KSM and huge pages (EINVAL, as a kernel without them).
 */
import { EACCES, EAGAIN, EBUSY, EFAULT, EINVAL, ENOMEM, EIO, type Errno } from '../abi/errno.ts';
import {
  MADV_COLD,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_KEEPONFORK,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PAGE_SHIFT,
  PAGE_SIZE,
  pageAlignUp,
  TASK_SIZE,
} from '../abi/mman.ts';
import type { File } from '../fs/file.ts';
import type { MmContext } from './context.ts';
import { fsContext } from './fileRef.ts';
import type { MmStruct } from './mm.ts';
import { pageFlags, pageMapcount, pageMapping, PG_DIRTY, PG_FALLOCATED } from './page.ts';
import { pteOffset } from './pgtable.ts';
import { populateRange } from './populate.ts';
import {
  FaultCode,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
  type VmArea,
} from './vma.ts';
import { vmaModifyFlags } from './vmaOps.ts';
import { pageOfPte, zapPageRange } from './zap.ts';

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

const KNOWN: ReadonlySet<number> = new Set([
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_WIPEONFORK,
  MADV_KEEPONFORK,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
]);

/** do_madvise(): EINVAL for arguments, ENOMEM when a part is not mapped (the rest is done first). */
export function doMadvise(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  length: number,
  behavior: number,
  mayWrite: MayWriteFile = () => true,
): 0 | Errno {
  if (!KNOWN.has(behavior) || start % PAGE_SIZE !== 0) return -EINVAL;
  const len = pageAlignUp(length);
  const end = start + len;
  // A length that rounds to 0, or a sum that wraps.
  if (len > 0xffff_ffff || end > 0xffff_ffff) return -EINVAL;
  if (end === start) return 0;
  if (behavior === MADV_POPULATE_READ || behavior === MADV_POPULATE_WRITE) {
    return madvisePopulate(ctx, mm, start, end, behavior === MADV_POPULATE_WRITE);
  }
  let hole = false;
  let position = start;
  for (let vma = mm.mmap.find(start); position < end; vma = mm.mmap.find(position)) {
    if (vma === null) return -ENOMEM;
    if (vma.vmStart > position) {
      hole = true;
      position = vma.vmStart;
      if (position >= end) break;
    }
    const to = Math.min(vma.vmEnd, end);
    const error = madviseVma(ctx, vma, position, to, behavior, mayWrite);
    if (error < 0) return error;
    position = to;
  }
  return hole ? -ENOMEM : 0;
}

function madvisePopulate(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  end: number,
  write: boolean,
): 0 | Errno {
  switch (populateRange(ctx, mm, start, end, write ? 'write' : 'read')) {
    case FaultCode.Handled:
      return 0;
    case FaultCode.SegvMaperr:
    case FaultCode.Oom:
      return -ENOMEM;
    case FaultCode.SegvAccerr:
      return -EINVAL;
    case FaultCode.SigbusAdrerr:
      return -EFAULT;
  }
}

/** madvise_vma_behavior(). */
function madviseVma(
  ctx: MmContext,
  vma: VmArea,
  start: number,
  end: number,
  behavior: number,
  mayWrite: MayWriteFile,
): 0 | Errno {
  const flags = vma.vmFlags;
  let newFlags = flags;
  switch (behavior) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
      if ((flags & VM_LOCKED) !== 0 && behavior === MADV_DONTNEED) return -EINVAL;
      zapPageRange(ctx, vma.vmMm, start >>> PAGE_SHIFT, end >>> PAGE_SHIFT);
      return 0;
    case MADV_FREE:
      // Only private anonymous memory can be freed lazily.
      return vma.vmOps === null && (flags & VM_LOCKED) === 0 ? 0 : -EINVAL;
    case MADV_REMOVE:
      return madviseRemove(ctx, vma, start, end);
    case MADV_COLD:
    case MADV_PAGEOUT:
      if ((flags & VM_LOCKED) !== 0) return -EINVAL;
      if (behavior === MADV_PAGEOUT && vma.vmFile !== null && mayWrite(vma.vmFile))
        madvisePageout(ctx, vma, start, end);
      return 0;
    case MADV_NORMAL:
      newFlags = flags & ~(VM_RAND_READ | VM_SEQ_READ);
      break;
    case MADV_SEQUENTIAL:
      newFlags = (flags & ~VM_RAND_READ) | VM_SEQ_READ;
      break;
    case MADV_RANDOM:
      newFlags = (flags & ~VM_SEQ_READ) | VM_RAND_READ;
      break;
    case MADV_DONTFORK:
      newFlags = flags | VM_DONTCOPY;
      break;
    case MADV_DOFORK:
      newFlags = flags & ~VM_DONTCOPY;
      break;
    case MADV_WIPEONFORK:
      if (vma.vmFile !== null || (flags & VM_SHARED) !== 0) return -EINVAL;
      newFlags = flags | VM_WIPEONFORK;
      break;
    case MADV_KEEPONFORK:
      newFlags = flags & ~VM_WIPEONFORK;
      break;
    case MADV_DONTDUMP:
      newFlags = flags | VM_DONTDUMP;
      break;
    case MADV_DODUMP:
      newFlags = flags & ~VM_DONTDUMP;
      break;
    default:
      return 0;
  }
  if (newFlags === flags) return 0;
  const result = vmaModifyFlags(ctx, vma, start, end, newFlags);
  // ENOMEM of a split is EAGAIN here (madvise(2)).
  if (typeof result === 'number') return result === -ENOMEM ? -EAGAIN : result;
  return 0;
}

/**
 * madvise_pageout() of a file's pages that nothing else maps: without swap those that were written leave the page table alone, and
 * the others, which a fault makes anew, the page cache too.
 */
function madvisePageout(ctx: MmContext, vma: VmArea, start: number, end: number): void {
  const { memMap } = ctx;
  for (let va = start; va < end; va += PAGE_SIZE) {
    const pteAddress = pteOffset(ctx, vma.vmMm, va);
    const pte = pteAddress === 0 ? 0 : ctx.ram.read32(pteAddress);
    if (pte === 0) continue;
    const page = pageOfPte(ctx, pte);
    const host = pageMapping(memMap, page)?.host;
    // What SHM_LOCK holds is on no list.
    if (host === undefined || host.locked || pageMapcount(memMap, page) !== 1) continue;
    zapPageRange(ctx, vma.vmMm, va >>> PAGE_SHIFT, (va >>> PAGE_SHIFT) + 1);
    if ((pageFlags(memMap, page) & PG_DIRTY) === 0) host.iOp.releaseFolio?.(fsContext(ctx), host, page);
  }
}

/** MADV_REMOVE: a hole in the file behind shared memory that is writable or may become so. */
function madviseRemove(ctx: MmContext, vma: VmArea, start: number, end: number): 0 | Errno {
  if ((vma.vmFlags & VM_LOCKED) !== 0 || vma.vmFile === null) return -EINVAL;
  if ((vma.vmFlags & (VM_SHARED | VM_MAYWRITE)) !== (VM_SHARED | VM_MAYWRITE)) return -EACCES;
  const file = vma.vmFile;
  const offset = start - vma.vmStart + vma.vmPgoff * PAGE_SIZE;
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return file.fOp.fallocate?.(fsContext(ctx), file, mode, offset, end - start) ?? -EIO;
}

/** Whether the caller owns a file or could write it: only then he may learn what is cached of it, or push it out. */
export type MayWriteFile = (file: File) => boolean;

/** can_do_mincore(). */
function canDoMincore({ vmFile, vmOps }: VmArea, mayWrite: MayWriteFile): boolean {
  return vmFile === null ? vmOps === null : mayWrite(vmFile);
}

/**
 * mincore(2): one byte per page, bit 0 set when the page is resident, and where the caller may not know; or EINVAL,
 * ENOMEM.
 */
export function doMincore(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  length: number,
  mayWrite: MayWriteFile,
): Uint8Array | Errno {
  if (start % PAGE_SIZE !== 0) return -EINVAL;
  // access_ok() of the range.
  if (start > TASK_SIZE || length > TASK_SIZE - start) return -ENOMEM;
  const pages = Math.ceil(length / PAGE_SIZE);
  const result = new Uint8Array(pages);
  for (let i = 0; i < pages; i++) {
    const va = start + i * PAGE_SIZE;
    const vma = mm.mmap.lookup(va);
    if (vma === null) return -ENOMEM;
    if (!canDoMincore(vma, mayWrite)) {
      result[i] = 1;
      continue;
    }
    const pteAddress = pteOffset(ctx, mm, va);
    const mapped = pteAddress !== 0 && ctx.ram.read32(pteAddress) !== 0;
    const page = vma.vmFile?.fInode.iMapping.iPages.get(vma.vmPgoff + (va - vma.vmStart) / PAGE_SIZE);
    // mincore_page(): PG_uptodate.
    const cached = page !== undefined && (pageFlags(ctx.memMap, page) & PG_FALLOCATED) === 0;
    result[i] = mapped || cached ? 1 : 0;
  }
  return result;
}

/** msync(2): memory-backed files are always in sync; the checks are Linux's. */
export function doMsync(mm: MmStruct, start: number, length: number, flags: number): 0 | Errno {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || start % PAGE_SIZE !== 0) return -EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return -EINVAL;
  const len = pageAlignUp(length);
  const end = start + len;
  if (len > 0xffff_ffff || end > 0xffff_ffff) return -ENOMEM;
  let hole = false;
  let position = start;
  while (position < end) {
    const vma = mm.mmap.find(position);
    if (vma === null) return -ENOMEM;
    if (vma.vmStart > position) {
      if (flags === MS_ASYNC) return -ENOMEM;
      if (vma.vmStart >= end) return -ENOMEM;
      hole = true;
      position = vma.vmStart;
    }
    // Locked pages cannot be invalidated.
    if ((flags & MS_INVALIDATE) !== 0 && (vma.vmFlags & VM_LOCKED) !== 0) return -EBUSY;
    position = vma.vmEnd;
  }
  return hole ? -ENOMEM : 0;
}
