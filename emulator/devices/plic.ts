/**
 * The platform-level interrupt controller: carries the UART's line to mip.MEIP and mip.SEIP.
 * Counterpart: RISC-V PLIC specification 1.0; QEMU's `virt` (base 0x0c00_0000, contexts 0 = M and 1 = S of hart 0).
 * Missing: further harts, and sources above 31 (their registers read as zero and ignore writes).
 */
import type { Device } from './bus.ts';

export const PLIC_BASE = 0x0c00_0000;
const PLIC_SIZE = 0x400_0000;

/** Sources 1..31; 0 means none. */
const SOURCES = 32;
const CONTEXTS = 2;
const MAX_PRIORITY = 7;

const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;

/** A level-triggered source. */
export interface InterruptLine {
  /** Source number, 1..31. */
  readonly source: number;
  /** Is the line up? */
  interrupt(): boolean;
}

/** Plain data, so that a checkpoint is a copy. */
export interface PlicState {
  /** By source. */
  readonly priority: Uint8Array;
  /** By context: a bit for each source. */
  readonly enabled: Uint32Array;
  readonly threshold: Uint8Array;
  /** Sources that are claimed and not completed; their gateways forward nothing. */
  claimed: number;
}

export class Plic implements Device {
  readonly name = 'plic';
  readonly base = PLIC_BASE;
  readonly size = PLIC_SIZE;
  readonly #lines: readonly InterruptLine[];

  readonly state: PlicState = {
    priority: new Uint8Array(SOURCES),
    enabled: new Uint32Array(CONTEXTS),
    threshold: new Uint8Array(CONTEXTS),
    claimed: 0,
  };

  constructor(lines: readonly InterruptLine[]) {
    this.#lines = lines;
  }

  /** The line to mip.MEIP (context 0) or mip.SEIP (context 1). */
  interrupt(context: number): boolean {
    return this.#best(context) !== 0;
  }

  load(offset: number, bytes: number): number {
    if (bytes !== 4) return -1;
    if (offset < PENDING) return this.state.priority[offset >>> 2] ?? 0;
    if (offset === PENDING) return this.#pending() >>> 0;
    if (offset >= CONTEXT) return this.#loadContext(offset - CONTEXT);
    const enable = offset - ENABLE;
    return enable >= 0 && enable % ENABLE_STRIDE === 0
      ? (this.state.enabled[enable / ENABLE_STRIDE] ?? 0)
      : 0;
  }

  store(offset: number, bytes: number, value: number): boolean {
    if (bytes !== 4) return false;
    if (offset < PENDING) {
      const source = offset >>> 2;
      if (source !== 0 && source < SOURCES) this.state.priority[source] = value & MAX_PRIORITY;
    } else if (offset >= CONTEXT) {
      this.#storeContext(offset - CONTEXT, value);
    } else if (offset >= ENABLE && (offset - ENABLE) % ENABLE_STRIDE === 0) {
      const context = (offset - ENABLE) / ENABLE_STRIDE;
      if (context < CONTEXTS) this.state.enabled[context] = value & ~1;
    }
    return true;
  }

  #loadContext(offset: number): number {
    const context = Math.floor(offset / CONTEXT_STRIDE);
    const register = offset % CONTEXT_STRIDE;
    if (context >= CONTEXTS) return 0;
    if (register === 0) return this.state.threshold[context];
    return register === 4 ? this.#claim(context) : 0;
  }

  #storeContext(offset: number, value: number): void {
    const context = Math.floor(offset / CONTEXT_STRIDE);
    const register = offset % CONTEXT_STRIDE;
    if (context >= CONTEXTS) return;
    if (register === 0) this.state.threshold[context] = value & MAX_PRIORITY;
    else if (register === 4 && value < SOURCES && ((this.state.enabled[context] >>> value) & 1) !== 0) {
      this.state.claimed &= ~(1 << value); // completion; ignored for a source that the context has not enabled
    }
  }

  #pending(): number {
    let pending = 0;
    for (const line of this.#lines) if (line.interrupt()) pending |= 1 << line.source;
    return pending & ~this.state.claimed;
  }

  /** The pending source of the highest priority above the threshold; the lowest number among equals; 0 for none. */
  #best(context: number): number {
    const candidates = this.state.enabled[context] === 0 ? 0 : this.#pending() & this.state.enabled[context];
    if (candidates === 0) return 0;
    let best = 0;
    let priority = this.state.threshold[context];
    for (let source = 1; source < SOURCES; source++) {
      if (((candidates >>> source) & 1) === 0 || this.state.priority[source] <= priority) continue;
      best = source;
      priority = this.state.priority[source];
    }
    return best;
  }

  /** Claiming ignores the threshold. */
  #claim(context: number): number {
    const threshold = this.state.threshold[context];
    this.state.threshold[context] = 0;
    const source = this.#best(context);
    this.state.threshold[context] = threshold;
    if (source !== 0) this.state.claimed |= 1 << source;
    return source;
  }
}
