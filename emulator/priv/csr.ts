/**
 * Access to CSRs by number: existence, privilege, the CSR instructions. What each register holds is in csrTable.ts.
 * Specification: Unprivileged ISA, "Zicsr"; Privileged Architecture, "CSR Address Mapping Conventions".
 * Missing: nothing known.
 */
import type { FpStatus, PrivState } from './state.ts';
import { csrRows } from './csrTable.ts';

/** The answer of every function here to an access that raises an illegal-instruction exception. */
export const ILLEGAL = -1;

/** Where rdtime comes from: the CLINT's mtime. */
export interface TimeSource {
  timeLow(): number;
  timeHigh(): number;
}

/** What CSRs are made of. The hart is one, or owns one. */
export interface CsrContext {
  readonly state: PrivState;
  readonly fp: FpStatus;
  readonly clock: TimeSource;
  /** Instructions retired before the one that executes now; exact. */
  readonly retired: number;
}

/** One CSR. Its lowest privilege and whether it can be written are in the bits of its number. */
export interface CsrRow {
  readonly number: number;
  readonly name: string;
  /** @returns u32 */
  readonly read: (c: CsrContext) => number;
  /** Legalises and stores; absent when the number says read-only. @returns effect bits */
  readonly write?: (c: CsrContext, value: number) => number;
  /** Further conditions for an access to be legal, after existence and privilege. */
  readonly legal?: (c: CsrContext) => boolean;
  /** What csrrs and csrrc modify, where that is not what they read (mip.SEIP). */
  readonly modifies?: (c: CsrContext) => number;
}

/** By number. Null until somebody asks: a program in user mode hardly does, and to make the rows takes part of its start. */
let rowOf: readonly (CsrRow | undefined)[] | null = null;

function byNumber(): readonly (CsrRow | undefined)[] {
  const rows = Array<CsrRow | undefined>(4096);
  for (const row of csrRows()) rows[row.number] = row;
  return rows;
}

/** The CSR of that number, or undefined. */
export function csrRow(number: number): CsrRow | undefined {
  return (rowOf ??= byNumber())[number];
}

/** The name of a CSR; `csr_0x7c0` for one that this machine does not have. */
export function csrName(number: number): string {
  return csrRow(number)?.name ?? `csr_0x${number.toString(16).padStart(3, '0')}`;
}

/** The number of a CSR by its name, or undefined. */
export function csrNumber(name: string): number | undefined {
  return (rowOf ??= byNumber()).find((row) => row?.name === name)?.number;
}

/** Bits 11..10 of the number: 3 means read-only. */
export function isReadOnly(number: number): boolean {
  return (number >>> 10) % 4 === 3;
}

/** Bits 9..8 of the number: the lowest privilege that may access it (2, hypervisor, is above S). */
export function lowestPrivilege(number: number): number {
  return (number >>> 8) & 3;
}

function accessible(c: CsrContext, number: number): CsrRow | undefined {
  const row = csrRow(number);
  if (row === undefined || c.state.privilege < lowestPrivilege(number)) return undefined;
  return row.legal === undefined || row.legal(c) ? row : undefined;
}

/**
 * Reads a CSR at the current privilege.
 * @param number 0..0xfff
 * @returns u32, or ILLEGAL
 */
export function csrRead(c: CsrContext, number: number): number {
  const row = accessible(c, number);
  return row === undefined ? ILLEGAL : row.read(c) >>> 0;
}

/**
 * Writes a CSR at the current privilege.
 * @param value any int32 or u32
 * @returns effect bits, or ILLEGAL
 */
export function csrWrite(c: CsrContext, number: number, value: number): number {
  const row = accessible(c, number);
  return row?.write === undefined ? ILLEGAL : row.write(c, value >>> 0);
}

/** Reusable result of executeCsr. */
export interface CsrResult {
  /** What rd receives, u32; meaningless when rd is x0. */
  value: number;
  /** Effect bits. */
  effects: number;
}

/** Low two bits of funct3. Bit 2 of funct3 marks the immediate forms. */
const RW = 1;
const RS = 2;

/**
 * Executes a CSR instruction, all but the write of rd. CSRRW with rd = x0 does not read the CSR; CSRRS and CSRRC with
 * rs1 = x0 (or a zero immediate) do not write it; otherwise both happen, with their side effects and checks.
 * @param insn the 32-bit encoding
 * @param operand x[rs1]; ignored by the immediate forms
 * @param out receives rd's value and the effects; unchanged when the instruction is illegal
 * @returns false when the instruction raises an illegal-instruction exception (whose tval is `insn`)
 */
export function executeCsr(c: CsrContext, insn: number, operand: number, out: CsrResult): boolean {
  const op = (insn >>> 12) & 3;
  const rd = (insn >>> 7) & 31;
  const rs1 = (insn >>> 15) & 31;
  const row = accessible(c, insn >>> 20);
  const writes = op === RW || rs1 !== 0;
  if (row === undefined || (writes && row.write === undefined)) return false;
  const value = op !== RW || rd !== 0 ? row.read(c) >>> 0 : 0;
  let effects = 0;
  if (writes && row.write !== undefined) {
    const source = ((insn >>> 14) & 1) !== 0 ? rs1 : operand;
    const old = row.modifies === undefined ? value : row.modifies(c);
    const written = op === RW ? source : op === RS ? old | source : old & ~source;
    effects = row.write(c, written >>> 0);
  }
  out.value = value;
  out.effects = effects;
  return true;
}
