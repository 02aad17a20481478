/**
 * The locals of the fast loop (loop.ts), and what those pieces of code share that work on them.
 */
import * as layout from '../layout.ts';
import { get, i32const, loadState, memoryOp, set } from '../codegen/emitter.ts';
import type { Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** Locals of `run`; parameter 0 is the budget that is left. */
export const N = 0;
export const IP = 1;
export const DELTA = 2;
export const NEXT_PC = 3;
export const READ = 4;
export const WRITE = 5;
export const FETCH = 6;
export const STATUS_LOCAL = 7;
/** The operation being dispatched. */
export const OPERATION = 8;
/** What the landing of the jump under way is marked with: ENTRY or 0. */
export const MARK = 9;
export const FIRST_FREE = 10;

export const loopLocals = { ip: IP, delta: DELTA, nextPc: NEXT_PC, read: READ, write: WRITE };

export const currentPc = get(DELTA) + get(IP) + i32const(2) + OP.i32_shr_u + OP.i32_add;
export const loadBases =
  loadState(layout.TLB_READ) +
  set(READ) +
  loadState(layout.TLB_WRITE) +
  set(WRITE) +
  loadState(layout.TLB_FETCH) +
  set(FETCH);

/** An instruction that was counted but is not to be executed. */
export const uncount = get(N) + i32const(1) + OP.i32_add + set(N);

/** fetch[va >>> 12]: the decoded page's address, 0 when there is none. */
export function fetchEntry(va: Code): Code {
  const index = va + i32const(10) + OP.i32_shr_u + i32const(0x3f_fffc) + OP.i32_and;
  return get(FETCH) + index + OP.i32_add + memoryOp(OP.i32_load, 2, 0);
}

export const setDelta = (pc: Code): Code =>
  pc + get(IP) + i32const(2) + OP.i32_shr_u + OP.i32_sub + set(DELTA);
