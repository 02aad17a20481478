/**
 * RV32D, double-precision floating point, version 2.2. What the rows compute is in ../fp/.
 * The conversions that are always exact have an rm field too; the assembly form leaves it out, as GNU's does.
 */
import { exact1, exact2, floatLoad, floatStore, fused, rounded1, rounded2 } from './floatRow.ts';
import type { Row } from './row.ts';

export const rv32d: readonly Row[] = [
  floatLoad('fld', 'D', '011', 8),
  floatStore('fsd', 'D', '011', 8),
  fused('fmadd.d', 'D', '01', '1000011'),
  fused('fmsub.d', 'D', '01', '1000111'),
  fused('fnmsub.d', 'D', '01', '1001011'),
  fused('fnmadd.d', 'D', '01', '1001111'),
  rounded2('fadd.d', 'D', '0000001'),
  rounded2('fsub.d', 'D', '0000101'),
  rounded2('fmul.d', 'D', '0001001'),
  rounded2('fdiv.d', 'D', '0001101'),
  rounded1('fsqrt.d', 'D', '0101101', '00000', 'fd, fs1, rm'),
  exact2('fsgnj.d', 'D', '0010001', '000', 'fd'),
  exact2('fsgnjn.d', 'D', '0010001', '001', 'fd'),
  exact2('fsgnjx.d', 'D', '0010001', '010', 'fd'),
  exact2('fmin.d', 'D', '0010101', '000', 'fd'),
  exact2('fmax.d', 'D', '0010101', '001', 'fd'),
  rounded1('fcvt.s.d', 'D', '0100000', '00001', 'fd, fs1, rm'),
  rounded1('fcvt.d.s', 'D', '0100001', '00000', 'fd, fs1'),
  exact2('fle.d', 'D', '1010001', '000', 'rd'),
  exact2('flt.d', 'D', '1010001', '001', 'rd'),
  exact2('feq.d', 'D', '1010001', '010', 'rd'),
  exact1('fclass.d', 'D', '1110001', '001', 'rd, fs1'),
  rounded1('fcvt.w.d', 'D', '1100001', '00000', 'rd, fs1, rm'),
  rounded1('fcvt.wu.d', 'D', '1100001', '00001', 'rd, fs1, rm'),
  rounded1('fcvt.d.w', 'D', '1101001', '00000', 'fd, rs1'),
  rounded1('fcvt.d.wu', 'D', '1101001', '00001', 'fd, rs1'),
];
