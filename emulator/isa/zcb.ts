/**
 * Zcb, further compressed instructions, version 1.0. Those that abbreviate rows of Zbb or M exist only with these.
 * Missing: c.zext.w (RV64), and Zcmp and Zcmt, whose encodings are those of c.fsdsp.
 */
import type { CompressedRow, Fields } from './row.ts';

function row(
  name: string,
  pattern: string,
  asm: string,
  expands: string,
  operands: (f: Fields) => Partial<Fields>,
): CompressedRow {
  return { name, ext: 'Zcb', pattern, asm, expands, operands };
}

const same = (f: Fields): Partial<Fields> => f;

/** One register, operand and result; `funct3` tells the operations apart. */
function unary(name: string, funct3: string, expands: string, imm = 0): CompressedRow {
  const operands = (f: Fields): Partial<Fields> => ({ rd: f.rd, rs1: f.rd, imm });
  return row(name, `100 1 11 rd' 11 ${funct3} 01`, 'rd', expands, operands);
}

export const zcb: readonly CompressedRow[] = [
  row('c.lbu', "100 000 rs1' uimm[0|1] rd' 00", 'rd, imm(rs1)', 'lbu', same),
  row('c.lhu', "100 001 rs1' 0 uimm[1] rd' 00", 'rd, imm(rs1)', 'lhu', same),
  row('c.lh', "100 001 rs1' 1 uimm[1] rd' 00", 'rd, imm(rs1)', 'lh', same),
  row('c.sb', "100 010 rs1' uimm[0|1] rs2' 00", 'rs2, imm(rs1)', 'sb', same),
  row('c.sh', "100 011 rs1' 0 uimm[1] rs2' 00", 'rs2, imm(rs1)', 'sh', same),
  unary('c.zext.b', '000', 'andi', 0xff),
  unary('c.sext.b', '001', 'sext.b'),
  unary('c.zext.h', '010', 'zext.h'),
  unary('c.sext.h', '011', 'sext.h'),
  unary('c.not', '101', 'xori', -1),
  row('c.mul', "100 1 11 rd' 10 rs2' 01", 'rd, rs2', 'mul', (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
];
