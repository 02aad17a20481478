/** Faulting pages in ahead of use: mm/gup.c (populate_vma_page_range, __mm_populate). */
import { PAGE_SIZE } from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import { doPageFault, ptePermits } from './memory.ts';
import type { MmStruct } from './mm.ts';
import { pteOffset } from './pgtable.ts';
import { FaultCode, VM_EXEC, VM_LOCKONFAULT, VM_READ, VM_SHARED, VM_WRITE, type Access } from './vma.ts';

/** How populate touches a VMA: private writable memory is written, so that copy-on-write is over with. */
function populateAccess(vmFlags: number): Access | null {
  if ((vmFlags & (VM_WRITE | VM_SHARED)) === VM_WRITE) return 'write';
  if ((vmFlags & (VM_READ | VM_WRITE)) !== 0) return 'read';
  return (vmFlags & VM_EXEC) !== 0 ? 'exec' : null;
}

/** Makes one page present for this access; Handled when it is already. */
export function faultIn(ctx: MmContext, mm: MmStruct, va: number, access: Access): FaultCode {
  const pteAddress = pteOffset(ctx, mm, va);
  if (pteAddress !== 0 && ptePermits(ctx.ram.read32(pteAddress), access)) return FaultCode.Handled;
  return doPageFault(ctx, mm, va, access);
}

/**
 * Populates [start, end), page aligned. Stops at the first failure and returns its code; SegvMaperr for a hole.
 * mmap ignores the result, mlock and MADV_POPULATE_* do not. `access` overrides the choice by VMA.
 */
export function populateRange(
  ctx: MmContext,
  mm: MmStruct,
  start: number,
  end: number,
  access?: Access,
): FaultCode {
  for (let va = start; va < end; va += PAGE_SIZE) {
    const vma = mm.mmap.lookup(va);
    if (vma === null) return FaultCode.SegvMaperr;
    if (access === undefined && (vma.vmFlags & VM_LOCKONFAULT) !== 0) {
      va = vma.vmEnd - PAGE_SIZE;
      continue;
    }
    const how = access ?? populateAccess(vma.vmFlags);
    if (how === null) return FaultCode.SegvAccerr;
    // check_vma_flags(): MADV_POPULATE_READ asks for VM_READ, although a writable page can be read.
    if (access === 'read' && (vma.vmFlags & VM_READ) === 0) return FaultCode.SegvAccerr;
    const code = faultIn(ctx, mm, va, how);
    if (code !== FaultCode.Handled) return code;
  }
  return FaultCode.Handled;
}
