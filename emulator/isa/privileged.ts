/**
 * The instructions that order memory, trap, and return from traps: FENCE, ECALL and EBREAK of RV32I, Zifencei 2.0,
 * and those of the privileged specification 1.12. Their rules are in priv/trap.ts.
 * Missing: HFENCE, SINVAL and SFENCE.W.INVAL/SFENCE.INVAL.IR (hypervisor and Svinval are not implemented).
 */
import type { Row } from './row.ts';

function system(name: string, ext: 'I' | 'Privileged', funct12: string): Row {
  return { name, ext, pattern: `${funct12} 00000 000 00000 1110011`, asm: '', exec: (b) => b.helper(name) };
}

export const privileged: readonly Row[] = [
  {
    // The operand is fm | pred | succ. Reserved fields are ignored, as the manual asks of simple implementations.
    // One hart that executes in order has nothing to order.
    name: 'fence',
    ext: 'I',
    pattern: 'imm[11:0] rs1 000 rd 0001111',
    asm: 'pred, succ',
    exec: () => {},
  },
  {
    name: 'fence.i',
    ext: 'Zifencei',
    pattern: 'imm[11:0] rs1 001 rd 0001111',
    asm: '',
    exec: (b) => b.helper('fence.i'),
  },
  system('ecall', 'I', '000000000000'),
  system('ebreak', 'I', '000000000001'),
  system('sret', 'Privileged', '000100000010'),
  system('mret', 'Privileged', '001100000010'),
  system('wfi', 'Privileged', '000100000101'),
  {
    name: 'sfence.vma',
    ext: 'Privileged',
    pattern: '0001001 rs2 rs1 000 00000 1110011',
    asm: 'rs1, rs2',
    exec: (b) => b.helper('sfence.vma'),
  },
];
