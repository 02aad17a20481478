/** How regions are called: what the interpreter and tier 1 agree on. */
import type { FunctionType } from '../wasm/encode.ts';

/**
 * (budget, depth) -> budget left. The pc is in PC, the registers are in the register file, before and after. A region that
 * returns the budget and the pc as they came has done nothing. One that returns its complement, which suffices for nobody, makes all its callers
 * return it too: what they know of addresses, code or views is out of date (ECALL_SLOT).
 */
export const REGION_TYPE: FunctionType = { params: ['i32', 'i32'], results: ['i32'] };

/** Guest calls within WebAssembly calls, at most. */
export const MAX_DEPTH = 200;

/**
 * Where the interpreter's `ecall` stands, which regions call like a function: with PC at the ECALL, which is counted in the budget. Its
 * result is negative when the TLB, the views or decoded code have changed, or the hart must look around.
 */
export const ECALL_SLOT = 0;

/** Slots for regions at most. A table begins with ECALL_SLOT alone and grows: each instance that imports one has a copy of it in V8. */
export const TABLE_SIZE = 2048;
