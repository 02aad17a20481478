/** Where everything lies in a generated bare-metal program, which is a raw image loaded at RAM_BASE. */
import { csrNumber } from '../../../emulator/priv/csr.ts';

/** Handlers, then page tables, then code. */
export const HANDLERS = 0x8000_0000;
export const ROOTS = [0x8000_4000, 0x8000_5000] as const;
export const LEAVES = [0x8000_6000, 0x8000_7000] as const;
export const CODE = 0x8001_0000;
/** The trap log; both machines print it. In the first 4 MiB, which S mode sees one to one. */
export const LOG = 0x8030_0000;
/** Data pages, and their virtual addresses: no device of either machine is there, so M mode faults. */
export const ARENA = 0x8040_0000;
export const ARENA_PAGES = 16;
export const ARENA_VA = 0xa000_0000;
/** Root entries for single experiments: 4 MiB pages, misaligned ones, pointers with reserved bits. */
export const MEGA_VA = 0xa040_0000;
/** The first 4 MiB once more, for U mode. Differs from the physical address in bits above 27 alone. */
export const USER_CODE = 0xc000_0000;
/** No memory, no device, on either machine. */
export const HOLE = 0x9000_0000;
export const UART = 0x1000_0000;
export const CLINT = 0x0200_0000;
/** QEMU's sifive_test: ends the machine. Ours stops before it prints, and the log is read from its RAM. */
export const FINISHER = 0x0010_0000;
/** Data accesses fall into these parts of a page; the rest holds code that returns. */
export const DATA_PARTS: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x60],
  [0xfc0, 0xff0],
];
/** Code in every arena page: `addi a0, a0, 1` and a return; the second one crosses into the next page. */
export const STUB = 0x7e0;
export const STRADDLING_STUB = 0xffe;

export interface Program {
  readonly seed: number;
  /** Written for QEMU 10.0, with Svade until menvcfg.ADUE is set; else for 7.2, which always updates A and D. */
  readonly young: boolean;
  readonly image: Uint8Array;
  /** All is logged, nothing printed yet. */
  readonly dump: number;
}

/** The number of a CSR that the machine has. */
export function csr(name: string): number {
  const number = csrNumber(name);
  if (number === undefined) throw new Error(`no CSR is named ${name}`);
  return number;
}
