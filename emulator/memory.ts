/**
 * Guest RAM as TypeScript sees it: physical addresses, little-endian, and one gate for every write, so that
 * translated code never outlives the bytes it came from. Values are unsigned numbers; addresses are, or int32.
 */
import * as layout from './layout.ts';

/** Where RAM begins in the physical address space, as on QEMU's virt machine and Spike. */
export const RAM_BASE = 0x8000_0000;

/** Up to so many bytes are copied one by one. */
const FEW = 16;

/** What holds translations of RAM pages and must hear of writes to them. */
export interface CodeObserver {
  /** The frame (index from RAM_BASE) held translated code and is about to change. Clears its mark in `codeFrames`. */
  invalidateFrame(frame: number): void;
}

/** Bytes of the machine's memory filled, and copied within it; addresses in that memory. */
export interface Bulk {
  fill(to: number, value: number, length: number): void;
  copy(to: number, from: number, length: number): void;
}

/**
 * Every address must lie in RAM with the whole access; up to 4 GiB outside it a RangeError is thrown, since only a bug of
 * ours gets there: guest addresses are checked by the MMU first.
 */
export class PhysicalMemory {
  readonly base = RAM_BASE;
  /** Bytes of RAM. */
  readonly size: number;
  /** One byte for each frame: 1 when translated code came from it. */
  readonly codeFrames: Uint8Array;
  /** Set by the hart. */
  observer: CodeObserver | null = null;
  /** Set by the hart, before anything is filled or copied. */
  bulk!: Bulk;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #view: DataView;

  constructor(memory: WebAssembly.Memory, ramBytes: number) {
    this.size = ramBytes;
    this.codeFrames = new Uint8Array(ramBytes >>> 12);
    this.#bytes = new Uint8Array(memory.buffer, layout.RAM, ramBytes);
    this.#words = new Int32Array(memory.buffer, layout.RAM, ramBytes >>> 2);
    this.#view = new DataView(memory.buffer, layout.RAM, ramBytes);
  }

  /** True when [pa, pa + len) lies in RAM. */
  contains(pa: number, len = 1): boolean {
    // Addresses have 34 bits. The offset by `^`, not `-`: what V8's interpreter subtracts from a number of 2^31 or more is an object.
    if (pa > 0xffff_ffff) return false;
    const offset = pa ^ RAM_BASE;
    return offset >= 0 && offset + len <= this.size;
  }

  #changing(offset: number, len: number): void {
    for (let frame = offset >>> 12; frame <= (offset + len - 1) >>> 12; frame++) {
      if (this.codeFrames[frame] === 1) this.observer?.invalidateFrame(frame);
    }
  }

  // Offsets are made int32 before they are used, which V8 need not check then; negative ones are out of range like too large ones.

  read8(pa: number): number {
    return this.#view.getUint8(pa ^ RAM_BASE);
  }

  read16(pa: number): number {
    return this.#view.getUint16(pa ^ RAM_BASE, true);
  }

  read32(pa: number): number {
    return this.#view.getUint32(pa ^ RAM_BASE, true);
  }

  /**
   * Reads the words at the first `count` of `addresses`, physical ones as int32 and aligned, into `words`: a loop of nothing but loads that do not
   * wait for one another, of which the processor has as many under way as it can.
   */
  gather32(addresses: Int32Array, count: number, words: Int32Array): void {
    const ram = this.#words;
    for (let n = 0; n < count; n++) words[n] = ram[((addresses[n] as number) ^ RAM_BASE) >>> 2] as number;
  }

  /** Of the `count` words from `pa` on, which is aligned, how many are 0 before the first that is not: page tables are mostly empty. */
  zeroWords(pa: number, count: number): number {
    const words = this.#words;
    const first = (pa ^ RAM_BASE) >>> 2;
    let at = first;
    const end = first + count;
    // Four at a time: every search of a page table comes here, for each of its lines that has had an entry.
    while (
      at + 4 <= end &&
      ((words[at] as number) |
        (words[at + 1] as number) |
        (words[at + 2] as number) |
        (words[at + 3] as number)) ===
        0
    )
      at += 4;
    while (at < end && words[at] === 0) at++;
    return at - first;
  }

  write8(pa: number, value: number): void {
    const offset = pa ^ RAM_BASE;
    this.#changing(offset, 1);
    this.#view.setUint8(offset, value);
  }

  write16(pa: number, value: number): void {
    const offset = pa ^ RAM_BASE;
    this.#changing(offset, 2);
    this.#view.setUint16(offset, value, true);
  }

  write32(pa: number, value: number): void {
    const offset = pa ^ RAM_BASE;
    this.#changing(offset, 4);
    this.#view.setUint32(offset, value, true);
  }

  /** A copy. */
  readBytes(pa: number, len: number): Uint8Array {
    this.#check(pa, len);
    const from = pa ^ RAM_BASE;
    return this.#bytes.slice(from, from + len);
  }

  /** Copies `len` bytes to `target`, from `at` on. */
  readInto(pa: number, len: number, target: Uint8Array, at: number): void {
    this.#check(pa, len);
    const from = pa ^ RAM_BASE;
    // A view of its own would cost more than a few bytes.
    if (len <= FEW) for (let i = 0; i < len; i++) target[at + i] = this.#bytes[from + i] as number;
    else target.set(this.#bytes.subarray(from, from + len), at);
  }

  /** The live bytes; not to be written. */
  view(pa: number, len: number): Uint8Array {
    this.#check(pa, len);
    const from = pa ^ RAM_BASE;
    return this.#bytes.subarray(from, from + len);
  }

  writeBytes(pa: number, source: Uint8Array): void {
    if (source.length === 0) return;
    this.#check(pa, source.length);
    this.#changing(pa ^ RAM_BASE, source.length);
    this.#bytes.set(source, pa ^ RAM_BASE);
  }

  zero(pa: number, len: number): void {
    if (len === 0) return;
    this.#check(pa, len);
    this.#changing(pa ^ RAM_BASE, len);
    this.bulk.fill(layout.RAM + (pa ^ RAM_BASE), 0, len);
  }

  /** Copies `len` bytes within RAM; the ranges may overlap. */
  copy(to: number, from: number, len: number): void {
    if (len === 0) return;
    this.#check(to, len);
    this.#check(from, len);
    this.#changing(to ^ RAM_BASE, len);
    this.bulk.copy(layout.RAM + (to ^ RAM_BASE), layout.RAM + (from ^ RAM_BASE), len);
  }

  #check(pa: number, len: number): void {
    if (!this.contains(pa, len))
      throw new RangeError(`physical range 0x${pa.toString(16)}+${len} is not RAM`);
  }
}
