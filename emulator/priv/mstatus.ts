/**
 * mstatus and its view sstatus: composition with FS and SD, and the legal values of every field.
 * Specification: Privileged Architecture, "Machine Status Registers (mstatus and mstatush)" and "Supervisor Status".
 * Read-only zero here: UBE, SBE, MBE (little-endian only), VS and XS (no vector unit, no other extension state).
 */
import { Effect } from './effect.ts';
import { FS_SHIFT, Fs, hasFloat, MPP_SHIFT, Mstatus } from './state.ts';
import type { FpStatus, PrivState } from './state.ts';

/** Fields that mstatus implements, FS included and SD (derived) excluded. */
export const MSTATUS_MASK =
  Mstatus.SIE |
  Mstatus.MIE |
  Mstatus.SPIE |
  Mstatus.MPIE |
  Mstatus.SPP |
  Mstatus.MPP |
  Mstatus.FS |
  Mstatus.MPRV |
  Mstatus.SUM |
  Mstatus.MXR |
  Mstatus.TVM |
  Mstatus.TW |
  Mstatus.TSR;

/** Fields of mstatus that sstatus shows. */
export const SSTATUS_MASK = Mstatus.SIE | Mstatus.SPIE | Mstatus.SPP | Mstatus.FS | Mstatus.SUM | Mstatus.MXR;

/** Fields that change how addresses are translated. */
const VIEW_BITS = Mstatus.MPRV | Mstatus.MPP | Mstatus.SUM | Mstatus.MXR;
const INTERRUPT_BITS = Mstatus.SIE | Mstatus.MIE;

/** @returns mstatus as M mode reads it; SD is set exactly when FS is dirty. */
export function readMstatus(state: PrivState, fp: FpStatus): number {
  const fs = fp.getFs();
  return (state.mstatus | (fs << FS_SHIFT) | (fs === Fs.Dirty ? Mstatus.SD : 0)) >>> 0;
}

export function readSstatus(state: PrivState, fp: FpStatus): number {
  return (readMstatus(state, fp) & (SSTATUS_MASK | Mstatus.SD)) >>> 0;
}

/**
 * Writes the fields of `mask`.
 * @param mask MSTATUS_MASK or SSTATUS_MASK
 * @returns effect bits
 */
export function writeMstatus(state: PrivState, fp: FpStatus, value: number, mask: number): number {
  const before = state.mstatus;
  const kept = mask & ~Mstatus.FS;
  let after = (before & ~kept) | (value & kept);
  // 2 is not a privilege mode; the legal value is the lowest one.
  if (((after >>> MPP_SHIFT) & 3) === 2) after &= ~Mstatus.MPP;
  state.mstatus = after >>> 0;
  if (hasFloat(state)) fp.setFs((value & Mstatus.FS) >>> FS_SHIFT);
  const changed = before ^ after;
  return (
    ((changed & VIEW_BITS) !== 0 ? Effect.ViewChanged : 0) |
    ((changed & INTERRUPT_BITS) !== 0 ? Effect.InterruptsChanged : 0)
  );
}
