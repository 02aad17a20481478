/** ISA strings, and machines that have only what was chosen. */
import { describe, expect, test } from 'vitest';
import { assemble, Cause, FULL_ISA, parseIsa } from '../../../emulator/index.ts';
import { chosenRows } from '../../../emulator/isa/chosenRows.ts';
import { decode } from '../../../emulator/isa/decode.ts';
import { compressedInstructions, instructions } from '../../../emulator/isa/table.ts';
import { MISA } from '../../../emulator/priv/state.ts';
import { CODE, execute, PATHS, place, smallMachine, type Path } from '../harness.ts';

const names = (isa: string): string[] =>
  instructions.filter((i) => chosenRows(parseIsa(isa)).wide[i.index] === 1).map((i) => i.row.name);
const shortNames = (isa: string): string[] => [...chosenRows(parseIsa(isa)).short].map((c) => c.row.name);
const countOf = (...extensions: string[]): number =>
  instructions.filter((i) => ['I', 'Zicsr', 'Privileged', ...extensions].includes(i.row.ext)).length;

test('FULL_ISA has every row', () => {
  const { wide, short } = chosenRows(FULL_ISA);
  expect([...wide]).toEqual(instructions.map(() => 1));
  expect(short.size).toBe(compressedInstructions.length);
});

describe('ISA strings', () => {
  test.each([
    ['rv32i', countOf()],
    ['rv32i_zicsr', countOf()],
    ['rv32i_zifencei', countOf('Zifencei')],
    ['rv32im', countOf('M')],
    ['rv32imac', countOf('M', 'A')],
    ['rv32g', countOf('M', 'A', 'F', 'D', 'Zifencei')],
    ['rv32gc', countOf('M', 'A', 'F', 'D', 'Zifencei')],
    ['RV32IMAFDC_Zicsr_Zifencei', countOf('M', 'A', 'F', 'D', 'Zifencei')],
    ['rv32i2p1_m2p0_a2p1_zba1p0', countOf('M', 'A', 'Zba')],
    ['rv32imazba', countOf('M', 'A', 'Zba')],
    ['rv32id', countOf('F', 'D')],
    ['rv32ib', countOf('Zba', 'Zbb', 'Zbs')],
    ['rv32imafdcsu', countOf('M', 'A', 'F', 'D')],
    ['rv32gc_zihintpause_zihintntl', countOf('M', 'A', 'F', 'D', 'Zifencei')],
    ['rv32gc_zba_zbb_zbs_zbc_zicond_zfa_zcb', instructions.length],
    ['RV32IMAFDCZicsr_Zifencei_Zba_Zbb_Zbc_Zbs_Zicond_Zfa_Zcb', instructions.length],
    ['rv32imafdcsu_zicsr_zifencei_zba_zbb_zbc_zbs_zicond_zfa_zca_zcb', instructions.length],
  ])('%s', (isa, count) => {
    expect(names(isa).length).toBe(count);
  });

  test.each([
    ['', 'it must begin with rv32'],
    ['i386', 'it must begin with rv32'],
    ['rv64gc', 'RV64 is not supported, only RV32'],
    ['rv32e', 'the base E is not supported, only I'],
    ['rv32mac', 'the base I (or G) must follow rv32'],
    ['rv32gcv', 'the extension V is not supported'],
    ['rv32gc_zvl128b', 'the extension Zvl128b is not supported'],
    ['rv32gc_zbkb1p0', 'the extension Zbkb is not supported'],
    ['rv32gc_', '"_" is not a name of an extension'],
    ['rv32gc zba', '" zba" is not a name of an extension'],
    ['rv32gconstructor', 'the extension'],
  ])('%s is refused in one line', (isa, why) => {
    expect(() => parseIsa(isa)).toThrow(RangeError);
    expect(() => parseIsa(isa)).toThrow(why);
    expect(() => parseIsa(isa)).not.toThrow('\n');
  });

  test('the name of a choice is an ISA string that makes the same choice', () => {
    for (const isa of ['rv32i', 'rv32imc', 'rv32gc', 'rv32ima_zca_zbs', FULL_ISA.name]) {
      expect(parseIsa(parseIsa(isa).name)).toEqual(parseIsa(isa));
    }
    expect(parseIsa('rv32imc').name).toBe('rv32imc_zicntr_zicsr_zihpm_zmmul_zca');
  });

  test.each([
    ['rv32gc', null, 1],
    ['rv32gc_svade', 'trap', 0],
    ['rv32gc_svadu', 'hardware', 1],
    ['rv32gc_svadu_svade', 'menvcfg', 0],
  ] as const)('%s says who sets A and D', (isa, adUpdate, adueAtReset) => {
    expect(parseIsa(isa).adUpdate).toBe(adUpdate);
    const { state } = smallMachine({ isa }).hart;
    expect(state.menvcfgh >>> 29).toBe(adueAtReset);
    expect(state.svadu).toBe(adUpdate !== 'trap');
    expect(smallMachine({ isa, adUpdate: 'menvcfg' }).hart.state.menvcfgh).toBe(0);
  });

  test('parts of extensions', () => {
    expect(names('rv32i_zmmul').filter((n) => /^(mul|div|rem)/.test(n))).toEqual([
      'mul',
      'mulh',
      'mulhsu',
      'mulhu',
    ]);
    expect(names('rv32i_zalrsc')).toContain('lr.w');
    expect(names('rv32i_zalrsc')).not.toContain('amoadd.w');
    expect(names('rv32i_zaamo')).not.toContain('sc.w');
    // RV32F without D has C's single loads and stores alone.
    expect(shortNames('rv32ifc')).toContain('c.flw');
    expect(shortNames('rv32ifc')).not.toContain('c.fld');
    expect(shortNames('rv32gc').length).toBe(35);
    expect(shortNames('rv32g_zca')).not.toContain('c.flwsp');
    expect(shortNames('rv32g')).toEqual([]);
    expect(shortNames('rv32gc_zcb').length).toBe(35 + 11 - 3);
    expect(shortNames('rv32i_zcb')).not.toContain('c.mul');
    expect(shortNames('rv32gc_zcb_zbb').length).toBe(compressedInstructions.length);
    expect(names('rv32if_zfa').filter((n) => n.endsWith('.d'))).toEqual([]);
    expect(names('rv32if_zfa')).toContain('fli.s');
  });

  test('misa shows the letters', () => {
    const letters = (isa: string): string =>
      [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((_l, i) => (parseIsa(isa).misa >>> i) & 1).join('');
    expect(letters('rv32i')).toBe('ISU');
    expect(letters('rv32gc')).toBe('ACDFIMSU');
    expect(letters('rv32i_zmmul_zalrsc')).toBe('ISU');
    expect(letters('rv32if_zca')).toBe('FISU');
    expect(letters('rv32i_zba_zbb_zbs')).toBe('BISU');
    expect(FULL_ISA.misa).toBe(MISA);
  });
});

/** One instruction on a machine with the handler elsewhere; what the trap left. */
function trapOf(isa: string, path: Path, words: readonly number[], count = 1): number[] {
  const m = smallMachine({ isa });
  place(m, CODE, words);
  place(m, m.hart.state.mtvec >>> 0, [assemble('jal')]);
  m.hart.x[5] = CODE + 0x102;
  m.hart.x[1] = 77;
  execute(m, path, CODE, count);
  const { mcause, mtval, mepc } = m.hart.state;
  return [mcause, mtval, mepc, m.hart.x[1] ?? 0];
}

describe.each(PATHS)('on the path `%s`', (path) => {
  test('every row that is not chosen is illegal, with its encoding in mtval', () => {
    const isa = parseIsa('rv32i');
    const m = smallMachine({ isa: 'rv32i' });
    place(m, m.hart.state.mtvec >>> 0, [assemble('jal')]);
    for (const { row, index, pattern } of instructions) {
      if (chosenRows(isa).wide[index] === 1) continue;
      place(m, CODE, [pattern.match]);
      execute(m, path, CODE);
      expect([m.hart.state.mcause, m.hart.state.mtval, m.hart.state.mepc], row.name).toEqual([
        Cause.IllegalInstruction,
        pattern.match,
        CODE,
      ]);
      m.hart.state.mtval = 0;
    }
  });

  test('compressed rows that are not chosen are illegal', () => {
    const insn = assemble('c.not', { rd: 8 });
    expect(trapOf('rv32gc', path, [insn])).toEqual([Cause.IllegalInstruction, insn, CODE, 77]);
    expect(trapOf('rv32gc_zcb', path, [insn])).toEqual([0, 0, 0, 77]);
    expect(trapOf('rv32g', path, [0x0001]).slice(0, 2)).toEqual([Cause.IllegalInstruction, 1]);
  });

  test('without compressed instructions targets must be multiples of four, and rd keeps its value', () => {
    const misaligned = (target: number): number[] => [Cause.InstructionAddressMisaligned, target, CODE, 77];
    expect(trapOf('rv32g', path, [assemble('jal', { rd: 1, imm: 6 })])).toEqual(misaligned(CODE + 6));
    expect(trapOf('rv32g', path, [assemble('jalr', { rd: 1, rs1: 5 })])).toEqual(misaligned(CODE + 0x102));
    const taken = assemble('beq', { rs1: 0, rs2: 0, imm: 10 });
    const not = assemble('bne', { rs1: 0, rs2: 0, imm: 10 });
    expect(trapOf('rv32g', path, [taken])).toEqual(misaligned(CODE + 10));
    expect(trapOf('rv32g', path, [not])).toEqual([0, 0, 0, 77]);
    const aligned = trapOf('rv32g', path, [assemble('jalr', { rd: 1, rs1: 5, imm: 2 })]);
    expect(aligned).toEqual([0, 0, 0, (CODE + 4) | 0]);
    expect(trapOf('rv32gc', path, [assemble('jal', { rd: 1, imm: 6 })])[0]).toBe(0);
  });

  test('without compressed instructions bit 1 of mepc is zero', () => {
    const write = assemble('csrrw', { rd: 0, rs1: 5, csr: 0x341 });
    expect(trapOf('rv32g', path, [write])[2]).toBe(CODE + 0x100);
    expect(trapOf('rv32gc', path, [write])[2]).toBe(CODE + 0x102);
  });

  test('without F there is no floating-point state', () => {
    const readFcsr = assemble('csrrs', { rd: 6, rs1: 0, csr: 3 });
    const setFs = [
      assemble('lui', { rd: 6, imm: 0x6000 }),
      assemble('csrrs', { rd: 0, rs1: 6, csr: 0x300 }),
      assemble('csrrs', { rd: 1, rs1: 0, csr: 0x300 }),
    ];
    expect(trapOf('rv32imac', path, [readFcsr]).slice(0, 2)).toEqual([Cause.IllegalInstruction, readFcsr]);
    expect((trapOf('rv32imac', path, setFs, 3)[3] ?? 0) & 0x6000).toBe(0);
    expect((trapOf('rv32imafc', path, setFs, 3)[3] ?? 0) & 0x6000).toBe(0x6000);
  });
});

test('the decoder alone refuses too', () => {
  const insn = assemble('sh1add', { rd: 1, rs1: 2, rs2: 3 });
  expect(decode(insn, parseIsa('rv32gc'))).toBeNull();
  expect(decode(insn)?.instruction.row.name).toBe('sh1add');
});
