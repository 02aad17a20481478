/** Small functions in the regions of their callers: which are taken in, and that nothing but the speed depends on it. */
import { describe, expect, test } from 'vitest';
import { RAM_BASE } from '../../../emulator/index.ts';
import { FULL_ISA } from '../../../emulator/isa/choice.ts';
import { inlineCalls, isLeaf } from '../../../emulator/jit/inlineCalls.ts';
import {
  discover,
  MAX_INSTRUCTIONS,
  type CodeReader,
  type RegionCode,
} from '../../../emulator/jit/region.ts';
import { assembleText } from '../bareMetal/assembler.ts';
import { agree, machineMode } from './agree.ts';

const BASE = 0x1_0000;
const RET = 'jalr x0, 0(ra)\n';

/** The region at `entry`, of code in which computed calls have gone to those labels, and its labels. */
function inlined(
  source: string,
  gone: readonly string[] = [],
  isUsed = true,
): { code: RegionCode; at: (label: string) => number; reader: CodeReader } {
  const { bytes, labels } = assembleText(BASE, source);
  const at = (label: string): number => labels.get(label) ?? 0;
  const reader: CodeReader = {
    half: (va) => {
      const low = bytes[va - BASE];
      return low === undefined ? -1 : low | ((bytes[va - BASE + 1] ?? 0) << 8);
    },
    targets: () => gone.map(at),
    stopsAt: (va) => va === at('stop'),
    isa: FULL_ISA,
  };
  const region = discover(reader, at('entry')) as RegionCode;
  return { code: inlineCalls(reader, region, () => isUsed), at, reader };
}

/** The functions that the region has copies of, one for each call. */
const copies = ({ blocks, own }: RegionCode, functions: readonly number[]): number[] =>
  blocks.slice(own).flatMap(({ pc, insns }) => (insns.length > 0 && functions.includes(pc) ? [pc] : []));

const LOOP = `entry: addi a0, a0, 1
  jal ra, f
  bne a0, x0, entry
  ${RET}`;

describe('a function that is called', () => {
  const isTaken = (f: string, isUsed = true): boolean => {
    const { code, at } = inlined(`${LOOP} f: ${f}`, [], isUsed);
    return copies(code, [at('f')]).length === 1;
  };

  test('is taken in where it is small and calls nobody', () => {
    expect(isTaken(`add a0, a0, a1\n ${RET}`)).toBe(true);
    expect(isTaken(`beq a0, a1, other\n addi a0, a0, 1\n ${RET} other: addi a0, a0, 2\n ${RET}`)).toBe(true);
    expect(isTaken(`addi a7, x0, 172\n ecall\n ${RET}`)).toBe(true);
    expect(isTaken(`${'addi a0, a0, 1\n'.repeat(23)} ${RET}`)).toBe(true);
  });

  test('is not, where it is called rarely', () => {
    expect(isTaken(`add a0, a0, a1\n ${RET}`, false)).toBe(false);
  });

  test('is not, where it is large, calls, loops, returns in another way or ends elsewhere', () => {
    expect(isTaken(`${'addi a0, a0, 1\n'.repeat(24)} ${RET}`)).toBe(false);
    expect(isTaken(`addi s0, ra, 0\n jal ra, g\n jalr x0, 0(s0)\n g: ${RET}`)).toBe(false);
    expect(isTaken(`addi s0, ra, 0\n jalr ra, 0(a1)\n addi ra, s0, 0\n ${RET}`)).toBe(false);
    expect(isTaken(`addi a0, a0, 7\n again: addi a0, a0, -1\n bne a0, x0, again\n ${RET}`)).toBe(false);
    expect(isTaken(`jalr x0, 0(t0)`)).toBe(false);
    expect(isTaken(`jalr x0, 4(ra)`)).toBe(false);
    expect(isTaken(`add a0, a0, a1\n csrrs a0, cycle, x0\n ${RET}`)).toBe(false);
    expect(isTaken(`add a0, a0, a1\n stop: add a0, a0, a1\n ${RET}`)).toBe(false);
    expect(isTaken(`addi a0, a0, 1\n j entry`)).toBe(false);
  });

  test('is there once for each call, and goes back behind that', () => {
    const { code, at } = inlined(`entry: jal ra, f
      one: addi a1, a1, 1
      jal ra, f
      two: addi a2, a2, 2
      j entry
      f: addi a0, a0, 1
      ${RET}`);
    expect(copies(code, [at('f')])).toHaveLength(2);
    const { blocks, own } = code;
    const back = blocks.slice(own).map(({ end }) => (end.kind === 'indirect' ? end.targets : []));
    expect(back.map(([edge]) => edge && blocks[edge.block]?.pc)).toEqual([at('one'), at('two')]);
  });

  test('is not, where there is no room left', () => {
    const calls = 30;
    const source = `entry: ${'jal ra, f\n'.repeat(calls)} j entry\n f: ${'addi a0, a0, 1\n'.repeat(9)} ${RET}`;
    const { code, at } = inlined(source);
    expect(copies(code, [at('f')])).toHaveLength(16);
    const full = inlined(
      `entry: jal ra, f\n ${'addi x0, x0, 0\n'.repeat(MAX_INSTRUCTIONS - 3)} j entry\n f: addi x0, x0, 0\n ${RET}`,
    );
    expect(full.code.blocks.length).toBe(full.code.own);
  });

  test('is told from another by where it begins and by the register of its return', () => {
    const { code, at } = inlined(`entry: jal x17, f
      jal ra, g
      j entry
      f: c.addi a0, 1
      g: jalr x0, 0(x17)`);
    expect(code.blocks.slice(code.own).map(({ pc }) => pc)).toEqual([at('f')]);
  });

  test('waits for its callers when it looks like the beginning of one', () => {
    const { reader, at } = inlined(`${LOOP} f: addi a0, a0, 1\n g: addi a0, a0, 1\n ${RET}`);
    expect([isLeaf(reader, at('f')), isLeaf(reader, at('g')), isLeaf(reader, at('entry'))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('a computed call', () => {
  const source = `entry: jalr ra, 0(s1)
    back: addi a0, a0, 1
    j entry
    ${RET}
    f: addi a1, a1, 1
    ${RET}
    g: addi a2, a2, 1
    ${RET}
    h: addi a3, a3, 1
    jalr ra, 0(s2)
    ${RET}`;

  test('has all small functions that it has gone to, and is one to any other', () => {
    const { code, at } = inlined(source, ['f', 'h', 'g', 'back']);
    expect(copies(code, [at('f'), at('g'), at('h'), at('back')])).toEqual([at('f'), at('g')]);
    const [{ end }] = code.blocks as [RegionCode['blocks'][number]];
    if (end.kind !== 'indirect' || end.otherwise === null) throw new Error(end.kind);
    expect(end.targets.map(({ pc }) => pc)).toEqual([at('f'), at('g')]);
    expect(code.blocks[end.otherwise.block]).toMatchObject({
      insns: [],
      end: { kind: 'call', target: null },
    });
  });

  test('stays as it is where it has gone to none', () => {
    const { code } = inlined(source, ['h']);
    expect(code.blocks.length).toBe(code.own);
  });
});

describe('all tiers agree', () => {
  const DATA = RAM_BASE + 0x10_0000;
  /** `f`, `g` and `h` are called by turns, directly and by their addresses; `handler` skips what traps. */
  const program = (f: string, g: string): string => `
    li s0, ${DATA}
    li sp, ${DATA + 0x1000}
    again: addi s2, s2, 1
    andi t0, s2, 3
    slli t0, t0, 2
    la t1, table
    add t1, t1, t0
    lw t1, 0(t1)
    jalr ra, 0(t1)
    add a3, a3, a0
    jal ra, f
    sub a3, a3, a1
    jal ra, g
    xor a3, a3, a2
    j again
    .align 4
    table: .word f
    .word g
    .word h
    .word f
    ${RET}
    f: ${f}
    ${RET}
    g: addi a2, a2, 1
    ${g}
    ${RET}
    h: addi a2, a2, 5
    again2: addi a4, a4, 1
    andi t2, a4, 7
    bne t2, x0, again2
    ${RET}
    .align 4
    handler: csrrs t6, mepc, x0
    addi t6, t6, 4
    csrrw x0, mepc, t6
    addi s3, s3, 1
    mret`;

  const FRAME = `addi sp, sp, -16
    sw ra, 12(sp)
    sw s0, 8(sp)
    addi s0, sp, 16
    add a0, a0, s2
    lw ra, 12(sp)
    lw s0, 8(sp)
    addi sp, sp, 16`;

  test.each([
    ['small functions with and without frames', FRAME, 'xor a1, a1, a0'],
    [
      'one that returns to somewhere else now and then',
      'andi t3, s2, 15\n add ra, ra, x0\n bne t3, x0, 8\n addi ra, ra, 4',
      FRAME,
    ],
    [
      'one whose loads fault',
      'andi t3, s2, 7\n slli t3, t3, 29\n xor t3, t3, s0\n lw a1, 0(t3)\n add a0, a0, a1',
      'sw a0, 4(s0)',
    ],
    ['one that calls the supervisor', 'addi a0, a0, 3\n ecall', FRAME],
    [
      'one that changes the other',
      'la t3, word\n lw t4, 0(t3)\n la t5, place\n andi t6, s2, 31\n bne t6, x0, 12\n xori t4, t4, 0\n sw t4, 0(t5)',
      'place: addi a1, a1, 1\n j 8\n word: addi a1, a1, 2',
    ],
  ])('%s', (_name, f, g) => {
    agree({ setUp: (machine) => void machineMode(machine, program(f, g)), total: 40_000 });
  });
});
