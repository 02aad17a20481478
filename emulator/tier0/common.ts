/**
 * Which rows the common fast loop holds. V8 compiles the loop as one function, and each further handler costs all the
 * others a little: with the rows of the Zb extensions in it, kernels that never use them ran 6 to 20 % slower. So there
 * are two loops; a hart goes over to the full one when it has decoded a row that the common one lacks.
 */
import type { Decoded } from '../isa/decode.ts';
import type { Extension } from '../isa/row.ts';
import { compressedInstructions, type Instruction } from '../isa/table.ts';

/** What compilers emit for rv32gc. */
const COMMON: ReadonlySet<Extension> = new Set<Extension>([
  'I',
  'M',
  'A',
  'F',
  'D',
  'Zicsr',
  'Zifencei',
  'Privileged',
]);

const abbreviated: ReadonlySet<Instruction> = new Set(
  compressedInstructions.filter((c) => c.row.ext === 'C').map((c) => c.expansion),
);

/** True when the common loop holds the row, in its 16-bit form if `compressed`. */
export function isCommon(instruction: Instruction, compressed: boolean): boolean {
  return COMMON.has(instruction.row.ext) && (!compressed || abbreviated.has(instruction));
}

/** True when the common loop holds this instruction. */
export function isCommonInstruction(d: Decoded): boolean {
  return isCommon(d.instruction, d.length === 2);
}
