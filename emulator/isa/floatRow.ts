/** The shapes that the rows of F, D and Zfa share: OP-FP with and without a rounding mode, fused operations, memory. */
import type { Builder, I32 } from './builder.ts';
import type { Row } from './row.ts';

/** An instruction of 32 bits in one of the floating-point extensions. */
export type FloatExtension = 'F' | 'D' | 'Zfa';

export const ZFA = 'Zfa';

const OP_FP = '1010011';

/** Computes in the helper table; every such row is only its encoding. */
function computed(name: string, ext: FloatExtension, pattern: string, asm: string): Row {
  return { name, ext, pattern, asm, exec: (b) => b.fp(name) };
}

/** Two operands, rounded: fadd, fsub, fmul, fdiv. */
export function rounded2(name: string, ext: FloatExtension, funct7: string): Row {
  return computed(name, ext, `${funct7} rs2 rs1 rm rd ${OP_FP}`, 'fd, fs1, fs2, rm');
}

/** One operand, rounded: fsqrt and the conversions; `rs2` tells them apart. */
export function rounded1(name: string, ext: FloatExtension, funct7: string, rs2: string, asm: string): Row {
  return computed(name, ext, `${funct7} ${rs2} rs1 rm rd ${OP_FP}`, asm);
}

/** Two operands, exact: sign injection, minimum, maximum, comparisons. `destination`: 'fd' or 'rd'. */
export function exact2(
  name: string,
  ext: FloatExtension,
  funct7: string,
  funct3: string,
  destination: string,
): Row {
  return computed(name, ext, `${funct7} rs2 rs1 ${funct3} rd ${OP_FP}`, `${destination}, fs1, fs2`);
}

/** One operand, exact: moves and classification. */
export function exact1(name: string, ext: FloatExtension, funct7: string, funct3: string, asm: string): Row {
  return computed(name, ext, `${funct7} 00000 rs1 ${funct3} rd ${OP_FP}`, asm);
}

/** a * b + c with one rounding. `fmt`: 00 single, 01 double. */
export function fused(name: string, ext: FloatExtension, fmt: string, opcode: string): Row {
  return computed(name, ext, `rs3 ${fmt} rs2 rs1 rm rd ${opcode}`, 'fd, fs1, fs2, fs3, rm');
}

const address = (b: Builder): I32 => b.op('add', b.rs1, b.imm);

export function floatLoad(name: string, ext: FloatExtension, funct3: string, size: 4 | 8): Row {
  return {
    name,
    ext,
    pattern: `imm[11:0] rs1 ${funct3} rd 0000111`,
    asm: 'fd, imm(rs1)',
    exec: (b) => b.loadFloat(size, address(b)),
  };
}

export function floatStore(name: string, ext: FloatExtension, funct3: string, size: 4 | 8): Row {
  return {
    name,
    ext,
    pattern: `imm[11:5] rs2 rs1 ${funct3} imm[4:0] 0100111`,
    asm: 'fs2, imm(rs1)',
    exec: (b) => b.storeFloat(size, address(b)),
  };
}
