/**
 * Tasks in an order, where mostly the first one goes: the run queue, and the children of a process. To take it costs the same however many
 * follow; Array.shift() of a long array does not (V8 looks for a way to cut its head off, some 30 ns each time).
 *
 * A ring, whose length is a power of two. Plain data.
 */
import type { Task } from './task.ts';

const LEAST = 8;

export class TaskQueue {
  /** Null where there is none. */
  #ring: (Task | null)[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The task at that place, counted from the head; undefined for a place that there is not. */
  at(place: number): Task | undefined {
    if (place < 0 || place >= this.#length) return undefined;
    return this.#ring[(this.#head + place) & (this.#ring.length - 1)] ?? undefined;
  }

  push(task: Task): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = task;
    this.#length++;
  }

  /** Puts a task before all others. */
  unshift(task: Task): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = task;
    this.#length++;
  }

  /** Takes out the task at a place. */
  removeAt(place: number): void {
    const ring = this.#ring;
    const mask = ring.length - 1;
    if (place === 0) {
      ring[this.#head] = null;
      this.#head = (this.#head + 1) & mask;
    } else {
      for (let n = place + 1; n < this.#length; n++)
        ring[(this.#head + n - 1) & mask] = ring[(this.#head + n) & mask] as Task;
      ring[(this.#head + this.#length - 1) & mask] = null;
    }
    this.#length--;
  }

  /** The place of a task, or -1. */
  indexOf(task: Task): number {
    for (let place = 0; place < this.#length; place++) if (this.at(place) === task) return place;
    return -1;
  }

  /** list_del(): takes a task out if it is there. */
  remove(task: Task): void {
    const place = this.indexOf(task);
    if (place >= 0) this.removeAt(place);
  }

  /** list_replace(): another task in the place of one that is there. */
  replace(task: Task, by: Task): void {
    const place = this.indexOf(task);
    if (place >= 0) this.#ring[(this.#head + place) & (this.#ring.length - 1)] = by;
  }

  *[Symbol.iterator](): Iterator<Task> {
    for (let place = 0; place < this.#length; place++) yield this.at(place) as Task;
  }

  #grow(): void {
    const length = Math.max(LEAST, 2 * this.#ring.length);
    const ring = Array.from({ length }, (_, place) => this.at(place) ?? null);
    this.#ring = ring;
    this.#head = 0;
  }
}
