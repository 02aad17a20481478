import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, decode, disassemble } from '../../../emulator/index.ts';
import { extractFields, insertFields } from '../../../emulator/isa/row.ts';
import { compressedInstructions, instructions, overlaps } from '../../../emulator/isa/table.ts';

describe('the instruction table', () => {
  test('no two rows claim one encoding', () => {
    expect(overlaps()).toEqual([]);
  });

  test('names are unique', () => {
    const names = [...instructions.map((i) => i.row.name), ...compressedInstructions.map((c) => c.row.name)];
    expect(new Set(names).size).toBe(names.length);
  });

  test('holds every row of the listings in the unprivileged specification', () => {
    const count = (ext: string): number => instructions.filter((i) => i.row.ext === ext).length;
    const short = (ext: string): number => compressedInstructions.filter((c) => c.row.ext === ext).length;
    expect(count('I')).toBe(40);
    expect(count('M')).toBe(8);
    expect(count('A')).toBe(11);
    expect(count('F')).toBe(26);
    expect(count('D')).toBe(26);
    expect(count('Zicsr')).toBe(6);
    expect(count('Zifencei')).toBe(1);
    expect(count('Zba')).toBe(3);
    expect(count('Zbb')).toBe(18);
    expect(count('Zbc')).toBe(3);
    expect(count('Zbs')).toBe(8);
    expect(count('Zicond')).toBe(2);
    expect(count('Zfa')).toBe(17);
    expect(count('Privileged')).toBe(4);
    expect(short('C')).toBe(35);
    expect(short('Zcb')).toBe(11);
  });

  for (const instruction of instructions) {
    test(`${instruction.row.name}: the decoder finds it and its fields go there and back`, () => {
      const { pattern } = instruction;
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (noise) => {
          const insn = ((noise & ~pattern.mask) | pattern.match) >>> 0;
          expect(decode(insn)?.instruction.row.name).toBe(instruction.row.name);
          expect(insertFields(pattern, extractFields(pattern, insn))).toBe(insn);
        }),
        { numRuns: 50 },
      );
    });
  }
});

describe('compressed instructions', () => {
  test('every 16-bit encoding is illegal or expands to a row with the same operands', () => {
    let legal = 0;
    for (let insn = 0; insn < 0x1_0000; insn++) {
      if ((insn & 3) === 3) continue;
      const d = decode(insn);
      if (d === null) continue;
      legal++;
      expect(d.length).toBe(2);
      const wide = assemble(d.instruction.row.name, d.fields);
      const again = decode(wide);
      expect(again?.instruction).toBe(d.instruction);
      expect(again?.fields.imm).toBe(d.fields.imm);
      expect(again?.fields.rd).toBe(d.fields.rd);
    }
    // RV32GC and Zcb without the reserved and the RV64-only encodings.
    expect(legal).toBe(QUADRANT_0 + QUADRANT_1 + QUADRANT_2 + ZCB);
  });

  test.each([
    [0x0000, 'all zeros'],
    [0x0004, 'c.addi4spn with a zero immediate'],
    [0x6101, 'c.addi16sp with a zero immediate'],
    [0x6081, 'c.lui with a zero immediate'],
    [0x4002, 'c.lwsp to x0'],
    [0x8002, 'c.jr through x0'],
    [0x9001, 'c.srli with shamt[5]'],
    [0x1002, 'c.slli with shamt[5]'],
    [0x8c40, 'c.lh with bit 12 set'],
    [0x9c61 | 0x10, 'c.zext.w, RV64'],
    [0x9c01, 'c.subw, RV64'],
  ])('0x%s is reserved: %s', (insn) => {
    expect(decode(insn)).toBeNull();
  });
});

describe('the disassembler', () => {
  // As printed by GNU objdump -M no-aliases, spaces apart.
  test.each<[number, string]>([
    [0xfd010113, 'addi sp, sp, -48'],
    [0x02112623, 'sw ra, 44(sp)'],
    [0x00c12083, 'lw ra, 12(sp)'],
    [0x0ff0000f, 'fence iorw, iorw'],
    [0x1005272f, 'lr.w a4, (a0)'],
    [0x1ce5252f, 'sc.w.aq a0, a4, (a0)'],
    [0x00e5a52f, 'amoadd.w a0, a4, (a1)'],
    [0x02c58533, 'mul a0, a1, a2'],
    [0x00c5f553, 'fadd.s fa0, fa1, fa2'],
    [0xc2059553, 'fcvt.w.d a0, fa1, rtz'],
    [0x6ac5f543, 'fmadd.d fa0, fa1, fa2, fa3'],
    [0x0005b507, 'fld fa0, 0(a1)'],
    [0x300025f3, 'csrrs a1, mstatus, zero'],
    [0x00000073, 'ecall'],
    [0x12000073, 'sfence.vma zero, zero'],
    [0x8082, 'c.jr ra'],
    [0x1141, 'c.addi sp, -16'],
    [0xffffffff, '.word 0xffffffff'],
    [0x0000, '.half 0x0'],
  ])('0x%s', (insn, text) => {
    expect(disassemble(insn, 0x1000)).toBe(text);
  });

  test('targets are absolute', () => {
    expect(disassemble(assemble('beq', { rs1: 10, rs2: 0, imm: -8 }), 0x1010)).toBe('beq a0, zero, 0x1008');
    expect(disassemble(assemble('jal', { rd: 1, imm: 0x1000 }), 0x1000)).toBe('jal ra, 0x2000');
    expect(disassemble(assemble('lui', { rd: 10, imm: -0x1000 }), 0)).toBe('lui a0, 0xfffff');
  });
});

/**
 * Legal encodings counted from the listings: 2048 for each funct3. Quadrant 0 lacks funct3 100 and the zero
 * immediates of c.addi4spn; 1 the zero immediates of c.lui and c.addi16sp, shamt[5] and the RV64 forms; 2 shamt[5],
 * c.lwsp to x0 and c.jr through x0.
 */
const QUADRANT_0 = 7 * 2048 - 8;
const QUADRANT_1 = 3 * 2048 + (2048 - 32) + (256 + 256 + 512 + 256) + 3 * 2048;
const QUADRANT_2 = 1024 + 2048 + (2048 - 64) + 2048 + (31 + 992 + 1 + 31 + 992) + 3 * 2048;

/** Loads of bytes and halfwords, stores of them; seven encodings of three bits for each of the unary forms; c.mul. */
const ZCB = 256 + 128 + 128 + 256 + 128 + 5 * 8 + 64;
