/**
 * RV32C, compressed instructions, version 2.0 (with F and D): each row names the row it abbreviates.
 * HINT encodings are legal and expand to what they say, with x0 as destination.
 */
import type { CompressedRow, Fields } from './row.ts';

const SP = 2;
const nonzero: Partial<Fields> = { imm: 0 };

function row(
  name: string,
  pattern: string,
  asm: string,
  expands: string,
  operands: (f: Fields) => Partial<Fields>,
  except?: Partial<Fields>,
): CompressedRow {
  const subset = expands.startsWith('f') ? (expands.endsWith('d') ? 'Zcd' : 'Zcf') : 'Zca';
  const compressed = { name, ext: 'C', subset, pattern, asm, expands, operands } as const;
  return except ? { ...compressed, except } : compressed;
}

const sameRd = (f: Fields): Partial<Fields> => ({ rd: f.rd, rs1: f.rd, imm: f.imm });
const arithmetic = (f: Fields): Partial<Fields> => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 });
const loadSp = (f: Fields): Partial<Fields> => ({ rd: f.rd, rs1: SP, imm: f.imm });
const storeSp = (f: Fields): Partial<Fields> => ({ rs2: f.rs2, rs1: SP, imm: f.imm });
const same = (f: Fields): Partial<Fields> => f;

export const rv32c: readonly CompressedRow[] = [
  // Quadrant 0
  row('c.addi4spn', "000 uimm[5:4|9:6|2|3] rd' 00", 'rd, sp, imm', 'addi', loadSp, nonzero),
  row('c.fld', "001 uimm[5:3] rs1' uimm[7:6] rd' 00", 'fd, imm(rs1)', 'fld', same),
  row('c.lw', "010 uimm[5:3] rs1' uimm[2|6] rd' 00", 'rd, imm(rs1)', 'lw', same),
  row('c.flw', "011 uimm[5:3] rs1' uimm[2|6] rd' 00", 'fd, imm(rs1)', 'flw', same),
  row('c.fsd', "101 uimm[5:3] rs1' uimm[7:6] rs2' 00", 'fs2, imm(rs1)', 'fsd', same),
  row('c.sw', "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", 'rs2, imm(rs1)', 'sw', same),
  row('c.fsw', "111 uimm[5:3] rs1' uimm[2|6] rs2' 00", 'fs2, imm(rs1)', 'fsw', same),
  // Quadrant 1
  row('c.nop', '000 imm[5] 00000 imm[4:0] 01', 'imm', 'addi', (f) => ({ rd: 0, rs1: 0, imm: f.imm })),
  row('c.addi', '000 imm[5] rd imm[4:0] 01', 'rd, imm', 'addi', sameRd, { rd: 0 }),
  row('c.jal', '001 imm[11|4|9:8|10|6|7|3:1|5] 01', 'target', 'jal', (f) => ({ rd: 1, imm: f.imm })),
  row('c.li', '010 imm[5] rd imm[4:0] 01', 'rd, imm', 'addi', (f) => ({ rd: f.rd, rs1: 0, imm: f.imm })),
  row(
    'c.addi16sp',
    '011 imm[9] 00010 imm[4|6|8:7|5] 01',
    'sp, imm',
    'addi',
    (f) => ({ rd: SP, rs1: SP, imm: f.imm }),
    nonzero,
  ),
  row('c.lui', '011 imm[17] rd imm[16:12] 01', 'rd, upper', 'lui', same, { imm: 0, rd: SP }),
  row('c.srli', "100 0 00 rd' uimm[4:0] 01", 'rd, imm', 'srli', sameRd),
  row('c.srai', "100 0 01 rd' uimm[4:0] 01", 'rd, imm', 'srai', sameRd),
  row('c.andi', "100 imm[5] 10 rd' imm[4:0] 01", 'rd, imm', 'andi', sameRd),
  row('c.sub', "100 0 11 rd' 00 rs2' 01", 'rd, rs2', 'sub', arithmetic),
  row('c.xor', "100 0 11 rd' 01 rs2' 01", 'rd, rs2', 'xor', arithmetic),
  row('c.or', "100 0 11 rd' 10 rs2' 01", 'rd, rs2', 'or', arithmetic),
  row('c.and', "100 0 11 rd' 11 rs2' 01", 'rd, rs2', 'and', arithmetic),
  row('c.j', '101 imm[11|4|9:8|10|6|7|3:1|5] 01', 'target', 'jal', (f) => ({ rd: 0, imm: f.imm })),
  row('c.beqz', "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, target', 'beq', (f) => ({
    rs1: f.rs1,
    imm: f.imm,
  })),
  row('c.bnez', "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, target', 'bne', (f) => ({
    rs1: f.rs1,
    imm: f.imm,
  })),
  // Quadrant 2
  row('c.slli', '000 0 rd uimm[4:0] 10', 'rd, imm', 'slli', sameRd),
  row('c.fldsp', '001 uimm[5] rd uimm[4:3|8:6] 10', 'fd, imm(sp)', 'fld', loadSp),
  row('c.lwsp', '010 uimm[5] rd uimm[4:2|7:6] 10', 'rd, imm(sp)', 'lw', loadSp, { rd: 0 }),
  row('c.flwsp', '011 uimm[5] rd uimm[4:2|7:6] 10', 'fd, imm(sp)', 'flw', loadSp),
  row('c.jr', '100 0 rs1 00000 10', 'rs1', 'jalr', (f) => ({ rd: 0, rs1: f.rs1, imm: 0 }), { rs1: 0 }),
  row('c.mv', '100 0 rd rs2 10', 'rd, rs2', 'add', (f) => ({ rd: f.rd, rs1: 0, rs2: f.rs2 }), { rs2: 0 }),
  row('c.ebreak', '100 1 00000 00000 10', '', 'ebreak', () => ({})),
  row('c.jalr', '100 1 rs1 00000 10', 'rs1', 'jalr', (f) => ({ rd: 1, rs1: f.rs1, imm: 0 }), { rs1: 0 }),
  row('c.add', '100 1 rd rs2 10', 'rd, rs2', 'add', arithmetic, { rs2: 0 }),
  row('c.fsdsp', '101 uimm[5:3|8:6] rs2 10', 'fs2, imm(sp)', 'fsd', storeSp),
  row('c.swsp', '110 uimm[5:2|7:6] rs2 10', 'rs2, imm(sp)', 'sw', storeSp),
  row('c.fswsp', '111 uimm[5:2|7:6] rs2 10', 'fs2, imm(sp)', 'fsw', storeSp),
];
