/** Micro-ops that tier 1 remembers at most, of each sort. */
export const MAX_REMEMBERED = 4096;

/** Numbers by address; it forgets everything when it would grow too large, since a guest may make addresses for ever. */
export class BoundedMap {
  readonly #items = new Map<number, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#items.size >= this.#limit;
  }

  has(address: number): boolean {
    return this.#items.has(address);
  }

  get(address: number): number | undefined {
    return this.#items.get(address);
  }

  set(address: number, value: number): void {
    if (this.#items.size >= this.#limit) this.#items.clear();
    this.#items.set(address, value);
  }

  addresses(): Iterable<number> {
    return this.#items.keys();
  }

  clear(): void {
    this.#items.clear();
  }

  /** Removes what lies in [from, to). */
  deleteRange(from: number, to: number): void {
    for (const address of this.#items.keys())
      if (address >= from && address < to) this.#items.delete(address);
  }
}
