/**
 * 64-bit counters kept as two u32 halves, derived from the number of retired instructions.
 * Specification: Privileged Architecture, "Hardware Performance Monitor" (mcycle, minstret, mcountinhibit).
 * A counter costs nothing while the machine runs: it remembers its value at one retired count and adds the distance.
 * Missing: nothing. mcycle and minstret both advance by one per instruction: the machine has no other clock.
 */

const TWO_32 = 0x1_0000_0000;

/** Plain data, so that a checkpoint is a copy. */
export interface Counter {
  /** Value at the moment `since`: high and low u32. */
  high: number;
  low: number;
  /** Retired count at which the counter holds (high, low). May be one ahead while the writing instruction executes. */
  since: number;
  /** False while mcountinhibit stops it. */
  running: boolean;
}

export function newCounter(): Counter {
  return { high: 0, low: 0, since: 0, running: true };
}

/**
 * Low 32 bits of (high:low) + delta.
 * @param delta exact integer, 0 <= delta < 2^53
 */
export function sumLow(low: number, delta: number): number {
  return (low + (delta % TWO_32)) >>> 0;
}

/** High 32 bits of (high:low) + delta, modulo 2^64. See {@link sumLow}. */
export function sumHigh(high: number, low: number, delta: number): number {
  const carry = low + (delta % TWO_32) >= TWO_32 ? 1 : 0;
  return (high + Math.floor(delta / TWO_32) + carry) >>> 0;
}

function elapsed(counter: Counter, retired: number): number {
  return counter.running ? Math.max(0, retired - counter.since) : 0;
}

/** @param retired instructions retired before the reading one */
export function counterLow(counter: Counter, retired: number): number {
  return sumLow(counter.low, elapsed(counter, retired));
}

/** @param retired instructions retired before the reading one */
export function counterHigh(counter: Counter, retired: number): number {
  return sumHigh(counter.high, counter.low, elapsed(counter, retired));
}

/**
 * Writes one half. The write takes precedence over the increment of the writing instruction, so the next
 * instruction reads exactly what was written (Unprivileged ISA, Zicntr: "the value written will be the value read by
 * the following instruction").
 * @param retired instructions retired before the writing one
 */
export function writeCounterHalf(
  counter: Counter,
  half: 'high' | 'low',
  value: number,
  retired: number,
): void {
  const high = counterHigh(counter, retired);
  const low = counterLow(counter, retired);
  counter.high = half === 'high' ? value >>> 0 : high;
  counter.low = half === 'low' ? value >>> 0 : low;
  counter.since = retired + 1;
}

/**
 * Stops or starts a counter; the instruction that writes mcountinhibit still counts under the old setting.
 * @param retired instructions retired before the writing one
 */
export function setCounterRunning(counter: Counter, running: boolean, retired: number): void {
  if (counter.running === running) return;
  const high = counterHigh(counter, retired + 1);
  const low = counterLow(counter, retired + 1);
  counter.high = high;
  counter.low = low;
  counter.since = retired + 1;
  counter.running = running;
}
