/**
 * Taking traps and returning from them; which interrupt comes first; who may execute WFI and SFENCE.VMA.
 * Specification: Privileged Architecture, "Machine Trap Delegation", "Privilege and Global Interrupt-Enable Stack",
 * "Machine Interrupt Registers", "Trap-Return Instructions", "Wait for Interrupt", "Virtualization Support in mstatus".
 * Missing: non-maskable interrupts and double traps (Smrnmi, Smdbltrp, Ssdbltrp are not implemented).
 */
import { INTERRUPT_BIT, Interrupt } from './cause.ts';
import { ILLEGAL } from './csr.ts';
import { MPP_SHIFT, Mstatus, Privilege } from './state.ts';
import type { PrivState } from './state.ts';

/** Returned by pendingInterrupt when there is nothing to take. */
export const NO_INTERRUPT = -1;

/** Simultaneous interrupts for the same mode are taken in this order. */
const INTERRUPT_ORDER: readonly number[] = [
  Interrupt.MachineExternal,
  Interrupt.MachineSoftware,
  Interrupt.MachineTimer,
  Interrupt.SupervisorExternal,
  Interrupt.SupervisorSoftware,
  Interrupt.SupervisorTimer,
];

function firstOf(pending: number): number {
  for (const code of INTERRUPT_ORDER) if (((pending >>> code) & 1) !== 0) return INTERRUPT_BIT + code;
  return NO_INTERRUPT;
}

/**
 * The interrupt that must be taken before the next instruction. Those for M come before those for S, whatever their
 * kind; a mode's interrupts are always enabled in less privileged modes and never in more privileged ones.
 * @returns its cause, u32 with INTERRUPT_BIT, or NO_INTERRUPT
 */
export function pendingInterrupt(state: PrivState): number {
  const pending = (state.mip | state.lines) & state.mie;
  if (pending === 0) return NO_INTERRUPT;
  const { privilege, mstatus, mideleg } = state;
  if (privilege < Privilege.M || (mstatus & Mstatus.MIE) !== 0) {
    const forMachine = firstOf(pending & ~mideleg);
    if (forMachine !== NO_INTERRUPT) return forMachine;
  }
  if (privilege < Privilege.S || (privilege === Privilege.S && (mstatus & Mstatus.SIE) !== 0)) {
    return firstOf(pending & mideleg);
  }
  return NO_INTERRUPT;
}

/** Does WFI end? It does when an interrupt is pending and enabled in mie, whatever mstatus and mideleg say. */
export function wakesFromWfi(state: PrivState): boolean {
  return ((state.mip | state.lines) & state.mie) !== 0;
}

/**
 * The mode that a trap enters: S when it is delegated and the hart is not in M mode, else M.
 * @param cause u32 as in mcause
 */
export function trapTarget(state: PrivState, cause: number): Privilege {
  if (state.privilege === Privilege.M) return Privilege.M;
  const code = cause & 31;
  const delegated = cause >>> 31 !== 0 ? state.mideleg : state.medeleg;
  return ((delegated >>> code) & 1) !== 0 ? Privilege.S : Privilege.M;
}

/** The handler's address. Vectored mode moves interrupts, and only them, to BASE + 4 x code. */
function handler(tvec: number, cause: number): number {
  const base = tvec & ~3;
  const vectored = (tvec & 3) === 1 && cause >>> 31 !== 0;
  return (vectored ? base + 4 * (cause & 0x7fff_ffff) : base) >>> 0;
}

/**
 * Takes a trap into M mode: the interrupt-enable stack is pushed, mepc, mcause and mtval are written. MPRV keeps its
 * value, so the handler's loads and stores use it with the new MPP.
 * @param cause u32 as in mcause
 * @param epc u32, the pc of the instruction that trapped or was interrupted
 * @param tval u32
 * @returns the pc to continue at
 */
export function enterMachineTrap(state: PrivState, cause: number, epc: number, tval: number): number {
  let { mstatus } = state;
  mstatus = (mstatus & Mstatus.MIE) !== 0 ? mstatus | Mstatus.MPIE : mstatus & ~Mstatus.MPIE;
  mstatus = (mstatus & ~(Mstatus.MIE | Mstatus.MPP)) | (state.privilege << MPP_SHIFT);
  state.mstatus = mstatus;
  state.mepc = (epc & ~1) >>> 0;
  state.mcause = cause >>> 0;
  state.mtval = tval >>> 0;
  state.privilege = Privilege.M;
  return handler(state.mtvec, cause);
}

/** Takes a trap into S mode. Parameters and result as enterMachineTrap's. */
export function enterSupervisorTrap(state: PrivState, cause: number, epc: number, tval: number): number {
  let { mstatus } = state;
  mstatus = (mstatus & Mstatus.SIE) !== 0 ? mstatus | Mstatus.SPIE : mstatus & ~Mstatus.SPIE;
  mstatus &= ~(Mstatus.SIE | Mstatus.SPP);
  if (state.privilege === Privilege.S) mstatus |= Mstatus.SPP;
  state.mstatus = mstatus;
  state.sepc = (epc & ~1) >>> 0;
  state.scause = cause >>> 0;
  state.stval = tval >>> 0;
  state.privilege = Privilege.S;
  return handler(state.stvec, cause);
}

/** Takes a trap into the mode that medeleg and mideleg choose. */
export function enterTrap(state: PrivState, cause: number, epc: number, tval: number): number {
  return trapTarget(state, cause) === Privilege.S
    ? enterSupervisorTrap(state, cause, epc, tval)
    : enterMachineTrap(state, cause, epc, tval);
}

/**
 * MRET. Legal in M mode only.
 * @returns the pc to continue at, or ILLEGAL
 */
export function mret(state: PrivState): number {
  if (state.privilege !== Privilege.M) return ILLEGAL;
  const previous = ((state.mstatus >>> MPP_SHIFT) & 3) as Privilege;
  let { mstatus } = state;
  mstatus = (mstatus & Mstatus.MPIE) !== 0 ? mstatus | Mstatus.MIE : mstatus & ~Mstatus.MIE;
  mstatus = (mstatus | Mstatus.MPIE) & ~Mstatus.MPP;
  if (previous !== Privilege.M) mstatus &= ~Mstatus.MPRV;
  state.mstatus = mstatus;
  state.privilege = previous;
  return state.mepc;
}

/**
 * SRET. Illegal in U mode, and in S mode under TSR.
 * @returns the pc to continue at, or ILLEGAL
 */
export function sret(state: PrivState): number {
  if (state.privilege === Privilege.U) return ILLEGAL;
  if (state.privilege === Privilege.S && (state.mstatus & Mstatus.TSR) !== 0) return ILLEGAL;
  const previous = (state.mstatus & Mstatus.SPP) !== 0 ? Privilege.S : Privilege.U;
  let { mstatus } = state;
  mstatus = (mstatus & Mstatus.SPIE) !== 0 ? mstatus | Mstatus.SIE : mstatus & ~Mstatus.SIE;
  mstatus = (mstatus | Mstatus.SPIE) & ~(Mstatus.SPP | Mstatus.MPRV);
  state.mstatus = mstatus;
  state.privilege = previous;
  return state.sepc;
}

/** WFI is illegal in U mode, and in S mode under TW: the bounded time that TW grants is none. */
export function wfiLegal(state: PrivState): boolean {
  if (state.privilege === Privilege.M) return true;
  return state.privilege === Privilege.S && (state.mstatus & Mstatus.TW) === 0;
}

/** SFENCE.VMA is illegal in U mode, and in S mode under TVM. */
export function sfenceVmaLegal(state: PrivState): boolean {
  if (state.privilege === Privilege.M) return true;
  return state.privilege === Privilege.S && (state.mstatus & Mstatus.TVM) === 0;
}

/** What ArchitecturalTraps needs of a hart. */
export interface TrappingHart {
  /** The trapping pc on entry, the handler's on return. */
  pc: number;
  readonly state: PrivState;
}

/**
 * The supervisor of a machine that runs an image of its own: traps for S mode go to stvec, as the architecture says.
 * A Supervisor (hart.ts) of which nothing depends on a kernel.
 */
export class ArchitecturalTraps {
  /**
   * @param cause u32 as in scause
   * @returns true: the hart continues at hart.pc; false: the handler's own first instruction raised the exception, so
   * nothing would ever retire again
   */
  trap(hart: TrappingHart, cause: number, tval: number): boolean {
    const { pc, state } = hart;
    const inHandler = state.privilege === Privilege.S;
    hart.pc = enterSupervisorTrap(state, cause, pc, tval);
    return !(inHandler && hart.pc === pc);
  }
}
