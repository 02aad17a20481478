/**
 * Futexes (Linux: kernel/futex/; futex(2)). A key names the word: for memory shared between processes the frame and
 * offset, else the address space and address. A sleeper of a shared key pins its frame, so the key cannot change hands.
 *
 * Known to be missing: priority inheritance (LOCK_PI and its kin: ENOSYS), FUTEX_FD, futex_waitv.
 */
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT, type Errno } from '../abi/errno.ts';
import { PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import { ktimeGet } from '../mm/context.ts';
import type { MmStruct } from '../mm/mm.ts';
import { getPage, putPage, type Page } from '../mm/page.ts';
import { getUser32 as getUser32OrNull, putUser32, userPage } from '../mm/usercopy.ts';
import { VM_SHARED } from '../mm/vma.ts';
import type { Kernel } from './kernel.ts';
import { completeWait, sleepOn } from './sched.ts';
import type { Task } from './task.ts';
import { newWaitQueue, type WaitQueue } from './waitQueue.ts';

export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_CLOCK_REALTIME = 256;
export const FUTEX_BITSET_MATCH_ANY = 0xffff_ffff;

const FUTEX_WAITERS = 0x8000_0000;
const FUTEX_OWNER_DIED = 0x4000_0000;
const FUTEX_TID_MASK = 0x3fff_ffff;
/** Longest robust list the kernel follows. */
const ROBUST_LIST_LIMIT = 2048;

/** A word of user memory, or -EFAULT. */
function getUser32(kernel: Kernel, mm: MmStruct | null, address: number): number {
  return mm === null ? -EFAULT : (getUser32OrNull(kernel, mm, address) ?? -EFAULT);
}

/** futex_key. Shared keys are physical addresses (below 2^32), private ones lie above. */
interface FutexKey {
  readonly key: number;
  /** The frame of a shared key. */
  readonly page: Page | null;
}

/** get_futex_key(): EINVAL when not aligned, EFAULT when not accessible. */
function futexKey(kernel: Kernel, task: Task, address: number, isPrivate: boolean): FutexKey | Errno {
  const mm = task.mm;
  if (address % 4 !== 0) return -EINVAL;
  if (mm === null || address >= TASK_SIZE) return -EFAULT;
  const vma = isPrivate ? null : mm.mmap.find(address);
  if (vma === null || (vma.vmFlags & VM_SHARED) === 0 || address < vma.vmStart) {
    return { key: (mm.id + 1) * 2 ** 32 + address, page: null };
  }
  const page = userPage(kernel, mm, address, 'read');
  if (typeof page === 'number') return page;
  return { key: page.pfn * PAGE_SIZE + (address % PAGE_SIZE), page };
}

/**
 * futex_wait(): sleeps while the word holds `expected`. Completed with 0 by a waker or -ETIMEDOUT by `deadline`
 * (absolute virtual ns, null: none). EAGAIN: the word differs. EINVAL: empty bitset.
 */
export function futexWait(
  kernel: Kernel,
  task: Task,
  address: number,
  isPrivate: boolean,
  expected: number,
  deadline: number | null,
  bitset: number,
): number {
  if (bitset === 0) return -EINVAL;
  const key = futexKey(kernel, task, address, isPrivate);
  if (typeof key === 'number') return key;
  const value = getUser32(kernel, task.mm, address);
  if (value < 0) return value;
  if (value !== expected >>> 0) return -EAGAIN;
  if (deadline !== null && deadline <= ktimeGet(kernel)) return -ETIMEDOUT;
  const queue = queueOf(kernel, key.key);
  if (key.page !== null) {
    getPage(key.page);
    kernel.futexPins.set(task, key.page);
  }
  const reason = { kind: 'futex', key: key.key, address, bitset } as const;
  return sleepOn(kernel, task, reason, { queues: [queue], deadline, timeoutResult: -ETIMEDOUT });
}

function queueOf(kernel: Kernel, key: number): WaitQueue {
  let queue = kernel.futexes.get(key);
  if (queue === undefined) {
    queue = newWaitQueue('futex');
    kernel.futexes.set(key, queue);
  }
  return queue;
}

function wakeKey(kernel: Kernel, key: number, count: number, bitset: number): number {
  const queue = kernel.futexes.get(key);
  if (queue === undefined) return 0;
  let woken = 0;
  for (const task of queue.waiters.slice()) {
    if (woken >= count) break;
    const reason = task.wait?.reason;
    if (reason?.kind !== 'futex' || (reason.bitset & bitset) === 0) continue;
    if (completeWait(kernel, task, 0)) woken++;
  }
  return woken;
}

/** futex_wake(): completes up to `count` waits whose bitset shares a bit. Returns how many. Linux wakes one for count <= 0. */
export function futexWake(
  kernel: Kernel,
  task: Task,
  address: number,
  isPrivate: boolean,
  count: number,
  bitset: number,
): number {
  if (bitset === 0) return -EINVAL;
  const key = futexKey(kernel, task, address, isPrivate);
  if (typeof key === 'number') return key;
  return wakeKey(kernel, key.key, Math.max(1, count), bitset);
}

/** futex_requeue(): wakes `wake` and moves up to `move` of the rest to another word. `expected` null: no comparison. */
export function futexRequeue(
  kernel: Kernel,
  task: Task,
  from: number,
  to: number,
  isPrivate: boolean,
  wake: number,
  move: number,
  expected: number | null,
): number {
  if (wake < 0 || move < 0) return -EINVAL;
  const source = futexKey(kernel, task, from, isPrivate);
  if (typeof source === 'number') return source;
  const target = futexKey(kernel, task, to, isPrivate);
  if (typeof target === 'number') return target;
  if (expected !== null) {
    const value = getUser32(kernel, task.mm, from);
    if (value < 0) return value;
    if (value !== expected >>> 0) return -EAGAIN;
  }
  const woken = wake === 0 ? 0 : wakeKey(kernel, source.key, wake, FUTEX_BITSET_MATCH_ANY);
  let moved = 0;
  for (const sleeper of kernel.futexes.get(source.key)?.waiters.slice() ?? []) {
    if (moved >= move) break;
    moveSleeper(kernel, sleeper, source, target);
    moved++;
  }
  return woken + moved;
}

function moveSleeper(kernel: Kernel, sleeper: Task, source: FutexKey, target: FutexKey): void {
  const wait = sleeper.wait;
  if (wait === null || wait.reason.kind !== 'futex' || source.key === target.key) return;
  const old = queueOf(kernel, source.key);
  old.waiters.splice(old.waiters.indexOf(sleeper), 1);
  if (old.waiters.length === 0) kernel.futexes.delete(source.key);
  const queue = queueOf(kernel, target.key);
  queue.waiters.push(sleeper);
  wait.queues = [queue];
  wait.reason.key = target.key;
  const pinned = kernel.futexPins.get(sleeper);
  kernel.futexPins.delete(sleeper);
  if (target.page !== null) {
    getPage(target.page);
    kernel.futexPins.set(sleeper, target.page);
  }
  if (pinned !== undefined) putPage(kernel, pinned);
}

/** futex_wake_op(): changes the word at `address2` as `encoded` says, wakes both words' waiters if its old value fits. */
export function futexWakeOp(
  kernel: Kernel,
  task: Task,
  address: number,
  address2: number,
  isPrivate: boolean,
  wake: number,
  wake2: number,
  encoded: number,
): number {
  const first = futexKey(kernel, task, address, isPrivate);
  if (typeof first === 'number') return first;
  const second = futexKey(kernel, task, address2, isPrivate);
  if (typeof second === 'number') return second;
  const old = getUser32(kernel, task.mm, address2);
  if (old < 0) return old;
  let operand = (encoded << 8) >> 20;
  if (((encoded >>> 28) & 8) !== 0) operand = 1 << (operand & 31);
  const next = [operand, old + operand, old | operand, old & ~operand, old ^ operand][(encoded >>> 28) & 7];
  if (next === undefined) return -ENOSYS;
  const failed = task.mm === null ? -EFAULT : putUser32(kernel, task.mm, address2, next >>> 0);
  if (failed < 0) return failed;
  const compare = (encoded << 20) >> 20;
  const value = old | 0;
  const fits = [
    value === compare,
    value !== compare,
    value < compare,
    value <= compare,
    value > compare,
    value >= compare,
  ][(encoded >>> 24) & 15];
  if (fits === undefined) return -ENOSYS;
  const woken = wakeKey(kernel, first.key, Math.max(1, wake), FUTEX_BITSET_MATCH_ANY);
  return fits ? woken + wakeKey(kernel, second.key, Math.max(1, wake2), FUTEX_BITSET_MATCH_ANY) : woken;
}

/** mm_release(): writes 0 to the clear_child_tid word and wakes one waiter, when somebody else uses the memory. */
export function futexClearTid(kernel: Kernel, task: Task): void {
  const address = task.clearChildTid;
  task.clearChildTid = 0;
  if (address === 0 || task.mm === null || task.mm.mmUsers <= 1) return;
  if (putUser32(kernel, task.mm, address, 0) < 0) return;
  futexWake(kernel, task, address, false, 1, FUTEX_BITSET_MATCH_ANY);
}

/** exit_robust_list(): marks the locks that a dying task still holds. The list is the guest's: any value may be in it. */
export function exitRobustList(kernel: Kernel, task: Task): void {
  const head = task.robustList;
  const mm = task.mm;
  task.robustList = 0;
  if (head === 0 || mm === null) return;
  const offset = getUser32(kernel, mm, head + 4);
  const pending = getUser32(kernel, mm, head + 8);
  let entry = getUser32(kernel, mm, head);
  if (offset < 0 || pending < 0) return;
  for (let i = 0; i < ROBUST_LIST_LIMIT && entry >= 0 && (entry & ~1) >>> 0 !== head; i++) {
    const next = getUser32(kernel, mm, (entry & ~1) >>> 0);
    if (entry !== pending && !lockDied(kernel, task, ((entry & ~1) + offset) >>> 0)) return;
    entry = next;
  }
  if (pending !== 0) lockDied(kernel, task, ((pending & ~1) + offset) >>> 0);
}

/** handle_futex_death(): false when the word is not accessible. */
function lockDied(kernel: Kernel, task: Task, address: number): boolean {
  const mm = task.mm;
  if (mm === null || address % 4 !== 0) return false;
  const word = getUser32(kernel, mm, address);
  if (word < 0) return false;
  if ((word & FUTEX_TID_MASK) !== task.pid) return true;
  const next = ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
  if (putUser32(kernel, mm, address, next) < 0) return false;
  if ((word & FUTEX_WAITERS) !== 0) futexWake(kernel, task, address, false, 1, FUTEX_BITSET_MATCH_ANY);
  return true;
}
