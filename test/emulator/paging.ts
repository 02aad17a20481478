/** Sv32 tables for tests, written by hand into RAM. */
import { RAM_BASE, type Machine } from '../../emulator/index.ts';

export const V = 1;
export const R = 2;
export const W = 4;
export const X = 8;
export const U = 16;
export const A = 64;
export const D = 128;
/** A user page that can do everything, A and D set. */
export const RWX = V | R | W | X | U | A | D;

/** An address space whose tables grow downwards from `top` (a physical page address). */
export class Tables {
  readonly #machine: Machine;
  readonly root: number;
  #next: number;

  constructor(machine: Machine, top = RAM_BASE + machine.ram.size - 4096) {
    this.#machine = machine;
    this.root = top;
    this.#next = top - 4096;
    machine.ram.zero(top, 4096);
  }

  get satp(): number {
    return (0x8000_0000 | (this.root >>> 12)) >>> 0;
  }

  /** Physical address of the level-0 entry of `va`; makes the table when there is none. */
  entry(va: number): number {
    const { ram } = this.#machine;
    const pointer = this.root + (va >>> 22) * 4;
    if ((ram.read32(pointer) & V) === 0) {
      ram.zero(this.#next, 4096);
      ram.write32(pointer, (((this.#next >>> 12) << 10) | V) >>> 0);
      this.#next -= 4096;
    }
    const table = (ram.read32(pointer) >>> 10) * 4096;
    return table + ((va >>> 12) & 1023) * 4;
  }

  map(va: number, pa: number, flags = RWX): void {
    this.#machine.ram.write32(this.entry(va), (((pa >>> 12) << 10) | flags) >>> 0);
  }

  /** A 4 MiB page. */
  mapMegapage(va: number, pa: number, flags = RWX): void {
    this.#machine.ram.write32(this.root + (va >>> 22) * 4, (((pa >>> 12) << 10) | flags) >>> 0);
  }
}
