/**
 * The CSR table: one row per control and status register of the machine.
 * Specification: Privileged Architecture 1.12/1.13, "CSR Listing"; Unprivileged ISA, "F" (fcsr) and "Zicntr/Zihpm".
 * Missing: seed, hypervisor, vector, AIA, Smstateen, mseccfg, Sscofpmf and Sstc registers (extensions not implemented),
 * and the debug-mode registers dcsr, dpc, dscratch, which outside debug mode are illegal anyway.
 */
import { counterHigh, counterLow, setCounterRunning, writeCounterHalf } from './counters.ts';
import type { Counter } from './counters.ts';
import type { CsrContext, CsrRow } from './csr.ts';
import { Effect } from './effect.ts';
import { MSTATUS_MASK, SSTATUS_MASK, readMstatus, readSstatus, writeMstatus } from './mstatus.ts';
import { readPmpcfg, writePmpaddr, writePmpcfg } from './pmp.ts';
import { ADUE, Fs, Mstatus, Privilege } from './state.ts';
import type { PrivState } from './state.ts';

/** Exceptions that may be delegated: all but ecall from M (and the reserved codes). */
const MEDELEG_MASK = 0xb3ff;
/** SSIP, STIP, SEIP: the interrupts that may be delegated, and the bits of mip that software may write. */
const SUPERVISOR_INTERRUPTS = 0x222;
const MIE_MASK = 0xaaa;
/** sip.SSIP is the one pending bit that S mode may write. */
const SSIP = 0x2;
/** mcountinhibit.CY and IR. Bit 1 does not exist, the hpm counters do not count. */
const INHIBIT_CY = 1;
const INHIBIT_IR = 4;
/** menvcfg.FIOM and senvcfg.FIOM; the other fields belong to extensions that are not implemented. */
const ENVCFG_MASK = 1;

/** PrivState's fields that are simple u32 registers. */
type Word = {
  [K in keyof PrivState]: PrivState[K] extends number ? (number extends PrivState[K] ? K : never) : never;
}[keyof PrivState];

/** A register whose legal values are those with no bit outside `mask`. */
function word(number: number, name: string, field: Word, mask = 0xffff_ffff, effects = 0): CsrRow {
  return {
    number,
    name,
    read: (c) => c.state[field],
    write: (c, value) => {
      c.state[field] = (value & mask) >>> 0;
      return effects;
    },
  };
}

/** mepc or sepc: the address of an instruction. */
function exceptionPc(number: number, name: 'mepc' | 'sepc'): CsrRow {
  return {
    number,
    name,
    read: (c) => c.state[name],
    write: (c, value) => {
      c.state[name] = (value & c.state.epcMask) >>> 0;
      return 0;
    },
  };
}

/** A WARL register with one legal value; writes are ignored. */
function fixed(number: number, name: string, value = 0): CsrRow {
  return { number, name, read: () => value, write: () => 0 };
}

/** A register that its number makes read-only. */
function readOnly(number: number, name: string, read: CsrRow['read'], legal?: CsrRow['legal']): CsrRow {
  return legal === undefined ? { number, name, read } : { number, name, read, legal };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** May the current mode read the user-level counter with this index? (mcounteren for S, and scounteren too for U.) */
function counterEnabled(state: PrivState, index: number): boolean {
  if (state.privilege === Privilege.M) return true;
  const enabled = state.privilege === Privilege.S ? state.mcounteren : state.mcounteren & state.scounteren;
  return ((enabled >>> index) & 1) !== 0;
}

function userCounter(index: number, name: string, read: CsrRow['read'], base: number): CsrRow {
  return readOnly(base + index, name, read, (c) => counterEnabled(c.state, index));
}

function machineCounter(
  number: number,
  name: string,
  half: 'high' | 'low',
  of: (s: PrivState) => Counter,
): CsrRow {
  const read = half === 'high' ? counterHigh : counterLow;
  return {
    number,
    name,
    read: (c) => read(of(c.state), c.retired),
    write: (c, value) => {
      writeCounterHalf(of(c.state), half, value, c.retired);
      return Effect.Counters;
    },
  };
}

const fpOn = (c: CsrContext): boolean => c.fp.getFs() !== Fs.Off;

/** A part of fcsr. Any write makes the floating-point state dirty. */
function floatingPoint(number: number, name: string, shift: number, mask: number): CsrRow {
  return {
    number,
    name,
    legal: fpOn,
    read: (c) => (c.fp.getFcsr() >>> shift) & mask,
    write: (c, value) => {
      c.fp.setFcsr((c.fp.getFcsr() & ~(mask << shift)) | ((value & mask) << shift));
      c.fp.setFs(Fs.Dirty);
      return 0;
    },
  };
}

const unprivileged = (): readonly CsrRow[] => [
  floatingPoint(0x001, 'fflags', 0, 0x1f),
  floatingPoint(0x002, 'frm', 5, 0x7),
  floatingPoint(0x003, 'fcsr', 0, 0xff),
  userCounter(0, 'cycle', (c) => counterLow(c.state.mcycle, c.retired), 0xc00),
  userCounter(1, 'time', (c) => c.clock.timeLow(), 0xc00),
  userCounter(2, 'instret', (c) => counterLow(c.state.minstret, c.retired), 0xc00),
  ...range(3, 31).map((i) => userCounter(i, `hpmcounter${i}`, () => 0, 0xc00)),
  userCounter(0, 'cycleh', (c) => counterHigh(c.state.mcycle, c.retired), 0xc80),
  userCounter(1, 'timeh', (c) => c.clock.timeHigh(), 0xc80),
  userCounter(2, 'instreth', (c) => counterHigh(c.state.minstret, c.retired), 0xc80),
  ...range(3, 31).map((i) => userCounter(i, `hpmcounter${i}h`, () => 0, 0xc80)),
];

const supervisor = (): readonly CsrRow[] => [
  {
    number: 0x100,
    name: 'sstatus',
    read: (c) => readSstatus(c.state, c.fp),
    write: (c, value) => writeMstatus(c.state, c.fp, value, SSTATUS_MASK),
  },
  {
    // A view of mie: an interrupt that is not delegated reads as zero and cannot be written.
    number: 0x104,
    name: 'sie',
    read: (c) => c.state.mie & c.state.mideleg,
    write: (c, value) => {
      c.state.mie = (c.state.mie & ~c.state.mideleg) | (value & c.state.mideleg);
      return Effect.InterruptsChanged;
    },
  },
  word(0x105, 'stvec', 'stvec', 0xffff_fffd), // MODE is 0 direct or 1 vectored
  word(0x106, 'scounteren', 'scounteren'),
  word(0x10a, 'senvcfg', 'senvcfg', ENVCFG_MASK),
  word(0x140, 'sscratch', 'sscratch'),
  exceptionPc(0x141, 'sepc'),
  word(0x142, 'scause', 'scause'),
  word(0x143, 'stval', 'stval'),
  {
    number: 0x144,
    name: 'sip',
    read: (c) => (c.state.mip | c.state.lines) & c.state.mideleg,
    modifies: (c) => c.state.mip & c.state.mideleg,
    write: (c, value) => {
      const mask = SSIP & c.state.mideleg;
      c.state.mip = (c.state.mip & ~mask) | (value & mask);
      return Effect.InterruptsChanged;
    },
  },
  {
    // Both modes of the one MODE bit exist, and all of ASID and PPN is held, so every value is legal.
    number: 0x180,
    name: 'satp',
    legal: (c) => c.state.privilege !== Privilege.S || (c.state.mstatus & Mstatus.TVM) === 0,
    read: (c) => c.state.satp,
    write: (c, value) => {
      c.state.satp = value;
      return Effect.ViewChanged;
    },
  },
];

const machine = (): readonly CsrRow[] => [
  readOnly(0xf11, 'mvendorid', () => 0),
  readOnly(0xf12, 'marchid', () => 0),
  readOnly(0xf13, 'mimpid', () => 0),
  readOnly(0xf14, 'mhartid', () => 0),
  readOnly(0xf15, 'mconfigptr', () => 0),
  {
    number: 0x300,
    name: 'mstatus',
    read: (c) => readMstatus(c.state, c.fp),
    write: (c, value) => writeMstatus(c.state, c.fp, value, MSTATUS_MASK),
  },
  // Read-only: no extension can be switched off while the machine runs.
  { number: 0x301, name: 'misa', read: (c) => c.state.misa, write: () => 0 },
  word(0x302, 'medeleg', 'medeleg', MEDELEG_MASK),
  word(0x303, 'mideleg', 'mideleg', SUPERVISOR_INTERRUPTS, Effect.InterruptsChanged),
  word(0x304, 'mie', 'mie', MIE_MASK, Effect.InterruptsChanged),
  word(0x305, 'mtvec', 'mtvec', 0xffff_fffd), // MODE is 0 direct or 1 vectored
  word(0x306, 'mcounteren', 'mcounteren'),
  word(0x30a, 'menvcfg', 'menvcfg', ENVCFG_MASK),
  fixed(0x310, 'mstatush'),
  fixed(0x312, 'medelegh'),
  {
    // ADUE needs no flush: entries of the TLB have A set, and those for writing D.
    number: 0x31a,
    name: 'menvcfgh',
    read: (c) => c.state.menvcfgh,
    write: (c, value) => {
      if (c.state.svadu) c.state.menvcfgh = value & ADUE;
      return 0;
    },
  },
  {
    number: 0x320,
    name: 'mcountinhibit',
    read: (c) => c.state.mcountinhibit,
    write: (c, value) => {
      c.state.mcountinhibit = value & (INHIBIT_CY | INHIBIT_IR);
      setCounterRunning(c.state.mcycle, (value & INHIBIT_CY) === 0, c.retired);
      setCounterRunning(c.state.minstret, (value & INHIBIT_IR) === 0, c.retired);
      return Effect.Counters;
    },
  },
  ...range(3, 31).map((i) => fixed(0x320 + i, `mhpmevent${i}`)),
  word(0x340, 'mscratch', 'mscratch'),
  exceptionPc(0x341, 'mepc'),
  word(0x342, 'mcause', 'mcause'),
  word(0x343, 'mtval', 'mtval'),
  {
    // Reads show what devices drive; a read-modify-write must not latch the external controller's SEIP.
    number: 0x344,
    name: 'mip',
    read: (c) => c.state.mip | c.state.lines,
    modifies: (c) => c.state.mip,
    write: (c, value) => {
      c.state.mip = value & SUPERVISOR_INTERRUPTS;
      return Effect.InterruptsChanged;
    },
  },
  ...range(0, 15).map((i): CsrRow => ({
    number: 0x3a0 + i,
    name: `pmpcfg${i}`,
    read: (c) => readPmpcfg(c.state, i),
    write: (c, value) => {
      writePmpcfg(c.state, i, value);
      return Effect.PmpChanged;
    },
  })),
  ...range(0, 63).map((i): CsrRow => ({
    number: 0x3b0 + i,
    name: `pmpaddr${i}`,
    read: (c) => c.state.pmpaddr[i] ?? 0,
    write: (c, value) => {
      writePmpaddr(c.state, i, value);
      return Effect.PmpChanged;
    },
  })),
  // No trigger exists: tselect is stuck at 0, and tdata1 of type 0 says that there is none (Debug specification, 5.4).
  fixed(0x7a0, 'tselect'),
  fixed(0x7a1, 'tdata1'),
  fixed(0x7a2, 'tdata2'),
  fixed(0x7a3, 'tdata3'),
  machineCounter(0xb00, 'mcycle', 'low', (s) => s.mcycle),
  machineCounter(0xb02, 'minstret', 'low', (s) => s.minstret),
  ...range(3, 31).map((i) => fixed(0xb00 + i, `mhpmcounter${i}`)),
  machineCounter(0xb80, 'mcycleh', 'high', (s) => s.mcycle),
  machineCounter(0xb82, 'minstreth', 'high', (s) => s.minstret),
  ...range(3, 31).map((i) => fixed(0xb80 + i, `mhpmcounter${i}h`)),
];

/** Every CSR of the machine, ordered by lowest privilege; made anew at each call. */
export function csrRows(): readonly CsrRow[] {
  return [...unprivileged(), ...supervisor(), ...machine()];
}
