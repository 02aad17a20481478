/**
 * The VMAs of one address space: the maple tree mm->mm_mt of 6.1 and later (mm/mmap.c), augmented with the largest hole below, so that
 * find_vma and vm_unmapped_area cost O(log n). Its shape is a function of the calls alone. It reckons in pages: V8 boxes addresses of
 * 2 GiB and above wherever they are handed on, and what it makes so fills the young generation.
 */
import { PAGE_SHIFT, PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import {
  allocNode,
  appendSlot,
  areaAfter,
  areaAt,
  areaBefore,
  FEW,
  forgetGaps,
  freeNodes,
  insertSlot,
  nodeAt,
  removeSlot,
  slotOf,
  UNKNOWN,
  updateKeys,
  type MapleCache,
  type MapleNode,
} from './mapleNode.ts';
import { VM_GROWSDOWN, type VmArea } from './vma.ts';

/** stack_guard_gap: room that is kept below a stack, in pages. */
const GUARD_PAGES = 256;
/** The same in bytes. */
export const STACK_GUARD_GAP = GUARD_PAGES * PAGE_SIZE;

/** vm_start_gap() in pages. */
function startGapPage(vma: VmArea): number {
  if ((vma.vmFlags & VM_GROWSDOWN) === 0) return vma.startPage;
  return Math.max(0, vma.startPage - GUARD_PAGES);
}

/** vm_start_gap(): the lowest address that belongs to the VMA, guard gap included. */
export function vmStartGap(vma: VmArea): number {
  return startGapPage(vma) * PAGE_SIZE;
}

/** The page behind an area; 0 when there is none. */
function endOf(vma: VmArea | null): number {
  return vma === null ? 0 : vma.endPage;
}

/** The hole directly below an area, in pages. */
function gapBelow(before: VmArea | null, vma: VmArea): number {
  return Math.max(0, startGapPage(vma) - endOf(before));
}

/** mas_max_gap(), counted anew where areas came, went or changed since the last search: most searches are spared by free_area_cache. */
function largestGap(node: MapleNode): number {
  if (node.gap !== UNKNOWN) return node.gap;
  let gap = 0;
  if (node.isLeaf) {
    let before = areaBefore(node, 0);
    for (let slot = 0; slot < node.count; slot++) {
      const vma = areaAt(node, slot);
      gap = Math.max(gap, gapBelow(before, vma));
      before = vma;
    }
  } else {
    for (let slot = 0; slot < node.count; slot++) gap = Math.max(gap, largestGap(nodeAt(node, slot)));
  }
  node.gap = gap;
  return gap;
}

/** mas_empty_area_rev(): the highest page in [low, high) where a hole of `len` pages below some area of the node begins, or -1. */
function highestGap(node: MapleNode, len: number, low: number, high: number): number {
  if (largestGap(node) < len) return -1;
  for (let slot = node.count - 1; slot >= 0; slot--) {
    // A hole below an area that follows one above the range.
    if (slot > 0 && (node.keys[slot - 1] as number) >= high) continue;
    if (node.isLeaf) {
      const before = areaBefore(node, slot);
      const gapStart = Math.max(low, endOf(before));
      const gapEnd = Math.min(high, startGapPage(areaAt(node, slot)));
      if (gapEnd - gapStart >= len) return gapEnd - len;
    } else {
      const found = highestGap(nodeAt(node, slot), len, low, high);
      if (found >= 0) return found;
    }
    // What comes before lies below the range.
    if ((node.keys[slot] as number) <= low) return -1;
  }
  return -1;
}

/** mas_empty_area(): the lowest such page. */
function lowestGap(node: MapleNode, len: number, low: number, high: number): number {
  if (largestGap(node) < len) return -1;
  for (let slot = 0; slot < node.count; slot++) {
    if (slot + 1 < node.count && (node.keys[slot + 1] as number) <= low) continue;
    if (node.isLeaf) {
      const before = areaBefore(node, slot);
      const gapStart = Math.max(low, endOf(before));
      if (Math.min(high, startGapPage(areaAt(node, slot))) - gapStart >= len) return gapStart;
    } else {
      const found = lowestGap(nodeAt(node, slot), len, low, high);
      if (found >= 0) return found;
    }
    if ((node.keys[slot] as number) >= high) return -1;
  }
  return -1;
}

/** The set of VMAs, iterable by address. */
export class VmaTree {
  /** map_count. */
  size = 0;
  readonly #cache: MapleCache;
  #root: MapleNode | null = null;
  /** The leaf with the highest areas. */
  #tail: MapleNode | null = null;
  /** struct ma_state, and a vmacache: the place of what was found last. The leaf is one of the tree's, and the slot is in it. */
  #leaf: MapleNode | null = null;
  #slot = 0;
  /** free_area_cache: between this VMA and page `#topHigh` lies no hole of `#topLen` pages. The last top-down search ended below it. */
  #top: VmArea | null = null;
  #topLen = 0;
  #topHigh = 0;

  constructor(cache: MapleCache = { free: [], limit: 0 }) {
    this.#cache = cache;
  }

  /** The root of a tree of few areas, which has nothing below; else null. For prefetch.ts. */
  get onlyLeaf(): MapleNode | null {
    return this.#root !== null && this.#root.isLeaf ? this.#root : null;
  }

  /** The leaf with the lowest areas, which leads to the others. */
  get firstLeaf(): MapleNode | null {
    let node = this.#root;
    while (node !== null && !node.isLeaf) node = nodeAt(node, 0);
    return node;
  }

  get first(): VmArea | null {
    const leaf = this.firstLeaf;
    return leaf === null ? null : areaAt(leaf, 0);
  }

  get last(): VmArea | null {
    const leaf = this.#tail;
    return leaf === null ? null : areaAt(leaf, leaf.count - 1);
  }

  /** find_vma(): the first VMA that ends above `addr`; it need not contain it. */
  find(addr: number): VmArea | null {
    return addr < TASK_SIZE ? this.findPage(addr >>> PAGE_SHIFT) : null;
  }

  /** The same by the number of a page. */
  findPage(page: number): VmArea | null {
    const leaf = this.#leaf;
    if (leaf === null) return this.#walk(page);
    const slot = this.#slot;
    const hit = areaAt(leaf, slot);
    if (hit.endPage > page) {
      if (hit.startPage <= page) return hit;
      const before = areaBefore(leaf, slot);
      if (before === null || before.endPage <= page) return hit;
      // Accesses often go from one mapping to its neighbour.
      if (before.startPage <= page) return this.#goBack(leaf, slot);
    } else {
      const after = areaAfter(leaf, slot);
      if (after === null) return null;
      if (after.endPage > page) return this.#goOn(leaf, slot);
    }
    return this.#walk(page);
  }

  /** mas_walk() from the root. */
  #walk(page: number): VmArea | null {
    let node = this.#root;
    if (node === null) return null;
    while (!node.isLeaf) node = nodeAt(node, slotOf(node, page));
    this.#leaf = node;
    this.#slot = slotOf(node, page);
    const vma = areaAt(node, this.#slot);
    return vma.endPage > page ? vma : this.#goOn(node, this.#slot);
  }

  /** mas_next(): to the area behind a place. */
  #goOn(leaf: MapleNode, slot: number): VmArea | null {
    const within = slot + 1 < leaf.count;
    const to = within ? leaf : leaf.next;
    if (to === null) return null;
    this.#leaf = to;
    this.#slot = within ? slot + 1 : 0;
    return areaAt(to, this.#slot);
  }

  /** mas_prev(): to the area before a place. */
  #goBack(leaf: MapleNode, slot: number): VmArea | null {
    const to = slot > 0 ? leaf : leaf.prev;
    if (to === null) return null;
    this.#leaf = to;
    this.#slot = slot > 0 ? slot - 1 : to.count - 1;
    return areaAt(to, this.#slot);
  }

  /** The leaf of a VMA that is in the tree; its slot is `#slot`. */
  #locate(vma: VmArea): MapleNode {
    const leaf = this.#leaf;
    if (leaf !== null && areaAt(leaf, this.#slot) === vma) return leaf;
    if (this.findPage(vma.startPage) !== vma || this.#leaf === null)
      throw new Error('the VMA is not in its tree');
    return this.#leaf;
  }

  /** vma_next(): the area behind one of the tree's, or null. */
  next(vma: VmArea): VmArea | null {
    return areaAfter(this.#locate(vma), this.#slot);
  }

  /** vma_prev(). */
  prev(vma: VmArea): VmArea | null {
    return areaBefore(this.#locate(vma), this.#slot);
  }

  /** vma_lookup(): the VMA that contains `addr`. */
  lookup(addr: number): VmArea | null {
    const vma = this.find(addr);
    return vma !== null && vma.vmStart <= addr ? vma : null;
  }

  /** find_vma_intersection(): the first VMA with a byte in [start, end). */
  intersection(start: number, end: number): VmArea | null {
    const vma = this.find(start);
    return vma !== null && vma.vmStart < end ? vma : null;
  }

  /** The last VMA that begins below the one that ends above `addr`: the neighbour of a hole there. */
  before(addr: number): VmArea | null {
    const next = this.find(addr);
    return next === null ? this.last : this.prev(next);
  }

  /** Links a VMA whose range is free. */
  insert(vma: VmArea): void {
    const next = this.findPage(vma.startPage);
    if (next !== null && next.startPage < vma.endPage) throw new Error('VMAs overlap');
    const page = vma.startPage;
    this.size++;
    const leaf = next === null ? this.#tail : this.#leaf;
    if (this.#root === null || leaf === null) {
      const root = allocNode(this.#cache, true);
      appendSlot(root, page, vma);
      this.#root = root;
      this.#tail = root;
      this.#leaf = root;
      this.#slot = 0;
      return;
    }
    const slot = next === null ? leaf.count : this.#slot;
    this.#root = insertSlot(this.#cache, this.#root, leaf, slot, page, vma);
    if (this.#tail !== null && this.#tail.next !== null) this.#tail = this.#tail.next;
    // Where it is, should the leaf have been split.
    const { count } = leaf;
    this.#leaf = slot < count ? leaf : leaf.next;
    this.#slot = slot < count ? slot : slot - count;
    if (next !== null && next === this.#top && startGapPage(next) - vma.endPage < this.#topLen)
      this.#top = vma;
  }

  remove(vma: VmArea): void {
    const leaf = this.#locate(vma);
    const next = areaAfter(leaf, this.#slot);
    if (this.#root === null) return;
    const tail = this.#tail;
    const beforeTail = tail === null ? null : tail.prev;
    if (this.#slot === leaf.count - 1) forgetGaps(leaf.next);
    this.#root = removeSlot(this.#cache, this.#root, leaf, this.#slot);
    if (this.#root === null) this.#tail = null;
    // The last leaf has become one with that before it, or is empty.
    else if (tail !== null && tail.count === 0) this.#tail = beforeTail;
    this.size--;
    // The next area is at its place now, unless the leaf may have gone.
    if (leaf.count < FEW) this.#leaf = null;
    else if (this.#slot === leaf.count) this.#slot--;
    if (this.#top === vma) this.#top = next;
    else if (this.#top !== null && vma.startPage > this.#top.startPage) this.#top = null;
  }

  /** mas_destroy(): the address space ends. */
  clear(): void {
    if (this.#root !== null) freeNodes(this.#cache, this.#root);
    this.size = 0;
    this.#root = null;
    this.#tail = null;
    this.#leaf = null;
    this.#top = null;
  }

  /** Moves the bounds of a linked VMA within the free space around it. */
  setBounds(vma: VmArea, vmStart: number, vmEnd: number): void {
    const leaf = this.#locate(vma);
    if (this.#top !== null && vma.endPage > this.#top.startPage) this.#top = null;
    vma.vmStart = vmStart;
    vma.vmEnd = vmEnd;
    leaf.keys[this.#slot] = vma.startPage;
    if (this.#slot === 0) updateKeys(leaf);
    forgetGaps(leaf);
    if (this.#slot === leaf.count - 1) forgetGaps(leaf.next);
  }

  /** vm_unmapped_area(VM_UNMAPPED_AREA_TOPDOWN): the first page of the highest hole of `len` pages within pages [low, high), or -1. */
  unmappedTopDown(len: number, low: number, high: number): number {
    if (high - Math.max(low, endOf(this.last)) >= len) return high - len;
    const top = this.#top;
    if (top !== null && len >= this.#topLen && high === this.#topHigh) {
      const gapEnd = Math.min(high, startGapPage(top));
      const gapStart = Math.max(low, endOf(this.prev(top)));
      if (gapEnd - gapStart >= len) return gapEnd - len;
    }
    const found = this.#root === null ? -1 : highestGap(this.#root, len, low, high);
    this.#top = found < 0 ? null : this.findPage(found);
    this.#topLen = len;
    this.#topHigh = high;
    return found;
  }

  /** vm_unmapped_area(): the first page of the lowest hole of `len` pages within pages [low, high), or -1. */
  unmappedBottomUp(len: number, low: number, high: number): number {
    const hole = this.#root === null ? -1 : lowestGap(this.#root, len, low, high);
    if (hole >= 0) return hole;
    const end = Math.max(low, endOf(this.last));
    return high - end >= len ? end : -1;
  }

  /** The area that a visit is at may be taken out meanwhile. */
  [Symbol.iterator](): Iterator<VmArea> {
    let at = this.first;
    return {
      next: (): IteratorResult<VmArea> => {
        if (at === null) return { done: true, value: undefined };
        const value = at;
        at = this.next(value);
        return { done: false, value };
      },
    };
  }
}
