/**
 * Sets of registers, and which formats a region's f registers have.
 *
 * A region that computes in floating point may assume that NX is accrued, that the rounding mode is RNE and that FS is dirty
 * (its prologue sees to it). Then an f register that all its instructions use in one format is a local of that format, a single
 * being NaN-boxed only when it is written back. A register used in both formats stays in the register file.
 */
import type { Insn } from './insn.ts';
import type { RegionCode } from './region.ts';

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

/** The lowest number of a mask that has any; `rest &= rest - 1` takes it away. */
export function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** The numbers of a mask, in order. */
export function numbers(mask: number): number[] {
  const found: number[] = [];
  for (let rest = mask; rest !== 0; rest &= rest - 1) found.push(lowest(rest));
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

const NO_TYPES: FloatTypes = new Map();

function computes({ blocks }: RegionCode): boolean {
  for (const { insns } of blocks)
    for (let i = 0; i < insns.length; i++) if (insns[i].traits.fp !== null) return true;
  return false;
}

/** Formats for a region's locals; empty when it does not compute in floating point. */
export function floatTypes(code: RegionCode): FloatTypes {
  if (!computes(code)) return NO_TYPES;
  const types = new Map<number, FloatType>();
  const mixed = new Set<number>();
  const note = (register: number, type: FloatType | null): void => {
    if (type === null) return;
    const known = types.get(register);
    if (known === undefined) types.set(register, type);
    else if (known !== type) mixed.add(register);
  };
  for (const { insns } of code.blocks) {
    for (const insn of insns) {
      if (!insn.floats) continue;
      const { rd, rs1, rs2, rs3 } = floatOperands(insn);
      note(insn.fields.rd, rd);
      note(insn.fields.rs1, rs1);
      note(insn.fields.rs2, rs2);
      note(insn.fields.rs3, rs3);
    }
  }
  for (const register of mixed) types.delete(register);
  return types;
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

/** Which f registers in locals an instruction reads, and which it writes. */
export function floatUse(
  { instruction, fields }: Insn,
  types: FloatTypes,
): { reads: number; writes: number } {
  const { rd, rs1, rs2, rs3 } = instruction;
  const bit = (file: string, register: number): number =>
    file === 'f' && types.has(register) ? 1 << register : 0;
  const reads = bit(rs1, fields.rs1) | bit(rs2, fields.rs2) | bit(rs3, fields.rs3);
  return { reads, writes: bit(rd, fields.rd) };
}

/** What an instruction writes of the registers in locals. */
export function written(insn: Insn, types: FloatTypes): Regs {
  return { x: insn.writes, f: insn.floats ? floatUse(insn, types).writes : 0 };
}
