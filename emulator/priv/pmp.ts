/**
 * Physical memory protection: the WARL rules of pmpcfg/pmpaddr and the check of an access.
 * Specification: Privileged Architecture, "Physical Memory Protection". Granularity is 4 bytes (G = 0), 16 entries.
 * Missing: Smepmp (mseccfg). The hart decides when to call pmpCheck; nothing here is on a hot path.
 */
import { PMP_ENTRIES, Privilege } from './state.ts';
import type { PrivState } from './state.ts';

export const Pmp = { R: 1, W: 2, X: 4, A: 0x18, Tor: 0x08, Na4: 0x10, Napot: 0x18, L: 0x80 } as const;

/** What an access does; values are the bits R, W, X of pmpcfg. */
export const PmpAccess = { Read: 1, Write: 2, Execute: 4 } as const;

/** Physical addresses have 34 bits. */
const PHYSICAL_SPACE = 2 ** 34;

/** Writes the four configuration bytes of pmpcfg`index`; locked entries keep theirs. */
export function writePmpcfg(state: PrivState, index: number, value: number): void {
  for (let byte = 0; byte < 4; byte++) {
    const entry = index * 4 + byte;
    if (entry >= PMP_ENTRIES || (state.pmpcfg[entry] & Pmp.L) !== 0) continue;
    const written = (value >>> (byte * 8)) & (Pmp.L | Pmp.A | Pmp.X | Pmp.W | Pmp.R);
    // R = 0 with W = 1 is reserved; the legal value nearest to it grants less.
    state.pmpcfg[entry] = (written & Pmp.R) === 0 ? written & ~Pmp.W : written;
  }
}

export function readPmpcfg(state: PrivState, index: number): number {
  let value = 0;
  for (let byte = 3; byte >= 0; byte--) value = (value << 8) | (state.pmpcfg[index * 4 + byte] ?? 0);
  return value >>> 0;
}

/**
 * May the address of an entry not be written? A locked entry locks its address, and a locked TOR entry also locks the address below,
 * its lower bound.
 */
export function addressLocked(state: PrivState, entry: number): boolean {
  if ((state.pmpcfg[entry] & Pmp.L) !== 0) return true;
  const above = state.pmpcfg[entry + 1] ?? 0;
  return (above & Pmp.L) !== 0 && (above & Pmp.A) === Pmp.Tor;
}

export function writePmpaddr(state: PrivState, entry: number, value: number): void {
  if (entry < PMP_ENTRIES && !addressLocked(state, entry)) state.pmpaddr[entry] = value;
}

/** First byte of an entry's range. For TOR this is the address of the entry below. */
function rangeStart(state: PrivState, entry: number): number {
  const address = state.pmpaddr[entry];
  const mode = state.pmpcfg[entry] & Pmp.A;
  if (mode === Pmp.Tor) return entry === 0 ? 0 : state.pmpaddr[entry - 1] * 4;
  if (mode === Pmp.Na4) return address * 4;
  return ((address & (address + 1)) >>> 0) * 4;
}

/** First byte after an entry's range. */
function rangeEnd(state: PrivState, entry: number): number {
  const address = state.pmpaddr[entry];
  const mode = state.pmpcfg[entry] & Pmp.A;
  if (mode === Pmp.Tor) return address * 4;
  if (mode === Pmp.Na4) return address * 4 + 4;
  if (address === 0xffff_ffff) return PHYSICAL_SPACE;
  const trailingOnes = 31 - Math.clz32(~address & (address + 1));
  return rangeStart(state, entry) + 8 * 2 ** trailingOnes;
}

/**
 * May an access happen? The lowest-numbered entry that matches any byte decides, and must match all of them.
 * @param pa physical address, 0 <= pa < 2^34
 * @param len bytes, 1..8
 * @param access one of PmpAccess
 * @param privilege effective privilege of the access (S for page-table accesses)
 */
export function pmpCheck(
  state: PrivState,
  pa: number,
  len: number,
  access: number,
  privilege: Privilege,
): boolean {
  for (let entry = 0; entry < PMP_ENTRIES; entry++) {
    const cfg = state.pmpcfg[entry];
    if ((cfg & Pmp.A) === 0) continue;
    const start = rangeStart(state, entry);
    const end = rangeEnd(state, entry);
    if (pa + len <= start || pa >= end) continue;
    if (pa < start || pa + len > end) return false;
    if (privilege === Privilege.M && (cfg & Pmp.L) === 0) return true;
    return (cfg & access) === access;
  }
  return privilege === Privilege.M;
}

/**
 * True when pmpCheck would permit every access of every privilege, so that the hart may skip it: the first active
 * entry covers all of physical memory and grants everything.
 */
export function pmpPermitsAll(state: PrivState): boolean {
  for (let entry = 0; entry < PMP_ENTRIES; entry++) {
    const cfg = state.pmpcfg[entry];
    if ((cfg & Pmp.A) === 0) continue;
    const all = Pmp.R | Pmp.W | Pmp.X;
    return (cfg & all) === all && rangeStart(state, entry) === 0 && rangeEnd(state, entry) >= PHYSICAL_SPACE;
  }
  return false;
}
