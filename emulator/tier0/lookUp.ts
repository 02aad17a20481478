/**
 * `lookUp`, which regions call when a page cache does not hold what they want: reads the TLB and fills the cache; returns 0 where
 * the TLB does not say or the bytes do not lie in one piece. What it remembers is a run: the page, and those in front of it and
 * behind it that lie side by side in RAM too, as many as the entry has missed so far. So programs that stay in a page pay for nothing
 * more, and an array is one run after a few misses.
 */
import { get, i32const, loadState, memoryOp, set, storeState } from '../codegen/emitter.ts';
import * as layout from '../layout.ts';
import { CACHE_SPANS } from '../mmu/pageCaches.ts';
import { byte, uleb, type Code, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/**
 * (address, `askOf`, nothing) -> host address of the first byte, or 0. The vector is there because no JavaScript can be called with one: for
 * each module V8 compiles what would lead from an import to JavaScript, 0.1 ms, unless it sees by the type that there is no such thing.
 */
export const LOOK_UP_TYPE: FunctionType = { params: ['i32', 'i32', 'v128'], results: ['i32'] };

const PAGE = 4096;
const [VA, ASK, CACHE, SPAN, TABLE, HOST, LAST, COUNTS, FIRST, END, LIMIT] = [
  0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11,
] as const;

/** Pages in front of the one that is looked up at most, and behind it. */
const MAX_RUN = 4096;
/** The same for an entry that has missed so often that long runs are no help, and are not worth looking for. */
const SHORT_RUN = 64;

const SPAN_BITS = 11;

/** What a look asks for, in one constant: a page cache for groups of that many bytes. The cache's pool says all else. */
export function askOf(cache: number, span: number): number {
  return (((cache - layout.PAGE_CACHES) / layout.PAGE_CACHE_BYTES) << SPAN_BITS) | (span - 1);
}

/** The number of a page cache's pool. */
const pool = get(ASK) + i32const(SPAN_BITS + Math.log2(layout.PAGE_CACHE_POOL_SIZE)) + OP.i32_shr_u;

/** In how many bytes from a page's address groups of the pool begin when they lie in it: PAGE + 1 - CACHE_SPANS[pool % 4]. */
const room =
  i32const(PAGE + 1) +
  i32const(1) +
  i32const(CACHE_SPANS.reduce((logs, span, size) => logs | (Math.log2(span) << (8 * size)), 0)) +
  pool +
  i32const(3) +
  OP.i32_shl + // Shifts look at the low five bits of their amount alone: pools to write, 4 to 7, are as those to read.
  OP.i32_shr_u +
  OP.i32_shl +
  OP.i32_sub;

/** Takes apart what is asked. TLB_WRITE is the word behind TLB_READ. */
const understand =
  get(ASK) +
  i32const(SPAN_BITS) +
  OP.i32_shr_u +
  i32const(layout.PAGE_CACHE_BYTES) +
  OP.i32_mul +
  i32const(layout.PAGE_CACHES) +
  OP.i32_add +
  set(CACHE) +
  get(ASK) +
  i32const((1 << SPAN_BITS) - 1) +
  OP.i32_and +
  set(SPAN) +
  pool +
  i32const(layout.PAGE_CACHE_POOLS / 2) +
  OP.i32_and +
  i32const(layout.TLB_READ) +
  OP.i32_add +
  set(TABLE);

const entryOf = (va: number, table: Code = get(TABLE)): Code =>
  table +
  memoryOp(OP.i32_load, 2, 0) +
  get(va) +
  i32const(10) +
  OP.i32_shr_u +
  i32const(0x3f_fffc) +
  OP.i32_and +
  OP.i32_add +
  memoryOp(OP.i32_load, 2, 0);

const count = (offset: number): Code =>
  get(COUNTS) +
  get(COUNTS) +
  memoryOp(OP.i32_load, 2, layout.PAGE_CACHE_COUNTS + offset) +
  i32const(1) +
  OP.i32_add +
  memoryOp(OP.i32_store, 2, layout.PAGE_CACHE_COUNTS + offset);

/**
 * Counts that it gives up in vain again in the same page: had the look asked for less, it might have passed. That a page is touched
 * for the first time says nothing.
 */
const countFailure =
  get(VA) +
  i32const(-PAGE) +
  OP.i32_and +
  OP.local_tee +
  uleb(HOST) +
  get(CACHE) +
  memoryOp(OP.i32_load, 2, layout.CACHE_FAILED) +
  OP.i32_eq +
  OP.if +
  VOID +
  count(4) +
  OP.else +
  get(CACHE) +
  get(HOST) +
  memoryOp(OP.i32_store, 2, layout.CACHE_FAILED) +
  get(COUNTS) +
  i32const(0) +
  memoryOp(OP.i32_store, 2, layout.PAGE_CACHE_COUNTS + 4) +
  OP.end;

const giveUp = countFailure + i32const(0) + OP.return;

/** Leaves the host address, or does `otherwise`. */
const translate = (va: number, otherwise: Code): Code =>
  entryOf(va) +
  OP.local_tee +
  uleb(HOST) +
  OP.i32_eqz +
  OP.if +
  VOID +
  otherwise +
  OP.end +
  get(HOST) +
  i32const(1) +
  OP.i32_sub +
  get(va) +
  OP.i32_xor;

/** A page that may be read, and is not to be written (yet): the look may have asked for it on account of a later store. */
const unlessReadable = entryOf(VA, i32const(layout.TLB_READ)) + OP.if + VOID + countFailure + OP.end;

const remember = (offset: number, value: Code): Code =>
  get(CACHE) + value + memoryOp(OP.i32_store, 2, offset);

/** Moves an end of the run by a page, again and again, as long as the page there lies beside this one. */
const extend = (page: number, step: 1 | -1): Code => {
  const next = get(page) + i32const(step * PAGE) + OP.i32_add;
  // What is to be added to an address for the host's. Of no entry that is an odd number, which the run's is not.
  const delta = entryOf(page) + i32const(1) + OP.i32_sub + get(page) + OP.i32_xor + get(page) + OP.i32_sub;
  const isBeside = delta + get(HOST) + get(VA) + OP.i32_sub + OP.i32_eq;
  const misses = get(COUNTS) + memoryOp(OP.i32_load, 2, layout.PAGE_CACHE_COUNTS);
  return (
    misses +
    i32const(MAX_RUN) +
    misses +
    i32const(MAX_RUN) +
    OP.i32_lt_u +
    OP.select +
    i32const(SHORT_RUN) +
    misses +
    i32const(2 * MAX_RUN) +
    OP.i32_lt_u +
    OP.select +
    set(LIMIT) +
    get(VA) +
    i32const(-PAGE) +
    OP.i32_and +
    set(page) +
    OP.block +
    VOID +
    OP.loop +
    VOID +
    get(LIMIT) +
    OP.i32_eqz +
    OP.br_if +
    byte(1) +
    get(LIMIT) +
    i32const(1) +
    OP.i32_sub +
    set(LIMIT) +
    next +
    set(page) +
    isBeside +
    OP.br_if +
    byte(0) +
    get(page) +
    i32const(step * PAGE) +
    OP.i32_sub +
    set(page) +
    OP.end +
    OP.end
  );
};

/** The entry is about to hold something: if it was empty, it is noted for PageCaches.clear(). What setAside() needs is lost. */
const note =
  get(LIMIT) +
  OP.i32_eqz +
  OP.if +
  VOID +
  loadState(layout.PAGES_CACHED) +
  OP.local_tee +
  uleb(FIRST) +
  i32const(layout.PAGES_LISTED) +
  OP.i32_lt_u +
  OP.if +
  VOID +
  get(FIRST) +
  i32const(2) +
  OP.i32_shl +
  get(CACHE) +
  memoryOp(OP.i32_store, 2, layout.PAGES_LIST) +
  storeState(layout.PAGES_CACHED, get(FIRST) + i32const(1) + OP.i32_add) +
  OP.else +
  storeState(layout.PAGES_CACHED, i32const(layout.PAGES_LISTED + 1)) +
  OP.end +
  OP.end;

/** What the entry held, if anything, is the run before. */
function setAside(): Code {
  return (
    remember(layout.CACHED_BEFORE + layout.CACHED_PAGE, get(FIRST)) +
    remember(layout.CACHED_BEFORE + layout.CACHED_DELTA, get(END)) +
    remember(layout.CACHED_BEFORE + layout.CACHED_ROOM, get(LIMIT))
  );
}

const cached = (offset: number): Code => get(CACHE) + memoryOp(OP.i32_load, 2, offset);

/**
 * What looks meet is often one long run, and a page now and then that lies elsewhere: the run before this one is tried first, and takes
 * its place, unless both are parts of one. An entry that was emptied has no such run.
 */
const changePlaces =
  cached(layout.CACHED_PAGE) +
  set(FIRST) +
  cached(layout.CACHED_DELTA) +
  set(END) +
  cached(layout.CACHED_ROOM) +
  set(LIMIT) +
  get(LIMIT) +
  OP.if +
  VOID +
  get(VA) +
  cached(layout.CACHED_BEFORE + layout.CACHED_PAGE) +
  OP.i32_sub +
  cached(layout.CACHED_BEFORE + layout.CACHED_ROOM) +
  OP.i32_lt_u +
  get(END) +
  cached(layout.CACHED_BEFORE + layout.CACHED_DELTA) +
  OP.i32_ne +
  OP.i32_and +
  OP.if +
  VOID +
  count(0) +
  [layout.CACHED_PAGE, layout.CACHED_DELTA, layout.CACHED_ROOM]
    .map((offset) => remember(offset, cached(layout.CACHED_BEFORE + offset)))
    .join('') +
  setAside() +
  get(VA) +
  cached(layout.CACHED_DELTA) +
  OP.i32_add +
  OP.return +
  OP.end +
  OP.end;

export function lookUpFunction(): FunctionBody {
  const code =
    understand +
    get(CACHE) +
    i32const(layout.PAGE_CACHES) +
    OP.i32_sub +
    i32const(1) +
    OP.i32_shr_u +
    set(COUNTS) +
    changePlaces +
    get(VA) +
    get(SPAN) +
    OP.i32_add +
    set(LAST) + // The last byte, when it is in another page.
    get(VA) +
    get(LAST) +
    OP.i32_xor +
    i32const(-PAGE) +
    OP.i32_and +
    OP.if +
    VOID +
    translate(LAST, giveUp) +
    get(LAST) +
    OP.i32_sub +
    set(LAST) +
    translate(VA, giveUp) +
    get(VA) +
    OP.i32_sub +
    get(LAST) +
    OP.i32_ne +
    OP.if +
    VOID +
    giveUp +
    OP.end +
    OP.end +
    translate(VA, unlessReadable + i32const(0) + OP.return) +
    set(HOST) +
    count(0) +
    setAside() + // All misses of this entry count, this one too: two pages that lie one behind the other are as good as one.
    note +
    extend(FIRST, -1) +
    extend(END, 1) +
    remember(layout.CACHED_PAGE, get(FIRST)) +
    remember(layout.CACHED_DELTA, get(HOST) + get(VA) + OP.i32_sub) +
    remember(layout.CACHED_ROOM, get(END) + get(FIRST) + OP.i32_sub + room + OP.i32_add) +
    get(HOST);
  const locals = Array.from({ length: LIMIT + 1 - CACHE }, () => 'i32' as const);
  return { name: 'lookUp', type: LOOK_UP_TYPE, locals, code, exported: true };
}
