/**
 * Futexes that are locks with an owner (Linux: kernel/futex/pi.c; FUTEX_LOCK_PI and its kin). The word holds the owner's tid
 * and FUTEX_WAITERS; the kernel hands the lock from its owner to the oldest sleeper, and does so for an owner that dies.
 *
 * Known to be missing: the inheritance itself. No priority has an effect here, so there is none to inherit.
 */
import { EAGAIN, EDEADLK, EFAULT, EINVAL, EPERM, ERESTARTNOINTR, ESRCH } from '../abi/errno.ts';
import { putUser32 } from '../mm/usercopy.ts';
import { FUTEX_BITSET_MATCH_ANY, futexKey, futexSleep, getUser32 } from './futex.ts';
import { forgetPiState, futexFirst, FutexQ, type PiState } from './futexQueue.ts';
import type { Kernel } from './kernel.ts';
import { completeWait } from './sched.ts';
import type { Task } from './task.ts';

export const FUTEX_WAITERS = 0x8000_0000;
export const FUTEX_OWNER_DIED = 0x4000_0000;
export const FUTEX_TID_MASK = 0x3fff_ffff;

/** max_lock_depth: how far a chain of owners that wait for each other is followed. */
const MAX_LOCK_DEPTH = 1024;

/**
 * futex_lock_pi(): takes the lock, or sleeps until its owner hands it over. Completed with 0, or -ETIMEDOUT by `deadline`.
 *
 * @returns EDEADLK (the caller has it, or its owner waits for the caller), ESRCH (no such owner), EINVAL (the word does not agree with
 * the sleepers), EAGAIN (`tryOnly`).
 */
export function futexLockPi(
  kernel: Kernel,
  task: Task,
  address: number,
  isPrivate: boolean,
  deadline: number | null,
  tryOnly: boolean,
): number {
  const { mm } = task;
  const key = futexKey(kernel, task, address, isPrivate, true);
  if (typeof key === 'number') return key;
  const word = getUser32(kernel, mm, address);
  if (word < 0 || mm === null) return -EFAULT;
  const tid = word & FUTEX_TID_MASK;
  if (tid === task.pid) return -EDEADLK;
  const top = futexFirst(kernel.futexes, key);
  if (top === null && tid === 0) {
    const taken = ((word & FUTEX_OWNER_DIED) | task.pid) >>> 0;
    return putUser32(kernel, mm, address, taken);
  }
  let pi: PiState;
  if (top !== null) {
    // attach_to_pi_state(): the sleepers know the owner. One that died leaves no tid.
    if (top.pi === null) return -EINVAL;
    const ownerless = tid === 0 && (word & FUTEX_OWNER_DIED) !== 0;
    if (!ownerless && tid !== top.pi.owner.pid) return -EINVAL;
    pi = top.pi;
  } else {
    const failed = putUser32(kernel, mm, address, (word | FUTEX_WAITERS) >>> 0);
    if (failed < 0) return failed;
    const owner = kernel.tasks.get(tid);
    if (owner === undefined || owner.state === 'Z') return -ESRCH;
    pi = { owner, waiters: 0 };
  }
  if (tryOnly) return -EAGAIN;
  if (waitsFor(pi.owner, task)) return -EDEADLK;
  const reason = new FutexQ(task, key, address, FUTEX_BITSET_MATCH_ANY, 0, pi);
  const result = futexSleep(kernel, task, reason, deadline, -ERESTARTNOINTR);
  if (task.wait?.reason === reason) {
    if (pi.waiters === 0) (pi.owner.piStates ??= []).push(pi);
    pi.waiters++;
  }
  return result;
}

/** rt_mutex_adjust_prio_chain(): whether `owner` waits, over any number of locks, for one that `task` has. */
function waitsFor(owner: Task, task: Task): boolean {
  let at = owner;
  for (let depth = 0; depth < MAX_LOCK_DEPTH; depth++) {
    if (at === task) return true;
    const reason = at.wait?.reason;
    if (reason?.kind !== 'futex' || reason.pi === null) return false;
    at = reason.pi.owner;
  }
  return true;
}

/** futex_unlock_pi(): EPERM (not the owner), EINVAL (somebody sleeps on it as on a plain futex). */
export function futexUnlockPi(kernel: Kernel, task: Task, address: number, isPrivate: boolean): number {
  const { mm } = task;
  const word = getUser32(kernel, mm, address);
  if (word < 0 || mm === null) return -EFAULT;
  if ((word & FUTEX_TID_MASK) !== task.pid) return -EPERM;
  const key = futexKey(kernel, task, address, isPrivate, true);
  if (typeof key === 'number') return key;
  const top = futexFirst(kernel.futexes, key);
  if (top === null) return putUser32(kernel, mm, address, 0);
  if (top.pi === null || top.pi.owner !== task) return -EINVAL;
  const failed = putUser32(kernel, mm, address, (FUTEX_WAITERS | top.task.pid) >>> 0);
  if (failed < 0) return failed;
  forgetPiState(top.pi);
  handOver(kernel, top, top.pi, 0);
  return 0;
}

/** The lock, which its old owner no longer knows, is the oldest sleeper's; the others wait for it. */
function handOver(kernel: Kernel, top: FutexQ, pi: PiState, result: number): void {
  pi.owner = top.task;
  (top.task.piStates ??= []).push(pi);
  completeWait(kernel, top.task, result);
}

/** exit_pi_state_list(): the locks that a dying task holds go to who waits for them, marked with FUTEX_OWNER_DIED. */
export function exitPiStateList(kernel: Kernel, task: Task): void {
  const held = task.piStates ?? [];
  task.piStates = null;
  for (const pi of held) {
    const top = oldestWaiter(kernel, pi);
    if (top === null) continue;
    // fixup_pi_state_owner() runs in the new owner, with its address of the word.
    const { mm } = top.task;
    const word = (FUTEX_WAITERS | FUTEX_OWNER_DIED | top.task.pid) >>> 0;
    const failed = mm === null ? -EFAULT : putUser32(kernel, mm, top.address, word);
    handOver(kernel, top, pi, failed);
  }
}

function oldestWaiter(kernel: Kernel, pi: PiState): FutexQ | null {
  for (const other of kernel.tasks.values()) {
    const reason = other.wait?.reason;
    if (reason?.kind === 'futex' && reason.pi === pi) return futexFirst(kernel.futexes, reason);
  }
  return null;
}
