/**
 * The nodes of a tree of VMAs by address: struct maple_node (include/linux/maple_tree.h, lib/maple_tree.c), as a B+ tree whose leaves are
 * linked. Sixteen areas to a node: the hundred thousand of one address space cost few objects, lie in memory as in the address space, and
 * are found by few loads. Links to neighbours in each area would cost a miss of the processor's cache each.
 */
import type { VmArea } from './vma.ts';

/** MAPLE_NODE_SLOTS. A node has one more for a moment, before it is split. */
const SLOTS = 16;
/** With fewer slots a node is put together with its neighbour, if there is room. */
export const FEW = SLOTS / 4;
/** What two nodes may have together to become one, so that the next insertion does not split them again. */
const ROOM = (SLOTS * 3) / 4;

/** MapleNode.gap: out of date, and so are those of all nodes above. */
export const UNKNOWN = -1;

const NO_KEYS: readonly number[] = Array.from({ length: SLOTS + 1 }, () => 0);
const NO_SLOTS: readonly null[] = Array.from({ length: SLOTS + 1 }, () => null);

/**
 * struct maple_node. Invariant: not empty, unless about to be taken out; keys ascend; beyond `count` no slot holds anything. The arrays never
 * grow: V8 would make longer ones than these, which a hundred thousand areas fill the young generation with.
 */
export class MapleNode {
  parent: MapleNode | null = null;
  /** The neighbouring leaves; null in other nodes. */
  prev: MapleNode | null = null;
  next: MapleNode | null = null;
  isLeaf: boolean;
  /** Slots in use. */
  count = 0;
  /** The first page of the first area in each slot: vmStart / PAGE_SIZE, a small integer. */
  readonly keys: number[] = NO_KEYS.slice();
  /** Areas in a leaf, nodes in others. */
  readonly slots: (VmArea | MapleNode | null)[] = NO_SLOTS.slice();
  /** The largest hole directly below any area in it, in pages, or UNKNOWN. */
  gap = UNKNOWN;

  constructor(isLeaf: boolean) {
    this.isLeaf = isLeaf;
  }
}

/** maple_node_cache: nodes that were freed, for the next ones. Invariant: empty, and not more than the limit. */
export interface MapleCache {
  readonly free: MapleNode[];
  readonly limit: number;
}

/** mt_alloc_one(). */
export function allocNode({ free }: MapleCache, isLeaf: boolean): MapleNode {
  const node = free.pop();
  if (node === undefined) return new MapleNode(isLeaf);
  node.isLeaf = isLeaf;
  return node;
}

/** ma_free_rcu() of a node that is linked nowhere any more. */
function freeNode({ free, limit }: MapleCache, node: MapleNode): void {
  const { slots, count } = node;
  // Keys keep nothing alive, and to clear them would take a line of the cache more.
  for (let slot = 0; slot < count; slot++) slots[slot] = null;
  node.count = 0;
  node.parent = null;
  node.prev = null;
  node.next = null;
  node.gap = UNKNOWN;
  if (free.length < limit) free.push(node);
}

/** mt_destroy_walk(): frees a node and all below it. */
export function freeNodes(cache: MapleCache, node: MapleNode): void {
  if (!node.isLeaf) for (let slot = 0; slot < node.count; slot++) freeNodes(cache, nodeAt(node, slot));
  freeNode(cache, node);
}

/** Puts one more behind those of the node. */
export function appendSlot(node: MapleNode, key: number, what: VmArea | MapleNode): void {
  node.keys[node.count] = key;
  node.slots[node.count] = what;
  node.count++;
}

/** The area in a slot of a leaf. */
export function areaAt(leaf: MapleNode, slot: number): VmArea {
  return leaf.slots[slot] as VmArea;
}

/** The node in a slot of a node that is no leaf. */
export function nodeAt(node: MapleNode, slot: number): MapleNode {
  return node.slots[slot] as MapleNode;
}

/** mas_prev() within the leaves: the area before the slot, or null. */
export function areaBefore(leaf: MapleNode, slot: number): VmArea | null {
  if (slot > 0) return areaAt(leaf, slot - 1);
  const { prev } = leaf;
  return prev === null ? null : areaAt(prev, prev.count - 1);
}

/** mas_next() within the leaves. */
export function areaAfter(leaf: MapleNode, slot: number): VmArea | null {
  if (slot + 1 < leaf.count) return areaAt(leaf, slot + 1);
  return leaf.next === null ? null : areaAt(leaf.next, 0);
}

/** mtree_range_walk()'s step: the last slot that begins at or below `page`; the first one when none does. */
export function slotOf({ keys, count }: MapleNode, page: number): number {
  let slot = 0;
  for (let end = count; end - slot > 1;) {
    const middle = (slot + end) >>> 1;
    if ((keys[middle] as number) <= page) slot = middle;
    else end = middle;
  }
  return slot;
}

/** The gaps from this node up are out of date. */
export function forgetGaps(node: MapleNode | null): void {
  for (let at = node; at !== null && at.gap !== UNKNOWN; at = at.parent) at.gap = UNKNOWN;
}

function indexInParent(parent: MapleNode, node: MapleNode): number {
  const { slots, count } = parent;
  // Mostly one of the first, since addresses are given from the top down.
  for (let index = 0; index < count; index++) if (slots[index] === node) return index;
  throw new Error('a maple node is not in its parent');
}

/** The first key of the node has changed. */
export function updateKeys(node: MapleNode): void {
  let at = node;
  for (let { parent } = at; parent !== null; { parent } = at) {
    const index = indexInParent(parent, at);
    parent.keys[index] = at.keys[0] as number;
    if (index > 0) return;
    at = parent;
  }
}

function putSlot(node: MapleNode, slot: number, key: number, what: VmArea | MapleNode): void {
  const { keys, slots } = node;
  for (let at = node.count; at > slot; at--) {
    keys[at] = keys[at - 1] as number;
    slots[at] = slots[at - 1] as VmArea | MapleNode;
  }
  keys[slot] = key;
  slots[slot] = what;
  node.count++;
}

/** Takes out the slots from `slot` up to `end`. */
function cutSlots(node: MapleNode, slot: number, end: number): void {
  const { keys, slots, count } = node;
  const left = slot + count - end;
  for (let at = slot; at < count; at++) {
    const from = at + end - slot;
    keys[at] = at < left ? (keys[from] as number) : 0;
    slots[at] = at < left ? (slots[from] as VmArea | MapleNode) : null;
  }
  node.count = left;
}

/** Puts the slots of `from`, from `slot` on, behind those of `to`; they stay in `from`. */
function copySlots(to: MapleNode, from: MapleNode, slot: number): void {
  for (let at = slot; at < from.count; at++)
    appendSlot(to, from.keys[at] as number, from.slots[at] as VmArea | MapleNode);
}

function adopt(parent: MapleNode): void {
  for (let slot = 0; slot < parent.count; slot++) nodeAt(parent, slot).parent = parent;
}

/**
 * mas_split(): what has come to `slot` was one too many. It is cut there, since the next one often comes to the same place, and what lies
 * beyond stays full.
 */
function splitNode(cache: MapleCache, root: MapleNode, node: MapleNode, slot: number): MapleNode {
  const { count } = node;
  const cut = slot < count / 2 ? Math.max(slot, 2) : Math.min(slot + 1, count - 2);
  const upper = allocNode(cache, node.isLeaf);
  copySlots(upper, node, cut);
  cutSlots(node, cut, count);
  if (node.isLeaf) {
    upper.prev = node;
    upper.next = node.next;
    if (node.next !== null) node.next.prev = upper;
    node.next = upper;
  } else adopt(upper);
  const { parent } = node;
  const key = upper.keys[0] as number;
  if (parent === null) {
    const top = allocNode(cache, false);
    appendSlot(top, node.keys[0] as number, node);
    appendSlot(top, key, upper);
    adopt(top);
    return top;
  }
  upper.parent = parent;
  return insertSlot(cache, root, parent, indexInParent(parent, node) + 1, key, upper);
}

/** mas_wr_node_store(): the root, new or not. The node's gaps, and those of the area behind, are out of date. */
export function insertSlot(
  cache: MapleCache,
  root: MapleNode,
  node: MapleNode,
  slot: number,
  key: number,
  what: VmArea | MapleNode,
): MapleNode {
  putSlot(node, slot, key, what);
  if (slot === 0) updateKeys(node);
  forgetGaps(node);
  return node.count > SLOTS ? splitNode(cache, root, node, slot) : root;
}

function unlinkLeaf(leaf: MapleNode): void {
  if (leaf.prev !== null) leaf.prev.next = leaf.next;
  if (leaf.next !== null) leaf.next.prev = leaf.prev;
}

/** mas_rebalance(): a node with few slots and its neighbour become one. */
function joinNodes(cache: MapleCache, root: MapleNode, parent: MapleNode, node: MapleNode): MapleNode | null {
  const index = indexInParent(parent, node);
  const at = index + 1 < parent.count ? index : index - 1;
  if (at < 0) return root;
  const lower = nodeAt(parent, at);
  const upper = nodeAt(parent, at + 1);
  if (lower.count + upper.count > ROOM) return root;
  copySlots(lower, upper, 0);
  if (lower.isLeaf) unlinkLeaf(upper);
  else adopt(lower);
  forgetGaps(lower);
  freeNode(cache, upper);
  return removeSlot(cache, root, parent, at + 1);
}

/**
 * mas_erase(): the root that is left, or null. The gaps of the area behind are out of date too. Nodes that are freed for it have a count
 * of 0 then.
 */
export function removeSlot(
  cache: MapleCache,
  root: MapleNode,
  node: MapleNode,
  slot: number,
): MapleNode | null {
  cutSlots(node, slot, slot + 1);
  forgetGaps(node);
  const { parent } = node;
  const left = node.count;
  if (parent === null) {
    if (left > 1 || (left === 1 && node.isLeaf)) return root;
    const only = left === 0 ? null : nodeAt(node, 0);
    if (only !== null) only.parent = null;
    freeNode(cache, node);
    return only;
  }
  if (left === 0) {
    if (node.isLeaf) unlinkLeaf(node);
    const index = indexInParent(parent, node);
    freeNode(cache, node);
    return removeSlot(cache, root, parent, index);
  }
  if (slot === 0) updateKeys(node);
  return left < FEW ? joinNodes(cache, root, parent, node) : root;
}
