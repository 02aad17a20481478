/**
 * How the fast loop (loop.ts) and tier 1 meet: where jumps land is marked, a marked micro-op enters the region that is there, or
 * counts how often it was executed without one.
 */
import * as layout from '../layout.ts';
import { get, i32const, loadState, memoryOp, set, storeState } from '../codegen/emitter.ts';
import { jumpCacheEntry } from '../codegen/jumpCache.ts';
import { MAX_DEPTH } from '../jit/convention.ts';
import {
  N,
  IP,
  ADVANCE,
  COUNT,
  NEXT_PC,
  FETCH,
  STATUS_LOCAL,
  OPERATION,
  MARK,
  currentPc,
  loadBases,
} from './loopLocals.ts';
import { IMPORT, STATUS } from './step.ts';
import { ENTRY, FIRST_ROW_OP } from './uop.ts';
import { byte, uleb, type Code } from '../wasm/encode.ts';
import { OP, TYPE, VOID } from '../wasm/opcodes.ts';

/** Makes the row at IP + `offset` an entry for tier 1, if it is a row; `mark`: ENTRY, or 0 without tier 1. */
export const markEntry = (offset: number, mark: Code): Code =>
  get(IP) +
  memoryOp(OP.i32_load16_u, 1, offset) +
  OP.local_tee +
  uleb(OPERATION) +
  i32const(FIRST_ROW_OP) +
  OP.i32_ge_u +
  OP.if +
  VOID +
  get(IP) +
  get(OPERATION) +
  mark +
  OP.i32_or +
  memoryOp(OP.i32_store16, 1, offset) +
  OP.end;

/** A row that a jump has landed on is an entry for tier 1. */
export const markLanding = get(MARK) + OP.if + VOID + markEntry(0, get(MARK)) + OP.end;

/** The budget that STATUS_LOCAL holds, or the complement of which it holds (REGION_TYPE). */
const budgetLeft = get(STATUS_LOCAL) + get(STATUS_LOCAL) + i32const(31) + OP.i32_shr_s + OP.i32_xor;

/**
 * Goes on after a region, or an ECALL, which is a region without instructions: STATUS_LOCAL holds what it returned. That is negative
 * when the views must be looked at, or the loop be left.
 */
export const afterRegion =
  storeState(
    layout.REGION_RETIRED,
    loadState(layout.REGION_RETIRED) + get(N) + OP.i32_add + budgetLeft + OP.i32_sub,
  ) +
  budgetLeft +
  set(N) +
  get(STATUS_LOCAL) +
  i32const(0) +
  OP.i32_lt_s +
  OP.if +
  VOID +
  loadState(layout.SERVED) +
  OP.if +
  VOID +
  i32const(STATUS.trap) +
  OP.return +
  OP.end +
  loadBases +
  OP.end +
  loadState(layout.PC) +
  set(NEXT_PC) +
  loadState(layout.LANDING) +
  set(MARK) +
  storeState(layout.LANDING, i32const(0));

/**
 * The operation has the ENTRY bit. Enters the region that the jump cache has for this place, or counts. Where there is none, or it did
 * nothing, the operation without the bit is dispatched. `next`: the label of the loop's head, around which is that of `resume`.
 */
export function entryCode(next: number): Code {
  const heat =
    get(IP) +
    i32const(1) +
    OP.i32_shr_u +
    i32const((layout.HEAT_SIZE - 1) << 2) +
    OP.i32_and +
    set(STATUS_LOCAL) +
    get(STATUS_LOCAL) +
    get(STATUS_LOCAL) +
    memoryOp(OP.i32_load, 2, layout.HEAT) +
    i32const(1) +
    OP.i32_add +
    memoryOp(OP.i32_store, 2, layout.HEAT) +
    get(STATUS_LOCAL) +
    memoryOp(OP.i32_load, 2, layout.HEAT) +
    loadState(layout.THRESHOLD) +
    OP.i32_eq +
    OP.if +
    VOID +
    storeState(layout.BUDGET, get(N)) +
    i32const(STATUS.hot) +
    OP.return +
    OP.end;
  const ample = get(N) + loadState(layout.AMPLE) + OP.i32_gt_u + OP.if + VOID + heat + OP.end;
  return (
    currentPc +
    set(NEXT_PC) +
    storeState(layout.PC, get(NEXT_PC)) +
    jumpCacheEntry(get(NEXT_PC), get(FETCH)) +
    set(STATUS_LOCAL) +
    get(STATUS_LOCAL) +
    memoryOp(OP.i32_load, 2, layout.JUMP_CACHE) +
    get(NEXT_PC) +
    OP.i32_eq +
    get(STATUS_LOCAL) +
    memoryOp(OP.i32_load, 2, layout.JUMP_CACHE + 4) +
    get(FETCH) +
    OP.i32_xor +
    OP.local_tee +
    uleb(STATUS_LOCAL) +
    i32const(layout.TABLE_BYTES) +
    OP.i32_lt_u +
    OP.i32_and +
    OP.if +
    VOID +
    loadState(layout.TIMED) +
    OP.if +
    TYPE.i32 +
    get(N) +
    get(STATUS_LOCAL) +
    OP.call +
    byte(IMPORT.region) +
    OP.else +
    get(N) +
    i32const(MAX_DEPTH) +
    get(STATUS_LOCAL) +
    OP.call_indirect +
    byte(0) +
    byte(0) +
    OP.end +
    OP.local_tee +
    uleb(STATUS_LOCAL) +
    get(N) +
    OP.i32_ne +
    loadState(layout.PC) +
    get(NEXT_PC) +
    OP.i32_ne +
    OP.i32_or +
    OP.if +
    VOID +
    afterRegion +
    OP.br +
    uleb(next + 4) +
    OP.end +
    OP.end +
    ample +
    get(OPERATION) +
    i32const(ENTRY - 1) +
    OP.i32_and +
    set(OPERATION) +
    i32const(0) +
    set(ADVANCE) +
    i32const(0) +
    set(COUNT) +
    OP.br +
    uleb(next + 1)
  );
}
