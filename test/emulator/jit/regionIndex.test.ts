/** Finding regions by their entry, their micro-ops and their pages. */
import { expect, test } from 'vitest';
import { RegionIndex } from '../../../emulator/jit/regionIndex.ts';

const PAGE = 0x10000;
const OTHER = 0x20000;

/** An index of one region, at the pc 8 in its page, whose code lies in two pages. */
function filled(): { index: RegionIndex; region: ReturnType<RegionIndex['add']> } {
  const index = new RegionIndex();
  const region = index.add(8, PAGE + 32, 5);
  index.fill(region, [PAGE + 32, OTHER], [PAGE, OTHER]);
  return { index, region };
}

test('a region is found by its entry in the address space that it is for', () => {
  const { index, region } = filled();
  expect(index.find(8, PAGE + 32)).toBe(region);
  expect(index.find(0x1008, PAGE + 32)).toBeNull();
  const another = index.add(0x1008, PAGE + 32, 6);
  expect(index.find(0x1008, PAGE + 32)).toBe(another);
  expect(index.find(8, PAGE + 32)).toBe(region);
  index.remove(region);
  expect(index.find(8, PAGE + 32)).toBeNull();
  expect(index.find(0x1008, PAGE + 32)).toBe(another);
});

test('it covers its micro-ops while it is there', () => {
  const { index, region } = filled();
  expect([PAGE + 32, OTHER, PAGE].map((uop) => index.covers(uop))).toEqual([true, true, false]);
  index.remove(region);
  expect(index.covers(OTHER)).toBe(false);
});

test('it is found by each of its pages, and by that of its entry before it has code', () => {
  const { index, region } = filled();
  expect([...index.takePage(OTHER)]).toEqual([region]);
  index.remove(region);
  expect([...index.takePage(PAGE)]).toEqual([]);
  const empty = index.add(8, PAGE + 32, 5);
  expect([...index.takePage(PAGE)]).toEqual([empty]);
  expect([...index.takePage(PAGE)]).toEqual([]);
});
