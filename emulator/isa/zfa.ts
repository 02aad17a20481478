/**
 * Zfa, additional floating-point instructions, version 1.0, for F and D on RV32. What the rows compute is in ../fp/zfa.ts.
 * Missing: the forms for half and quad precision.
 */
import { exact2, rounded1, ZFA } from './floatRow.ts';
import type { Row } from './row.ts';

/** The rs1 field is the operand itself, an index into a table of 32 constants. */
function constant(name: string, funct7: string): Row {
  return {
    name,
    ext: 'Zfa',
    pattern: `${funct7} 00001 rs1 000 rd 1010011`,
    asm: 'fd, constant',
    exec: (b) => b.fp(name),
  };
}

const rows: readonly Row[] = [
  constant('fli.s', '1111000'),
  constant('fli.d', '1111001'),
  exact2('fminm.s', ZFA, '0010100', '010', 'fd'),
  exact2('fmaxm.s', ZFA, '0010100', '011', 'fd'),
  exact2('fminm.d', ZFA, '0010101', '010', 'fd'),
  exact2('fmaxm.d', ZFA, '0010101', '011', 'fd'),
  rounded1('fround.s', ZFA, '0100000', '00100', 'fd, fs1, rm'),
  rounded1('froundnx.s', ZFA, '0100000', '00101', 'fd, fs1, rm'),
  rounded1('fround.d', ZFA, '0100001', '00100', 'fd, fs1, rm'),
  rounded1('froundnx.d', ZFA, '0100001', '00101', 'fd, fs1, rm'),
  {
    // "Encoded like FCVT.W.D, but with the rs2 field set to 8 and the rm field set to 1 (RTZ). Other rm values are reserved."
    name: 'fcvtmod.w.d',
    ext: 'Zfa',
    pattern: '1100001 01000 rs1 001 rd 1010011',
    asm: 'rd, fs1, rtz',
    exec: (b) => b.fp('fcvtmod.w.d'),
  },
  {
    name: 'fmvh.x.d',
    ext: 'Zfa',
    pattern: '1110001 00001 rs1 000 rd 1010011',
    asm: 'rd, fs1',
    exec: (b) => b.fp('fmvh.x.d'),
  },
  {
    name: 'fmvp.d.x',
    ext: 'Zfa',
    pattern: '1011001 rs2 rs1 000 rd 1010011',
    asm: 'fd, rs1, rs2',
    exec: (b) => b.fp('fmvp.d.x'),
  },
  exact2('fleq.s', ZFA, '1010000', '100', 'rd'),
  exact2('fltq.s', ZFA, '1010000', '101', 'rd'),
  exact2('fleq.d', ZFA, '1010001', '100', 'rd'),
  exact2('fltq.d', ZFA, '1010001', '101', 'rd'),
];

export const zfa: readonly Row[] = rows.map((row) => ({
  ...row,
  needs: /\.d(\.|$)/.test(row.name) ? 'D' : 'F',
}));
