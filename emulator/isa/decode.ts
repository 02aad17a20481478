/**
 * The decoder, made from the table: instruction word to row and operand fields.
 */
import type { Isa } from './choice.ts';
import { chosenRows, type ChosenRows } from './chosenRows.ts';
import { emptyFields, extractFields, isAllowed, type Fields, type Pattern } from './row.ts';
import {
  compressedInstructions,
  instructions,
  type CompressedInstruction,
  type Instruction,
} from './table.ts';
import { isWide } from './width.ts';

export interface Decoded {
  readonly instruction: Instruction;
  readonly fields: Fields;
  /** 2 or 4 bytes. */
  readonly length: 2 | 4;
  /** The compressed form, when it is one. */
  readonly compressed: CompressedInstruction | null;
}

/** Rows whose patterns admit the bits of the mask; made when code first has such bits, since programs have few. */
function bucketOf<T extends { readonly pattern: Pattern }>(
  buckets: (readonly T[] | null)[],
  key: number,
  rows: readonly T[],
  bits: number,
  mask: number,
): readonly T[] {
  return (buckets[key] ??= rows.filter(
    ({ pattern }) => ((bits ^ pattern.match) & pattern.mask & mask) === 0,
  ));
}

/**
 * Rows by bits that every pattern spells out, so that only those are parsed that code has use for: to read all patterns takes as long as
 * to compile a hundred instructions.
 */
function spelled<T extends { readonly row: { readonly pattern: string } }>(
  rows: readonly T[],
  bits: (pattern: string) => string,
): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (let i = 0; i < rows.length; i++) {
    const one = rows[i] as T;
    const key = parseInt(bits(one.row.pattern), 2);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** By bits 6:0, the opcode. */
const opcodes = spelled(instructions, (pattern) => pattern.slice(-7));
/** By bits 15:13 and 1:0. */
const quadrants = spelled(compressedInstructions, (pattern) => pattern.slice(0, 3) + pattern.slice(-2));

// Code is decoded while V8 interprets this; there an iterator's step costs as much as ten of an index, and a third of all decoding.

/** Rows by bits 6:2 and 14:12, since nearly every pattern fixes them. */
const buckets = Array<readonly Instruction[] | null>(256).fill(null);

/**
 * Decodes an instruction; the upper half is ignored when it is compressed. null: illegal, as what `isa` does not hold is. Without one
 * every row is there.
 */
export function decode(insn: number, isa: Isa | null = null): Decoded | null {
  const chosen = isa === null || isa.full ? null : chosenRows(isa);
  return isWide(insn) ? decodeWide(insn, chosen) : decodeCompressed(insn & 0xffff, chosen);
}

function decodeWide(insn: number, chosen: ChosenRows | null): Decoded | null {
  const key = ((insn >>> 2) & 31) | (((insn >>> 12) & 7) << 5);
  const rows = buckets[key] ?? bucketOf(buckets, key, opcodes.get(insn & 127) ?? [], insn, 0x707f);
  for (let i = 0; i < rows.length; i++) {
    const instruction = rows[i] as Instruction;
    const { pattern } = instruction;
    if ((insn & pattern.mask) >>> 0 === pattern.match) {
      if (chosen?.wide[instruction.index] === 0) return null;
      return { instruction, fields: extractFields(pattern, insn), length: 4, compressed: null };
    }
  }
  return null;
}

function decodeCompressed(insn: number, chosen: ChosenRows | null): Decoded | null {
  const rows = quadrants.get(((insn >>> 11) & 0x1c) | (insn & 3)) ?? [];
  for (let i = 0; i < rows.length; i++) {
    const c = rows[i] as CompressedInstruction;
    if ((insn & c.pattern.mask) !== c.pattern.match) continue;
    const short = extractFields(c.pattern, insn);
    if (!isAllowed(c.row, short)) continue;
    if (chosen?.short.has(c) === false) return null;
    const fields = Object.assign(emptyFields(), c.row.operands(short));
    return { instruction: c.expansion, fields, length: 2, compressed: c };
  }
  return null;
}
