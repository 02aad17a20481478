/**
 * The core-local interruptor: mtime, mtimecmp and msip of one hart.
 * Counterpart: SiFive CLINT, as in Spike and QEMU's `virt` (base 0x0200_0000, same offsets, 10 MHz at 1 GHz).
 * Time is retired instructions divided by `instructionsPerTick`: there is no wall clock in this machine.
 * Missing: further harts (their registers refuse access).
 */
import { sumHigh, sumLow } from '../priv/counters.ts';
import type { Device } from './bus.ts';

export const CLINT_BASE = 0x0200_0000;
const CLINT_SIZE = 0x1_0000;

/** Register offsets. */
const MSIP = 0x0000;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;

const TWO_32 = 0x1_0000_0000;

/** Who counts instructions: the hart. Must be exact whenever a device is accessed. */
export interface RetiredCount {
  readonly retired: number;
}

/** Plain data, so that a checkpoint is a copy. All but `since` are u32. */
export interface ClintState {
  /** Value of mtime when the hart had retired `since` instructions. */
  timeHigh: number;
  timeLow: number;
  since: number;
  /** mtimecmp. */
  compareHigh: number;
  compareLow: number;
  msip: number;
}

export class Clint implements Device {
  readonly name = 'clint';
  readonly base = CLINT_BASE;
  readonly size = CLINT_SIZE;
  /** Retired instructions per tick of mtime. */
  readonly instructionsPerTick: number;
  readonly #hart: RetiredCount;

  readonly state: ClintState = {
    timeHigh: 0,
    timeLow: 0,
    since: 0,
    compareHigh: 0xffff_ffff,
    compareLow: 0xffff_ffff,
    msip: 0,
  };

  /** @throws RangeError unless instructionsPerTick is a positive integer */
  constructor(hart: RetiredCount, instructionsPerTick = 100) {
    if (!Number.isSafeInteger(instructionsPerTick) || instructionsPerTick < 1) {
      throw new RangeError(`instructionsPerTick must be a positive integer, not ${instructionsPerTick}`);
    }
    this.#hart = hart;
    this.instructionsPerTick = instructionsPerTick;
  }

  /** Low word of mtime. */
  timeLow(): number {
    return sumLow(this.state.timeLow, this.#ticks());
  }

  /** High word of mtime. */
  timeHigh(): number {
    return sumHigh(this.state.timeHigh, this.state.timeLow, this.#ticks());
  }

  /** The line to mip.MSIP. */
  softwareInterrupt(): boolean {
    return this.state.msip !== 0;
  }

  /** The line to mip.MTIP: mtime >= mtimecmp, unsigned. */
  timerInterrupt(): boolean {
    return this.#ticksToTimer() <= 0;
  }

  /**
   * The retired count at which the timer line rises, or Infinity when that is beyond 2^53. When the line is up
   * already, the present count or an earlier one.
   */
  timerDueAt(): number {
    const elapsed = this.#ticks();
    const due = this.state.since + (elapsed + this.#ticksToTimer()) * this.instructionsPerTick;
    return due <= Number.MAX_SAFE_INTEGER ? due : Infinity;
  }

  /** Lets idle time pass: a hart that waits in WFI for the timer sees mtime reach mtimecmp at once. */
  skipToTimer(): void {
    const ticks = this.#ticksToTimer();
    if (ticks <= 0) return;
    this.#setTime(this.state.compareHigh, this.state.compareLow);
  }

  load(offset: number, bytes: number): number {
    if (bytes !== 4) return -1;
    switch (offset) {
      case MSIP:
        return this.state.msip;
      case MTIMECMP:
        return this.state.compareLow;
      case MTIMECMP + 4:
        return this.state.compareHigh;
      case MTIME:
        return this.timeLow();
      case MTIME + 4:
        return this.timeHigh();
      default:
        return -1;
    }
  }

  store(offset: number, bytes: number, value: number): boolean {
    if (bytes !== 4) return false;
    switch (offset) {
      case MSIP:
        this.state.msip = value & 1;
        return true;
      case MTIMECMP:
        this.state.compareLow = value >>> 0;
        return true;
      case MTIMECMP + 4:
        this.state.compareHigh = value >>> 0;
        return true;
      case MTIME:
        this.#setTime(this.timeHigh(), value >>> 0);
        return true;
      case MTIME + 4:
        this.#setTime(value >>> 0, this.timeLow());
        return true;
      default:
        return false;
    }
  }

  #ticks(): number {
    return Math.floor((this.#hart.retired - this.state.since) / this.instructionsPerTick);
  }

  /** mtimecmp - mtime; exact below 2^53, and its sign is always right. */
  #ticksToTimer(): number {
    return (this.state.compareHigh - this.timeHigh()) * TWO_32 + (this.state.compareLow - this.timeLow());
  }

  #setTime(high: number, low: number): void {
    this.state.timeHigh = high;
    this.state.timeLow = low;
    this.state.since = this.#hart.retired;
  }
}
