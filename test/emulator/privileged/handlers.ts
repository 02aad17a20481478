/**
 * The trap handlers of generated programs: they log a trap and go on behind the instruction that trapped.
 *
 * A record is six words: vector slot (99: not vectored), cause, epc, tval, status, pending interrupts.
 * tval of a breakpoint is not logged: the specification permits zero (QEMU) and the pc (ours, Spike).
 * Registers: s11 the log, s10 where to go on after a fetch fault, s9 set when the segment is over, s8 the next segment;
 * t5 and t6 are the M handler's, t3 and t4 the S handler's.
 */
import { Mstatus } from '../../../emulator/priv/state.ts';
import type { Code } from './code.ts';
import { csr } from './image.ts';

export const S8 = 24;
export const S9 = 25;
export const S10 = 26;
export const S11 = 27;
const NOT_VECTORED = 99;
const SLOTS = 16;
export const RECORD_WORDS = 6;

interface Mode {
  readonly prefix: 'm' | 's';
  readonly t: number;
  readonly u: number;
}

function record(c: Code, { prefix, t, u }: Mode): void {
  const size = 4 * RECORD_WORDS;
  c.emit('addi', { rd: S11, rs1: S11, imm: size });
  c.emit('sw', { rs1: S11, rs2: u, imm: -size });
  [`${prefix}cause`, `${prefix}epc`, '', `${prefix}status`, `${prefix}ip`].forEach((name, i) => {
    if (name !== '') c.csrRead(t, name);
    c.emit('sw', { rs1: S11, rs2: name === '' ? 0 : t, imm: 4 * (i + 1) - size });
  });
  c.csrRead(t, `${prefix}cause`);
  c.emit('addi', { rd: u, rs1: 0, imm: 3 });
  c.to(`${prefix}NoTval`, 'beq', { rs1: t, rs2: u });
  c.csrRead(t, `${prefix}tval`);
  c.emit('sw', { rs1: S11, rs2: t, imm: 12 - size });
  c.to(`${prefix}Logged`);
  c.label(`${prefix}NoTval`);
  c.csrWrite(`${prefix}tval`, 0);
  c.label(`${prefix}Logged`);
}

/** An interrupt's source stays; its enable bit goes. */
function interrupt(c: Code, { prefix, t, u }: Mode): void {
  c.csrRead(t, `${prefix}cause`);
  c.to(`${prefix}Exception`, 'bge', { rs1: t, rs2: 0 });
  c.emit('andi', { rd: u, rs1: t, imm: 31 });
  c.emit('addi', { rd: t, rs1: 0, imm: 1 });
  c.emit('sll', { rd: t, rs1: t, rs2: u });
  c.emit('csrrc', { rd: 0, rs1: t, csr: csr(`${prefix}ie`) });
  c.to(`${prefix}Out`);
}

function exception(c: Code, { prefix, t, u }: Mode): void {
  const compare = (value: number, branch: string, label: string): void => {
    c.emit('addi', { rd: u, rs1: 0, imm: value });
    c.to(`${prefix}${label}`, branch, { rs1: t, rs2: u });
  };
  c.label(`${prefix}Exception`);
  compare(1, 'beq', 'Fetch');
  compare(12, 'beq', 'Fetch');
  compare(8, 'blt', 'Skip');
  compare(12, 'bge', 'Skip');
  c.to(`${prefix}Skip`, 'beq', { rs1: S9, rs2: 0 });
  if (prefix === 'm') {
    c.csrWrite('mepc', S8);
    c.li(u, Mstatus.MPP);
    c.emit('csrrs', { rd: 0, rs1: u, csr: csr('mstatus') });
    c.emit('addi', { rd: S9, rs1: 0, imm: 0 });
    c.emit('mret');
  } else c.emit('ecall');
  // Behind the instruction: its length is in its first halfword, which every mode's handler sees one to one.
  c.label(`${prefix}Skip`);
  c.csrRead(t, `${prefix}epc`);
  c.li(u, 0x0fff_ffff);
  c.emit('and', { rd: t, rs1: t, rs2: u });
  c.emit('lui', { rd: u, imm: 0x8000_0000 | 0 });
  c.emit('or', { rd: t, rs1: t, rs2: u });
  c.emit('lhu', { rd: t, rs1: t, imm: 0 });
  c.emit('andi', { rd: t, rs1: t, imm: 3 });
  c.emit('addi', { rd: u, rs1: 0, imm: 3 });
  c.emit('xor', { rd: t, rs1: t, rs2: u });
  c.emit('sltiu', { rd: t, rs1: t, imm: 1 });
  c.emit('slli', { rd: t, rs1: t, imm: 1 });
  c.emit('addi', { rd: t, rs1: t, imm: 2 });
  c.csrRead(u, `${prefix}epc`);
  c.emit('add', { rd: u, rs1: u, rs2: t });
  c.csrWrite(`${prefix}epc`, u);
  c.to(`${prefix}Out`);
  c.label(`${prefix}Fetch`);
  c.csrWrite(`${prefix}epc`, S10);
}

function leave(c: Code, { prefix, t, u }: Mode): void {
  c.label(`${prefix}Out`);
  if (prefix === 's') {
    c.emit('sret');
    // Only TSR lets us come here: M mode has skipped the sret. The segment is over.
    c.emit('addi', { rd: S9, rs1: 0, imm: 1 });
    c.emit('ecall');
    return;
  }
  // QEMU 7.2 keeps translations made under MPRV when a trap changes MPP, which makes MPRV mean another mode. And a
  // skipped SFENCE.VMA (illegal in U mode) must not leave what it should have dropped.
  c.csrRead(t, 'mstatus');
  c.li(u, Mstatus.MPRV);
  c.emit('and', { rd: t, rs1: t, rs2: u });
  c.to('mFence', 'bne', { rs1: t, rs2: 0 });
  c.csrRead(t, 'mcause');
  c.emit('addi', { rd: u, rs1: 0, imm: 2 });
  c.to('mReturn', 'bne', { rs1: t, rs2: u });
  c.label('mFence');
  c.emit('sfence.vma', {});
  c.label('mReturn');
  c.emit('mret');
}

/** Labels: `mVectors` and `sVectors` for vectored mode, `mDirect` and `sDirect` for direct mode. */
export function emitHandlers(c: Code): void {
  for (const mode of [
    { prefix: 'm', t: 30, u: 31 },
    { prefix: 's', t: 28, u: 29 },
  ] as const) {
    const { prefix, u } = mode;
    c.pc = Math.ceil(c.pc / 64) * 64;
    c.label(`${prefix}Vectors`);
    for (let slot = 0; slot < SLOTS; slot++) c.to(`${prefix}Slot${slot}`);
    for (let slot = 0; slot < SLOTS; slot++) {
      c.label(`${prefix}Slot${slot}`);
      c.emit('addi', { rd: u, rs1: 0, imm: slot });
      c.to(`${prefix}Common`);
    }
    c.label(`${prefix}Direct`);
    c.emit('addi', { rd: u, rs1: 0, imm: NOT_VECTORED });
    c.label(`${prefix}Common`);
    record(c, mode);
    interrupt(c, mode);
    exception(c, mode);
    leave(c, mode);
  }
}
