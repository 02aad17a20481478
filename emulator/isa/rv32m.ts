/** RV32M, multiplication and division, version 2.0. Division never traps; its special cases are in Table 11. */
import type { Builder } from './builder.ts';
import type { Row } from './row.ts';

function row(name: string, funct3: string, exec: (b: Builder) => void): Row {
  const row: Row = {
    name,
    ext: 'M',
    pattern: `0000001 rs2 rs1 ${funct3} rd 0110011`,
    asm: 'rd, rs1, rs2',
    exec,
  };
  return name.startsWith('mul') ? { ...row, subset: 'Zmmul' } : row;
}

/** x / 0 = -1 (all ones); the signed overflow -2^31 / -1 = -2^31. A divisor that cannot trap is substituted. */
function signedDivision(b: Builder, quotient: boolean): void {
  const dividend = b.let(b.rs1);
  const divisor = b.let(b.rs2);
  const overflow = b.op('and', b.op('eq', dividend, b.i32(-0x8000_0000)), b.op('eq', divisor, b.i32(-1)));
  const safe = b.let(b.select(b.op('or', b.eqz(divisor), overflow), b.i32(1), divisor));
  if (quotient) b.setRd(b.select(b.eqz(divisor), b.i32(-1), b.op('div_s', dividend, safe)));
  else b.setRd(b.select(b.eqz(divisor), dividend, b.op('rem_s', dividend, safe)));
}

function unsignedDivision(b: Builder, quotient: boolean): void {
  const dividend = b.let(b.rs1);
  const divisor = b.let(b.rs2);
  const safe = b.let(b.select(b.eqz(divisor), b.i32(1), divisor));
  if (quotient) b.setRd(b.select(b.eqz(divisor), b.i32(-1), b.op('div_u', dividend, safe)));
  else b.setRd(b.select(b.eqz(divisor), dividend, b.op('rem_u', dividend, safe)));
}

export const rv32m: readonly Row[] = [
  row('mul', '000', (b) => b.setRd(b.op('mul', b.rs1, b.rs2))),
  row('mulh', '001', (b) => b.setRd(b.mulh(b.rs1, true, b.rs2, true))),
  row('mulhsu', '010', (b) => b.setRd(b.mulh(b.rs1, true, b.rs2, false))),
  row('mulhu', '011', (b) => b.setRd(b.mulh(b.rs1, false, b.rs2, false))),
  row('div', '100', (b) => signedDivision(b, true)),
  row('divu', '101', (b) => unsignedDivision(b, true)),
  row('rem', '110', (b) => signedDivision(b, false)),
  row('remu', '111', (b) => unsignedDivision(b, false)),
];
