/**
 * ipc_ids.key_ht: objects of System V IPC by key (ipc/util.c; lib/rhashtable.c), chained through themselves. Not a Map, for the reason
 * that mm/idr.ts gives.
 */
import { bug } from '../mm/bug.ts';
import type { IpcObject } from './util.ts';

/** Buckets of a table that has just been made: a power of two, as always. */
const LEAST = 16;

/** Where a key's chain begins, of `buckets` that there are: Fibonacci hashing, hash_32(). */
function bucketOf(key: number, buckets: number): number {
  return Math.imul(key, 0x61c8_8647) >>> (Math.clz32(buckets) + 1);
}

/** struct rhashtable over `key`. An object is in one table at most, and only while its key is the one that it was put in with. */
export class KeyTable<T extends IpcObject> {
  /** Objects in it. */
  size = 0;
  #buckets: (T | null)[] = Array.from({ length: LEAST }, () => null);

  /** rhashtable_lookup_fast() */
  get(key: number): T | undefined {
    let object = this.#buckets[bucketOf(key, this.#buckets.length)] as T | null;
    while (object !== null && object.ipcPerm.key !== key) object = object.ipcPerm.khtNext as T | null;
    return object ?? undefined;
  }

  /** rhashtable_insert_fast() of an object whose key nobody has. */
  add(object: T): void {
    if (this.size === this.#buckets.length) this.#grow();
    this.#link(object);
    this.size++;
  }

  /** rhashtable_remove_fast() of an object that is in it. */
  delete(object: T): void {
    const { key, khtNext } = object.ipcPerm;
    const bucket = bucketOf(key, this.#buckets.length);
    let before = this.#buckets[bucket] as T | null;
    if (before === object) this.#buckets[bucket] = khtNext as T | null;
    else {
      while (before !== null && before.ipcPerm.khtNext !== object)
        before = before.ipcPerm.khtNext as T | null;
      if (before === null) throw bug('this key is not in the table', key);
      before.ipcPerm.khtNext = khtNext;
    }
    object.ipcPerm.khtNext = null;
    this.size--;
  }

  #link(object: T): void {
    const bucket = bucketOf(object.ipcPerm.key, this.#buckets.length);
    object.ipcPerm.khtNext = this.#buckets[bucket] ?? null;
    this.#buckets[bucket] = object;
  }

  #grow(): void {
    const objects = [...this.values()];
    this.#buckets = Array.from({ length: this.#buckets.length * 2 }, () => null);
    for (const object of objects) this.#link(object);
  }

  /** In no order. */
  *values(): Generator<T> {
    for (let object of this.#buckets)
      for (; object !== null; object = object.ipcPerm.khtNext as T | null) yield object;
  }
}
