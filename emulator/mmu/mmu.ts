/**
 * The MMU: every memory access that the fast loop does not do by itself. TLB misses, misaligned and
 * page-crossing accesses, MMIO, pages with translated code, faults.
 *
 * A fault is data: the functions return STATUS.trap (or 0, or -1) and leave cause and tval here.
 */
import type { Bus } from '../devices/bus.ts';
import * as layout from '../layout.ts';
import { RAM_BASE, type PhysicalMemory } from '../memory.ts';
import { Cause } from '../priv/cause.ts';
import { pmpCheck, pmpPermitsAll } from '../priv/pmp.ts';
import { hardwareAd, Privilege, type PrivState } from '../priv/state.ts';
import { STATUS } from '../tier0/step.ts';
import {
  Access,
  dataView,
  fetchView,
  oneView,
  Pte,
  PTE_PPN_SHIFT,
  SATP_PPN_MASK,
  sv32Walk,
  WalkResult,
  type TranslationView,
} from './sv32.ts';
import { TABLE_FETCH, TABLE_READ, TABLE_WRITE, type Tlb } from './tlb.ts';

export interface MmuOptions {
  /** false: misaligned loads and stores raise address-misaligned exceptions. Atomics always do. */
  readonly misalignedInHardware: boolean;
}

/** One access of a retired instruction, for traces. */
export interface MemoryAccess {
  readonly va: number;
  /** Physical address of its first byte. */
  readonly pa: number;
  readonly size: number;
  /** 'x': read and written by an atomic. */
  readonly kind: 'r' | 'w' | 'x';
}

/** The first page of RAM. */
const RAM_PPN = RAM_BASE / 4096;
/** Bits that tell a pointer to the next level from a leaf and from what is reserved. */
const POINTER = Pte.V | Pte.R | Pte.W | Pte.X | Pte.U | Pte.A | Pte.D;
/** Of a user's page that has been used, that has been written, and that needs no walk to be written. */
const USED = Pte.V | Pte.U | Pte.A;
const WRITTEN = USED | Pte.W | Pte.D;
const FETCHABLE = USED | Pte.X;
/** Entries of a page table that lie together in a line of the processor's cache. */
const NEIGHBOURS = 16;
const WRITABLE = Pte.W | Pte.D;

/** Answers of #translate() that are no offset in RAM: a fault; an address in #outside. */
const FAULT = -1;
const OUTSIDE = -2;

const emptyView = (): TranslationView => ({ satp: 0, privilege: 3, sum: false, mxr: false });

export class Mmu {
  /** Of a fault that nobody has taken yet; -1 when there is none. */
  cause = -1;
  tval = 0;
  /** Called after every access to a device: its line, or the time of the next event, may have changed. */
  onDevice: () => void = () => {};
  /** When not null, accesses of the instruction under way are noted here. */
  accesses: MemoryAccess[] | null = null;
  /** Stores to this range of RAM, by offsets, make the interpreter leave, with `onWatched` called; see watch(). */
  #watched = { start: 0, end: 0 };
  /** The decoded pages of frames, 0 for none; set by the hart. */
  decodedPages: Int32Array = new Int32Array(0);
  /** Called for each store to the watched range, by its part of the range. */
  onWatched: (pa: number, size: number) => void = () => {};
  readonly tlb: Tlb;
  readonly options: MmuOptions;
  readonly #state: PrivState;
  readonly #ram: PhysicalMemory;
  readonly #bus: Bus;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** RAM. */
  readonly #ramWords: Int32Array;
  readonly #fetch = emptyView();
  readonly #apart = emptyView();
  /** `#fetch` where loads and stores translate as fetches do, else `#apart`. */
  #data = this.#fetch;
  /** View numbers in the TLB. */
  #dataView = 0;
  #fetchView = 0;
  /** No access needs a look at the PMP. Not so at reset: an S or U access that matches no entry fails. */
  #pmpOpen = false;
  readonly #walk = new WalkResult();
  /** The physical address that #translate() found, when it is none of RAM's. */
  #outside = 0;

  constructor(
    memory: WebAssembly.Memory,
    ram: PhysicalMemory,
    bus: Bus,
    state: PrivState,
    tlb: Tlb,
    options: MmuOptions,
  ) {
    this.#words = new Int32Array(memory.buffer, 0, 0x4000);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#ramWords = new Int32Array(memory.buffer, layout.RAM, ram.size >>> 2);
    this.#ram = ram;
    this.#bus = bus;
    this.#state = state;
    this.tlb = tlb;
    this.options = options;
    this.selectViews();
  }

  /** Watches stores to [start, start + size), which must lie in RAM: its pages never get write entries in the TLB. */
  watch(start: number, size: number): void {
    this.#watched = { start: start - RAM_BASE, end: start - RAM_BASE + size };
    this.tlb.flushEverything();
  }

  #inWatchedPage(offset: number): boolean {
    const { start, end } = this.#watched;
    return offset >>> 12 >= start >>> 12 && offset < end;
  }

  /** A store to [offset, offset + size) of a watched page is done. */
  #noteStore(offset: number, size: number): void {
    const { start, end } = this.#watched;
    if (offset < end && offset + size > start) this.onWatched(RAM_BASE + offset, size);
  }

  /** Chooses the TLB views anew, after satp, the privilege or mstatus changed. */
  selectViews(): void {
    const state = this.#state;
    fetchView(state, this.#fetch);
    this.#fetchView = this.tlb.select(this.#fetch, -1);
    if (oneView(state)) {
      this.#data = this.#fetch;
      this.#dataView = this.#fetchView;
    } else {
      this.#data = this.#apart;
      dataView(state, this.#apart);
      this.#dataView = this.tlb.select(this.#apart, this.#fetchView);
    }
    const read = this.tlb.tableBase(this.#dataView, TABLE_READ);
    if (this.#words[layout.TLB_READ >>> 2] !== read) this.tlb.caches.clear();
    this.#words[layout.TLB_READ >>> 2] = read;
    this.#words[layout.TLB_WRITE >>> 2] = this.tlb.tableBase(this.#dataView, TABLE_WRITE);
    this.#words[layout.TLB_FETCH >>> 2] = this.tlb.tableBase(this.#fetchView, TABLE_FETCH);
  }

  /** After a PMP register changed: nothing filled under the old rules may stay. */
  pmpChanged(): void {
    this.#pmpOpen = pmpPermitsAll(this.#state);
    this.tlb.flushEverything();
  }

  #fault(cause: number, tval: number): void {
    this.cause = cause;
    this.tval = tval >>> 0;
  }

  /** PMP of an access; M mode with no locked entry, and an open map, permit all. */
  #pmpAllows(pa: number, size: number, access: Access, privilege: TranslationView['privilege']): boolean {
    return this.#pmpOpen || pmpCheck(this.#state, pa, size, access, privilege);
  }

  /** The walker's memory: page tables lie in RAM, and PMP is checked as for S mode. */
  readonly #tables = {
    read32: (pa: number): number =>
      this.#ram.contains(pa, 4) && this.#pmpAllows(pa, 4, Access.Read, 1) ? this.#ram.read32(pa) : -1,
    write32: (pa: number, value: number): boolean => {
      if (!this.#ram.contains(pa, 4) || !this.#pmpAllows(pa, 4, Access.Write, 1)) return false;
      this.#ram.write32(pa, value);
      return true;
    },
  };

  /**
   * Where an access that lies in one page goes: the offset in RAM, OUTSIDE with the address in #outside, or FAULT with cause and tval set. Fills
   * the data TLB when the page is RAM that needs no further look. Virtual addresses are int32 here, and physical ones offsets: V8 boxes
   * greater numbers wherever they are handed on.
   */
  #translate(va: number, size: number, access: Access): number {
    const fetching = access === Access.Execute;
    const view = fetching ? this.#fetch : this.#data;
    const walk = this.#walk;
    if (!fetching) {
      const entry = this.tlb.entry(this.#dataView, access === Access.Write ? TABLE_WRITE : TABLE_READ, va);
      if ((entry & 1) !== 0) return offsetOf(entry, va);
    }
    const leaf = this.#quickWalk(view, va, access);
    if (leaf !== 0) {
      const offset = (((leaf >>> PTE_PPN_SHIFT) - RAM_PPN) << 12) | (va & 0xfff);
      if (!fetching) this.#fillPage(va, offset, (leaf & Pte.R) !== 0, (leaf & WRITABLE) === WRITABLE);
      return offset;
    }
    if (!sv32Walk(this.#tables, view, va, access, hardwareAd(this.#state), walk)) {
      this.#fault(walk.cause, va);
      return FAULT;
    }
    if (walk.level === 1) this.tlb.noteMegapage(fetching ? this.#fetchView : this.#dataView, va);
    if (!this.#pmpAllows(walk.pa, size, access, view.privilege)) {
      this.#fault(accessFault(access), va);
      return FAULT;
    }
    if (!this.#ram.contains(walk.pa)) {
      this.#outside = walk.pa;
      return OUTSIDE;
    }
    if (!fetching) this.#fillData(va, walk, view);
    return walk.pa - RAM_BASE;
  }

  /**
   * sv32Walk() where it has nothing to decide: in user mode with an open PMP, by tables in RAM to a page of RAM, which is no megapage, and
   * whose A and D are as the access needs them. Most TLB misses are such, and with more processes than views all that follow a switch.
   * The leaf, or 0: the walk has to be made.
   */
  #quickWalk(view: TranslationView, va: number, access: Access): number {
    const entry = this.#quickEntry(view, va);
    if (entry < 0) return 0;
    const leaf = this.#ramWords[entry] as number;
    const pages = this.#ramWords.length >>> 10;
    const frame = (leaf >>> PTE_PPN_SHIFT) - RAM_PPN;
    const needed = access === Access.Write ? WRITTEN : access === Access.Execute ? FETCHABLE : USED | Pte.R;
    if ((leaf & needed) !== needed || (leaf & (Pte.R | Pte.W)) === Pte.W) return 0;
    return frame < 0 || frame >= pages ? 0 : leaf;
  }

  /** The word of RAM with the level-0 entry that such a walk comes to, or -1. */
  #quickEntry(view: TranslationView, va: number): number {
    if (view.privilege !== Privilege.U || !this.#pmpOpen || view.satp >>> 31 === 0) return -1;
    const words = this.#ramWords;
    const pages = words.length >>> 10;
    const root = (view.satp & SATP_PPN_MASK) - RAM_PPN;
    if (root < 0 || root >= pages) return -1;
    const pointer = words[(root << 10) | (va >>> 22)] as number;
    const table = (pointer >>> PTE_PPN_SHIFT) - RAM_PPN;
    if ((pointer & POINTER) !== Pte.V || table < 0 || table >= pages) return -1;
    return (table << 10) | ((va >>> 12) & 0x3ff);
  }

  #fillData(va: number, walk: WalkResult, view: TranslationView): void {
    const page = walk.pa - (walk.pa & 0xfff);
    const { privilege } = view;
    const allowed = walk.level < 0 ? Access.Read | Access.Write : walk.allowed;
    const readable = (allowed & Access.Read) !== 0 && this.#pmpAllows(page, 4096, Access.Read, privilege);
    const writable = (allowed & Access.Write) !== 0 && this.#pmpAllows(page, 4096, Access.Write, privilege);
    this.#fillPage(va, walk.pa - RAM_BASE, readable, writable);
  }

  /** Fills what the tables permit; not for writing where that has to be seen. */
  #fillPage(va: number, offset: number, readable: boolean, writable: boolean): void {
    if (readable) this.tlb.fillData(this.#dataView, TABLE_READ, va, offset);
    if (writable && this.#ram.codeFrames[offset >>> 12] === 0 && !this.#inWatchedPage(offset & ~0xfff))
      this.tlb.fillData(this.#dataView, TABLE_WRITE, va, offset);
  }

  /** Interpreter import: see InterpreterImports. */
  load(address: number, size: number): number {
    const va = address | 0;
    this.#words[layout.SCRATCH >>> 2] = 0;
    this.#words[(layout.SCRATCH >>> 2) + 1] = 0;
    if (!this.#aligned(va, size, Access.Read)) return STATUS.trap;
    const first = Math.min(size, 4096 - (va & 0xfff));
    const low = this.#translate(va, first, Access.Read);
    if (first < size) {
      // Both pages are translated before anything is read: a fault names the part that caused it.
      const high = this.#secondPage(va, low, first, size, Access.Read);
      if (high === FAULT) return STATUS.trap;
      this.#read(va, low, first, 0);
      this.#read(va + first, high, size - first, first);
    } else if (low === FAULT || !this.#read(va, low, size, 0)) return STATUS.trap;
    this.accesses?.push({ va: va >>> 0, pa: this.#physical(low), size, kind: 'r' });
    return STATUS.ok;
  }

  /** Interpreter import: see InterpreterImports. */
  store(address: number, size: number): number {
    const va = address | 0;
    let status: number = STATUS.ok;
    if (!this.#aligned(va, size, Access.Write)) return STATUS.trap;
    const first = Math.min(size, 4096 - (va & 0xfff));
    const low = this.#translate(va, first, Access.Write);
    if (first < size) {
      const high = this.#secondPage(va, low, first, size, Access.Write);
      if (high === FAULT) return STATUS.trap;
      this.#write(va, low, first, 0);
      this.#write(va + first, high, size - first, first);
    } else if (low === FAULT || !this.#write(va, low, size, 0)) return STATUS.trap;
    // After a store to a device an interrupt may be pending.
    if (low === OUTSIDE || this.#inWatchedPage(low)) status = STATUS.leave;
    this.accesses?.push({ va: va >>> 0, pa: this.#physical(low), size, kind: 'w' });
    return status;
  }

  /** Interpreter import: see InterpreterImports. Atomics must be aligned and in RAM. */
  translateAtomic(address: number, write: number): number {
    const va = address | 0;
    if ((va & 3) !== 0) {
      this.#fault(write ? Cause.StoreAddressMisaligned : Cause.LoadAddressMisaligned, va);
      return 0;
    }
    const access = write ? Access.Write : Access.Read;
    const offset = this.#translate(va, 4, access);
    if (offset === FAULT) return 0;
    if (offset === OUTSIDE) {
      this.#fault(accessFault(access), va);
      return 0;
    }
    if (write && this.#ram.codeFrames[offset >>> 12] === 1)
      this.#ram.observer?.invalidateFrame(offset >>> 12);
    this.accesses?.push({ va: va >>> 0, pa: RAM_BASE + offset, size: 4, kind: write ? 'x' : 'r' });
    return layout.RAM + offset;
  }

  /** The offset in RAM of an instruction halfword, or -1 with cause and tval set. */
  translateFetch(va: number): number {
    const offset = this.#translate(va | 0, 2, Access.Execute);
    if (offset !== OUTSIDE) return offset;
    this.#fault(Cause.InstructionAccessFault, va);
    return FAULT;
  }

  /** The page of `va`, which lies at that offset in RAM, is fetched from that decoded page. Partial PMP pages are never entered. */
  fillFetch(va: number, offset: number, decoded: number): boolean {
    const page = RAM_BASE + (offset - (offset & 0xfff));
    if (!this.#pmpAllows(page, 4096, Access.Execute, this.#fetch.privilege)) return false;
    const isFirst = !this.tlb.hasFetched(this.#fetchView);
    this.tlb.fillFetch(this.#fetchView, va, decoded);
    if (isFirst) this.#fillFetchesAround(va);
    return true;
  }

  /**
   * After the first fetch in an empty view, as after a switch to an address space that has none: of the pages whose entries lie beside that
   * one's, 64 KiB, those that are decoded already and may be fetched without more ado. Each would be a TLB miss of its own soon.
   */
  #fillFetchesAround(va: number): void {
    const words = this.#ramWords;
    const pages = words.length >>> 10;
    const entry = this.#quickEntry(this.#fetch, va);
    if (entry < 0) return;
    const first = va & ~0xffff;
    const line = entry & -NEIGHBOURS;
    for (let n = 0; n < NEIGHBOURS; n++) {
      const leaf = words[line + n] as number;
      const frame = (leaf >>> PTE_PPN_SHIFT) - RAM_PPN;
      if ((leaf & FETCHABLE) !== FETCHABLE || (leaf & (Pte.R | Pte.W)) === Pte.W) continue;
      if (frame < 0 || frame >= pages) continue;
      const decoded = this.decodedPages[frame] as number;
      if (decoded !== 0) this.tlb.fillFetch(this.#fetchView, first + (n << 12), decoded);
    }
  }

  /**
   * Where the rest of an access goes that leaves the page of its first bytes, or FAULT, for the first page too: only RAM can be accessed so.
   */
  #secondPage(va: number, low: number, first: number, size: number, access: Access): number {
    if (low === FAULT) return FAULT;
    const next = (va + first) | 0;
    const high = low === OUTSIDE ? OUTSIDE : this.#translate(next, size - first, access);
    if (high !== OUTSIDE) return high;
    this.#fault(accessFault(access), low === OUTSIDE ? va : next);
    return FAULT;
  }

  #aligned(va: number, size: number, access: Access): boolean {
    if (this.options.misalignedInHardware || (va & (size - 1)) === 0) return true;
    this.#fault(access === Access.Write ? Cause.StoreAddressMisaligned : Cause.LoadAddressMisaligned, va);
    return false;
  }

  /** The physical address of what #translate() answered last. */
  #physical(offset: number): number {
    return offset === OUTSIDE ? this.#outside : RAM_BASE + offset;
  }

  /** Reads bytes of one page, at an offset in RAM or OUTSIDE, into SCRATCH at `at`. */
  #read(va: number, offset: number, size: number, at: number): boolean {
    if (offset !== OUTSIDE) {
      const from = layout.RAM + offset;
      for (let i = 0; i < size; i++) this.#bytes[layout.SCRATCH + at + i] = this.#bytes[from + i] as number;
      return true;
    }
    const value = size <= 4 ? this.#bus.load(this.#outside, size) : -1;
    this.onDevice();
    if (value < 0) {
      this.#fault(Cause.LoadAccessFault, va);
      return false;
    }
    this.#words[layout.SCRATCH >>> 2] = value;
    return true;
  }

  #write(va: number, offset: number, size: number, at: number): boolean {
    if (offset !== OUTSIDE) {
      if (this.#ram.codeFrames[offset >>> 12] === 1) this.#ram.observer?.invalidateFrame(offset >>> 12);
      const to = layout.RAM + offset;
      for (let i = 0; i < size; i++) this.#bytes[to + i] = this.#bytes[layout.SCRATCH + at + i] as number;
      if (this.#inWatchedPage(offset)) this.#noteStore(offset, size);
      return true;
    }
    const value = (this.#words[layout.SCRATCH >>> 2] as number) >>> 0;
    const narrow = size === 4 ? value : value & (2 ** (8 * size) - 1);
    const stored = size <= 4 && this.#bus.store(this.#outside, size, narrow);
    this.onDevice();
    if (!stored) this.#fault(Cause.StoreAccessFault, va);
    return stored;
  }
}

/** The offset in RAM behind a valid data entry. */
function offsetOf(entry: number, va: number): number {
  return (((entry - 1) ^ va) - layout.RAM) | 0;
}

function accessFault(access: Access): number {
  if (access === Access.Execute) return Cause.InstructionAccessFault;
  return access === Access.Write ? Cause.StoreAccessFault : Cause.LoadAccessFault;
}
