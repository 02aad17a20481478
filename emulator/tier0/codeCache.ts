/**
 * Decoded pages: which RAM frames have micro-ops, where, and what happens when a frame's bytes change.
 *
 * A decoded page belongs to a physical frame, so processes that share code share its micro-ops. A frame with
 * a decoded page is never writable through the TLB (tlb.dropWrites); a write to it takes the slow path,
 * which comes here, drops the decoded page, and lets the frame be written fast from then on.
 */
import type { Isa } from '../isa/choice.ts';
import { decode, type Decoded } from '../isa/decode.ts';
import { isWide } from '../isa/width.ts';
import * as layout from '../layout.ts';
import { RAM_BASE, type CodeObserver, type PhysicalMemory } from '../memory.ts';
import type { Tlb } from '../mmu/tlb.ts';
import {
  DECODED,
  endsLine,
  ENTRY,
  FAR,
  FIRST_ROW_OP,
  OP_BREAKPOINT,
  OP_ILLEGAL,
  OP_JUMP,
  OP_NEXT_PAGE,
  OP_STRADDLE,
  UOP_BYTES,
  UOP_SCALE,
  writeUop,
} from './uop.ts';

/** The page offset of a micro-op that does not lie in a decoded page: every target of it is far. */
const NOWHERE = NaN;

/** Micro-ops at most that have a branch going back to them and are still to be made. */
const AWAITED = 1024;

/** Instructions decoded at once from where execution arrives. */
const BATCH = 16;

/** What the interpreter's module has for decoding: decoder.ts, fuser.ts. */
export interface PageDecoder {
  readonly decode: (page: number, source: number, at: number, count: number) => number;
  readonly fuse: (from: number, to: number, start: number) => void;
  readonly separate: (at: number, start: number) => void;
}

const special = (at: DataView, address: number, op: number, imm: number): void => {
  at.setUint16(address, op, true);
  at.setUint16(address + 2, 0, true);
  at.setInt32(address + 4, imm, true);
};

export class CodeCache implements CodeObserver {
  readonly #view: DataView;
  readonly #ram: PhysicalMemory;
  readonly #tlb: Tlb;
  readonly #isa: Isa;
  readonly #marks: boolean;
  /** Decoded page of each frame, 0 when none. */
  readonly pageOfFrame: Int32Array;
  /** Frame of each decoded page, -1 when free. */
  readonly #frameOfSlot = new Int32Array(layout.DECODED_COUNT).fill(-1);
  #nextSlot = 0;
  /** Slots that were dropped, to be used again first: the host's memory for the others may never be touched. */
  readonly #freeSlots: number[] = [];
  /**
   * Micro-ops that a branch goes back to and that have not been made yet: a compiler lets a loop begin in its middle, so what the branch at
   * its end goes to may be decoded after that branch.
   */
  readonly #awaited = new Set<number>();
  /** Decoded pages whose header records a straddling instruction. */
  readonly #straddles = new Set<number>();
  /** Virtual addresses that stop the hart. */
  readonly breakpoints = new Set<number>();
  /** Set by the hart, before anything is decoded. */
  decoder!: PageDecoder;
  /** Hears of each decoded page that is dropped; `changed`: because the bytes of its frame change. */
  onDrop: (page: number, changed: boolean) => void = () => {};
  /** Decoded pages dropped so far, for statistics. */
  invalidations = 0;

  /** `marks`: tier 1 wants to know where loops begin. */
  constructor(memory: WebAssembly.Memory, ram: PhysicalMemory, tlb: Tlb, isa: Isa, marks: boolean) {
    this.#marks = marks;
    this.#isa = isa;
    this.#view = new DataView(memory.buffer);
    this.#ram = ram;
    this.#tlb = tlb;
    this.pageOfFrame = new Int32Array(ram.size >>> 12);
    ram.observer = this;
  }

  #slotAddress(slot: number): number {
    return layout.DECODED + slot * layout.DECODED_STRIDE + layout.DECODED_HEADER;
  }

  /** Address of the frame's decoded page; makes an empty one when there is none. */
  pageFor(frame: number): number {
    const existing = this.pageOfFrame[frame] as number;
    if (existing !== 0) return existing;
    const slot = this.#takeSlot();
    const page = this.#slotAddress(slot);
    this.#frameOfSlot[slot] = frame;
    this.pageOfFrame[frame] = page;
    this.#ram.codeFrames[frame] = 1;
    this.#tlb.dropWrites(frame << 12);
    special(this.#view, page + layout.DECODED_UOPS * UOP_BYTES, OP_NEXT_PAGE, 0);
    return page;
  }

  /** A free slot, or the one that was filled first. */
  #takeSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % layout.DECODED_COUNT;
    const previous = this.#frameOfSlot[slot] as number;
    if (previous < 0) return slot;
    this.#drop(previous, false);
    return this.#freeSlots.pop() as number;
  }

  /** The halfword at a virtual address as the fetch table at `table` maps it; -1 where it maps nothing. */
  half(table: number, va: number): number {
    const page = this.#view.getInt32(table + (va >>> 12) * 4, true);
    if (page === 0) return -1;
    return this.#ram.read16(RAM_BASE + this.frameOf(page) * 4096 + (va & 0xfff));
  }

  /** The frame that the micro-op at that address was made from. */
  frameOf(uop: number): number {
    const slot = Math.floor((uop - layout.DECODED_HEADER - layout.DECODED) / layout.DECODED_STRIDE);
    return this.#frameOfSlot[slot] as number;
  }

  /** Where the interpreter noted that the micro-op of that address goes; there may be strangers among them. */
  targets(table: number, pc: number): number[] {
    const page = this.#view.getInt32(table + (pc >>> 12) * 4, true);
    if (page === 0) return [];
    const uop = page + (pc & 0xfff) * UOP_SCALE;
    const site = (uop >>> 3) % layout.PROFILE_SITES;
    const from = layout.PROFILE + site * layout.PROFILE_TARGETS * 4;
    const found: number[] = [];
    for (let i = 0; i < layout.PROFILE_TARGETS; i++) {
      const target = this.#view.getUint32(from + 4 * i, true);
      if (target !== 0) found.push(target);
    }
    return found;
  }

  /** True while `page` is the decoded page of `frame`. */
  holds(frame: number, page: number): boolean {
    return this.pageOfFrame[frame] === page;
  }

  invalidateFrame(frame: number): void {
    this.#drop(frame, true);
  }

  /** `changed`: because its bytes change. */
  #drop(frame: number, changed: boolean): void {
    const page = this.pageOfFrame[frame] as number;
    if (page === 0) return;
    this.invalidations++;
    this.onDrop(page, changed);
    this.pageOfFrame[frame] = 0;
    this.#ram.codeFrames[frame] = 0;
    const slot = (page - layout.DECODED_HEADER - layout.DECODED) / layout.DECODED_STRIDE;
    this.#frameOfSlot[slot] = -1;
    this.#freeSlots.push(slot);
    this.#tlb.dropFetches(page);
    const start = page - layout.DECODED_HEADER;
    this.#ram.bulk.fill(start, 0, layout.DECODED_STRIDE);
    this.#straddles.delete(page);
    for (const at of this.#awaited)
      if (at >= page && at < page + layout.DECODED_UOPS * UOP_BYTES) this.#awaited.delete(at);
    for (const other of this.#straddles) {
      const at = other + layout.STRADDLE_NEXT;
      if (this.#view.getInt32(at, true) === page) this.#view.setInt32(at, 0, true);
    }
  }

  /** Forgets all micro-ops, as a new breakpoint demands. */
  invalidateAll(): void {
    for (let slot = 0; slot < layout.DECODED_COUNT; slot++) {
      const frame = this.#frameOfSlot[slot] as number;
      if (frame >= 0) this.#drop(frame, false);
    }
  }

  /** Writes one micro-op for an instruction word; returns its length and whether the line ends there. */
  #write(at: number, insn: number, pageOffset: number): { length: number; ends: boolean } {
    const d = decode(insn, this.#isa);
    if (d === null) {
      const wide = isWide(insn);
      special(this.#view, at, OP_ILLEGAL, wide ? insn : insn & 0xffff);
      return { length: wide ? 4 : 2, ends: true };
    }
    const checked = at !== layout.SCRATCH_UOP && !this.#isa.compressed && mayMisalign(d);
    if (checked) special(this.#view, at, OP_JUMP, 0);
    else writeUop(this.#view, at, d, insn, pageOffset);
    if (this.#awaited.size > 0 && this.#awaited.delete(at)) this.#markLoop(at, pageOffset);
    if (this.#marks && d.instruction.traits.relative && d.fields.imm < 0 && !checked)
      this.#markLoop(at + d.fields.imm * UOP_SCALE, pageOffset + d.fields.imm);
    return { length: d.length, ends: endsLine(d.instruction) };
  }

  /** Makes the micro-op of a row at that place of the frame an entry for tier 1. */
  markEntry(frame: number, offset: number): void {
    this.#markLoop(this.pageFor(frame) + offset * UOP_SCALE, offset);
  }

  /** A branch goes back to that micro-op: an entry for tier 1. */
  #markLoop(at: number, pageOffset: number): void {
    if (!(pageOffset >= 0)) return;
    const op = this.#view.getUint16(at, true);
    if (op >= FIRST_ROW_OP) {
      this.#view.setUint16(at, op | ENTRY, true);
      this.decoder.separate(at, at - pageOffset * UOP_SCALE);
    } else if (op === 0) {
      // What is not made soon hardly ever is.
      if (this.#awaited.size === AWAITED) this.#awaited.clear();
      this.#awaited.add(at);
    }
  }

  /**
   * Decodes from `offset` in the frame's page until the line ends or decoded code begins.
   * `pc` is the virtual address of that place, for breakpoints.
   */
  decodeFrom(frame: number, offset: number, pc: number): void {
    const page = this.pageFor(frame);
    if (this.#isa.full && this.breakpoints.size === 0) this.#decodeFast(frame, page, offset);
    else {
      const end = this.#decodeSlowly(page, RAM_BASE + frame * 4096, offset, pc);
      this.decoder.fuse(page + offset * UOP_SCALE, page + end * UOP_SCALE, page);
    }
  }

  /** By WebAssembly. */
  #decodeFast(frame: number, page: number, offset: number): void {
    const source = layout.RAM + frame * 4096;
    let at = offset;
    for (;;) {
      const decoded = this.decoder.decode(page, source, at, BATCH);
      const from = at;
      at = decoded & DECODED.at;
      for (let made = from; made < at && this.#awaited.size > 0; made += 2) {
        const uop = page + made * UOP_SCALE;
        if (this.#awaited.delete(uop)) this.#markLoop(uop, made);
      }
      if ((decoded & DECODED.backward) !== 0 && this.#marks) this.#markTarget(page, decoded);
      if ((decoded & DECODED.ends) !== 0) return;
    }
  }

  /** The last instruction that was decoded goes back: an entry for tier 1, if that is in the page. */
  #markTarget(page: number, decoded: number): void {
    const from = (decoded & DECODED.at) - ((decoded & DECODED.compressed) !== 0 ? 2 : 4);
    const uop = page + from * UOP_SCALE;
    const imm = this.#view.getInt32(uop + 4, true);
    const distance = (this.#view.getUint16(uop, true) & FAR) !== 0 ? imm : imm / UOP_SCALE;
    this.#markLoop(uop + distance * UOP_SCALE, from + distance);
  }

  /** The page of code lies at the physical address `base`. Returns the offset behind the last row. */
  #decodeSlowly(page: number, base: number, offset: number, pc: number): number {
    let at = offset;
    for (let count = 0; count < BATCH && at < 4096; count++) {
      const uop = page + at * UOP_SCALE;
      if (this.#view.getUint16(uop, true) !== 0) return at;
      if (this.breakpoints.has((pc + at - offset) >>> 0)) {
        special(this.#view, uop, OP_BREAKPOINT, 0);
        return at;
      }
      const low = this.#ram.read16(base + at);
      if (isWide(low) && at === 4094) {
        special(this.#view, uop, OP_STRADDLE, 0);
        return at;
      }
      const insn = isWide(low) ? this.#ram.read32(base + at) : low;
      const { length, ends } = this.#write(uop, insn, at);
      at += length;
      if (ends) return at;
    }
    return at;
  }

  /** Writes a micro-op that lies in no decoded page: wherever a branch goes is far from it. */
  #writeAlone(at: number, insn: number): void {
    if (!this.#isa.full) {
      this.#write(at, insn, NOWHERE);
      return;
    }
    const view = this.#view;
    view.setUint32(layout.SCRATCH, insn, true);
    view.setUint16(at, 0, true);
    const decoded = this.decoder.decode(at, layout.SCRATCH, 0, 1);
    if ((decoded & DECODED.near) === 0) return;
    view.setUint16(at, view.getUint16(at, true) | FAR, true);
    view.setInt32(at + 4, view.getInt32(at + 4, true) / UOP_SCALE, true);
  }

  /** Records a straddling instruction of the frame, good while `nextPage` follows it. */
  recordStraddle(page: number, nextPage: number, insn: number): void {
    const at = page + layout.STRADDLE_UOP;
    this.#writeAlone(at, insn);
    special(this.#view, at + 4 * UOP_SCALE, OP_NEXT_PAGE, 0);
    this.#view.setInt32(page + layout.STRADDLE_NEXT, nextPage, true);
    this.#straddles.add(page);
  }

  /** Decodes one instruction into the scratch micro-op. */
  decodeScratch(insn: number): void {
    this.#writeAlone(layout.SCRATCH_UOP, insn);
  }
}

/** A jump or branch whose target may not be a multiple of four. */
function mayMisalign({ instruction, fields }: Decoded): boolean {
  const { traits, row } = instruction;
  return traits.relative ? (fields.imm & 2) !== 0 : row.name === 'jalr';
}
