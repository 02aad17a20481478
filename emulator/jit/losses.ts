/**
 * What compiling has cost in vain: regions whose code changed. Code that changes again and again is not worth compiling again
 * and again, so beyond some losses what lies in a page that changes must wait. Losses are forgotten by and by.
 */
import { BoundedMap } from './boundedMap.ts';

/** Instructions that may be lost, what a region costs in such instructions by itself, and how many are forgotten at a time. */
const MAX_LOST = 20_000;
const REGION_COST = 50;
const FORGOTTEN = 1250;
/** Frames remembered as changing at most. */
const MAX_CHANGING = 4096;

export class Losses {
  #lost = 0;
  readonly #changing = new BoundedMap(MAX_CHANGING);

  /** A region of so many instructions is gone, because the code in that frame changed. */
  note(frame: number, instructions: number): void {
    this.#lost = Math.min(this.#lost + instructions + REGION_COST, 2 * MAX_LOST);
    this.#changing.set(frame, 1);
  }

  /** What would be compiled of that frame would not live long enough. */
  mustWait(frame: number): boolean {
    return this.#lost >= MAX_LOST && this.#changing.has(frame);
  }

  /** Some time, counted in instructions, has passed. */
  forget(): void {
    this.#lost = Math.max(0, this.#lost - FORGOTTEN);
  }
}
