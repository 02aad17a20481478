/**
 * Sets of registers, and which formats a region's f registers have.
 *
 * A region that computes in floating point may assume that NX is accrued, that the rounding mode is RNE and that FS is dirty
 * (its prologue sees to it). Then an f register that all its instructions use in one format is a local of that format, a single
 * being NaN-boxed only when it is written back. A register used in both formats stays in the register file.
 */
import type { Insn, RegionCode } from './region.ts';

/** Bit n of `x`: x[n]; bit n of `f`: f[n]. */
export interface Regs {
  readonly x: number;
  readonly f: number;
}

export const NONE: Regs = { x: 0, f: 0 };

/** Often there is nothing new: then it is `a` itself. */
export function union(a: Regs, b: Regs): Regs {
  return ((b.x & ~a.x) | (b.f & ~a.f)) === 0 ? a : { x: a.x | b.x, f: a.f | b.f };
}

export function without(a: Regs, b: Regs): Regs {
  return { x: a.x & ~b.x, f: a.f & ~b.f };
}

export function equal(a: Regs, b: Regs): boolean {
  return a.x === b.x && a.f === b.f;
}

/** The numbers of a mask, in order. */
export function numbers(mask: number): number[] {
  const found: number[] = [];
  for (let r = 0; r < 32; r++) if ((mask >>> r) & 1) found.push(r);
  return found;
}

export type FloatType = 'f32' | 'f64';
/** Formats of the f registers that are in locals. */
export type FloatTypes = ReadonlyMap<number, FloatType>;

/** The format of each f operand, from the name: `fcvt.s.d` has another for its result than for its source. */
function formats(name: string): { result: FloatType; source: FloatType } {
  const type = (letter: string | undefined): FloatType => (letter === 'd' ? 'f64' : 'f32');
  const [stem = '', first, second] = name.split('.');
  if (stem === 'fld' || stem === 'fsd') return { result: 'f64', source: 'f64' };
  if (stem === 'fcvt') return { result: type(first), source: type(second) };
  return { result: type(first), source: type(first) };
}

/** What a row's operands are: which fields are f registers, and in which format. */
interface FloatOperands {
  readonly rd: FloatType | null;
  readonly rs1: FloatType | null;
  readonly rs2: FloatType | null;
  readonly rs3: FloatType | null;
}

const operandsOf = new Map<number, FloatOperands>();

function floatOperands({ instruction }: Insn): FloatOperands {
  let known = operandsOf.get(instruction.index);
  if (known === undefined) {
    const { result, source } = formats(instruction.row.name);
    const { rd, rs1, rs2, rs3 } = instruction;
    known = {
      rd: rd === 'f' ? result : null,
      rs1: rs1 === 'f' ? source : null,
      rs2: rs2 === 'f' ? source : null,
      rs3: rs3 === 'f' ? source : null,
    };
    operandsOf.set(instruction.index, known);
  }
  return known;
}

/** Formats for a region's locals; empty when it does not compute in floating point. */
export function floatTypes(code: RegionCode): FloatTypes {
  const types = new Map<number, FloatType>();
  const mixed = new Set<number>();
  let computes = false;
  const note = (register: number, type: FloatType | null): void => {
    if (type === null) return;
    const known = types.get(register);
    if (known === undefined) types.set(register, type);
    else if (known !== type) mixed.add(register);
  };
  for (const { insns } of code.blocks) {
    for (const insn of insns) {
      computes ||= insn.instruction.traits.fp !== null;
      const { instruction } = insn;
      if (instruction.rd !== 'f' && instruction.rs1 !== 'f' && instruction.rs2 !== 'f') continue;
      const { rd, rs1, rs2, rs3 } = floatOperands(insn);
      note(insn.fields.rd, rd);
      note(insn.fields.rs1, rs1);
      note(insn.fields.rs2, rs2);
      note(insn.fields.rs3, rs3);
    }
  }
  for (const register of mixed) types.delete(register);
  return computes ? types : new Map();
}

/** The f registers that fused multiply-adds read, as a mask. */
export function fusedOperands(blocks: readonly { readonly insns: readonly Insn[] }[]): number {
  let mask = 0;
  for (const { insns } of blocks) {
    for (const { instruction, fields } of insns) {
      if (instruction.rs3 === 'f') mask |= (1 << fields.rs1) | (1 << fields.rs2) | (1 << fields.rs3);
    }
  }
  return mask;
}

/** The bit of an operand, a register of that file: of the x registers, or of f registers in locals. */
const bitOf = (file: string, wanted: string, register: number): number =>
  file === wanted ? 1 << register : 0;

/** What an instruction reads and writes of the registers that are in locals; x0 is none. */
export function accesses(insn: Insn, types: FloatTypes): { reads: Regs; writes: Regs } {
  const { instruction, fields } = insn;
  const { rd, rs1, rs2, rs3 } = instruction;
  const reads = bitOf(rs1, 'x', fields.rs1) | bitOf(rs2, 'x', fields.rs2) | bitOf(rs3, 'x', fields.rs3);
  const writes = bitOf(rd, 'x', fields.rd);
  if (types.size === 0) return { reads: { x: reads & ~1, f: 0 }, writes: { x: writes & ~1, f: 0 } };
  const local = (file: string, register: number): number =>
    types.has(register) ? bitOf(file, 'f', register) : 0;
  const f = local(rs1, fields.rs1) | local(rs2, fields.rs2) | local(rs3, fields.rs3);
  return { reads: { x: reads & ~1, f }, writes: { x: writes & ~1, f: local(rd, fields.rd) } };
}
