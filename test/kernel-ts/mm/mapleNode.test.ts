import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  allocNode,
  appendSlot,
  areaAfter,
  areaAt,
  areaBefore,
  insertSlot,
  nodeAt,
  removeSlot,
  slotOf,
  type MapleCache,
  type MapleNode,
} from '../../../kernel-ts/mm/mapleNode.ts';
import { VmArea } from '../../../kernel-ts/mm/vma.ts';
import { mmOf, TestKernel } from './machine.ts';

const mm = mmOf(new TestKernel(1 << 20).spawn());

/** Few enough that some are made anew. */
const cache: MapleCache = { free: [], limit: 3 };

function area(page: number): VmArea {
  return new VmArea(mm, page * 4096, (page + 1) * 4096, 0, 0);
}

function leafOf(root: MapleNode, page: number): MapleNode {
  let node = root;
  while (!node.isLeaf) node = nodeAt(node, slotOf(node, page));
  return node;
}

function insert(root: MapleNode | null, vma: VmArea): MapleNode {
  const page = vma.vmStart / 4096;
  if (root === null) {
    const first = allocNode(cache, true);
    appendSlot(first, page, vma);
    return first;
  }
  const leaf = leafOf(root, page);
  const slot = slotOf(leaf, page);
  return insertSlot(cache, root, leaf, areaAt(leaf, slot).vmStart < vma.vmStart ? slot + 1 : slot, page, vma);
}

function remove(root: MapleNode, page: number): MapleNode | null {
  const leaf = leafOf(root, page);
  return removeSlot(cache, root, leaf, slotOf(leaf, page));
}

/** The areas by way of the nodes, with what holds of every node; and the number of leaves. */
function check(node: MapleNode, parent: MapleNode | null, depth: number, depths: Set<number>): VmArea[] {
  expect(node.parent).toBe(parent);
  const { count } = node;
  expect(count).toBeLessThanOrEqual(16);
  expect(count).toBeGreaterThan(0);
  // The arrays keep their length, and what is gone can be collected.
  expect(node.keys.length).toBe(17);
  expect(node.slots.slice(count)).toEqual(Array.from({ length: 17 - count }, () => null));
  if (node.isLeaf) {
    depths.add(depth);
    const areas = node.slots.slice(0, count).map((_, slot) => areaAt(node, slot));
    expect(node.keys.slice(0, count)).toEqual(areas.map((vma) => vma.vmStart / 4096));
    return areas;
  }
  return node.slots.slice(0, count).flatMap((_, slot) => {
    const child = nodeAt(node, slot);
    expect(child.keys[0]).toBe(node.keys[slot]);
    return check(child, node, depth + 1, depths);
  });
}

function pagesOf(root: MapleNode | null): number[] {
  if (root === null) return [];
  const depths = new Set<number>();
  const areas = check(root, null, 0, depths);
  expect(depths.size).toBe(1);
  // The leaves are linked in the same order.
  let leaf: MapleNode | null = leafOf(root, 0);
  const linked: VmArea[] = [];
  for (let before: VmArea | null = null; leaf !== null; leaf = leaf.next) {
    for (let slot = 0; slot < leaf.count; slot++) {
      expect(areaBefore(leaf, slot)).toBe(before);
      if (before !== null) expect(linked.at(-1)).toBe(before);
      before = areaAt(leaf, slot);
      linked.push(before);
    }
    expect(areaAfter(leaf, leaf.count - 1)).toBe(leaf.next === null ? null : areaAt(leaf.next, 0));
  }
  expect(linked).toEqual(areas);
  return areas.map((vma) => vma.vmStart / 4096);
}

test('areas come and go in any order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 500, size: 'max' }),
      fc.array(fc.nat(), { minLength: 600, maxLength: 600 }),
      (coming, going) => {
        let root: MapleNode | null = null;
        const there = new Set<number>();
        for (const page of coming) {
          if (there.has(page)) continue;
          there.add(page);
          root = insert(root, area(page));
        }
        for (let n = 0; there.size > 0 && root !== null; n++) {
          const pages = [...there].sort((a, b) => a - b);
          if (n % 20 === 0) expect(pagesOf(root)).toEqual(pages);
          const page = pages[(going[n] ?? 0) % pages.length] as number;
          there.delete(page);
          root = remove(root, page);
        }
        expect(root).toBeNull();
      },
    ),
    { numRuns: 30 },
  );
});

test.each([
  ['down', (i: number) => 20_000 - i],
  ['up', (i: number) => 10 + i],
  ['down to others', (i: number) => (i < 5 ? i + 1 : 20_000 - i)],
])('what comes in turn, %s, leaves full nodes behind', (_name, pageOf) => {
  let root: MapleNode | null = null;
  for (let i = 0; i < 2000; i++) root = insert(root, area(pageOf(i)));
  expect(pagesOf(root)).toHaveLength(2000);
  let leaves = 0;
  for (let leaf = root === null ? null : leafOf(root, 0); leaf !== null; leaf = leaf.next) leaves++;
  expect(leaves).toBeLessThan(2000 / 11);
});
