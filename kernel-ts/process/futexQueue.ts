/**
 * Who sleeps on which futex (Linux: struct futex_q, futex_hash_bucket, union futex_key; kernel/futex/core.c).
 *
 * A futex is an owner and an offset. In shared memory the owner is the address_space of the object and the offset that in
 * the object, so that a word is one futex wherever it is mapped and whichever frame holds it; in private memory they are the
 * address space and the address. The sleepers hang on the owner and go with it: nothing is pinned.
 *
 * Invariant: a FutexQ is on the queue of its key exactly while its task sleeps (checked in system/invariants.ts).
 */
import type { Task } from './task.ts';

/** What has futexes: an AddressSpace (shared) or an MmStruct (private). */
export interface FutexOwner {
  /** Queues with at least one sleeper, by offset; null before the first. */
  futexes: Map<number, FutexQueue> | null;
}

/** union futex_key. */
export interface FutexKey {
  readonly owner: FutexOwner;
  readonly offset: number;
}

/** FUT_OFF_MMSHARED: private memory named without FUTEX_PRIVATE_FLAG is another futex than with it. */
export const FUT_OFF_MMSHARED = 2;

/** The sleepers of one futex, the oldest first. */
export interface FutexQueue {
  first: FutexQ | null;
  last: FutexQ | null;
}

/** struct futex_pi_state: a lock that somebody holds and others sleep for. */
export interface PiState {
  owner: Task;
  /** Sleepers that share it; at 0 it is gone. */
  waiters: number;
}

/** struct futex_q: one sleeper on one futex, and the reason for its sleep. */
export class FutexQ {
  readonly kind = 'futex';
  readonly task: Task;
  /** Where the sleeper's word lies in its memory. */
  readonly address: number;
  readonly bitset: number;
  /** What its call answers when it is woken: 0, or its place in the list of futex_waitv. */
  readonly result: number;
  /** The lock it is to get, for FUTEX_LOCK_PI; else null. */
  readonly pi: PiState | null;
  /** The next futex of the same futex_waitv. */
  readonly sibling: FutexQ | null;
  /** The key; a requeue changes it. */
  owner: FutexOwner;
  offset: number;
  /** null when it is on none. */
  queue: FutexQueue | null = null;
  prev: FutexQ | null = null;
  next: FutexQ | null = null;

  constructor(
    task: Task,
    key: FutexKey,
    address: number,
    bitset: number,
    result = 0,
    pi: PiState | null = null,
    sibling: FutexQ | null = null,
  ) {
    this.task = task;
    this.owner = key.owner;
    this.offset = key.offset;
    this.address = address;
    this.bitset = bitset;
    this.result = result;
    this.pi = pi;
    this.sibling = sibling;
  }
}

/** The queue of a key, or null when nobody sleeps there. */
export function futexQueueOf(key: FutexKey): FutexQueue | null {
  return key.owner.futexes?.get(key.offset) ?? null;
}

/** futex_queue(): to the end of its queue. */
export function futexEnqueue(q: FutexQ): void {
  q.owner.futexes ??= new Map();
  let queue = q.owner.futexes.get(q.offset);
  if (queue === undefined) {
    queue = { first: null, last: null };
    q.owner.futexes.set(q.offset, queue);
  }
  q.queue = queue;
  q.prev = queue.last;
  if (queue.last === null) queue.first = q;
  else queue.last.next = q;
  queue.last = q;
}

/** __futex_unqueue(): off its queue, which goes with its last sleeper. */
export function futexUnqueue(q: FutexQ): void {
  const { queue, prev, next } = q;
  if (queue === null) return;
  if (prev === null) queue.first = next;
  else prev.next = next;
  if (next === null) queue.last = prev;
  else next.prev = prev;
  q.queue = null;
  q.prev = null;
  q.next = null;
  if (queue.first === null) q.owner.futexes?.delete(q.offset);
}

/** The end of a sleep, however it came: off every queue; a lock that nobody else waits for is no longer the kernel's. */
export function futexFinishWait(reason: FutexQ): void {
  for (let q: FutexQ | null = reason; q !== null; q = q.sibling) futexUnqueue(q);
  const { pi } = reason;
  if (pi === null) return;
  pi.waiters--;
  if (pi.waiters > 0) return;
  const { piStates } = pi.owner;
  const i = piStates.indexOf(pi);
  if (i >= 0) piStates.splice(i, 1);
}
