/**
 * How hot entries are, and what an entry must wait for: the interpreter counts (`layout.HEAT`), and leaves where a count comes to
 * `layout.THRESHOLD`. Counts less than 0 are waits.
 */
import * as layout from '../layout.ts';
import { ENTRY, UOP_BYTES } from '../tier0/uop.ts';
import { BoundedMap, MAX_REMEMBERED } from './boundedMap.ts';

/** When a hart compiles: never, at once, or what is hot. */
export type TierChoice = 0 | 1 | 'auto';

/** Executions of an entry before its region is compiled. */
const THRESHOLD = { 0: 0, 1: 1, auto: 2000 } as const;
/** The same for entries that an earlier run may have compiled; if it has not, they have to become hot. */
const EARLY = 500;

/** With less budget regions refuse for its sake, and what is interpreted then says nothing about what is hot. */
const AMPLE = { 0: 0, 1: 0, auto: 2000 } as const;

/** Executions of an entry whose region refuses before it is looked at again. */
const PATIENCE = 15;

/** Executions of an entry that must wait, before it is looked at again. */
const WAIT = 10_000;

/**
 * Executions, beyond THRESHOLD, of an entry in the midst of a region before it has one of its own. Control comes there when that region
 * had to be left, and compiling a second one costs as much as interpreting the way back to where a region begins that many times. The same of
 * one that is rarely executed.
 */
const SIDE_PATIENCE = 20_000;

/** Executions of a hot entry between two looks at it (regionStart.ts). */
export const LOOK_AGAIN = 500;

/** The same for a function that its callers may have in their regions. */
const LEAF_PATIENCE = 4_000;

/** Where counts begin, in words. */
const FIRST = layout.HEAT >>> 2;

export class Heat {
  readonly #words: Int32Array;
  /** What the interpreter marks entries with; 0: tier 1 wants none. */
  #mark = 0;
  #patient = true;
  /** Entries are looked at early, since code of an earlier run may be there. */
  #expectant = false;
  #begun = false;
  /** Micro-ops that were entries and have been hot before compiling began, as many as are remembered: meanwhile they are none. */
  readonly #waiting = new BoundedMap(MAX_REMEMBERED);
  /** Micro-ops of entries that no earlier run has compiled. */
  readonly #late = new BoundedMap(MAX_REMEMBERED);

  /** `words`: the machine's memory. */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Entries are compiled when they are hot, and not at once. */
  get patient(): boolean {
    return this.#patient;
  }

  /** It is worth while to compile, not only to take what an earlier run has made. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Chooses when regions are compiled. `mark`: of entries. */
  choose(choice: TierChoice, mark: number): void {
    const words = this.#words;
    this.#patient = choice === 'auto';
    this.#mark = choice === 0 ? 0 : mark;
    words[layout.MARK >>> 2] = this.#mark;
    words[layout.THRESHOLD >>> 2] = THRESHOLD[choice];
    words[layout.AMPLE >>> 2] = AMPLE[choice];
  }

  /** Code of an earlier run may be there. */
  expectKept(): void {
    if (!this.#patient) return;
    this.#expectant = true;
    this.#words[layout.THRESHOLD >>> 2] = EARLY;
  }

  get expectant(): boolean {
    return this.#expectant;
  }

  /** None is there: the entry that was looked at early is not hot yet, and its count goes on. */
  expectNone(): void {
    this.#expectant = false;
    this.#words[layout.THRESHOLD >>> 2] = THRESHOLD.auto;
  }

  /** The machine has run so long that compiling is worth while: what has been hot is so when it is met again. */
  begin(): void {
    this.#begun = true;
    const words = this.#words;
    words[layout.MARK >>> 2] = this.#mark;
    for (const uop of this.#waiting.addresses()) {
      words[this.#at(uop)] = (words[layout.THRESHOLD >>> 2] as number) - 1;
      words[uop >>> 2] = (words[uop >>> 2] as number) | ENTRY;
    }
    this.#waiting.clear();
  }

  /** The entry, which is hot, is to be so when compiling begins. `marks`: others are to be marked meanwhile. */
  waitForBegin(uop: number, marks: boolean): void {
    const words = this.#words;
    words[this.#at(uop)] = -WAIT;
    if (!marks) words[layout.MARK >>> 2] = 0;
    if (this.#waiting.isFull) return;
    this.#waiting.set(uop, 1);
    words[uop >>> 2] = (words[uop >>> 2] as number) & ~ENTRY;
  }

  /** The entry has a region, and is executed all the same. */
  refused(uop: number): void {
    this.#words[this.#at(uop)] = -PATIENCE;
  }

  postpone(uop: number): void {
    this.#words[this.#at(uop)] = -WAIT;
  }

  /** The entry is looked for in what earlier runs have compiled (`early`), or compiled. */
  taken(uop: number, early: boolean): void {
    this.#words[this.#at(uop)] = early ? EARLY - THRESHOLD.auto : 0;
  }

  /** No earlier run has compiled the entry. */
  isLate(uop: number): boolean {
    return this.#late.has(uop);
  }

  setLate(uop: number): void {
    this.#late.set(uop, 1);
  }

  /** An entry that will be hot soon. */
  isWarm(uop: number): boolean {
    const heat = this.#words[this.#at(uop)] as number;
    if (!this.#patient) return heat >= 0;
    return heat + (this.#late.has(uop) ? THRESHOLD.auto - EARLY : 0) >= THRESHOLD.auto >>> 3;
  }

  /** How often an entry has been executed since it was looked at; 0 for what is none, or waits. */
  countOf(uop: number): number {
    const words = this.#words;
    return ((words[uop >>> 2] as number) & ENTRY) === 0 ? 0 : Math.max(0, words[this.#at(uop)] as number);
  }

  /** The nearest entry before that micro-op, and not before `first`, with a count; 0: there is none. */
  countedBefore(uop: number, first: number): number {
    const words = this.#words;
    for (let at = uop - UOP_BYTES; at >= first; at -= UOP_BYTES) {
      const count = words[FIRST + ((at >>> 3) & (layout.HEAT_SIZE - 1))] as number;
      if (count > 0 && ((words[at >>> 2] as number) & ENTRY) !== 0) return at;
    }
    return 0;
  }

  /** The entry, which is hot, is so again in LOOK_AGAIN executions, or LEAF_PATIENCE. */
  lookAgain(uop: number, verdict: 'again' | 'leaf'): void {
    const patience = verdict === 'leaf' ? LEAF_PATIENCE : LOOK_AGAIN;
    this.#words[this.#at(uop)] = (this.#words[layout.THRESHOLD >>> 2] as number) - patience;
  }

  /** The entry is hot, but not often executed. */
  rare(uop: number): void {
    this.#words[this.#at(uop)] = -SIDE_PATIENCE;
  }

  /** Micro-ops of regions are not hot for long. */
  covered(uops: readonly number[]): void {
    if (!this.#patient) return;
    const words = this.#words;
    for (let i = 0; i < uops.length; i++) words[this.#at(uops[i] as number)] = -SIDE_PATIENCE;
  }

  uncovered(uop: number): void {
    this.#words[this.#at(uop)] = 0;
  }

  /** Forgets what is not hot yet. What waits goes on waiting: who comes again and again gets a region in the end. */
  forget(): void {
    const words = this.#words;
    for (let at = FIRST; at < FIRST + layout.HEAT_SIZE; at++) if ((words[at] as number) > 0) words[at] = 0;
    this.#late.clear();
  }

  /** The micro-ops of a page are gone. */
  dropPage(page: number): void {
    const first = (page >>> 3) & (layout.HEAT_SIZE - 1);
    this.#words.fill(0, FIRST + first, FIRST + Math.min(first + layout.DECODED_UOPS, layout.HEAT_SIZE));
    this.#words.fill(0, FIRST, FIRST + Math.max(0, first + layout.DECODED_UOPS - layout.HEAT_SIZE));
    for (const map of [this.#late, this.#waiting])
      map.deleteRange(page, page + layout.DECODED_UOPS * UOP_BYTES);
  }

  #at(uop: number): number {
    return FIRST + ((uop >>> 3) & (layout.HEAT_SIZE - 1));
  }
}
