import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XArray } from '../../../kernel-ts/mm/xarray.ts';

/** Small indexes meet often; the last page of the largest file is among the others. */
const indexes = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(1000, 70_000, 0xffff_fffe));
const operations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('put' as const, 'take' as const), index: indexes }),
    fc.record({ kind: fc.constant('clear' as const), index: indexes, end: indexes }),
  ),
  { maxLength: 60 },
);

describe('XArray', () => {
  test('holds what a map would, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const array = new XArray<string>();
        const map = new Map<number, string>();
        for (const [serial, step] of steps.entries()) {
          const { index } = step;
          if (step.kind === 'put' && !map.has(index)) {
            array.set(index, `${serial}`);
            map.set(index, `${serial}`);
          } else if (step.kind === 'take' && map.delete(index)) {
            array.delete(index);
          } else if (step.kind === 'clear') {
            const seen: number[] = [];
            array.forRange(index, step.end, (value, at) => {
              expect(map.get(at)).toBe(value);
              seen.push(at);
              array.delete(at);
            });
            const expected = [...map.keys()].filter((at) => at >= index && at < step.end);
            expect(seen.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
            for (const at of expected) map.delete(at);
          }
          expect(array.size).toBe(map.size);
          for (const at of [0, 1, 2, 3, 5, 12, 1000, 70_000, 0xffff_fffe])
            expect(array.get(at)).toBe(map.get(at));
          expect(array.sorted()).toEqual([...map].sort(([a], [b]) => a - b).map(([, value]) => value));
        }
      }),
    );
  });
});
