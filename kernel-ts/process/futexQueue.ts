/**
 * Who sleeps on which futex (Linux: struct futex_q, futex_hash_bucket, union futex_key; kernel/futex/core.c).
 *
 * A futex is an owner and an offset. In shared memory the owner is the address_space of the object and the offset that in
 * the object, so that a word is one futex wherever it is mapped and whichever frame holds it; in private memory they are the
 * address space and the address. No frame is pinned, and a sleep makes nothing but its FutexQ.
 *
 * Invariant: a FutexQ is in the bucket of its key exactly while its task sleeps (checked in system/futexInvariants.ts).
 */
import type { Task } from './task.ts';

/** What has futexes: an AddressSpace (shared) or an MmStruct (private). */
export interface FutexOwner {
  /** Spreads them over the buckets; not unique. */
  readonly id: number;
}

/** union futex_key. */
export interface FutexKey {
  readonly owner: FutexOwner;
  readonly offset: number;
}

/** FUT_OFF_MMSHARED: private memory named without FUTEX_PRIVATE_FLAG is another futex than with it. */
export const FUT_OFF_MMSHARED = 2;

/** struct futex_hash_bucket: sleepers of futexes with one hash, the oldest first. */
export interface FutexBucket {
  first: FutexQ | null;
  last: FutexQ | null;
}

/** A power of two. */
const BUCKETS = 1024;

/** The hash table; null: nobody has slept there yet. */
export type FutexTable = (FutexBucket | null)[];

/** futex_init(). */
export function newFutexTable(): FutexTable {
  return Array<null>(BUCKETS).fill(null);
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
  /** null when it is in none. */
  bucket: FutexBucket | null = null;
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

/** futex_hash(). */
function futexHash(owner: FutexOwner, offset: number): number {
  return (owner.id * 31 + offset / 4) & (BUCKETS - 1);
}

/** The oldest sleeper of a key, or null. */
export function futexFirst(table: FutexTable, key: FutexKey): FutexQ | null {
  const bucket = table[futexHash(key.owner, key.offset)] ?? null;
  return bucket === null ? null : matching(bucket.first, key);
}

/** The next sleeper of the same key. */
export function futexNext(q: FutexQ): FutexQ | null {
  return matching(q.next, q);
}

function matching(from: FutexQ | null, key: FutexKey): FutexQ | null {
  let q = from;
  while (q !== null && (q.owner !== key.owner || q.offset !== key.offset)) q = q.next;
  return q;
}

/** futex_queue(): to the end of its bucket. */
export function futexEnqueue(table: FutexTable, q: FutexQ): void {
  const bucket = (table[futexHash(q.owner, q.offset)] ??= { first: null, last: null });
  q.bucket = bucket;
  q.prev = bucket.last;
  if (bucket.last === null) bucket.first = q;
  else bucket.last.next = q;
  bucket.last = q;
}

/** __futex_unqueue(). */
export function futexUnqueue(q: FutexQ): void {
  const { bucket, prev, next } = q;
  if (bucket === null) return;
  if (prev === null) bucket.first = next;
  else prev.next = next;
  if (next === null) bucket.last = prev;
  else next.prev = prev;
  q.bucket = null;
  q.prev = null;
  q.next = null;
}

/** The end of a sleep, however it came: out of every bucket; a lock that nobody else waits for is no longer the kernel's. */
export function futexFinishWait(reason: FutexQ): void {
  for (let q: FutexQ | null = reason; q !== null; q = q.sibling) futexUnqueue(q);
  const { pi } = reason;
  if (pi === null) return;
  pi.waiters--;
  if (pi.waiters > 0) return;
  forgetPiState(pi);
}

/** The lock is its owner's no longer, or nobody waits for it. */
export function forgetPiState(pi: PiState): void {
  const { piStates } = pi.owner;
  const i = piStates?.indexOf(pi) ?? -1;
  if (i >= 0) piStates?.splice(i, 1);
}
