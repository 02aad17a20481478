/**
 * Limits and counters of an address space: mm/mmap.c (may_expand_vm, vm_stat_account, mlock_future_ok), mm/util.c
 * (__vm_enough_memory in its heuristic mode). Missing: strict overcommit (mode 2).
 */
import { CAP_IPC_LOCK } from '../abi/capability.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, rlimit, withinRlimit } from '../abi/resource.ts';
import type { MmContext } from './context.ts';
import { capable } from './cred.ts';
import type { MmStruct } from './mm.ts';
import { VM_EXEC, VM_GROWSDOWN, VM_LOCKED, VM_SHARED, VM_WRITE } from './vma.ts';

function isDataMapping(vmFlags: number): boolean {
  return (vmFlags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) === VM_WRITE;
}

/** may_expand_vm(): room for `pages` more under the current process's RLIMIT_AS and RLIMIT_DATA. */
export function mayExpandVm(ctx: MmContext, mm: MmStruct, vmFlags: number, pages: number): boolean {
  const { rlim } = ctx.current;
  if (!withinRlimit(rlim, RLIMIT_AS, (mm.totalVm + pages) * PAGE_SIZE)) return false;
  return !isDataMapping(vmFlags) || withinRlimit(rlim, RLIMIT_DATA, (mm.dataVm + pages) * PAGE_SIZE);
}

/** vm_stat_account(): `pages` may be negative. */
export function vmStatAccount(mm: MmStruct, vmFlags: number, pages: number): void {
  // update_hiwater_vm()
  if (pages < 0 && mm.totalVm > mm.hiwaterVm) mm.hiwaterVm = mm.totalVm;
  mm.totalVm += pages;
  if ((vmFlags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) === VM_EXEC) mm.execVm += pages;
  else if ((vmFlags & VM_GROWSDOWN) !== 0) mm.stackVm += pages;
  else if (isDataMapping(vmFlags)) mm.dataVm += pages;
}

/** can_do_mlock(): a limit other than 0, or CAP_IPC_LOCK. */
export function canDoMlock(ctx: MmContext): boolean {
  return rlimit(ctx.current.rlim, RLIMIT_MEMLOCK) !== 0 || capable(ctx.current.cred, CAP_IPC_LOCK);
}

/** mlock_future_ok(): whether `bytes` more locked memory stay below RLIMIT_MEMLOCK. */
export function mlockFutureOk(ctx: MmContext, mm: MmStruct, vmFlags: number, bytes: number): boolean {
  if ((vmFlags & VM_LOCKED) === 0 || capable(ctx.current.cred, CAP_IPC_LOCK)) return true;
  return mm.lockedVm * PAGE_SIZE + bytes <= rlimit(ctx.current.rlim, RLIMIT_MEMLOCK);
}

/** security_vm_enough_memory_mm(): the heuristic refuses only what could never fit. */
export function vmEnoughMemory(ctx: MmContext, pages: number): boolean {
  return ctx.vm.overcommitMemory === 1 || pages <= ctx.memMap.totalFrames;
}
