/** RV32I, the base integer instruction set, version 2.1 (unprivileged specification, chapter 2). */
import type { Binary32, Builder, I32, Size } from './builder.ts';
import type { Row } from './row.ts';

const address = (b: Builder): I32 => b.op('add', b.rs1, b.imm);

function immediate(name: string, funct3: string, operator: Binary32): Row {
  return {
    name,
    ext: 'I',
    pattern: `imm[11:0] rs1 ${funct3} rd 0010011`,
    asm: 'rd, rs1, imm',
    exec: (b) => b.setRd(b.op(operator, b.rs1, b.imm)),
  };
}

/** Shift amounts with bit 5 set are reserved on RV32, so that bit is part of the pattern. */
function shift(name: string, funct7: string, funct3: string, operator: Binary32): Row {
  return {
    name,
    ext: 'I',
    pattern: `${funct7} uimm[4:0] rs1 ${funct3} rd 0010011`,
    asm: 'rd, rs1, imm',
    exec: (b) => b.setRd(b.op(operator, b.rs1, b.imm)),
  };
}

function register(name: string, funct7: string, funct3: string, operator: Binary32): Row {
  return {
    name,
    ext: 'I',
    pattern: `${funct7} rs2 rs1 ${funct3} rd 0110011`,
    asm: 'rd, rs1, rs2',
    exec: (b) => b.setRd(b.op(operator, b.rs1, b.rs2)),
  };
}

function load(name: string, funct3: string, size: Size, signed: boolean): Row {
  return {
    name,
    ext: 'I',
    pattern: `imm[11:0] rs1 ${funct3} rd 0000011`,
    asm: 'rd, imm(rs1)',
    exec: (b) => b.setRd(b.load(size, signed, address(b))),
  };
}

function store(name: string, funct3: string, size: Size): Row {
  return {
    name,
    ext: 'I',
    pattern: `imm[11:5] rs2 rs1 ${funct3} imm[4:0] 0100011`,
    asm: 'rs2, imm(rs1)',
    exec: (b) => b.store(size, address(b), b.rs2),
  };
}

function branch(name: string, funct3: string, operator: Binary32): Row {
  return {
    name,
    ext: 'I',
    pattern: `imm[12|10:5] rs2 rs1 ${funct3} imm[4:1|11] 1100011`,
    asm: 'rs1, rs2, target',
    exec: (b) => b.branch(b.op(operator, b.rs1, b.rs2)),
  };
}

export const rv32i: readonly Row[] = [
  {
    name: 'lui',
    ext: 'I',
    pattern: 'imm[31:12] rd 0110111',
    asm: 'rd, upper',
    exec: (b) => b.setRd(b.imm),
  },
  {
    name: 'auipc',
    ext: 'I',
    pattern: 'imm[31:12] rd 0010111',
    asm: 'rd, upper',
    exec: (b) => b.setRd(b.op('add', b.pc, b.imm)),
  },
  {
    name: 'jal',
    ext: 'I',
    pattern: 'imm[20|10:1|11|19:12] rd 1101111',
    asm: 'rd, target',
    exec: (b) => {
      b.setRd(b.nextPc);
      b.jumpRelative();
    },
  },
  {
    name: 'jalr',
    ext: 'I',
    pattern: 'imm[11:0] rs1 000 rd 1100111',
    asm: 'rd, imm(rs1)',
    exec: (b) => {
      const target = b.let(address(b));
      b.setRd(b.nextPc);
      b.jump(target);
    },
  },
  branch('beq', '000', 'eq'),
  branch('bne', '001', 'ne'),
  branch('blt', '100', 'lt_s'),
  branch('bge', '101', 'ge_s'),
  branch('bltu', '110', 'lt_u'),
  branch('bgeu', '111', 'ge_u'),
  load('lb', '000', 1, true),
  load('lh', '001', 2, true),
  load('lw', '010', 4, true),
  load('lbu', '100', 1, false),
  load('lhu', '101', 2, false),
  store('sb', '000', 1),
  store('sh', '001', 2),
  store('sw', '010', 4),
  immediate('addi', '000', 'add'),
  immediate('slti', '010', 'lt_s'),
  immediate('sltiu', '011', 'lt_u'),
  immediate('xori', '100', 'xor'),
  immediate('ori', '110', 'or'),
  immediate('andi', '111', 'and'),
  shift('slli', '0000000', '001', 'shl'),
  shift('srli', '0000000', '101', 'shr_u'),
  shift('srai', '0100000', '101', 'shr_s'),
  register('add', '0000000', '000', 'add'),
  register('sub', '0100000', '000', 'sub'),
  register('sll', '0000000', '001', 'shl'),
  register('slt', '0000000', '010', 'lt_s'),
  register('sltu', '0000000', '011', 'lt_u'),
  register('xor', '0000000', '100', 'xor'),
  register('srl', '0000000', '101', 'shr_u'),
  register('sra', '0100000', '101', 'shr_s'),
  register('or', '0000000', '110', 'or'),
  register('and', '0000000', '111', 'and'),
];
