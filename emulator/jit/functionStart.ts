/**
 * Where the region of a hot entry begins. Loops become hot before the functions that they belong to; if a loop had a region of its own, its
 * function would get one with the same loop in it soon after (a third of what C's string functions had compiled). So when an entry is
 * hot, those shortly before it that look like the beginning of a function are noted, and some hundred executions later the region begins
 * at one of these, if it has been executed meanwhile and leads to the entry.
 */
import { MAX_REMEMBERED } from './boundedMap.ts';
import type { Heat } from './heat.ts';
import { isFunctionLike, reaches, type CodeReader } from './region.ts';

/** Bytes before a hot entry within which its function is looked for. */
const REACH_BACK = 512;

/** A place that may be where the function begins. */
interface Candidate {
  /** Bytes before the hot entry. */
  readonly back: number;
  /** How often it had been executed. */
  readonly count: number;
}

export class FunctionStart {
  readonly #heat: Heat;
  readonly #reader: CodeReader;
  readonly #mayBegin: (pc: number, uop: number) => boolean;
  /** By the micro-op of the hot entry, the farthest first. */
  readonly #noted = new Map<number, readonly Candidate[]>();

  /** `mayBegin`: no for places that have a region or cannot have one. */
  constructor(heat: Heat, reader: CodeReader, mayBegin: (pc: number, uop: number) => boolean) {
    this.#heat = heat;
    this.#reader = reader;
    this.#mayBegin = mayBegin;
  }

  /**
   * The pc at which the region of the hot entry is to begin, itself or a function's; null: that will be known when it is hot again, after
   * `Heat.lookAround`.
   */
  of(pc: number, uop: number): number | null {
    const noted = this.#noted.get(uop);
    if (noted === undefined) {
      const candidates = this.#candidates(pc, uop);
      if (candidates.length === 0) return pc;
      if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
      this.#noted.set(uop, candidates);
      return null;
    }
    this.#noted.delete(uop);
    for (const { back, count } of noted) {
      const start = pc - back;
      const before = uop - back * 4;
      if (this.#heat.countOf(before) <= count || !this.#mayBegin(start, before)) continue;
      if (reaches(this.#reader, start, pc)) return start;
    }
    return pc;
  }

  /** Within the page of the entry, whose micro-ops lie as its halfwords do. */
  #candidates(pc: number, uop: number): Candidate[] {
    const found: Candidate[] = [];
    for (let back = Math.min(REACH_BACK, pc & 0xffe); back > 0; back -= 2) {
      const start = pc - back;
      const before = uop - back * 4;
      const count = this.#heat.countOf(before);
      if (count > 0 && isFunctionLike(this.#reader, start) && this.#mayBegin(start, before))
        found.push({ back, count });
    }
    return found;
  }

  /** The counts that were noted are forgotten. */
  clear(): void {
    this.#noted.clear();
  }

  /** The micro-ops in that range are gone. */
  deleteRange(from: number, end: number): void {
    for (const uop of this.#noted.keys()) if (uop >= from && uop < end) this.#noted.delete(uop);
  }
}
