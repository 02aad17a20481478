/** Looking up a region in the jump cache (layout.ts), as both tiers do it. */
import * as layout from '../layout.ts';
import { i32const } from './emitter.ts';
import type { Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** The address, less JUMP_CACHE, of the entry for a pc in the view of a fetch table. */
export function jumpCacheEntry(pc: Code, fetchTable: Code): Code {
  const view = fetchTable + i32const(layout.JUMP_CACHE_VIEW_SHIFT) + OP.i32_shr_u;
  const hash = pc + i32const(1) + OP.i32_shr_u + view + OP.i32_xor;
  return hash + i32const(layout.JUMP_CACHE_SIZE - 1) + OP.i32_and + i32const(3) + OP.i32_shl;
}
