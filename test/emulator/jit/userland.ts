/**
 * A user-mode world for the tests of tier 1: Sv32 tables, code and data pages that are not neighbours in RAM, and a supervisor
 * that pages on demand and keeps a record of every trap.
 */
import { Cause, RAM_BASE, type Hart, type Machine, type Supervisor } from '../../../emulator/index.ts';
import { A, D, R, Tables, U, V, W, X } from '../paging.ts';

export const CODE_VA = 0x1_0000;
export const CODE_PAGES = 4;
export const DATA_VA = 0x4_0000;
export const DATA_PAGES = 8;

const CODE_PA = RAM_BASE + 0x20_0000;
const DATA_PA = RAM_BASE + 0x40_0000;
export const CODE_FLAGS = V | R | X | U | A | D;
export const DATA_FLAGS = V | R | W | U | A | D;

/** All of both: what Twins compare. */
export const PAGES: readonly (readonly [number, number])[] = [
  [CODE_PA, CODE_PAGES * 3 * 4096],
  [DATA_PA, DATA_PAGES * 3 * 4096],
];

/** Pages lie in RAM every third page, backwards. */
export function physicalOf(va: number): number {
  const [base, first, count] =
    va >= DATA_VA ? [DATA_PA, DATA_VA, DATA_PAGES] : [CODE_PA, CODE_VA, CODE_PAGES];
  const page = (va - first) >>> 12;
  return base + (count - 1 - page) * 3 * 4096 + (va & 0xfff);
}

/** A trap as the supervisor saw it: cause, tval, pc, instructions retired before it. */
export type Seen = readonly [cause: number, tval: number, pc: number, retired: number];

/** Demand paging: whatever page of the world is missing or lacks a permission is given; ECALL and anything else stops. */
export class Pager implements Supervisor {
  readonly seen: Seen[] = [];
  readonly tables: Tables;
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.tables = new Tables(machine);
    machine.hart.enterHostedUserMode(this);
    machine.hart.setAddressSpace(this.tables.satp);
  }

  trap(hart: Hart, cause: number, tval: number): boolean {
    this.seen.push([cause, tval, hart.pc, hart.retired]);
    const isFault =
      cause === Cause.LoadPageFault || cause === Cause.StorePageFault || cause === Cause.InstructionPageFault;
    if (!isFault || !isOurs(tval)) return false;
    this.give(tval & -4096);
    return true;
  }

  /** Maps a page of the world as it should be. */
  give(va: number): void {
    this.set(va, va >= DATA_VA ? DATA_FLAGS : CODE_FLAGS);
  }

  set(va: number, flags: number, pa = physicalOf(va)): void {
    this.tables.map(va, flags === 0 ? 0 : pa, flags);
    this.#machine.hart.flushTlbPage(this.tables.satp, va);
  }

  /** Puts code at a virtual address of the world, over page ends too. */
  code(va: number, words: readonly number[]): void {
    let at = va;
    for (const word of words) {
      for (let half = 0; half < ((word & 3) === 3 ? 2 : 1); half++) {
        this.#machine.ram.write16(physicalOf(at), (word >>> (16 * half)) & 0xffff);
        at += 2;
      }
    }
  }
}

function isOurs(va: number): boolean {
  return (
    (va >= CODE_VA && va < CODE_VA + CODE_PAGES * 4096) || (va >= DATA_VA && va < DATA_VA + DATA_PAGES * 4096)
  );
}
