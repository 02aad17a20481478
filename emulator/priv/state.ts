/**
 * The privileged state of one hart: everything behind the CSRs except FS and fcsr, as plain data.
 * Specification: RISC-V Privileged Architecture 1.12/1.13, chapters "Machine-Level ISA" and "Supervisor-Level ISA".
 * FS and fcsr live in the machine's state memory, where compiled code tests them; they are reached through FpStatus.
 * Missing: hypervisor, vector, Sstc, Smepmp, Smstateen, Sscofpmf state (the extensions are not implemented).
 */
import { newCounter } from './counters.ts';
import type { Counter } from './counters.ts';

export const Privilege = { U: 0, S: 1, M: 3 } as const;
/** 0 U, 1 S, 3 M. */
export type Privilege = 0 | 1 | 3;

/** misa with all that is implemented: RV32 with A, B, C, D, F, I, M and the modes S and U. */
export const MISA = 0x4014_112f;
/** misa.F. */
const MISA_F = 1 << 5;

/** Without F, mstatus.FS is read-only zero. */
export const hasFloat = (state: PrivState): boolean => (state.misa & MISA_F) !== 0;

/** Bits of mstatus (and of sstatus, its view). FS and SD are composed in at reading. */
export const Mstatus = {
  SIE: 1 << 1,
  MIE: 1 << 3,
  SPIE: 1 << 5,
  MPIE: 1 << 7,
  SPP: 1 << 8,
  MPP: 3 << 11,
  FS: 3 << 13,
  MPRV: 1 << 17,
  SUM: 1 << 18,
  MXR: 1 << 19,
  TVM: 1 << 20,
  TW: 1 << 21,
  TSR: 1 << 22,
  SD: 0x8000_0000,
} as const;

/** Shift counts of the fields of mstatus that are wider than one bit. */
export const MPP_SHIFT = 11;
export const FS_SHIFT = 13;

/** FS: the state of the floating-point unit. Off makes every F, D and fcsr instruction illegal. */
export const Fs = { Off: 0, Initial: 1, Clean: 2, Dirty: 3 } as const;

/** Where the hart keeps mstatus.FS and fcsr. */
export interface FpStatus {
  /** 0 off, 1 initial, 2 clean, 3 dirty. */
  getFs(): number;
  setFs(fs: number): void;
  /** frm << 5 | fflags, 8 bits. */
  getFcsr(): number;
  setFcsr(fcsr: number): void;
}

/** PMP entries that hold state; pmpaddr16..63 and pmpcfg4..15 read as zero. */
export const PMP_ENTRIES = 16;

/** All registers are u32 unless said otherwise. Reset values as the specification gives them, else zero. */
export class PrivState {
  privilege: Privilege = Privilege.M;
  /** The machine's extensions; fixed. */
  misa = MISA;
  /** The bits that mepc and sepc have: all but the lowest, or the lowest two without compressed instructions. */
  epcMask = 0xffff_fffe;

  /** Without FS and SD. Invariant: no bit outside those of Mstatus, MPP never 2. */
  mstatus = 0;
  medeleg = 0;
  mideleg = 0;
  mie = 0;
  /** The software-writable bits of mip: SSIP, STIP, SEIP. */
  mip = 0;
  /** Interrupt lines driven by devices, in mip's bit positions (MSIP, MTIP, MEIP, SEIP). Set by the hart. */
  lines = 0;
  mtvec = 0;
  mcounteren = 0;
  menvcfg = 0;
  /** ADUE alone: the hardware sets A and D (Svadu). */
  menvcfgh = 0;
  /** Svadu is implemented: ADUE can be written. Else it is what it is. */
  svadu = true;
  mscratch = 0;
  /** Always within epcMask. */
  mepc = 0;
  mcause = 0;
  mtval = 0;
  mcountinhibit = 0;

  stvec = 0;
  scounteren = 0;
  senvcfg = 0;
  sscratch = 0;
  /** Always within epcMask. */
  sepc = 0;
  scause = 0;
  stval = 0;
  /** MODE bit 31 (0 Bare, 1 Sv32), ASID bits 30..22, PPN bits 21..0. */
  satp = 0;

  mcycle: Counter = newCounter();
  minstret: Counter = newCounter();

  /** One configuration byte per PMP entry: L . . A A X W R. */
  readonly pmpcfg = new Uint8Array(PMP_ENTRIES);
  /** Bits 33..2 of the physical address, one word per PMP entry. */
  readonly pmpaddr = new Uint32Array(PMP_ENTRIES);
}

/** An independent copy, for a checkpoint. */
export function copyPrivState(from: PrivState): PrivState {
  const to = new PrivState();
  const { pmpcfg, pmpaddr, ...fields } = from;
  Object.assign(to, fields);
  to.mcycle = { ...from.mcycle };
  to.minstret = { ...from.minstret };
  to.pmpcfg.set(pmpcfg);
  to.pmpaddr.set(pmpaddr);
  return to;
}

/** What an SBI firmware leaves behind when it enters S mode: everything the supervisor may handle is delegated to it. */
export function handOffToSupervisor(state: PrivState): void {
  state.medeleg = 0xb1ff; // all but ecall from S and M
  state.mideleg = 0x222;
  state.mcounteren = 7;
  state.pmpaddr[0] = 0xffff_ffff; // NAPOT over the whole physical address space
  state.pmpcfg[0] = 0x1f;
  state.privilege = Privilege.S;
}

/** menvcfg.ADUE, bit 61 of the 64. */
export const ADUE = 1 << 29;

/** Who sets A and D in page-table entries: the walk (true), or the handler of a page fault. */
export function hardwareAd(state: PrivState): boolean {
  return (state.menvcfgh & ADUE) !== 0;
}

/**
 * The privilege that loads and stores use: MPRV makes M mode access memory as MPP would (fetches are never affected).
 */
export function dataPrivilege(state: PrivState): Privilege {
  if ((state.mstatus & Mstatus.MPRV) === 0) return state.privilege;
  return ((state.mstatus >>> MPP_SHIFT) & 3) as Privilege;
}
