/** What passes between a hart and those around it: why it stops, who handles its traps, what it tells of instructions. */
import type { Hart } from './hart.ts';
import type { MemoryAccess } from './mmu/mmu.ts';

/** Why `run` or `step` came back. */
export type StopReason =
  /** The budget is used up. */
  | { readonly kind: 'budget' }
  /** The instruction at pc is not yet executed. */
  | { readonly kind: 'breakpoint'; readonly pc: number }
  /** The supervisor declined to go on, or the trap hit the handler's own first instruction. pc is what trapped. */
  | { readonly kind: 'trap'; readonly cause: number; readonly tval: number; readonly pc: number }
  /** Waits for an interrupt that no device will raise by itself. */
  | { readonly kind: 'wfi' }
  /** An instruction that stored to the watched range has retired. */
  | { readonly kind: 'watch' };

/**
 * Who handles the traps that would enter S mode. hart.pc is the trapping instruction's address (sepc).
 * @returns true: go on at hart.pc with the registers as they are now, which after a fault, if the pc is the same, are the same too;
 * false: `run` returns the trap
 */
export interface Supervisor {
  trap(hart: Hart, cause: number, tval: number): boolean;
}

/** A retired instruction, for traces. Valid only during the call. */
export interface Retired {
  readonly pc: number;
  readonly privilege: number;
  /** The encoding: 16 bits when compressed. */
  readonly insn: number;
  readonly accesses: readonly MemoryAccess[];
  /** mstatus.FS before it: 0 off, 1 initial, 2 clean, 3 dirty. */
  readonly fs: number;
  /** The bits of mip that software writes, before it. */
  readonly mip: number;
  /** The floating-point exceptions that it raised, whether or not fflags had them already. */
  readonly raised: number;
}
