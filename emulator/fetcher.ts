/**
 * The way from a pc to its micro-op: translates fetches, gives frames their decoded pages, and decodes. Whatever faults leaves cause and
 * tval in the MMU.
 */
import { isWide } from './isa/width.ts';
import * as layout from './layout.ts';
import { RAM_BASE, type PhysicalMemory } from './memory.ts';
import type { Mmu } from './mmu/mmu.ts';
import type { CodeCache } from './tier0/codeCache.ts';
import { OP_BREAKPOINT, OP_JUMP, OP_STRADDLE, OP_UNDECODED, UOP_SCALE } from './tier0/uop.ts';

/** What became of a try to make the code at a pc executable. */
export const FETCH = {
  /** Go on at the pc. */
  ready: 0,
  /** It cannot be fetched. */
  fault: 1,
  /** The fast loop may not have that page: `step` must execute the instruction. */
  step: 2,
} as const;
export type Fetch = (typeof FETCH)[keyof typeof FETCH];

export class Fetcher {
  readonly #words: Int32Array;
  readonly #uops: DataView;
  readonly #ram: PhysicalMemory;
  readonly #mmu: Mmu;
  readonly #code: CodeCache;

  constructor(memory: WebAssembly.Memory, ram: PhysicalMemory, mmu: Mmu, code: CodeCache) {
    this.#words = new Int32Array(memory.buffer, 0, 0x4000);
    this.#uops = new DataView(memory.buffer);
    this.#ram = ram;
    this.#mmu = mmu;
    this.#code = code;
  }

  /** Makes the page of pc executable. */
  page(pc: number): Fetch {
    const offset = this.#mmu.translateFetch(pc);
    if (offset < 0) return FETCH.fault;
    const page = this.#code.pageFor(offset >>> 12);
    return this.#mmu.fillFetch(pc, offset, page) ? FETCH.ready : FETCH.step;
  }

  /** Decodes from pc on. */
  decode(pc: number): Fetch {
    const offset = this.#mmu.translateFetch(pc);
    if (offset < 0) return FETCH.fault;
    this.#code.decodeFrom(offset >>> 12, offset & 0xfff, pc);
    return FETCH.ready;
  }

  /** Decodes at pc and makes that an entry of tier 1. */
  decodeEntry(pc: number): Fetch {
    const fetched = this.page(pc);
    if (fetched !== FETCH.ready) return fetched;
    const offset = this.#mmu.translateFetch(pc);
    const frame = offset >>> 12;
    this.#code.decodeFrom(frame, offset & 0xfff, pc);
    this.#code.markEntry(frame, offset & 0xfff);
    return FETCH.ready;
  }

  /** The instruction at pc lies in two pages: translate the second, and keep the micro-op with the first. */
  straddle(pc: number): Fetch {
    const mmu = this.#mmu;
    const low = mmu.translateFetch(pc);
    const high = low < 0 ? -1 : mmu.translateFetch((pc + 2) >>> 0);
    if (high < 0) return FETCH.fault;
    const frame = low >>> 12;
    const nextPage = this.#code.pageFor(high >>> 12);
    const page = this.#code.pageFor(frame);
    // Making room for one page may have taken the other's place.
    if (!this.#code.holds(high >>> 12, nextPage)) return FETCH.ready;
    if (!mmu.fillFetch((pc + 2) >>> 0, high, nextPage) || !mmu.fillFetch(pc, low, page)) return FETCH.step;
    this.#code.recordStraddle(
      page,
      nextPage,
      this.#ram.read16(RAM_BASE | low) | (this.#ram.read16(RAM_BASE | high) << 16),
    );
    return FETCH.ready;
  }

  /** The encoding at pc, or -1. */
  encoding(pc: number): number {
    const low = this.#half(pc);
    if (low < 0 || !isWide(low)) return low;
    const high = this.#half(pc + 2);
    return high < 0 ? -1 : (low | (high << 16)) >>> 0;
  }

  /** The halfword at a virtual address, or -1. */
  #half(va: number): number {
    const offset = this.#mmu.translateFetch(va >>> 0);
    return offset < 0 ? -1 : this.#ram.read16(RAM_BASE | offset);
  }

  /** Sets IP and its pc for `step` of the instruction at pc: to its decoded page's micro-op when there is one. */
  locate(pc: number, insn: number): void {
    const offset = this.#mmu.translateFetch(pc);
    const frame = offset >>> 12;
    let ip = this.#code.pageFor(frame) + (offset & 0xfff) * UOP_SCALE;
    if (this.#uops.getUint16(ip, true) === OP_UNDECODED) this.#code.decodeFrom(frame, offset & 0xfff, pc);
    const op = this.#uops.getUint16(ip, true);
    if (op === OP_BREAKPOINT || op === OP_STRADDLE || op === OP_JUMP) {
      this.#code.decodeScratch(insn);
      ip = layout.SCRATCH_UOP;
    }
    this.#words[layout.IP >>> 2] = ip;
    this.#words[layout.ANCHOR_IP >>> 2] = ip;
    this.#words[layout.ANCHOR_PC >>> 2] = pc;
  }
}
