import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Idr } from '../../../kernel-ts/mm/idr.ts';

test('the idr holds what a map would, and is walked by index', () => {
  const index = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), index)), (steps) => {
      const idr = new Idr<object>();
      const map = new Map<number, object>();
      for (const [add, at] of steps) {
        expect(idr.get(at)).toBe(map.get(at));
        if (add === map.has(at)) continue;
        if (add) {
          const object = { at };
          idr.set(at, object);
          map.set(at, object);
        } else {
          idr.delete(at);
          map.delete(at);
        }
      }
      expect(idr.size).toBe(map.size);
      expect([...idr]).toEqual([...map].sort(([a], [b]) => a - b));
      expect([...idr.values()]).toEqual([...idr].map(([, object]) => object));
    }),
  );
});

test('what a walk over the idr visits may be deleted', () => {
  const idr = new Idr<number>();
  for (const at of [3, 9, 32_767]) idr.set(at, at);
  for (const [at] of idr) idr.delete(at);
  expect([idr.size, idr.get(9), idr.get(32_768)]).toEqual([0, undefined, undefined]);
});

test('no index that a guest may ask for is there without having been put in', () => {
  const idr = new Idr<number>();
  idr.set(1, 1);
  for (const at of [0, -1, -64, 63, 64, 32_767, 0x7fff_ffff, -0x8000_0000]) expect(idr.has(at)).toBe(false);
  idr.delete(70);
  expect([idr.has(1), idr.size]).toEqual([true, 1]);
});
