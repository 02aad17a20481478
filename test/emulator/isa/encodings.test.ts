/**
 * Encodings at the border: what is reserved traps as an illegal instruction with the encoding in mtval, a HINT does nothing,
 * fields that an implementation must ignore are ignored. Each on both paths of tier 0. Specification: the unprivileged
 * manual's instruction listings, "HINT Instructions", "RVC Instruction Set Listings".
 */
import { describe, expect, test } from 'vitest';
import { assemble, Cause, decode, disassemble } from '../../../emulator/index.ts';
import { compressedInstructions, instructions } from '../../../emulator/isa/table.ts';
import { CODE, DATA, execute, PATHS, place, smallMachine, type Path } from '../harness.ts';

const machine = smallMachine();
const { hart } = machine;
const HANDLER = hart.state.mtvec >>> 0;
place(machine, HANDLER, [assemble('jal')]);

function expectIllegal(path: Path, insn: number, why: string): void {
  const label = `${why} 0x${insn.toString(16)}`;
  hart.state.mcause = hart.state.mtval = 0;
  place(machine, CODE, [insn]);
  const before = [...hart.x];
  execute(machine, path, CODE);
  const { mcause, mtval, mepc } = hart.state;
  expect([mcause, mtval, mepc], label).toEqual([Cause.IllegalInstruction, insn, CODE]);
  expect([...hart.x].slice(0, 32), label).toEqual(before.slice(0, 32));
}

function expectNothing(path: Path, insn: number, why: string): void {
  const label = `${why} 0x${insn.toString(16)}`;
  place(machine, CODE, [insn]);
  for (let i = 1; i < 32; i++) hart.x[i] = DATA + 4 * i;
  const before = [...hart.x].slice(0, 32);
  expect(execute(machine, path, CODE), label).toEqual({ kind: 'budget' });
  expect(hart.pc, label).toBe(CODE + ((insn & 3) === 3 ? 4 : 2));
  expect([...hart.x].slice(0, 32), label).toEqual(before);
}

/** A row's encoding with other bits. */
const bits = (name: string, change: number, fields = {}): number =>
  (assemble(name, { rd: 5, rs1: 6, rs2: 7, ...fields }) ^ change) >>> 0;

const reserved: readonly (readonly [string, number])[] = [
  ['all ones', 0xffff_ffff],
  ['all zeros', 0],
  ...[2, 3].map((f) => ['a branch with funct3', 0x63 | (f << 12)] as const),
  ...[3, 6, 7].map((f) => ['a load with funct3', 0x03 | (f << 12)] as const),
  ...[3, 4, 5, 6, 7].map((f) => ['a store with funct3', 0x23 | (f << 12)] as const),
  ...[1, 2, 3, 4, 5, 6, 7].map((f) => ['jalr with funct3', 0x67 | (f << 12)] as const),
  ...[2, 3, 4, 5, 6, 7].map((f) => ['misc-mem with funct3', 0x0f | (f << 12)] as const),
  ...[0, 1, 4, 5, 6, 7].map((f) => ['a floating-point load with funct3', 0x07 | (f << 12)] as const),
  ...[0, 1, 4, 5, 6, 7].map((f) => ['a floating-point store with funct3', 0x27 | (f << 12)] as const),
  ...[0, 1, 3, 4, 5, 6, 7].map((f) => ['an atomic with funct3', 0x2f | (f << 12)] as const),
  ...[0x0b, 0x2b, 0x5b, 0x7b, 0x1b, 0x3b, 0x57, 0x6b, 0x77, 0x1f, 0x3f, 0x5f, 0x7f].map(
    (opcode) => ['opcode', opcode] as const,
  ),
  ['lr.w with rs2', bits('lr.w', 1 << 20)],
  ['an atomic with funct5 5', 0x2800_202f],
  ['add with funct7 2', bits('add', 2 << 25)],
  ['mul with funct7 3', bits('mul', 2 << 25)],
  ['sll with funct7 32', bits('sll', 32 << 25)],
  ['ecall with rd', assemble('ecall') | (1 << 7)],
  ['ecall with rs1', assemble('ecall') | (1 << 15)],
  ['ebreak with rd', assemble('ebreak') | (1 << 7)],
  ['mret with rd', assemble('mret') | (1 << 7)],
  ['wfi with rs1', assemble('wfi') | (1 << 15)],
  ['uret', 0x0020_0073],
  ['sfence.vma with rd', assemble('sfence.vma') | (1 << 7)],
  ['system with funct3 4', 0x4073],
  ['zext.h with rs2 (pack)', bits('zext.h', 1 << 20)],
  ['clz with rs2 3', bits('clz', 3 << 20)],
  ['orc.b with another byte pattern', bits('orc.b', 1 << 20)],
  ['rev8 of RV64', bits('rev8', 1 << 25)],
  ['brev8 of Zbkb', bits('rev8', 0x1f << 20)],
  ['fsqrt.s with rs2', bits('fsqrt.s', 1 << 20)],
  ['fadd in half precision', bits('fadd.s', 2 << 25)],
  ['fadd in quad precision', bits('fadd.s', 3 << 25)],
  ['fmadd in half precision', bits('fmadd.s', 2 << 25)],
  ['fclass.s with rs2', bits('fclass.s', 1 << 20)],
  ['fclass.s with funct3 2', bits('fclass.s', 3 << 12)],
  ['fmv.x.w with funct3 4', bits('fmv.x.w', 4 << 12)],
  ['fsgnj.s with funct3 3', bits('fsgnj.s', 3 << 12)],
  ['fcvt.l.s', bits('fcvt.w.s', 2 << 20)],
  ['fcvt.s.s', bits('fcvt.s.d', 1 << 20)],
  ['fmv.x.d', bits('fclass.d', 1 << 12)],
  ['fmv.d.x', 0xf203_02d3],
  ['fli.s with rs2 2', bits('fli.s', 3 << 20)],
  ['fli.s with funct3 1', bits('fli.s', 1 << 12)],
  ['fcvtmod.w.d with RNE', bits('fcvtmod.w.d', 1 << 12)],
  ['fmvp with funct3 1', bits('fmvp.d.x', 1 << 12)],
  ['fleq.s with funct3 6', bits('fleq.s', 2 << 12)],
  ['c.addi4spn with a zero immediate', 0x0004],
  ['c.addi16sp with a zero immediate', 0x6101],
  ['c.lui with a zero immediate', 0x6081],
  ['c.lui x0 with a zero immediate', 0x6001],
  ['c.lwsp to x0', 0x4002],
  ['c.jr through x0', 0x8002],
  ['c.subw of RV64', 0x9c01],
  ['c.addw of RV64', 0x9c21],
  ['c.zext.w of RV64', 0x9c71],
  ['c.lh with bit 12', (0x9440 & ~0x0400) | 0x1000],
  ['quadrant 1, 100 1 11 11 110', 0x9c79],
  ['quadrant 1, 100 1 11 11 111', 0x9c7d],
];

/** Rows whose immediate is a shift amount or a bit's index. */
const amounts = instructions.filter((i) => i.row.pattern.includes('uimm[4:0]'));
const rounding = instructions.filter((i) => i.pattern.fields.has('rm'));

describe.each(PATHS)('on the path `%s`', (path) => {
  test('reserved encodings are illegal', () => {
    for (const [why, insn] of reserved) expectIllegal(path, insn, why);
  });

  test('amounts with bit 5 are illegal', () => {
    expect(amounts.length).toBe(8);
    for (const { row } of amounts) {
      for (const imm of [0, 1, 31])
        expectIllegal(path, assemble(row.name, { rd: 5, rs1: 6, imm }) | (1 << 25), row.name);
    }
    for (const name of ['c.slli', 'c.srli', 'c.srai'])
      expectIllegal(path, assemble(name, { rd: 9, imm: 3 }) | (1 << 12), name);
  });

  // F chapter, on conversions that are always exact: "software should set their rm field to RNE (000) but implementations
  // must treat the rm field as usual (in particular, with regard to decoding legal vs. reserved encodings)".
  test.each(rounding.map((i) => i.row.name))('%s: reserved rounding modes are illegal', (name) => {
    const encode = (rm: number): number => assemble(name, { rd: 5, rs1: 6, rs2: 7, rs3: 8, rm });
    for (const fs of [1, 3]) {
      hart.fp.setFs(fs);
      for (const rm of [5, 6]) expectIllegal(path, encode(rm), 'static');
      for (const frm of [5, 6, 7]) {
        hart.fp.setFcsr(frm << 5);
        expectIllegal(path, encode(7), `dynamic ${frm}`);
        expect(hart.fp.getFs(), 'nothing was executed').toBe(fs);
      }
      hart.fp.setFcsr(4 << 5);
      place(machine, CODE, [encode(7)]);
      execute(machine, path, CODE);
      expect(hart.pc).toBe(CODE + 4);
    }
    hart.fp.setFcsr(0);
  });

  test('a result for x0 is a HINT: every row that only computes', () => {
    const computing = instructions.filter(
      ({ rd, traits }) => rd === 'x' && traits.helper === null && !traits.control && !traits.load,
    );
    expect(computing.length).toBeGreaterThan(60);
    for (const { row } of computing) {
      for (const imm of [0, 0x1f])
        expectNothing(
          path,
          assemble(row.name, {
            rd: 0,
            rs1: 6,
            rs2: 7,
            rm: 0,
            imm: row.name.endsWith('ui') || row.name === 'auipc' ? imm << 12 : imm,
          }),
          row.name,
        );
    }
  });

  test('every compressed HINT does nothing', () => {
    let count = 0;
    for (let insn = 0; insn < 0x1_0000; insn++) {
      if ((insn & 3) === 3) continue;
      const d = decode(insn);
      if (d === null || d.instruction.rd !== 'x' || d.instruction.traits.control) continue;
      const { rd, rs1, imm } = d.fields;
      const isAddition = d.instruction.row.name === 'addi' && rd === rs1 && imm === 0;
      const isShift = /^s[lr][la]i$/.test(d.instruction.row.name) && imm === 0;
      if (rd !== 0 && !isAddition && !isShift) continue;
      expectNothing(path, insn, d.compressed?.row.name ?? '');
      count++;
    }
    // c.nop 64, c.addi 31, c.li 64, c.lui 63, c.srli and c.srai 8 each, c.slli 32 to x0 and 31 of zero, c.mv and c.add 31.
    expect(count).toBe(64 + 31 + 64 + 63 + 16 + 63 + 62);
  });

  test('FENCE and FENCE.I ignore their reserved fields', () => {
    for (let i = 0; i < 32; i++) {
      const noise = (Math.imul(i, 0x9e37_79b1) & 0xffff_8f80) >>> 0;
      expectNothing(path, (noise | 0x000f) >>> 0, 'fence');
      expectNothing(path, (noise | 0x100f) >>> 0, 'fence.i');
    }
    expectNothing(path, 0x0100_000f, 'pause');
    expectNothing(path, 0x8330_000f, 'fence.tso');
  });
});

// Assembled by LLVM (zig 0.16, .option arch): one encoding of each row that binutils 2.40 or qemu 7.2 may not know.
const known: readonly (readonly [number, string])[] = [
  [0x21b22233, 'sh1add tp, tp, s11'],
  [0x20b346b3, 'sh2add a3, t1, a1'],
  [0x20a86333, 'sh3add t1, a6, a0'],
  [0x413a71b3, 'andn gp, s4, s3'],
  [0x40bb6133, 'orn sp, s6, a1'],
  [0x41ed4b33, 'xnor s6, s10, t5'],
  [0x60029093, 'clz ra, t0'],
  [0x60111093, 'ctz ra, sp'],
  [0x60229713, 'cpop a4, t0'],
  [0x0b57eab3, 'max s5, a5, s5'],
  [0x0a33fe33, 'maxu t3, t2, gp'],
  [0x0bfc4fb3, 'min t6, s8, t6'],
  [0x0bafdb33, 'minu s6, t6, s10'],
  [0x60411e13, 'sext.b t3, sp'],
  [0x605c9713, 'sext.h a4, s9'],
  [0x080149b3, 'zext.h s3, sp'],
  [0x610f13b3, 'rol t2, t5, a6'],
  [0x619d53b3, 'ror t2, s10, s9'],
  [0x61915993, 'rori s3, sp, 25'],
  [0x28735913, 'orc.b s2, t1'],
  [0x698c5013, 'rev8 zero, s8'],
  [0x0be11333, 'clmul t1, sp, t5'],
  [0x0b802a33, 'clmulr s4, zero, s8'],
  [0x0bec39b3, 'clmulh s3, s8, t5'],
  [0x49109db3, 'bclr s11, ra, a7'],
  [0x49429893, 'bclri a7, t0, 20'],
  [0x4893deb3, 'bext t4, t2, s1'],
  [0x48705513, 'bexti a0, zero, 7'],
  [0x693792b3, 'binv t0, a5, s3'],
  [0x69601e93, 'binvi t4, zero, 22'],
  [0x29741db3, 'bset s11, s0, s7'],
  [0x29239693, 'bseti a3, t2, 18'],
  [0x0f0f5833, 'czero.eqz a6, t5, a6'],
  [0x0e09f033, 'czero.nez zero, s3, zero'],
  [0xf01f0bd3, 'fli.s fs7, inf'],
  [0xf2160f53, 'fli.d ft10, 0.5'],
  [0x294e23d3, 'fminm.s ft7, ft8, fs4'],
  [0x28eab853, 'fmaxm.s fa6, fs5, fa4'],
  [0x2ba1ac53, 'fminm.d fs8, ft3, fs10'],
  [0x2bd2b9d3, 'fmaxm.d fs3, ft5, ft9'],
  [0x404809d3, 'fround.s fs3, fa6, rne'],
  [0x405c0fd3, 'froundnx.s ft11, fs8, rne'],
  [0x424c0753, 'fround.d fa4, fs8, rne'],
  [0x425385d3, 'froundnx.d fa1, ft7, rne'],
  [0xc28f1fd3, 'fcvtmod.w.d t6, ft10, rtz'],
  [0xe21783d3, 'fmvh.x.d t2, fa5'],
  [0xb3ce0153, 'fmvp.d.x ft2, t3, t3'],
  [0xa1b340d3, 'fleq.s ra, ft6, fs11'],
  [0xa1bf5ed3, 'fltq.s t4, ft10, fs11'],
  [0xa20bc1d3, 'fleq.d gp, fs7, ft0'],
  [0xa2ac5ed3, 'fltq.d t4, fs8, fa0'],
  [0x82a8, 'c.lbu a0, 2(a3)'],
  [0x8534, 'c.lhu a3, 2(a0)'],
  [0x8560, 'c.lh s0, 2(a0)'],
  [0x8bb0, 'c.sb a2, 2(a5)'],
  [0x8c90, 'c.sh a2, 0(s1)'],
  [0x9ee1, 'c.zext.b a3'],
  [0x9ee5, 'c.sext.b a3'],
  [0x9ce9, 'c.zext.h s1'],
  [0x9f6d, 'c.sext.h a4'],
  [0x9f75, 'c.not a4'],
  [0x9fd5, 'c.mul a5, a3'],
];

describe('encodings as LLVM assembles them', () => {
  test('every row of these extensions is there', () => {
    const named = new Set(known.map(([, text]) => text.split(' ')[0]));
    const wide = instructions.filter(({ row }) => /^(Zb|Zfa|Zicond)/.test(row.ext)).map((i) => i.row.name);
    const short = compressedInstructions.filter((c) => c.row.ext === 'Zcb').map((c) => c.row.name);
    expect([...wide, ...short].filter((name) => !named.has(name))).toEqual([]);
  });

  test.each(known)('0x%s', (insn, text) => {
    expect(disassemble(insn, 0)).toBe(text);
  });
});

// What each compressed row of Zcb abbreviates.
test.each([
  ['c.lbu', { rd: 8, rs1: 9, imm: 3 }, 'lbu s0, 3(s1)'],
  ['c.lhu', { rd: 8, rs1: 9, imm: 2 }, 'lhu s0, 2(s1)'],
  ['c.lh', { rd: 15, rs1: 9, imm: 2 }, 'lh a5, 2(s1)'],
  ['c.sb', { rs2: 8, rs1: 9, imm: 2 }, 'sb s0, 2(s1)'],
  ['c.sh', { rs2: 8, rs1: 9, imm: 2 }, 'sh s0, 2(s1)'],
  ['c.zext.b', { rd: 10 }, 'andi a0, a0, 255'],
  ['c.sext.b', { rd: 10 }, 'sext.b a0, a0'],
  ['c.zext.h', { rd: 10 }, 'zext.h a0, a0'],
  ['c.sext.h', { rd: 10 }, 'sext.h a0, a0'],
  ['c.not', { rd: 10 }, 'xori a0, a0, -1'],
  ['c.mul', { rd: 10, rs2: 11 }, 'mul a0, a0, a1'],
])('%s abbreviates %o as %s', (name, fields, text) => {
  const d = decode(assemble(name, fields));
  expect(disassemble(assemble(d?.instruction.row.name ?? '', d?.fields), 0)).toBe(text);
});
