/** How regions are called: what the interpreter and tier 1 agree on. */
import type { FunctionType } from '../wasm/encode.ts';

/**
 * (budget, depth) -> budget left. The pc is in PC, the registers are in the register file, before and after. A region that
 * returns the budget as it came has done nothing.
 */
export const REGION_TYPE: FunctionType = { params: ['i32', 'i32'], results: ['i32'] };

/** Guest calls within WebAssembly calls, at most. */
export const MAX_DEPTH = 200;

/** Slots for regions. An instance's cost grows with the table it imports. */
export const TABLE_SIZE = 2048;
