/**
 * The locals of the fast loop (loop.ts), and what those pieces of code share that work on them.
 */
import * as layout from '../layout.ts';
import { get, i32const, loadState, memoryOp, set, storeState } from '../codegen/emitter.ts';
import type { Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** Locals of `run`; parameter 0 is the budget that is left. */
export const N = 0;
export const IP = 1;
/** What the loop's head adds to IP: where an instruction goes on. */
export const ADVANCE = 2;
export const NEXT_PC = 3;
export const READ = 4;
export const WRITE = 5;
export const FETCH = 6;
export const STATUS_LOCAL = 7;
/** The operation being dispatched. */
export const OPERATION = 8;
/** What the landing of the jump under way is marked with: ENTRY or 0. */
export const MARK = 9;
/** What the loop's head takes from N: the instructions that have just been executed. */
export const COUNT = 10;
/** What an instruction has written that is a source of the next one (fusion.ts). */
export const VALUE = 11;
export const FIRST_FREE = 12;

export const loopLocals = {
  ip: IP,
  advance: ADVANCE,
  count: COUNT,
  operation: OPERATION,
  nextPc: NEXT_PC,
  read: READ,
  write: WRITE,
};

/**
 * The pc of a micro-op in the page of ANCHOR_IP. The anchor is kept in memory, not in locals: V8 computes once, ahead of every dispatch,
 * what several handlers compute alike.
 */
export const pcOf = (ip: Code): Code =>
  loadState(layout.ANCHOR_PC) +
  ip +
  loadState(layout.ANCHOR_IP) +
  OP.i32_sub +
  i32const(2) +
  OP.i32_shr_s +
  OP.i32_add;
export const currentPc = pcOf(get(IP));
export const loadBases =
  loadState(layout.TLB_READ) +
  set(READ) +
  loadState(layout.TLB_WRITE) +
  set(WRITE) +
  loadState(layout.TLB_FETCH) +
  set(FETCH);

/** fetch[va >>> 12]: the decoded page's address, 0 when there is none. */
export function fetchEntry(va: Code): Code {
  const index = va + i32const(10) + OP.i32_shr_u + i32const(0x3f_fffc) + OP.i32_and;
  return get(FETCH) + index + OP.i32_add + memoryOp(OP.i32_load, 2, 0);
}

/** Says what pc the micro-op at IP has. */
export const setAnchor = (pc: Code): Code =>
  storeState(layout.ANCHOR_PC, pc) + storeState(layout.ANCHOR_IP, get(IP));
