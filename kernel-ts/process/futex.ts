/**
 * Futexes (Linux: kernel/futex/core.c, waitwake.c, requeue.c; futex(2)). What names one is in futexQueue.ts; locks with an
 * owner are in futexPi.ts, what a dying task leaves behind in robust.ts.
 *
 * Known to be missing: FUTEX_FD, FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI (ENOSYS), futex_wake, futex_wait and
 * futex_requeue of Linux 6.7, words of other sizes and NUMA nodes in futex_waitv (EINVAL).
 */
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  ENOSYS,
  ERESTART_RESTARTBLOCK,
  ERESTARTSYS,
  ETIMEDOUT,
  type Errno,
} from '../abi/errno.ts';
import { offsetInPage, PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import { ktimeGet } from '../mm/context.ts';
import type { MmStruct } from '../mm/mm.ts';
import { pageIndex, pageMapping, pageToPhys, type Page } from '../mm/page.ts';
import { getUser32 as getUser32OrNull, userPage, userPhys } from '../mm/usercopy.ts';
import {
  FUT_OFF_MMSHARED,
  futexEnqueue,
  futexFirst,
  futexNext,
  futexUnqueue,
  FutexQ,
  type FutexKey,
} from './futexQueue.ts';
import type { Kernel } from './kernel.ts';
import { completeWait, sleepOn, sleepOnObject } from './sched.ts';
import type { Task } from './task.ts';

export const FUTEX_BITSET_MATCH_ANY = 0xffff_ffff;

/** A word of user memory, or -EFAULT. */
export function getUser32(kernel: Kernel, mm: MmStruct | null, address: number): number {
  return mm === null ? -EFAULT : (getUser32OrNull(kernel, mm, address) ?? -EFAULT);
}

/** A key with the frame that now holds the word, where it was looked for. */
interface FoundKey extends FutexKey {
  readonly page: Page | null;
}

/**
 * get_futex_key(). `write`: the operation is going to change the word. EINVAL when not aligned; EFAULT when not accessible:
 * a word that can only be read will do for a futex in a file, not in anonymous memory, where nobody could ever change it.
 */
export function futexKey(
  kernel: Kernel,
  task: Task,
  address: number,
  isPrivate: boolean,
  write: boolean,
): FoundKey | Errno {
  const { mm } = task;
  if (address % 4 !== 0) return -EINVAL;
  if (mm === null || address >= TASK_SIZE) return -EFAULT;
  if (isPrivate) return { owner: mm, offset: address, page: null };
  let page = userPage(kernel, mm, address, 'write');
  let readOnly = false;
  if (page === -EFAULT && !write) {
    page = userPage(kernel, mm, address, 'read');
    readOnly = true;
  }
  if (page < 0) return page as Errno;
  const owner = pageMapping(kernel.memMap, page);
  if (owner !== null)
    return { owner, offset: pageIndex(kernel.memMap, page) * PAGE_SIZE + offsetInPage(address), page };
  return readOnly ? -EFAULT : { owner: mm, offset: address + FUT_OFF_MMSHARED, page };
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
  const interrupted = deadline === null ? -ERESTARTSYS : -ERESTART_RESTARTBLOCK;
  // Woken by a signal: whatever the word holds by now, the wait is over.
  if (task.restart !== null && task.sigPending) return interrupted;
  const key = futexKey(kernel, task, address, isPrivate, false);
  if (typeof key === 'number') return key;
  // What the key was made of is read at once: one walk of the tables.
  const { page } = key;
  const value =
    page === null
      ? getUser32(kernel, task.mm, address)
      : kernel.ram.read32(pageToPhys(page) + offsetInPage(address));
  if (value < 0) return value;
  if (value !== expected >>> 0) return -EAGAIN;
  return futexSleep(kernel, task, new FutexQ(task, key, address, bitset), deadline, interrupted);
}

/** futex_wait_queue(): into the buckets and asleep, unless the deadline has passed or a signal is pending. */
export function futexSleep(
  kernel: Kernel,
  task: Task,
  reason: FutexQ,
  deadline: number | null,
  interrupted = -ERESTARTSYS,
): number {
  if (deadline !== null && deadline <= ktimeGet(kernel)) return -ETIMEDOUT;
  const result =
    deadline === null
      ? sleepOnObject(kernel, task, reason, interrupted)
      : sleepOn(kernel, task, reason, { deadline, timeoutResult: -ETIMEDOUT, interrupted });
  if (task.wait?.reason === reason) {
    for (let q: FutexQ | null = reason; q !== null; q = q.sibling) futexEnqueue(kernel.futexes, q);
  }
  return result;
}

/** One futex of futex_waitv(2). */
export interface FutexWaitv {
  readonly address: number;
  readonly expected: number;
  readonly isPrivate: boolean;
}

/**
 * futex_wait_multiple(): sleeps while every word holds what is expected of it; the result is the place in the list of the one
 * that was woken. EAGAIN: a word differs.
 */
export function futexWaitMultiple(
  kernel: Kernel,
  task: Task,
  list: readonly FutexWaitv[],
  deadline: number | null,
): number {
  if (task.restart !== null && task.sigPending) return -ERESTARTSYS;
  const keys: FutexKey[] = [];
  for (const { address, isPrivate } of list) {
    const key = futexKey(kernel, task, address, isPrivate, false);
    if (typeof key === 'number') return key;
    keys.push(key);
  }
  for (const { address, expected } of list) {
    const value = getUser32(kernel, task.mm, address);
    if (value < 0) return value;
    if (value !== expected >>> 0) return -EAGAIN;
  }
  let chain: FutexQ | null = null;
  for (let i = list.length - 1; i >= 0; i--) {
    const { address } = list[i] ?? { address: 0 };
    const key = keys[i];
    if (key !== undefined) chain = new FutexQ(task, key, address, FUTEX_BITSET_MATCH_ANY, i, null, chain);
  }
  return chain === null ? -EINVAL : futexSleep(kernel, task, chain, deadline);
}

/** Wakes up to `count` sleepers whose bitset shares a bit; how many, or EINVAL when one of them waits for a lock. */
function wakeKey(kernel: Kernel, key: FutexKey, count: number, bitset: number): number {
  let woken = 0;
  for (let q = futexFirst(kernel.futexes, key); q !== null && woken < count;) {
    if (q.pi !== null) return -EINVAL;
    let next = futexNext(q);
    if ((q.bitset & bitset) !== 0) {
      completeWait(kernel, q.task, q.result);
      woken++;
      // A list of futex_waitv may name this futex more than once; then the next went with this one.
      if (next !== null && next.bucket === null) next = futexFirst(kernel.futexes, key);
    }
    q = next;
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
  const key = futexKey(kernel, task, address, isPrivate, false);
  if (typeof key === 'number') return key;
  return wakeKey(kernel, key, Math.max(1, count), bitset);
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
  const source = futexKey(kernel, task, from, isPrivate, false);
  if (typeof source === 'number') return source;
  const target = futexKey(kernel, task, to, isPrivate, false);
  if (typeof target === 'number') return target;
  if (expected !== null) {
    const value = getUser32(kernel, task.mm, from);
    if (value < 0) return value;
    if (value !== expected >>> 0) return -EAGAIN;
  }
  const woken = wake === 0 ? 0 : wakeKey(kernel, source, wake, FUTEX_BITSET_MATCH_ANY);
  if (woken < 0) return woken;
  let moved = 0;
  for (let q = futexFirst(kernel.futexes, source); q !== null && moved < move; moved++) {
    if (q.pi !== null) return -EINVAL;
    const next = futexNext(q);
    requeueFutex(kernel, q, target);
    q = next;
  }
  return woken + moved;
}

/** requeue_futex(): onto the same word it keeps its place. */
function requeueFutex(kernel: Kernel, q: FutexQ, target: FutexKey): void {
  if (q.owner === target.owner && q.offset === target.offset) return;
  futexUnqueue(q);
  q.owner = target.owner;
  q.offset = target.offset;
  futexEnqueue(kernel.futexes, q);
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
  const first = futexKey(kernel, task, address, isPrivate, false);
  if (typeof first === 'number') return first;
  const second = futexKey(kernel, task, address2, isPrivate, true);
  if (typeof second === 'number') return second;
  if (((encoded >>> 28) & 7) > LAST_OP) return -ENOSYS;
  // At once for writing: nothing is made of a page that may only be read.
  const at = task.mm === null ? 0 : userPhys(kernel, task.mm, address2, 'write');
  if (at === 0) return -EFAULT;
  const old = kernel.ram.read32(at);
  kernel.ram.write32(at, wakeOpValue(encoded, old) >>> 0);
  const fits = wakeOpFits(encoded, old | 0);
  if (fits === null) return -ENOSYS;
  const woken = wakeKey(kernel, first, Math.max(1, wake), FUTEX_BITSET_MATCH_ANY);
  if (woken < 0 || !fits) return woken;
  const woken2 = wakeKey(kernel, second, Math.max(1, wake2), FUTEX_BITSET_MATCH_ANY);
  return woken2 < 0 ? woken2 : woken + woken2;
}

/** FUTEX_OP_XOR. */
const LAST_OP = 4;

/** arch_futex_atomic_op_inuser(): the word's new value. */
function wakeOpValue(encoded: number, old: number): number {
  let operand = (encoded << 8) >> 20;
  // FUTEX_OP_OPARG_SHIFT
  if (((encoded >>> 28) & 8) !== 0) operand = 1 << (operand & 31);
  switch ((encoded >>> 28) & 7) {
    case 0:
      return operand;
    case 1:
      return old + operand;
    case 2:
      return old | operand;
    case 3:
      return old & ~operand;
    default:
      return old ^ operand;
  }
}

/** FUTEX_OP_CMP_*: whether the old value passes; null: no such comparison. */
function wakeOpFits(encoded: number, old: number): boolean | null {
  const operand = (encoded << 20) >> 20;
  switch ((encoded >>> 24) & 15) {
    case 0:
      return old === operand;
    case 1:
      return old !== operand;
    case 2:
      return old < operand;
    case 3:
      return old <= operand;
    case 4:
      return old > operand;
    case 5:
      return old >= operand;
    default:
      return null;
  }
}
