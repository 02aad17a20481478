/**
 * The layout of the machine's one WebAssembly.Memory: registers, TLB tables, micro-ops, RAM.
 *
 * Everything that compiled code touches lies here, at addresses that are constants of this file, so that
 * both tiers and the TypeScript side agree on them. All offsets are in bytes.
 *
 *     0x0000_0000  registers and words shared with compiled code (one 64 KiB page)
 *     0x0001_0000  page caches of tier 1
 *     0x0004_0000  TLB views: VIEW_COUNT x (read, write, fetch) tables of 2^20 words
 *     ...          decoded pages: micro-ops of translated code
 *     ...          jump cache, heat and profile of tier 1
 *     ...          RAM
 *
 * Nothing is initialised: zero means invalid in every table, so untouched parts cost no memory.
 */

/** x0 to x31, then a junk word at index 32 that takes writes meant for x0. */
export const X = 0x000;
export const X_JUNK = 32;
/** f0 to f31, 8 bytes each. */
export const F = 0x100;
/** The pc; valid whenever compiled code is not running. */
export const PC = 0x200;
/** Instructions left of the budget; valid at every exit and inside helper calls. */
export const BUDGET = 0x204;
/** Micro-op address of the instruction that `step` is to execute. */
export const IP = 0x208;
/** The pc of the micro-op at the address ANCHOR_IP, from which the pcs of others in its page are counted. */
export const ANCHOR_IP = 0x20c;
export const ANCHOR_PC = 0x268;
/** Bases of the current views' tables. */
export const TLB_READ = 0x210;
export const TLB_WRITE = 0x214;
export const TLB_FETCH = 0x218;
/** Host address tag of the LR reservation, 0 when there is none. */
export const RESERVATION = 0x21c;
/** mstatus.FS: 0 off, 1 initial, 2 clean, 3 dirty. */
export const FS = 0x220;
/** frm << 5 | fflags. */
export const FCSR = 0x224;
/** Result of a slow load (8 bytes), operand of a slow store. */
export const SCRATCH = 0x228;

/** ENTRY (tier0/uop.ts) when tier 1 wants to know where jumps land, else 0. */
export const MARK = 0x230;
/** How often an entry is executed before `run` leaves with STATUS.hot. */
export const THRESHOLD = 0x234;
/** With no more budget than that `run` does not count. */
export const AMPLE = 0x238;
/** Instructions that regions have retired, modulo 2^32. */
export const REGION_RETIRED = 0x23c;

/** After an ECALL for which regions had to return: 1 when the interpreter must leave too. */
export const SERVED = 0x248;

/** What regions write to pass the time (jit/lookups.ts); nobody reads it. */
export const IDLE = 0x250;

/** Not zero when the time in regions is measured: the interpreter then enters them through its import `region`. */
export const TIMED = 0x24c;

/** A micro-op for one instruction outside a decoded page (single step over breakpoints and page borders). */
export const SCRATCH_UOP = 0x240;

/** ENTRY when a region has been left where code goes on that has no region yet, else 0. */
export const LANDING = 0x264;

/** How many page caches of tier 1 hold pages; PAGES_LISTED + 1 for all numbers above PAGES_LISTED. */
export const PAGES_CACHED = 0x260;
/** Their addresses, as far as they find room: emptying them costs no more than filling them did. */
export const PAGES_LIST = 0x300;
export const PAGES_LISTED = 64;

/**
 * Tier 1's page caches (mmu/pageCaches.ts): pools of entries of four words, the address of a run of pages, what is to be
 * added to an address in it for the host's, and in how many bytes from its beginning a group of accesses must begin; 0: the entry holds
 * nothing. In front of all that is large, so that regions say their addresses, four for each look, in three bytes instead of five.
 */
export const PAGE_CACHES = 0x1_0000;
export const PAGE_CACHE_POOLS = 8;
export const PAGE_CACHE_POOL_SIZE = 512;
export const PAGE_CACHE_BYTES = 16;
export const CACHED_PAGE = 0;
export const CACHED_DELTA = 4;
export const CACHED_ROOM = 8;
/** The page in which the last look in vain began. */
export const CACHE_FAILED = 12;
/** Two words for each entry: misses, and looks in vain in one page. */
export const PAGE_CACHE_COUNTS = PAGE_CACHES + PAGE_CACHE_POOLS * PAGE_CACHE_POOL_SIZE * PAGE_CACHE_BYTES;

/** For each entry the run that it held before this one, as good as it as long as it holds any: from an entry's address to it. */
export const CACHED_BEFORE = PAGE_CACHE_POOLS * PAGE_CACHE_POOL_SIZE * (PAGE_CACHE_BYTES + 8);

export const VIEW_COUNT = 24;
export const TABLE_BYTES = 4 << 20;
export const VIEW_BYTES = 3 * TABLE_BYTES;
export const VIEWS = 0x4_0000;

/**
 * A decoded page: a header, 2048 micro-ops of 8 bytes (one for each halfword of the guest page), and a
 * closing micro-op that goes on to the next page. Its address is that of its first micro-op.
 */
export const DECODED_COUNT = 2048;
/** Micro-ops of a page. */
export const DECODED_UOPS = 2048;
export const DECODED_HEADER = 64;
export const DECODED_STRIDE = DECODED_HEADER + DECODED_UOPS * 8 + 64;
export const DECODED = VIEWS + VIEW_COUNT * VIEW_BYTES;
/** In the header, relative to the page's address: the decoded page that follows a straddling instruction. */
export const STRADDLE_NEXT = -64;
/** The straddling instruction's own micro-op, and what closes it. */
export const STRADDLE_UOP = -32;

/**
 * Tier 1's jump cache: JUMP_CACHE_SIZE entries of two words, a region's pc, and the slot of its function XOR the address of
 * the fetch table in whose view it was entered (those differ above the low 22 bits, so a slot is what XOR leaves).
 */
export const JUMP_CACHE_SIZE = 1 << 16;
/** An entry's index is ((pc >>> 1) ^ (fetch table >>> JUMP_CACHE_VIEW_SHIFT)) % JUMP_CACHE_SIZE. */
export const JUMP_CACHE_VIEW_SHIFT = 14;
export const JUMP_CACHE = DECODED + DECODED_COUNT * DECODED_STRIDE;
/** How often the entries of tier 1 have been executed without a region, by micro-op address; words. */
export const HEAT_SIZE = 1 << 16;
export const HEAT = JUMP_CACHE + JUMP_CACHE_SIZE * 8;

/**
 * Where jumps to computed addresses went in the interpreter: for each of PROFILE_SITES micro-ops, by their address,
 * PROFILE_TARGETS words, by the target. Who reads them must be ready for the targets of another micro-op. Of two targets that share a word
 * one is missing, and has what lies around it compiled again: within 128 bytes none do.
 */
export const PROFILE_SITES = 1 << 12;
export const PROFILE_TARGETS = 64;
export const PROFILE = HEAT + HEAT_SIZE * 4;

/** Bytes of a page of WebAssembly's memory. */
const WASM_PAGE = 0x1_0000;

/** Where RAM begins. 64 KiB aligned. */
export const RAM = Math.ceil((PROFILE + PROFILE_SITES * PROFILE_TARGETS * 4) / WASM_PAGE) * WASM_PAGE;

/** The type of the memory that modules import, good for every size of RAM. */
export function memoryType(shared: boolean): { initial: number; maximum: number; shared: boolean } {
  return { initial: memoryPages(0), maximum: 0x1_0000, shared };
}

export function isShared(memory: WebAssembly.Memory): boolean {
  // By name, since it may be of another realm.
  return Object.prototype.toString.call(memory.buffer) === '[object SharedArrayBuffer]';
}

/** WebAssembly pages for a machine with that much RAM. */
export function memoryPages(ramBytes: number): number {
  return (RAM + ramBytes) / WASM_PAGE;
}
