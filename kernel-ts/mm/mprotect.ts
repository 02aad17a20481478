/** mprotect(2): mm/mprotect.c. Missing: protection keys; PROT_GROWSUP (no architecture of ours has it). */
import { EACCES, EINVAL, ENOMEM, type Errno } from '../abi/errno.ts';
import {
  PAGE_SIZE,
  pageAlignUp,
  PROT_EXEC,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_READ,
  PROT_SEM,
  PROT_WRITE,
} from '../abi/mman.ts';
import { mayExpandVm, vmEnoughMemory, vmStatAccount } from './accounting.ts';
import type { MmContext } from './context.ts';
import { changeProtection } from './memory.ts';
import type { MmStruct } from './mm.ts';
import { populateRange } from './populate.ts';
import {
  calcVmProtBits,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
  type VmArea,
} from './vma.ts';
import { vmaModifyFlags } from './vmaOps.ts';

/**
 * do_mprotect_pkey(). What precedes a failing VMA in the range stays changed, as in Linux.
 *
 * @returns 0, EINVAL (unaligned, unknown bits), ENOMEM (a hole, or limits), EACCES (beyond what the file or segment grants).
 */
export function doMprotect(
  ctx: MmContext,
  mm: MmStruct,
  addr: number,
  length: number,
  prot: number,
): 0 | Errno {
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) return -EINVAL;
  if (addr % PAGE_SIZE !== 0) return -EINVAL;
  if (length === 0) return 0;
  const len = pageAlignUp(length);
  const end = addr + len;
  // The sum wraps in 32 bits.
  if (end > 0xffff_ffff) return -ENOMEM;
  if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | grows)) !== 0) return -EINVAL;
  let start = addr;
  let vma = mm.mmap.find(start);
  if (vma === null) return -ENOMEM;
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if (vma.vmStart >= end) return -ENOMEM;
    start = vma.vmStart;
    if ((vma.vmFlags & VM_GROWSDOWN) === 0) return -EINVAL;
  } else {
    if (vma.vmStart > start) return -ENOMEM;
    if ((grows & PROT_GROWSUP) !== 0) return -EINVAL;
  }
  const protBits = calcVmProtBits(prot);
  let position = start;
  while (position < end) {
    // The first VMA may begin below; any later one must follow without a hole.
    if (vma === null || vma.vmStart > position) return -ENOMEM;
    const newFlags: number = protBits | (vma.vmFlags & ~VM_ACCESS_FLAGS);
    // newflags >> 4 shift vm_may_* in place of vm_*.
    if ((newFlags & ~(newFlags >>> 4) & VM_ACCESS_FLAGS) !== 0) return -EACCES;
    const to = Math.min(vma.vmEnd, end);
    const error = mprotectFixup(ctx, vma, position, to, newFlags);
    if (error < 0) return error;
    position = to;
    vma = mm.mmap.find(position);
  }
  return 0;
}

/** mprotect_fixup(): one VMA's part. */
function mprotectFixup(ctx: MmContext, vma: VmArea, start: number, end: number, wanted: number): 0 | Errno {
  const mm = vma.vmMm;
  const oldFlags = vma.vmFlags;
  if (wanted === oldFlags) return 0;
  const pages = (end - start) / PAGE_SIZE;
  let newFlags = wanted;
  if ((newFlags & VM_WRITE) !== 0) {
    // Private memory that becomes writable is accounted from now on.
    if (!mayExpandVm(ctx, mm, newFlags, pages) && mayExpandVm(ctx, mm, oldFlags, pages)) return -ENOMEM;
    if ((oldFlags & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE)) === 0) {
      if (!vmEnoughMemory(ctx, pages)) return -ENOMEM;
      newFlags |= VM_ACCOUNT;
    }
  } else if (vma.vmOps === null && vma.anonVma === null) {
    // Nothing private is there yet: it counts no more.
    newFlags &= ~VM_ACCOUNT;
  }
  const result = vmaModifyFlags(ctx, vma, start, end, newFlags);
  if (typeof result === 'number') return result;
  changeProtection(ctx, result, start, end);
  vmStatAccount(mm, oldFlags, -pages);
  vmStatAccount(mm, newFlags, pages);
  // Locked memory is to fault no more: private pages are copied now.
  if ((oldFlags & (VM_WRITE | VM_SHARED | VM_LOCKED)) === VM_LOCKED && (newFlags & VM_WRITE) !== 0)
    populateRange(ctx, mm, start, end);
  return 0;
}
