/** RV32A, atomics, version 2.1. One hart: every row is atomic by itself, so aq and rl order nothing more. */
import type { Builder, I32 } from './builder.ts';
import type { Row } from './row.ts';

function amo(name: string, funct5: string, update: (b: Builder, old: I32, operand: I32) => I32): Row {
  return {
    name,
    ext: 'A',
    subset: 'Zaamo',
    pattern: `${funct5} aq rl rs2 rs1 010 rd 0101111`,
    asm: 'rd, rs2, (rs1)',
    exec: (b) => {
      const operand = b.let(b.rs2);
      b.amo(b.rs1, (old) => update(b, old, operand));
    },
  };
}

export const rv32a: readonly Row[] = [
  {
    name: 'lr.w',
    ext: 'A',
    subset: 'Zalrsc',
    pattern: '00010 aq rl 00000 rs1 010 rd 0101111',
    asm: 'rd, (rs1)',
    exec: (b) => b.loadReserved(b.rs1),
  },
  {
    name: 'sc.w',
    ext: 'A',
    subset: 'Zalrsc',
    pattern: '00011 aq rl rs2 rs1 010 rd 0101111',
    asm: 'rd, rs2, (rs1)',
    exec: (b) => b.storeConditional(b.rs1, b.rs2),
  },
  amo('amoswap.w', '00001', (_b, _old, operand) => operand),
  amo('amoadd.w', '00000', (b, old, operand) => b.op('add', old, operand)),
  amo('amoxor.w', '00100', (b, old, operand) => b.op('xor', old, operand)),
  amo('amoand.w', '01100', (b, old, operand) => b.op('and', old, operand)),
  amo('amoor.w', '01000', (b, old, operand) => b.op('or', old, operand)),
  amo('amomin.w', '10000', (b, old, operand) => b.select(b.op('lt_s', old, operand), old, operand)),
  amo('amomax.w', '10100', (b, old, operand) => b.select(b.op('gt_s', old, operand), old, operand)),
  amo('amominu.w', '11000', (b, old, operand) => b.select(b.op('lt_u', old, operand), old, operand)),
  amo('amomaxu.w', '11100', (b, old, operand) => b.select(b.op('gt_u', old, operand), old, operand)),
];
