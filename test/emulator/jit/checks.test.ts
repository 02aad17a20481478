/** Which accesses of a region look at the TLB, and for what. */
import { describe, expect, test } from 'vitest';
import { FULL_ISA } from '../../../emulator/isa/choice.ts';
import { READABLE, WRITABLE, type Reach } from '../../../emulator/jit/checks.ts';
import { analyse, type Flow } from '../../../emulator/jit/flow.ts';
import { discover } from '../../../emulator/jit/region.ts';
import { assembleText } from '../bareMetal/assembler.ts';

const BASE = 0x1_0000;

function flowOf(source: string, reach: Reach = 0, entered = 0): Flow {
  const { bytes } = assembleText(BASE, source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = {
    half: (va: number) => (va - BASE < bytes.byteLength ? view.getUint16(va - BASE, true) : -1),
    targets: () => [],
    stopsAt: () => false,
    isa: FULL_ISA,
  };
  const code = discover(reader, BASE);
  if (code === null) throw new Error('no region');
  return analyse(code, new Map(), { reachOf: () => reach, entered: () => entered });
}

/** The looks, in the order of the blocks: the instruction, its distance from the group's first byte, the group's span, what it asks. */
function looks({ blocks, checks }: Flow): string[] {
  return checks.accesses.flatMap((accesses, block) =>
    accesses.flatMap((access, i) => {
      if (access === null || access.look === 0) return [];
      const { group, offset, look } = access;
      const asks = look === WRITABLE ? 'write' : look === READABLE ? 'read' : '';
      const { name } = blocks[block]?.insns[i]?.instruction.row ?? { name: '' };
      return [`${name} at ${offset} of ${group.span}: ${asks}${group.lazy ? ', once' : ''}`];
    }),
  );
}

const RETURN = '\n jalr x0, 0(ra)';

describe('one look serves', () => {
  test('all accesses at known distances from one value', () => {
    expect(looks(flowOf(`lw a1, 8(a0)\n lw a2, 0(a0)\n addi a3, a0, 64\n lw a4, -4(a3)${RETURN}`))).toEqual([
      'lw at 8 of 64: read',
    ]);
  });

  test('a whole stack frame, for writing, through the frame pointer too', () => {
    const source = `addi sp, sp, -32\n sw ra, 28(sp)\n addi s0, sp, 32\n lw a0, -32(s0)\n lw ra, 28(sp)${RETURN}`;
    expect(looks(flowOf(source))).toEqual(['sw at 28 of 32: write']);
  });

  test('constants that lui and addi make', () => {
    expect(looks(flowOf(`lui a0, 5\n addi a1, a0, 16\n lw a2, 0(a0)\n lw a3, 4(a1)${RETURN}`))).toEqual([
      'lw at 0 of 24: read',
    ]);
  });

  test('sums and shifts of the same values', () => {
    const source = `slli a2, a1, 2\n add a3, a0, a2\n lw a4, 0(a3)\n addi a1, a1, 1\n slli a2, a1, 2\n add a3, a2, a0\n lw a5, 0(a3)`;
    expect(looks(flowOf(source + RETURN))).toEqual(['lw at 0 of 8: read']);
  });

  test('what comes behind a call, if the callee preserves the register', () => {
    const source = `lw a1, 0(s1)\n lw a2, 0(t0)\n jal ra, f\n lw a1, 4(s1)\n lw a2, 0(t0)${RETURN}\n f: addi x0, x0, 0`;
    expect(looks(flowOf(source))).toEqual(['lw at 0 of 8: read', 'lw at 0 of 4: read', 'lw at 0 of 4: read']);
  });
});

describe('another look', () => {
  test('where a store needs more than the loads before it', () => {
    const source = `lw a1, 0(a0)\n beq a1, x0, out\n sw a1, 4(a0)\n out: lw a2, 0(a0)${RETURN}`;
    expect(looks(flowOf(source))).toEqual(['lw at 0 of 8: read', 'sw at 4 of 8: write']);
  });

  test('where only one side has looked', () => {
    const source = `beq a1, x0, out\n lw a2, 0(a0)\n out: lw a3, 4(a0)${RETURN}`;
    expect(looks(flowOf(source))).toEqual(['lw at 0 of 8: read', 'lw at 4 of 8: read']);
  });

  test('in every round, where the pointer moves; unrolled loops look once for their rounds', () => {
    const source = `again: lbu a1, 0(a0)\n addi a0, a0, 1\n bne a1, x0, again${RETURN}`;
    expect(looks(flowOf(source))).toEqual(['lbu at 0 of 4: read']);
  });

  test('but one alone in a loop whose pointer stays', () => {
    const source = `again: lw a1, 0(a0)\n addi a2, a2, -1\n bne a2, x0, again${RETURN}`;
    for (const look of looks(flowOf(source))) expect(look).toBe('lw at 0 of 4: read, once');
  });

  test('for objects far apart', () => {
    expect(looks(flowOf(`lw a1, 0(a0)\n lw a2, 1024(a0)${RETURN}`))).toEqual([
      'lw at 0 of 4: read',
      'lw at 0 of 4: read',
    ]);
  });

  test('for each access, where looks may ask for no more than that', () => {
    const source = `lw a1, 0(a0)\n sw a1, 4(a0)\n lw a2, 8(a0)${RETURN}`;
    expect(looks(flowOf(source, 2))).toEqual([
      'lw at 0 of 4: read',
      'sw at 0 of 4: write',
      'lw at 0 of 4: read',
    ]);
  });
});

describe('walks by whole pages', () => {
  const walks = (loop: string, entered = 0): boolean => {
    const { blocks, checks } = flowOf(`${loop}\n bne a1, x0, again${RETURN}`, 0, entered);
    const inLoop = checks.accesses.filter((_a, block) => blocks[block]?.loop !== null).flat();
    return inLoop.some((access) => access?.group.walksPages);
  };

  test('are loops whose pointer moves by them, up or down', () => {
    expect(walks('lui a2, 1\n again: lw a1, 0(a0)\n add a0, a0, a2')).toBe(true);
    expect(walks('again: lw a1, 0(a0)\n lui a2, 0xffffe\n add a0, a0, a2')).toBe(true);
    expect(walks('again: lw a1, 0(a0)\n addi a0, a0, 64')).toBe(false);
    expect(walks('again: lw a1, 0(a0)')).toBe(false);
  });

  test('or whose index does, also shifted', () => {
    expect(walks('lui a2, 1\n again: add a3, a0, a4\n lw a1, 0(a3)\n add a4, a4, a2')).toBe(true);
    const shifted = (by: number): string =>
      `again: slli a3, a4, ${by}\n add a3, a3, a0\n lw a1, 0(a3)\n addi a4, a4, 1`;
    expect([walks(shifted(12)), walks(shifted(2))]).toEqual([true, false]);
  });

  test('by what a register held when the region was made, where the loop does not change it', () => {
    const loop = 'again: lw a1, 0(a0)\n add a0, a0, a2';
    expect([walks(loop, 8192), walks(loop, 8), walks(loop, 0)]).toEqual([true, false, false]);
    expect(walks(`${loop}\n addi a2, a2, 1`, 8192)).toBe(false);
  });

  test('in each round of an unrolled loop, and within another loop that begins at the same place', () => {
    const source = `again: lw a1, 0(a0)\n add a0, a0, a2\n bne a1, x0, again\n addi a0, a3, 4\n addi a4, a4, -1\n bne a4, x0, again${RETURN}`;
    const { checks } = flowOf(source, 0, 4096);
    const walking = checks.accesses.flat().map((access) => access?.group.walksPages ?? null);
    expect(walking.filter((walk) => walk !== null)).toEqual([true, true, true]);
  });

  test('not what is loaded, as a list is', () => {
    expect(walks('again: lw a0, 0(a0)\n addi a1, a0, 0', 4096)).toBe(false);
  });
});

describe('small loops', () => {
  const rounds = (source: string): number => {
    const flow = flowOf(source + RETURN);
    return flow.blocks.filter(({ pc }) => pc === BASE).length;
  };

  test('are there as often as fits', () => {
    expect(rounds('again: addi a0, a0, -1\n bne a0, x0, again')).toBe(4);
    expect(rounds(`again: ${'addi a1, a1, 1\n '.repeat(7)}addi a0, a0, -1\n bne a0, x0, again`)).toBe(2);
    expect(rounds(`again: ${'addi a1, a1, 1\n '.repeat(30)}addi a0, a0, -1\n bne a0, x0, again`)).toBe(1);
  });

  test('are there more often when they access memory, since one look serves all rounds', () => {
    const copy = 'again: lw a2, 0(a0)\n sw a2, 0(a1)\n addi a0, a0, 4\n addi a1, a1, 4\n';
    expect(rounds(`${copy}${'addi a3, a3, 1\n '.repeat(7)}bne a0, a4, again`)).toBe(2);
  });

  test('with a call are left as they are', () => {
    expect(rounds('again: jal ra, f\n bne a0, x0, again\n f: addi x0, x0, 0')).toBe(1);
  });
});
