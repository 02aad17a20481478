/** RV32F, single-precision floating point, version 2.2. What the rows compute is in ../fp/. */
import { exact1, exact2, floatLoad, floatStore, fused, rounded1, rounded2 } from './floatRow.ts';
import type { Row } from './row.ts';

export const rv32f: readonly Row[] = [
  floatLoad('flw', 'F', '010', 4),
  floatStore('fsw', 'F', '010', 4),
  fused('fmadd.s', 'F', '00', '1000011'),
  fused('fmsub.s', 'F', '00', '1000111'),
  fused('fnmsub.s', 'F', '00', '1001011'),
  fused('fnmadd.s', 'F', '00', '1001111'),
  rounded2('fadd.s', 'F', '0000000'),
  rounded2('fsub.s', 'F', '0000100'),
  rounded2('fmul.s', 'F', '0001000'),
  rounded2('fdiv.s', 'F', '0001100'),
  rounded1('fsqrt.s', 'F', '0101100', '00000', 'fd, fs1, rm'),
  exact2('fsgnj.s', 'F', '0010000', '000', 'fd'),
  exact2('fsgnjn.s', 'F', '0010000', '001', 'fd'),
  exact2('fsgnjx.s', 'F', '0010000', '010', 'fd'),
  exact2('fmin.s', 'F', '0010100', '000', 'fd'),
  exact2('fmax.s', 'F', '0010100', '001', 'fd'),
  exact2('fle.s', 'F', '1010000', '000', 'rd'),
  exact2('flt.s', 'F', '1010000', '001', 'rd'),
  exact2('feq.s', 'F', '1010000', '010', 'rd'),
  rounded1('fcvt.w.s', 'F', '1100000', '00000', 'rd, fs1, rm'),
  rounded1('fcvt.wu.s', 'F', '1100000', '00001', 'rd, fs1, rm'),
  rounded1('fcvt.s.w', 'F', '1101000', '00000', 'fd, rs1, rm'),
  rounded1('fcvt.s.wu', 'F', '1101000', '00001', 'fd, rs1, rm'),
  exact1('fmv.x.w', 'F', '1110000', '000', 'rd, fs1'),
  exact1('fclass.s', 'F', '1110000', '001', 'rd, fs1'),
  exact1('fmv.w.x', 'F', '1111000', '000', 'fd, rs1'),
];
