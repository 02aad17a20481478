/** What compiling depends on: told the same, it makes the same; where another answer would make it wrong, it must not be taken. */
import { describe, expect, test } from 'vitest';
import { answersAgain, Listener } from '../../../emulator/jit/answers.ts';
import { compileBatch, regionModule, type World } from '../../../emulator/jit/batch.ts';
import { parseIsa } from '../../../emulator/isa/choice.ts';
import { assembleText } from '../bareMetal/assembler.ts';

const BASE = 0x1_0000;

/** A loop with loads, stores and a call, floating point, a computed jump; one that steps by a register. */
const SOURCE = `
  f: lw t0, 0(a0)
     sw t0, 64(a0)
     jal ra, g
     fadd.d fa0, fa0, fa1
     addi a0, a0, 4
     bne a0, a1, f
     jalr x0, 0(t3)
  h: addi a1, a1, 1
     jal x0, f
  g: add t0, t0, t0
     lw t1, 0(a2)
     add a2, a2, a3
     bne t1, x0, g
     jalr x0, 0(ra)`;

const program = assembleText(BASE, SOURCE);
const label = (name: string): number => program.labels.get(name) ?? 0;

/** A world whose `n`-th answer is another one; Infinity: none. Counts what it is asked, but for matters of taste: those it has. */
function world(n: number, taste = true): World & { readonly asked: () => number } {
  let asked = 0;
  const answer = (value: number): number => (asked++ === n ? value ^ 1 : value);
  const isTrue = (value: boolean): boolean => answer(Number(value)) !== 0;
  let slots = 1;
  let caches = 0;
  const slotOf = new Map<number, number>();
  return {
    isa: parseIsa('rv32gc'),
    groups: true,
    asked: () => asked,
    half: (va) => {
      const at = va - BASE;
      const there = at >= 0 && at < program.bytes.length;
      return answer(there ? (program.bytes[at] ?? 0) | ((program.bytes[at + 1] ?? 0) << 8) : -1);
    },
    stopsAt: () => isTrue(false),
    targets: () => (taste ? [label('h')] : []),
    room: () => answer(400),
    isWarm: () => taste,
    isUsed: () => !taste,
    isKnown: () => !taste,
    slotFor: (pc) => {
      if (!slotOf.has(pc)) slotOf.set(pc, slots++);
      return answer(slotOf.get(pc) ?? 0);
    },
    decoded: (page) => answer(page * 0x5000),
    reserve: () => answer(0x100_0000 + 16 * caches++),
    isWild: () => isTrue(false),
    reachOf: () => answer(0) as 0 | 1 | 2,
    entered: () => (taste ? 4096 : 16),
    assumes: () => isTrue(true),
  };
}

function compiled(): { module: Uint8Array; answers: Int32Array; asked: number } {
  const w = world(Infinity);
  const listener = new Listener(w);
  const regions = compileBatch(listener, label('f'));
  expect(regions.map(({ pc }) => pc)).toEqual([label('f'), label('g')]);
  const module = regionModule(regions, false);
  return { module, answers: listener.answers, asked: w.asked() };
}

describe('answers', () => {
  const { answers, asked, module } = compiled();

  test('every question is asked of this program', () => {
    const questions = new Set<number>();
    for (let at = 0; at < answers.length;)
      at += questions.add(answers[at] ?? 0) && answers[at] === 13 ? 3 + (answers[at + 2] ?? 0) : 3;
    expect([...questions].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  test('the same again make the same module', () => {
    expect(answersAgain(world(Infinity), answers)).toBe(true);
    expect(compiled().module).toEqual(module);
  });

  test('any other one is noticed', () => {
    expect(asked).toBeGreaterThan(30);
    for (let n = 0; n < asked; n++) expect([n, answersAgain(world(n), answers)]).toEqual([n, false]);
  });

  test('how warm, how well known, where jumps went, what registers held: what was made then is right all the same', () => {
    expect(answersAgain(world(Infinity, false), answers)).toBe(true);
  });

  test('of nonsense nothing is taken', () => {
    expect(answersAgain(world(Infinity), Int32Array.of(77, 0, 0))).toBe(false);
    expect(answersAgain(world(Infinity), answers.subarray(0, answers.length - 1))).toBe(false);
  });
});
