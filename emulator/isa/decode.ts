/**
 * The decoder, made from the table: instruction word to row and operand fields.
 */
import { FULL_ISA, type Isa } from './choice.ts';
import { emptyFields, extractFields, type Fields } from './row.ts';
import {
  compressedInstructions,
  instructions,
  matchesCompressed,
  type CompressedInstruction,
  type Instruction,
} from './table.ts';

export interface Decoded {
  readonly instruction: Instruction;
  readonly fields: Fields;
  /** 2 or 4 bytes. */
  readonly length: 2 | 4;
  /** The compressed form, when it is one. */
  readonly compressed: CompressedInstruction | null;
}

/** Rows by bits 6:2 and 14:12, since nearly every pattern fixes them. */
const buckets: (readonly Instruction[])[] = Array.from({ length: 256 }, (_unused, key) => {
  const bits = ((key & 31) << 2) | 3 | ((key >> 5) << 12);
  return instructions.filter(({ pattern }) => ((bits ^ pattern.match) & pattern.mask & 0x707f) === 0);
});

const compressedBuckets: (readonly CompressedInstruction[])[] = Array.from({ length: 32 }, (_unused, key) => {
  const bits = (key & 3) | ((key >> 2) << 13);
  return compressedInstructions.filter(
    ({ pattern }) => ((bits ^ pattern.match) & pattern.mask & 0xe003) === 0,
  );
});

/** True when the low halfword belongs to a 32-bit instruction. */
export function isWide(halfword: number): boolean {
  return (halfword & 3) === 3;
}

/**
 * Decodes an instruction; the upper half is ignored when it is compressed. null: illegal, as what `isa` does not hold is.
 */
export function decode(insn: number, isa: Isa = FULL_ISA): Decoded | null {
  return isWide(insn) ? decodeWide(insn, isa) : decodeCompressed(insn & 0xffff, isa);
}

function decodeWide(insn: number, isa: Isa): Decoded | null {
  for (const instruction of buckets[((insn >>> 2) & 31) | (((insn >>> 12) & 7) << 5)]) {
    const { pattern } = instruction;
    if ((insn & pattern.mask) >>> 0 === pattern.match) {
      if (isa.wide[instruction.index] === 0) return null;
      return { instruction, fields: extractFields(pattern, insn), length: 4, compressed: null };
    }
  }
  return null;
}

function decodeCompressed(insn: number, isa: Isa): Decoded | null {
  for (const c of compressedBuckets[(insn & 3) | ((insn >>> 13) << 2)]) {
    if (matchesCompressed(c, insn)) {
      if (!isa.short.has(c)) return null;
      const fields = { ...emptyFields(), ...c.row.operands(extractFields(c.pattern, insn)) };
      return { instruction: c.expansion, fields, length: 2, compressed: c };
    }
  }
  return null;
}
