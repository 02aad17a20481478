/**
 * Zicsr, version 2.0: the CSR instructions. Their rules (what rd = x0 and rs1 = x0 change, what is illegal) are in
 * priv/csr.ts, executeCsr.
 */
import type { Row } from './row.ts';

function fromRegister(name: string, funct3: string): Row {
  return {
    name,
    ext: 'Zicsr',
    pattern: `csr rs1 ${funct3} rd 1110011`,
    asm: 'rd, csr, rs1',
    exec: (b) => b.helper(name),
  };
}

function fromImmediate(name: string, funct3: string): Row {
  return {
    name,
    ext: 'Zicsr',
    pattern: `csr rs1 ${funct3} rd 1110011`,
    asm: 'rd, csr, zimm', // the rs1 field is the operand itself
    exec: (b) => b.helper(name),
  };
}

export const zicsr: readonly Row[] = [
  fromRegister('csrrw', '001'),
  fromRegister('csrrs', '010'),
  fromRegister('csrrc', '011'),
  fromImmediate('csrrwi', '101'),
  fromImmediate('csrrsi', '110'),
  fromImmediate('csrrci', '111'),
];
