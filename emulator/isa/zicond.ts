/** Zicond, integer conditional operations, version 1.0.0. */
import type { Row } from './row.ts';

/** rd = 0 when rs2 is (is not) zero, else rs1. */
function conditionalZero(name: string, funct3: string, whenZero: boolean): Row {
  return {
    name,
    ext: 'Zicond',
    pattern: `0000111 rs2 rs1 ${funct3} rd 0110011`,
    asm: 'rd, rs1, rs2',
    exec: (b) => {
      const [nonzero, zero] = whenZero ? [b.rs1, b.i32(0)] : [b.i32(0), b.rs1];
      b.setRd(b.select(b.rs2, nonzero, zero));
    },
  };
}

export const zicond: readonly Row[] = [
  conditionalZero('czero.eqz', '101', true),
  conditionalZero('czero.nez', '111', false),
];
