/** Looking behind the hart, to see which tier executes. */
import type { Machine } from '../../../emulator/index.ts';
import * as layout from '../../../emulator/layout.ts';
import { ENTRY, OP_ILLEGAL, UOP_SCALE } from '../../../emulator/tier0/uop.ts';

/** Replaces the micro-op at pc by an illegal one, at which a region may still be entered: the interpreter can only trap. */
export function poison(machine: Machine, pc: number): void {
  const memory = new DataView(machine.memory.buffer);
  const fetch = memory.getUint32(layout.TLB_FETCH, true);
  const page = memory.getUint32(fetch + (pc >>> 12) * 4, true);
  if (page === 0) throw new Error(`nothing was fetched from 0x${pc.toString(16)}`);
  memory.setUint16(page + (pc & 0xfff) * UOP_SCALE, OP_ILLEGAL | ENTRY, true);
}
