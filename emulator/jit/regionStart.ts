/**
 * Whether a hot entry is worth a region, and where that begins. Both are seen while it is executed some hundred times more, and then again as
 * often (`Heat.lookAgain`).
 *
 * How long the first of these takes says how often the entry is executed. Compiling an instruction costs as much as interpreting it some 20,000
 * times, so what is rarer than once in 5,000 instructions waits for that many executions.
 *
 * The second says whether the function of a loop is called meanwhile. Loops become hot before the functions that they belong to; if a loop had
 * a region of its own, its function would get one with the same loop in it soon after (a third of what C's string functions had compiled). So
 * places shortly before the entry that look like the beginning of a function are noted, and the region begins at one of these, if it has been
 * executed meanwhile and leads to the entry. They may be hot themselves when compiling begins, and must have been looked at before.
 *
 * Between them a small function that calls nobody waits for its callers: what is hot among these has it in its regions (inlineCalls.ts), and then
 * it is hardly executed by itself.
 */
import { BoundedMap, MAX_REMEMBERED } from './boundedMap.ts';
import { LOOK_AGAIN, type Heat } from './heat.ts';
import { isLeaf } from './inlineCalls.ts';
import { isFunctionLike, reaches, type CodeReader } from './region.ts';

/** Bytes before a hot entry within which its function is looked for. */
const REACH_BACK = 512;

/** Instructions that a machine retires in an entry's LOOK_AGAIN executions at most, if it is not rare. */
const RARE = 5_000 * LOOK_AGAIN;

/** A place that may be where the function begins. */
interface Candidate {
  /** Bytes before the hot entry. */
  readonly back: number;
  /** How often it had been executed. */
  readonly count: number;
}

/**
 * What is noted of a hot entry: first the instructions that the machine had retired, then that it has waited for its callers, or where its
 * function may begin, the farthest first.
 */
type Noted = { readonly retired: number } | 'leaf' | { readonly candidates: readonly Candidate[] };

/**
 * The pc at which the region is to begin, the entry's or a function's; or that the entry is to be looked at again, later since it is a `leaf`; or
 * that it is too rare as yet.
 */
export type Verdict = number | 'again' | 'leaf' | 'rare';

export class RegionStart {
  readonly #heat: Heat;
  readonly #reader: CodeReader;
  readonly #mayBegin: (pc: number, uop: number) => boolean;
  /** By the micro-op of the hot entry. */
  readonly #noted = new Map<number, Noted>();
  /** Micro-ops of entries that had to wait, and need not do so again. */
  readonly #waited = new BoundedMap(MAX_REMEMBERED);

  /** `mayBegin`: no for places that have a region or cannot have one. */
  constructor(heat: Heat, reader: CodeReader, mayBegin: (pc: number, uop: number) => boolean) {
    this.#heat = heat;
    this.#reader = reader;
    this.#mayBegin = mayBegin;
  }

  /** Of a hot entry. `retired`: instructions that the machine has retired. */
  of(pc: number, uop: number, retired: number): Verdict {
    const noted = this.#noted.get(uop);
    if (noted === undefined) return this.#note(uop, { retired }, 'again');
    this.#noted.delete(uop);
    if (noted !== 'leaf') {
      if ('candidates' in noted) return this.#called(pc, uop, noted.candidates);
      if (retired - noted.retired > RARE && !this.#waited.has(uop)) {
        this.#waited.set(uop, 1);
        return 'rare';
      }
      if (isLeaf(this.#reader, pc)) return this.#note(uop, 'leaf', 'leaf');
    }
    const candidates = this.#candidates(pc, uop);
    return candidates.length === 0 ? pc : this.#note(uop, { candidates }, 'again');
  }

  /** The entry is hot, and waits for its callers. */
  isWaiting(uop: number): boolean {
    return this.#noted.get(uop) === 'leaf';
  }

  #note(uop: number, noted: Noted, verdict: Verdict): Verdict {
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
    this.#noted.set(uop, noted);
    return verdict;
  }

  /** The candidate that has been executed meanwhile, or the entry itself. */
  #called(pc: number, uop: number, candidates: readonly Candidate[]): number {
    for (const { back, count } of candidates) {
      const start = pc - back;
      const before = uop - back * 4;
      if (this.#heat.countOf(before) <= count || !this.#mayBegin(start, before)) continue;
      if (reaches(this.#reader, start, pc)) return start;
    }
    return pc;
  }

  /** Within the page of the entry, whose micro-ops lie as its halfwords do. The farthest first. */
  #candidates(pc: number, uop: number): Candidate[] {
    const found: Candidate[] = [];
    const first = uop - Math.min(REACH_BACK, pc & 0xffe) * 4;
    for (let at = uop; (at = this.#heat.countedBefore(at, first)) !== 0;) {
      const back = (uop - at) / 4;
      if (isFunctionLike(this.#reader, pc - back) && this.#mayBegin(pc - back, at))
        found.unshift({ back, count: this.#heat.countOf(at) });
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
    this.#waited.deleteRange(from, end);
  }
}
