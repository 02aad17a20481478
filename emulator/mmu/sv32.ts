/**
 * The Sv32 page-table walk. The comments are numbered by the steps of the specification:
 * RISC-V Privileged Architecture 1.12, section 4.3.2, "Virtual Address Translation Process".
 * Missing: Svnapot, Svpbmt (RV64 only), Svinval.
 */
import { Cause } from '../priv/cause.ts';
import { Mstatus, Privilege, dataPrivilege } from '../priv/state.ts';
import type { PrivState } from '../priv/state.ts';

/** Bits of a page-table entry. Bits 9..8 (RSW) are software's, the PPN begins at bit 10. */
export const Pte = { V: 1, R: 2, W: 4, X: 8, U: 16, G: 32, A: 64, D: 128 } as const;
export const PTE_PPN_SHIFT = 10;

export const SATP_PPN_MASK = 0x003f_ffff;

const PAGE_SIZE = 4096;
const MEGAPAGE_MASK = 0x3ff;

/** Bits that are reserved in an entry that points to the next level. */
const RESERVED_IN_POINTER = Pte.U | Pte.A | Pte.D;

/** The kinds of accesses; the values are bits, used in WalkResult.allowed. */
export const Access = { Read: 1, Write: 2, Execute: 4 } as const;
export type Access = 1 | 2 | 4;

/** Physical memory as the walker sees it. Addresses have 34 bits. PMP may be checked behind this interface. */
export interface PageTableMemory {
  /** @returns u32, or -1 when the address holds no memory or may not be read */
  read32(pa: number): number;
  /** @returns false when the address may not be written */
  write32(pa: number, value: number): boolean;
}

/** Everything that a translation depends on besides the tables. */
export interface TranslationView {
  satp: number;
  /** Effective privilege. */
  privilege: Privilege;
  sum: boolean;
  mxr: boolean;
}

/** A reusable result. After a fault only `cause` means something. */
export class WalkResult {
  /** The exception, one of Cause; meaningless after success. */
  cause = 0;
  /** Physical address of the access, 34 bits: an exact number, not an int32. */
  pa = 0;
  /** Level of the leaf: 0 a 4 KiB page, 1 a 4 MiB page; -1 when addresses are not translated. */
  level = -1;
  /** The leaf after the walk, A and D as they are now in memory. */
  pte = 0;
  /** Physical address of the leaf. */
  pteAddress = 0;
  /**
   * The accesses (bits of Access) that need no further walk under the same view: permitted, A set, and for writes D
   * set. What a TLB may cache.
   */
  allowed = 0;
}

function pageFault(access: Access): number {
  if (access === Access.Execute) return Cause.InstructionPageFault;
  return access === Access.Write ? Cause.StorePageFault : Cause.LoadPageFault;
}

function accessFault(access: Access): number {
  if (access === Access.Execute) return Cause.InstructionAccessFault;
  return access === Access.Write ? Cause.StoreAccessFault : Cause.LoadAccessFault;
}

function fail(out: WalkResult, cause: number): boolean {
  out.cause = cause;
  return false;
}

/** The accesses that a leaf permits (bits of Access), A and D not considered. */
function permitted(pte: number, view: TranslationView): number {
  const user = (pte & Pte.U) !== 0;
  if (view.privilege === Privilege.U && !user) return 0;
  if (view.privilege === Privilege.S && user && !view.sum) return 0;
  let allowed = 0;
  if ((pte & Pte.R) !== 0 || (view.mxr && (pte & Pte.X) !== 0)) allowed |= Access.Read;
  if ((pte & Pte.W) !== 0) allowed |= Access.Write;
  // SUM lets S mode load and store in user pages, never execute from them.
  if ((pte & Pte.X) !== 0 && !(user && view.privilege === Privilege.S)) allowed |= Access.Execute;
  return allowed;
}

/**
 * Translates a virtual address; sets A and D when the hardware keeps them. In M mode and under satp.MODE = Bare the
 * physical address is the virtual one.
 * @param va u32
 * @param hardwareAd true: A and D are set by the walk; false: an access that needs them set raises a page fault
 * @param out receives the translation, or the cause of the fault
 * @returns true on success
 */
export function sv32Walk(
  mem: PageTableMemory,
  view: TranslationView,
  va: number,
  access: Access,
  hardwareAd: boolean,
  out: WalkResult,
): boolean {
  if (view.privilege === Privilege.M || view.satp >>> 31 === 0 /* MODE = Bare */) {
    out.pa = va >>> 0;
    out.level = -1;
    out.pte = 0;
    out.pteAddress = 0;
    out.allowed = Access.Read | Access.Write | Access.Execute;
    return true;
  }

  // 1. Let a be satp.ppn x PAGESIZE, and let i = LEVELS - 1.
  let a = (view.satp & SATP_PPN_MASK) * PAGE_SIZE;
  let level = 1;
  let pteAddress;
  let pte;
  for (;;) {
    // 2. Let pte be the value of the PTE at address a + va.vpn[i] x PTESIZE. If accessing it violates a PMA or PMP
    //    check, raise an access-fault exception corresponding to the original access type.
    pteAddress = a + ((va >>> (12 + 10 * level)) & 0x3ff) * 4;
    pte = mem.read32(pteAddress);
    if (pte < 0) return fail(out, accessFault(access));

    // 3. If pte.v = 0, or if pte.r = 0 and pte.w = 1, or if any bits that are reserved are set, stop and raise a
    //    page-fault exception corresponding to the original access type.
    if ((pte & Pte.V) === 0 || (pte & (Pte.R | Pte.W)) === Pte.W) return fail(out, pageFault(access));

    // 4. Otherwise the PTE is valid. If pte.r = 1 or pte.x = 1, go to step 5. Otherwise it is a pointer to the next
    //    level: let i = i - 1; if i < 0, stop and raise a page fault; otherwise let a = pte.ppn x PAGESIZE, go to 2.
    if ((pte & (Pte.R | Pte.X)) !== 0) break;
    if ((pte & RESERVED_IN_POINTER) !== 0) return fail(out, pageFault(access));
    level--;
    if (level < 0) return fail(out, pageFault(access));
    a = (pte >>> PTE_PPN_SHIFT) * PAGE_SIZE;
  }

  // 5. A leaf PTE has been found. Determine if the requested access is allowed by the pte.r, pte.w, pte.x and pte.u
  //    bits, given the privilege mode and SUM and MXR. If not, stop and raise a page fault.
  const allowed = permitted(pte, view);
  if ((allowed & access) === 0) return fail(out, pageFault(access));

  // 6. If i > 0 and pte.ppn[i-1:0] != 0, this is a misaligned superpage; stop and raise a page fault.
  const ppn = pte >>> PTE_PPN_SHIFT;
  if (level > 0 && (ppn & MEGAPAGE_MASK) !== 0) return fail(out, pageFault(access));

  // 7. If pte.a = 0, or if the access is a store and pte.d = 0, either raise a page fault, or set pte.a to 1 and, for
  //    a store, pte.d to 1, in memory; if that violates a PMA or PMP check, raise an access fault.
  const needed = access === Access.Write ? Pte.A | Pte.D : Pte.A;
  if ((pte & needed) !== needed) {
    if (!hardwareAd) return fail(out, pageFault(access));
    pte = (pte | needed) >>> 0;
    if (!mem.write32(pteAddress, pte)) return fail(out, accessFault(access));
  }

  // 8. The translation is successful. pa.pgoff = va.pgoff; if i > 0, pa.ppn[i-1:0] = va.vpn[i-1:0];
  //    pa.ppn[LEVELS-1:i] = pte.ppn[LEVELS-1:i].
  const frame = level > 0 ? ppn + ((va >>> 12) & MEGAPAGE_MASK) : ppn;
  out.pa = frame * PAGE_SIZE + (va & (PAGE_SIZE - 1));
  out.level = level;
  out.pte = pte;
  out.pteAddress = pteAddress;
  out.allowed = (pte & Pte.D) !== 0 ? allowed : allowed & ~Access.Write;
  return true;
}

/**
 * The view of loads and stores in the hart's present state; MPRV makes it differ from that of fetches.
 * @param out is overwritten
 */
export function dataView(state: PrivState, out: TranslationView): void {
  out.satp = state.satp;
  out.privilege = dataPrivilege(state);
  out.sum = (state.mstatus & Mstatus.SUM) !== 0;
  out.mxr = (state.mstatus & Mstatus.MXR) !== 0;
}

/** The view of instruction fetches. Neither MPRV nor SUM nor MXR touches it. */
export function fetchView(state: PrivState, out: TranslationView): void {
  out.satp = state.satp;
  out.privilege = state.privilege;
  out.sum = false;
  out.mxr = false;
}

/** Whether both views are one: in user mode, as a rule. */
export function oneView(state: PrivState): boolean {
  return state.privilege === 0 && (state.mstatus & (Mstatus.MPRV | Mstatus.SUM | Mstatus.MXR)) === 0;
}
