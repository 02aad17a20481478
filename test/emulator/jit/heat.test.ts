/** When entries are hot, and what they wait for. */
import { describe, expect, test } from 'vitest';
import * as layout from '../../../emulator/layout.ts';
import { Heat, type TierChoice } from '../../../emulator/jit/heat.ts';
import { ENTRY } from '../../../emulator/tier0/uop.ts';

const PAGE = layout.DECODED;
const UOP = PAGE + 80;

/** A machine's memory as far as counts reach. */
function memory(choice: TierChoice): { words: Int32Array; heat: Heat; countOf: (uop: number) => number } {
  const words = new Int32Array((layout.HEAT >>> 2) + layout.HEAT_SIZE);
  const heat = new Heat(words);
  heat.choose(choice, ENTRY);
  const at = (uop: number): number => (layout.HEAT >>> 2) + ((uop >>> 3) & (layout.HEAT_SIZE - 1));
  return { words, heat, countOf: (uop) => words[at(uop)] ?? NaN };
}

describe('what the interpreter is told', () => {
  const told = (choice: TierChoice): (number | undefined)[] => {
    const { words } = memory(choice);
    return [layout.MARK, layout.THRESHOLD, layout.AMPLE].map((at) => words[at >>> 2]);
  };

  test('for each choice', () => {
    expect(told(0)).toEqual([0, 0, 0]);
    expect(told(1)).toEqual([ENTRY, 1, 0]);
    expect(told('auto')).toEqual([ENTRY, 2000, 2000]);
  });

  test('where an earlier run may have compiled entries, and only if they may wait', () => {
    const patient = memory('auto');
    patient.heat.expectKept();
    expect(patient.words[layout.THRESHOLD >>> 2]).toBe(500);
    const impatient = memory(1);
    impatient.heat.expectKept();
    expect(impatient.words[layout.THRESHOLD >>> 2]).toBe(1);
    expect([patient.heat.expectant, impatient.heat.expectant]).toEqual([true, false]);
  });

  test('and where none has: entries have to be as hot as any', () => {
    const { words, heat } = memory('auto');
    heat.expectKept();
    heat.expectNone();
    expect(words[layout.THRESHOLD >>> 2]).toBe(2000);
    expect(heat.expectant).toBe(false);
  });
});

describe('until compiling begins', () => {
  test('a hot entry is none, and no others are marked', () => {
    const { words, heat, countOf } = memory('auto');
    words[UOP >>> 2] = 0x4321_0000 | ENTRY | 7;
    heat.waitForBegin(UOP, false);
    expect(words[UOP >>> 2]).toBe(0x4321_0007);
    expect(words[layout.MARK >>> 2]).toBe(0);
    expect(countOf(UOP)).toBeLessThan(0);
    expect(heat.begun).toBe(false);
  });

  test('then it is one again, and hot when it is met', () => {
    const { words, heat, countOf } = memory('auto');
    words[UOP >>> 2] = ENTRY | 7;
    heat.waitForBegin(UOP, false);
    heat.begin();
    expect(words[UOP >>> 2]).toBe(ENTRY | 7);
    expect(words[layout.MARK >>> 2]).toBe(ENTRY);
    expect(countOf(UOP)).toBe(1999);
    expect(heat.begun).toBe(true);
  });

  test('others are marked where kept code is entered', () => {
    const { words, heat } = memory('auto');
    heat.waitForBegin(UOP, true);
    expect(words[layout.MARK >>> 2]).toBe(ENTRY);
  });

  test('it is forgotten with its page', () => {
    const { words, heat, countOf } = memory('auto');
    words[UOP >>> 2] = ENTRY | 7;
    heat.waitForBegin(UOP, false);
    heat.dropPage(PAGE);
    heat.begin();
    expect(words[UOP >>> 2]).toBe(7);
    expect(countOf(UOP)).toBe(0);
  });
});

describe('an entry is warm', () => {
  const warmAfter = (
    prepare: (heat: Heat) => void,
    executions: number,
    choice: TierChoice = 'auto',
  ): boolean => {
    const { words, heat, countOf } = memory(choice);
    prepare(heat);
    words[(layout.HEAT >>> 2) + ((UOP >>> 3) & (layout.HEAT_SIZE - 1))] = countOf(UOP) + executions;
    return heat.isWarm(UOP);
  };

  test('after an eighth of what makes it hot', () => {
    expect(warmAfter(() => undefined, 249)).toBe(false);
    expect(warmAfter(() => undefined, 250)).toBe(true);
  });

  test('when it was looked for in vain in what is kept, too', () => {
    const inVain = (heat: Heat): void => {
      heat.taken(UOP, true);
      heat.setLate(UOP);
    };
    expect(warmAfter(inVain, 249)).toBe(false);
    expect(warmAfter(inVain, 250)).toBe(true);
  });

  test('at once, where nothing waits, unless it was postponed', () => {
    expect(warmAfter(() => undefined, 0, 1)).toBe(true);
    expect(warmAfter((heat) => heat.postpone(UOP), 0, 1)).toBe(false);
  });
});

describe('waits', () => {
  test('are longest in the midst of regions, and end with them', () => {
    const { heat, countOf } = memory('auto');
    heat.refused(UOP);
    const refused = countOf(UOP);
    heat.postpone(UOP);
    const postponed = countOf(UOP);
    heat.covered([UOP]);
    expect(countOf(UOP)).toBeLessThan(postponed);
    expect(postponed).toBeLessThan(refused);
    expect(refused).toBeLessThan(0);
    heat.uncovered(UOP);
    expect(countOf(UOP)).toBe(0);
  });

  test('are none in the midst of regions where everything is compiled at once', () => {
    const { heat, countOf } = memory(1);
    heat.covered([UOP]);
    expect(countOf(UOP)).toBe(0);
  });

  test('go on when counts are forgotten', () => {
    const { words, heat, countOf } = memory('auto');
    const other = UOP + 8;
    words[(layout.HEAT >>> 2) + ((other >>> 3) & (layout.HEAT_SIZE - 1))] = 1234;
    heat.postpone(UOP);
    heat.setLate(other);
    const wait = countOf(UOP);
    heat.forget();
    expect(countOf(UOP)).toBe(wait);
    expect(countOf(other)).toBe(0);
    expect(heat.isLate(other)).toBe(false);
  });

  test('end with their page, wherever its counts lie', () => {
    const { heat, countOf } = memory('auto');
    for (let page = 0; page < 64; page++) {
      const first = PAGE + page * layout.DECODED_STRIDE;
      const last = first + 2047 * 8;
      heat.postpone(first);
      heat.postpone(last);
      heat.dropPage(first);
      expect([countOf(first), countOf(last)]).toEqual([0, 0]);
    }
  });
});
