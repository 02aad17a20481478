/** A one-instruction assembler made from the table; for tests, trampolines and generated programs. */
import { insertFields, type Fields } from './row.ts';
import { compressedInstructions, instructionNamed } from './table.ts';

/**
 * Encodes an instruction by name and operand fields, e.g. `assemble('addi', { rd: 1, rs1: 0, imm: -1 })`.
 * Immediates are byte values as in assembly (`lui` takes the shifted value). Throws on an unknown name.
 */
export function assemble(name: string, fields: Partial<Fields> = {}): number {
  const instruction = instructionNamed(name);
  if (instruction !== undefined) return insertFields(instruction.pattern, fields);
  const compressed = compressedInstructions.find((c) => c.row.name === name);
  if (compressed === undefined) throw new Error(`no instruction is named ${name}`);
  return insertFields(compressed.pattern, fields);
}
