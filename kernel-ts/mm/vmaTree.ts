/**
 * The VMAs of one address space: Linux's mm->mmap list and mm_rb tree (mm/mmap.c of 2.6 to 6.0), augmented with the
 * largest hole below, so that find_vma and vm_unmapped_area cost O(log n). The tree is a treap whose priorities come
 * from a serial number: balanced in expectation and a function of the calls alone.
 */
import { PAGE_SIZE } from '../abi/mman.ts';
import { VM_GROWSDOWN, type VmArea } from './vma.ts';

/** stack_guard_gap: room that is kept below a stack, in bytes (256 pages). */
export const STACK_GUARD_GAP = 256 * PAGE_SIZE;

/** vm_start_gap(): the lowest address that belongs to the VMA, guard gap included. */
export function vmStartGap(vma: VmArea): number {
  if ((vma.vmFlags & VM_GROWSDOWN) === 0) return vma.vmStart;
  return Math.max(0, vma.vmStart - STACK_GUARD_GAP);
}

/** The hole directly below a VMA, in pages: a small integer, where bytes would be a boxed number. */
function gapBelow(vma: VmArea): number {
  return Math.max(0, vmStartGap(vma) - (vma.vmPrev === null ? 0 : vma.vmPrev.vmEnd)) / PAGE_SIZE;
}

/** In rbSubtreeGap: it is out of date, and so are those of all nodes above. */
const UNKNOWN = -1;

/** rb_subtree_gap, counted anew where areas came, went or changed since the last search: most searches are spared by free_area_cache. */
function subtreeGap(node: VmArea): number {
  if (node.rbSubtreeGap !== UNKNOWN) return node.rbSubtreeGap;
  let gap = gapBelow(node);
  const left = node.rbLeft === null ? 0 : subtreeGap(node.rbLeft);
  if (left > gap) gap = left;
  const right = node.rbRight === null ? 0 : subtreeGap(node.rbRight);
  if (right > gap) gap = right;
  node.rbSubtreeGap = gap;
  return gap;
}

/** Puts a subtree below `parent`, on the side of `address`; the root of all of it. */
function attach(
  root: VmArea | null,
  parent: VmArea | null,
  address: number,
  child: VmArea | null,
): VmArea | null {
  if (parent === null) return child;
  if (address < parent.vmStart) parent.rbLeft = child;
  else parent.rbRight = child;
  return root;
}

/** Divides a subtree into the areas below `node` and those above, which become its children. */
function split(subtree: VmArea | null, node: VmArea): void {
  const { vmStart } = node;
  let left: VmArea | null = null;
  let right: VmArea | null = null;
  node.rbLeft = null;
  node.rbRight = null;
  for (let at = subtree; at !== null;) {
    at.rbSubtreeGap = UNKNOWN;
    if (at.vmStart < vmStart) {
      if (left === null) node.rbLeft = at;
      else left.rbRight = at;
      left = at;
      at = at.rbRight;
    } else {
      if (right === null) node.rbRight = at;
      else right.rbLeft = at;
      right = at;
      at = at.rbLeft;
    }
  }
  if (left !== null) left.rbRight = null;
  if (right !== null) right.rbLeft = null;
}

/** The new root. */
function insertNode(root: VmArea | null, node: VmArea): VmArea | null {
  const { vmStart, rbPriority } = node;
  let parent: VmArea | null = null;
  let at = root;
  while (at !== null && at.rbPriority >= rbPriority) {
    at.rbSubtreeGap = UNKNOWN;
    parent = at;
    at = vmStart < at.vmStart ? at.rbLeft : at.rbRight;
  }
  node.rbSubtreeGap = UNKNOWN;
  split(at, node);
  return attach(root, parent, vmStart, node);
}

/** One tree of two, all areas of the first being below those of the second. */
function merge(lower: VmArea | null, upper: VmArea | null): VmArea | null {
  if (lower === null) return upper;
  if (upper === null) return lower;
  if (lower.rbPriority > upper.rbPriority) {
    lower.rbRight = merge(lower.rbRight, upper);
    lower.rbSubtreeGap = UNKNOWN;
    return lower;
  }
  upper.rbLeft = merge(lower, upper.rbLeft);
  upper.rbSubtreeGap = UNKNOWN;
  return upper;
}

/** The gaps from `node` up are out of date. Returns the node above it, or null. */
function updatePath(root: VmArea | null, node: VmArea): VmArea | null {
  const { vmStart } = node;
  let parent: VmArea | null = null;
  let at = root;
  while (at !== node) {
    if (at === null) throw new Error('the VMA is not in its tree');
    at.rbSubtreeGap = UNKNOWN;
    parent = at;
    at = vmStart < at.vmStart ? at.rbLeft : at.rbRight;
  }
  node.rbSubtreeGap = UNKNOWN;
  return parent;
}

/** The new root. */
function removeNode(root: VmArea | null, node: VmArea): VmArea | null {
  const parent = updatePath(root, node);
  return attach(root, parent, node.vmStart, merge(node.rbLeft, node.rbRight));
}

function highestGap(node: VmArea | null, len: number, low: number, high: number): number {
  if (node === null || subtreeGap(node) * PAGE_SIZE < len) return -1;
  const gapStart = Math.max(low, node.vmPrev === null ? 0 : node.vmPrev.vmEnd);
  if (gapStart < high) {
    const right = highestGap(node.rbRight, len, low, high);
    if (right >= 0) return right;
    const gapEnd = Math.min(high, vmStartGap(node));
    if (gapEnd - gapStart >= len) return gapEnd - len;
  }
  return vmStartGap(node) > low ? highestGap(node.rbLeft, len, low, high) : -1;
}

function lowestGap(node: VmArea | null, len: number, low: number, high: number): number {
  if (node === null || subtreeGap(node) * PAGE_SIZE < len) return -1;
  if (node.vmStart > low) {
    const left = lowestGap(node.rbLeft, len, low, high);
    if (left >= 0) return left;
  }
  const gapStart = Math.max(low, node.vmPrev === null ? 0 : node.vmPrev.vmEnd);
  if (Math.min(high, vmStartGap(node)) - gapStart >= len) return gapStart;
  return node.vmEnd < high ? lowestGap(node.rbRight, len, low, high) : -1;
}

/** The set of VMAs, iterable by address. */
export class VmaTree {
  /** map_count. */
  size = 0;
  first: VmArea | null = null;
  last: VmArea | null = null;
  #root: VmArea | null = null;
  /** vmacache: what `find` found last. Any linked VMA is right here: its neighbours tell whether it is the answer. */
  #hit: VmArea | null = null;
  #serial = 0;
  /** free_area_cache: between this VMA and `#topHigh` lies no hole of `#topLen` bytes. The last top-down search ended below it. */
  #top: VmArea | null = null;
  #topLen = 0;
  #topHigh = 0;

  /** find_vma(): the first VMA that ends above `addr`; it need not contain it. */
  find(addr: number): VmArea | null {
    const hit = this.#hit;
    if (hit !== null) {
      if (hit.vmEnd > addr) {
        const prev = hit.vmPrev;
        if (prev === null || prev.vmEnd <= addr) return hit;
        // Accesses often go from one mapping to its neighbour.
        if (prev.vmStart <= addr) return (this.#hit = prev);
      } else {
        const next = hit.vmNext;
        if (next === null || next.vmEnd > addr) return next === null ? null : (this.#hit = next);
      }
    }
    let node = this.#root;
    let found: VmArea | null = null;
    while (node !== null) {
      if (node.vmEnd > addr) {
        found = node;
        if (node.vmStart <= addr) break;
        node = node.rbLeft;
      } else {
        node = node.rbRight;
      }
    }
    if (found !== null) this.#hit = found;
    return found;
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

  /** The last VMA that ends at or below `addr`. */
  before(addr: number): VmArea | null {
    const next = this.find(addr);
    return next === null ? this.last : next.vmPrev;
  }

  /** Links a VMA whose range is free. */
  insert(vma: VmArea): void {
    const next = this.find(vma.vmStart);
    const prev = next === null ? this.last : next.vmPrev;
    if (next !== null && next.vmStart < vma.vmEnd) throw new Error('VMAs overlap');
    vma.vmPrev = prev;
    vma.vmNext = next;
    if (prev === null) this.first = vma;
    else prev.vmNext = vma;
    if (next === null) this.last = vma;
    else next.vmPrev = vma;
    vma.rbPriority = priority(++this.#serial);
    // The successor lies on the way to the new place, and so has its gap recounted too.
    this.#root = insertNode(this.#root, vma);
    if (next !== null && next === this.#top && vmStartGap(next) - vma.vmEnd < this.#topLen) this.#top = vma;
    this.size++;
  }

  remove(vma: VmArea): void {
    const { vmPrev: prev, vmNext: next } = vma;
    if (prev === null && this.first !== vma) throw new Error('the VMA is not in its tree');
    if (prev === null) this.first = next;
    else prev.vmNext = next;
    if (next === null) this.last = prev;
    else next.vmPrev = prev;
    const below = vma.rbRight !== null;
    this.#root = removeNode(this.#root, vma);
    // Else the successor is an ancestor, and is recounted.
    if (next !== null && below) updatePath(this.#root, next);
    vma.vmPrev = null;
    vma.vmNext = null;
    vma.rbLeft = null;
    vma.rbRight = null;
    if (this.#hit === vma) this.#hit = next ?? prev;
    if (this.#top === vma) this.#top = next;
    else if (this.#top !== null && vma.vmStart > this.#top.vmStart) this.#top = null;
    this.size--;
  }

  /** Empties the set when its address space ends: the first VMA, from which vmNext still leads to the others. */
  takeAll(): VmArea | null {
    const { first } = this;
    this.first = null;
    this.last = null;
    this.size = 0;
    this.#root = null;
    this.#hit = null;
    this.#top = null;
    return first;
  }

  /** Moves the bounds of a linked VMA within the free space around it. */
  setBounds(vma: VmArea, vmStart: number, vmEnd: number): void {
    if (this.#top !== null && vma.vmEnd > this.#top.vmStart) this.#top = null;
    vma.vmStart = vmStart;
    vma.vmEnd = vmEnd;
    updatePath(this.#root, vma);
    if (vma.vmNext !== null) updatePath(this.#root, vma.vmNext);
  }

  /** vm_unmapped_area(VM_UNMAPPED_AREA_TOPDOWN): the highest hole of `len` bytes within [low, high), or -1. */
  unmappedTopDown(len: number, low: number, high: number): number {
    const end = this.last === null ? 0 : this.last.vmEnd;
    if (high - Math.max(low, end) >= len) return high - len;
    const top = this.#top;
    if (top !== null && len >= this.#topLen && high === this.#topHigh) {
      const gapEnd = Math.min(high, vmStartGap(top));
      const gapStart = Math.max(low, top.vmPrev === null ? 0 : top.vmPrev.vmEnd);
      if (gapEnd - gapStart >= len) return gapEnd - len;
    }
    const found = highestGap(this.#root, len, low, high);
    this.#top = found < 0 ? null : this.find(found);
    this.#topLen = len;
    this.#topHigh = high;
    return found;
  }

  /** vm_unmapped_area(): the lowest hole of `len` bytes within [low, high), or -1. */
  unmappedBottomUp(len: number, low: number, high: number): number {
    const hole = lowestGap(this.#root, len, low, high);
    if (hole >= 0) return hole;
    const end = Math.max(low, this.last === null ? 0 : this.last.vmEnd);
    return high - end >= len ? end : -1;
  }

  [Symbol.iterator](): Iterator<VmArea> {
    let next = this.first;
    return {
      next(): IteratorResult<VmArea> {
        if (next === null) return { done: true, value: undefined };
        const value = next;
        next = value.vmNext;
        return { done: false, value };
      },
    };
  }
}

/** A well-mixed 31-bit number of a serial number. */
function priority(serial: number): number {
  let x = Math.imul(serial, 0x9e37_79b1);
  x = Math.imul(x ^ (x >>> 15), 0x85eb_ca77);
  return (x ^ (x >>> 13)) >>> 1;
}
