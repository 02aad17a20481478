/**
 * What a dying task leaves behind in memory that others use: its robust list and its clear_child_tid (Linux: kernel/futex/core.c
 * exit_robust_list, kernel/fork.c mm_release). Both are the guest's: any value may be in them.
 */
import { EFAULT } from '../abi/errno.ts';
import type { MmStruct } from '../mm/mm.ts';
import { putUser32 } from '../mm/usercopy.ts';
import { FUTEX_BITSET_MATCH_ANY, futexWake, getUser32 } from './futex.ts';
import { exitPiStateList, FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from './futexPi.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';

/** Longest robust list the kernel follows; one that is circular ends here. */
const ROBUST_LIST_LIMIT = 2048;

/** futex_exit_release() and mm_release(), before the address space is given up. */
export function futexExitRelease(kernel: Kernel, task: Task): void {
  const { mm } = task;
  if (mm === null) return;
  exitRobustList(kernel, task, mm);
  if (task.piStates !== null) exitPiStateList(kernel, task);
  clearTid(kernel, task, mm);
}

/** Writes 0 to the clear_child_tid word and wakes one waiter, when somebody else uses the memory. */
function clearTid(kernel: Kernel, task: Task, mm: MmStruct): void {
  const address = task.clearChildTid;
  task.clearChildTid = 0;
  if (address === 0 || mm.mmUsers <= 1) return;
  if (putUser32(kernel, mm, address, 0) < 0) return;
  futexWake(kernel, task, address, false, 1, FUTEX_BITSET_MATCH_ANY);
}

/** exit_robust_list(): marks the locks that a dying task still holds. Bit 0 of an entry says that it is a PI lock. */
function exitRobustList(kernel: Kernel, task: Task, mm: MmStruct): void {
  const head = task.robustList;
  task.robustList = 0;
  if (head === 0) return;
  let entry = getUser32(kernel, mm, head);
  const offset = getUser32(kernel, mm, head + 4);
  const pending = getUser32(kernel, mm, head + 8);
  if (entry === -EFAULT || offset === -EFAULT || pending === -EFAULT) return;
  const pendingAddress = (pending & ~1) >>> 0;
  for (let i = 0; i < ROBUST_LIST_LIMIT && (entry & ~1) >>> 0 !== head; i++) {
    const at = (entry & ~1) >>> 0;
    // The next one first: the lock may be taken by another, and the entry overwritten, as soon as it is marked.
    const next = getUser32(kernel, mm, at);
    if (at !== pendingAddress && !lockDied(kernel, task, mm, (at + offset) >>> 0, (entry & 1) !== 0, false))
      return;
    if (next === -EFAULT) return;
    entry = next;
  }
  if (pendingAddress !== 0)
    lockDied(kernel, task, mm, (pendingAddress + offset) >>> 0, (pending & 1) !== 0, true);
}

/** handle_futex_death(): false when the word is not accessible. */
function lockDied(
  kernel: Kernel,
  task: Task,
  mm: MmStruct,
  address: number,
  isPi: boolean,
  isPending: boolean,
): boolean {
  if (address % 4 !== 0) return false;
  const word = getUser32(kernel, mm, address);
  if (word === -EFAULT) return false;
  // It died between unlocking and waking: nobody owns the lock, and the one to wake may be asleep.
  if (isPending && !isPi && word === 0) {
    futexWake(kernel, task, address, false, 1, FUTEX_BITSET_MATCH_ANY);
    return true;
  }
  if ((word & FUTEX_TID_MASK) !== task.pid) return true;
  const next = ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
  if (putUser32(kernel, mm, address, next) < 0) return false;
  // A PI lock is handed over by exitPiStateList.
  if (!isPi && (word & FUTEX_WAITERS) !== 0)
    futexWake(kernel, task, address, false, 1, FUTEX_BITSET_MATCH_ANY);
  return true;
}
