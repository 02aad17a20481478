/** Looks at the TLB that do badly are made in another way. */
import { expect, test } from 'vitest';
import { JudgedLooks, type JudgedLook } from '../../../emulator/jit/judgedLooks.ts';

/** Looks whose page caches have those counts, and one look from the micro-ops 8 and 16. */
function judged(misses: number, failures: number): { looks: JudgedLooks; look: JudgedLook; better: boolean } {
  const looks = new JudgedLooks({ counts: () => ({ misses, failures }) });
  const made = (): JudgedLook => looks.made({ pc: 2, pcs: [2, 4], cache: 100 }, (pc) => pc * 4);
  const better = looks.judge([made()]);
  return { looks, look: made(), better };
}

test('a look that does well stays', () => {
  expect(judged(299_999, 19)).toMatchObject({
    better: false,
    look: { uop: 8, uops: [8, 16], reach: 0, wild: false },
  });
});

test('one that is in vain asks for less, twice, with all that it looks for', () => {
  const { looks, look, better } = judged(0, 20);
  expect(better).toBe(true);
  expect(look.reach).toBe(1);
  expect([looks.reachOf(8), looks.reachOf(16), looks.reachOf(24)]).toEqual([1, 1, 0]);
  expect(looks.judge([look])).toBe(true);
  expect(looks.reachOf(16)).toBe(2);
  expect(looks.judge([{ ...look, reach: 2 }])).toBe(false);
});

test('one that meets too many pages does without a page cache', () => {
  const { looks, look, better } = judged(300_000, 0);
  expect(better).toBe(true);
  expect(look.wild).toBe(true);
  expect([looks.isWild(8), looks.isWild(16)]).toEqual([true, false]);
  expect(looks.judge([look])).toBe(false);
});

test('all is forgotten with the micro-ops', () => {
  const { looks } = judged(300_000, 20);
  looks.deleteRange(8, 16);
  expect([looks.isWild(8), looks.reachOf(8), looks.reachOf(16)]).toEqual([false, 0, 1]);
});
