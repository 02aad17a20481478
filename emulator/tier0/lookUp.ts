/**
 * `lookUp`, which regions call when a page cache does not hold what they want: reads the TLB and fills the cache; returns 0 where
 * the TLB does not say or the bytes do not lie in one piece.
 */
import { get, i32const, memoryOp, set, storeState } from '../codegen/emitter.ts';
import * as layout from '../layout.ts';
import { uleb, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** (address, page cache, bytes beyond the first | room << 16, table) -> host address of the first byte, or 0. `table`: TLB_READ or TLB_WRITE. */
export const LOOK_UP_TYPE: FunctionType = { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] };

const PAGE = 4096;
const VOID = 0x40;
const [VA, CACHE, SPANS, TABLE, HOST, LAST, COUNTS, BEHIND] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** `spans` of a call. `room`: groups that begin within so many bytes from a page's address lie in it. */
export function spansOf(span: number, room: number): number {
  return (span - 1) | (room << 16);
}

const entryOf = (va: number, table: readonly number[] = get(TABLE)): number[] => [
  ...table,
  ...memoryOp(OP.i32_load, 2, 0),
  ...get(va),
  ...i32const(10),
  OP.i32_shr_u,
  ...i32const(0x3f_fffc),
  OP.i32_and,
  OP.i32_add,
  ...memoryOp(OP.i32_load, 2, 0),
];

const count = (offset: number): number[] => [
  ...get(COUNTS),
  ...get(COUNTS),
  ...memoryOp(OP.i32_load, 2, layout.PAGE_CACHE_COUNTS + offset),
  ...i32const(1),
  OP.i32_add,
  ...memoryOp(OP.i32_store, 2, layout.PAGE_CACHE_COUNTS + offset),
];

/**
 * Counts that it gives up in vain again in the same page: had the look asked for less, it might have passed. That a page is touched
 * for the first time says nothing.
 */
const countFailure = [
  ...get(VA),
  ...i32const(-PAGE),
  OP.i32_and,
  OP.local_tee,
  ...uleb(HOST),
  ...get(CACHE),
  ...memoryOp(OP.i32_load, 2, layout.CACHE_FAILED),
  OP.i32_eq,
  OP.if,
  VOID,
  ...count(4),
  OP.else,
  ...get(CACHE),
  ...get(HOST),
  ...memoryOp(OP.i32_store, 2, layout.CACHE_FAILED),
  ...get(COUNTS),
  ...i32const(0),
  ...memoryOp(OP.i32_store, 2, layout.PAGE_CACHE_COUNTS + 4),
  OP.end,
];

const giveUp = [...countFailure, ...i32const(0), OP.return];

/** Leaves the host address, or does `otherwise`. */
const translate = (va: number, otherwise: readonly number[]): number[] => [
  ...entryOf(va),
  OP.local_tee,
  ...uleb(HOST),
  OP.i32_eqz,
  OP.if,
  VOID,
  ...otherwise,
  OP.end,
  ...get(HOST),
  ...i32const(1),
  OP.i32_sub,
  ...get(va),
  OP.i32_xor,
];

/** A page that may be read, and is not to be written (yet): the look may have asked for it on account of a later store. */
const unlessReadable = [...entryOf(VA, i32const(layout.TLB_READ)), OP.if, VOID, ...countFailure, OP.end];

const remember = (offset: number, value: readonly number[]): number[] => [
  ...get(CACHE),
  ...value,
  ...memoryOp(OP.i32_store, 2, offset),
];

export function lookUpFunction(): FunctionBody {
  const code = [
    ...get(CACHE),
    ...i32const(layout.PAGE_CACHES),
    OP.i32_sub,
    ...i32const(1),
    OP.i32_shr_u,
    ...set(COUNTS),
    ...get(VA),
    ...get(SPANS),
    ...i32const(0xffff),
    OP.i32_and,
    OP.i32_add,
    ...set(LAST),
    // The last byte, when it is in another page.
    ...get(VA),
    ...get(LAST),
    OP.i32_xor,
    ...i32const(-PAGE),
    OP.i32_and,
    OP.if,
    VOID,
    ...translate(LAST, giveUp),
    ...get(LAST),
    OP.i32_sub,
    ...set(LAST),
    ...translate(VA, giveUp),
    ...get(VA),
    OP.i32_sub,
    ...get(LAST),
    OP.i32_ne,
    OP.if,
    VOID,
    ...giveUp,
    OP.end,
    ...i32const(PAGE),
    ...set(BEHIND),
    OP.end,
    ...translate(VA, [...unlessReadable, ...i32const(0), OP.return]),
    ...set(HOST),
    ...count(0),
    ...remember(layout.CACHED_PAGE, [...get(VA), ...i32const(-PAGE), OP.i32_and]),
    ...remember(layout.CACHED_DELTA, [...get(HOST), ...get(VA), OP.i32_sub]),
    // Two pages that lie one behind the other are as good as one.
    ...remember(layout.CACHED_ROOM, [
      ...get(SPANS),
      ...i32const(16),
      OP.i32_shr_u,
      ...get(BEHIND),
      OP.i32_add,
    ]),
    ...storeState(layout.PAGES_CACHED, i32const(1)),
    ...get(HOST),
  ];
  return { name: 'lookUp', type: LOOK_UP_TYPE, locals: ['i32', 'i32', 'i32', 'i32'], code, exported: true };
}
