import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VM_GROWSDOWN, VmArea, type VmArea as Vma } from '../../../kernel-ts/mm/vma.ts';
import { STACK_GUARD_GAP, vmStartGap, VmaTree } from '../../../kernel-ts/mm/vmaTree.ts';
import { TestKernel, mmOf } from './machine.ts';

const kernel = new TestKernel(1 << 20);
const mm = mmOf(kernel.spawn());

function area(first: number, pages: number, flags = 0): VmArea {
  return new VmArea(mm, first * 4096, (first + pages) * 4096, flags, 0);
}

/** The highest hole by looking at every page. */
function highestHole(list: readonly Vma[], len: number, low: number, high: number): number {
  for (let at = high - len; at >= low; at -= 4096) {
    if (list.every((v) => at + len <= vmStartGap(v) || at >= v.vmEnd)) return at;
  }
  return -1;
}

function lowestHole(list: readonly Vma[], len: number, low: number, high: number): number {
  for (let at = low; at + len <= high; at += 4096) {
    if (list.every((v) => at + len <= vmStartGap(v) || at >= v.vmEnd)) return at;
  }
  return -1;
}

describe('VmaTree', () => {
  // Pages in all, and steps: a few areas, and hundreds in a tree of several levels.
  test.each([
    [200, 80, 200],
    [2000, 1200, 10],
  ])('agrees with a list under insertions, removals and changes of bounds', (room, most, numRuns) => {
    const step = fc.record({
      op: fc.constantFrom('insert', 'insert', 'remove', 'shrink'),
      page: fc.integer({ min: 0, max: room - 1 }),
      pages: fc.integer({ min: 1, max: 8 }),
      look: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: most / 2, maxLength: most, size: 'max' }), (steps) => {
        const tree = new VmaTree();
        let list: VmArea[] = [];
        for (const { op, page, pages, look } of steps) {
          const hit = list.find((v) => v.vmStart <= page * 4096 && page * 4096 < v.vmEnd);
          if (
            op === 'insert' &&
            !list.some((v) => v.vmStart < (page + pages) * 4096 && page * 4096 < v.vmEnd)
          ) {
            const vma = area(page, pages);
            tree.insert(vma);
            list.push(vma);
          } else if (op === 'remove' && hit !== undefined) {
            tree.remove(hit);
            list = list.filter((v) => v !== hit);
          } else if (op === 'shrink' && hit !== undefined && hit.vmEnd - hit.vmStart > 4096) {
            if (look % 2 === 0) tree.setBounds(hit, hit.vmStart + 4096, hit.vmEnd);
            else tree.setBounds(hit, hit.vmStart, hit.vmEnd - 4096);
          }
          list.sort((a, b) => a.vmStart - b.vmStart);
          expect([...tree].every((v, i) => v === list[i])).toBe(true);
          expect(tree.size).toBe(list.length);
          expect([tree.first, tree.last]).toEqual([list[0] ?? null, list.at(-1) ?? null]);
          const found = list.find((v) => v.vmEnd > page * 4096) ?? null;
          expect(tree.find(page * 4096)).toBe(found);
          const at = found === null ? list.length : list.indexOf(found);
          expect(tree.before(page * 4096)).toBe(list[at - 1] ?? null);
          if (found !== null) {
            expect(tree.next(found)).toBe(list[at + 1] ?? null);
            expect(tree.prev(found)).toBe(list[at - 1] ?? null);
          }
          // Several changes may come before a search.
          if (look % 3 === 0 || (room > 200 && look % 5 !== 1)) continue;
          const low = (page % (room / 4)) * 4096;
          const high = (room + 50 - ((pages % 5) * room) / 10) * 4096;
          const bytes = (page: number) => (page < 0 ? -1 : page * 4096);
          const within = [low / 4096, high / 4096] as const;
          expect(bytes(tree.unmappedTopDown(look, ...within))).toBe(
            highestHole(list, look * 4096, low, high),
          );
          expect(bytes(tree.unmappedBottomUp(look, ...within))).toBe(
            lowestHole(list, look * 4096, low, high),
          );
        }
      }),
      { numRuns },
    );
  });

  test('keeps the guard gap below a stack free', () => {
    const tree = new VmaTree();
    tree.insert(area(1000, 4, VM_GROWSDOWN));
    expect(tree.unmappedTopDown(1, 0, 1004)).toBe(1000 - STACK_GUARD_GAP / 4096 - 1);
  });

  test('a visit may take out the area it is at', () => {
    const tree = new VmaTree();
    for (let i = 0; i < 100; i++) tree.insert(area(i * 2, 1));
    let visited = 0;
    for (const vma of tree) {
      expect(vma.vmStart).toBe(visited++ * 8192);
      tree.remove(vma);
    }
    expect([visited, tree.size, tree.first, tree.last]).toEqual([100, 0, null, null]);
  });

  test('refuses an overlap: a bug of ours', () => {
    const tree = new VmaTree();
    tree.insert(area(1, 2));
    expect(() => tree.insert(area(2, 1))).toThrow('overlap');
    expect(() => tree.remove(area(9, 1))).toThrow('not in its tree');
  });

  test('stays shallow with 100 000 areas', () => {
    const tree = new VmaTree();
    for (let i = 100_000; i > 0; i--) tree.insert(area(i * 2, 1));
    const start = performance.now();
    for (let i = 0; i < 100_000; i++) tree.find(i * 8192);
    // Far from a limit that noise could reach; a linear search would take minutes.
    expect(performance.now() - start).toBeLessThan(5000);
    expect(tree.unmappedTopDown(2, 1, 200_001)).toBe(-1);
    expect(tree.unmappedTopDown(1, 1, 200_001)).toBe(199_999);
  });
});
