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

/** struct maple_node. Invariant: not empty, unless about to be taken out; `keys` and `slots` have the same length; keys ascend. */
export class MapleNode {
  parent: MapleNode | null = null;
  /** The neighbouring leaves; null in other nodes. */
  prev: MapleNode | null = null;
  next: MapleNode | null = null;
  readonly isLeaf: boolean;
  /** The first page of the first area in each slot: vmStart / PAGE_SIZE, a small integer. */
  keys: number[];
  /** Areas in a leaf, nodes in others. */
  slots: (VmArea | MapleNode)[];
  /** The largest hole directly below any area in it, in pages, or UNKNOWN. */
  gap = UNKNOWN;

  constructor(isLeaf: boolean, keys: number[], slots: (VmArea | MapleNode)[]) {
    this.isLeaf = isLeaf;
    this.keys = keys;
    this.slots = slots;
  }
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
  return prev === null ? null : areaAt(prev, prev.slots.length - 1);
}

/** mas_next() within the leaves. */
export function areaAfter(leaf: MapleNode, slot: number): VmArea | null {
  if (slot + 1 < leaf.slots.length) return areaAt(leaf, slot + 1);
  return leaf.next === null ? null : areaAt(leaf.next, 0);
}

/** mtree_range_walk()'s step: the last slot that begins at or below `page`; the first one when none does. */
export function slotOf({ keys }: MapleNode, page: number): number {
  let slot = 0;
  for (let end = keys.length; end - slot > 1;) {
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
  const { slots } = parent;
  // Mostly one of the first, since addresses are given from the top down.
  for (let index = 0; index < slots.length; index++) if (slots[index] === node) return index;
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
  keys.push(key);
  slots.push(what);
  for (let at = slots.length - 1; at > slot; at--) {
    keys[at] = keys[at - 1] as number;
    slots[at] = slots[at - 1] as VmArea | MapleNode;
  }
  keys[slot] = key;
  slots[slot] = what;
}

function cutSlot({ keys, slots }: MapleNode, slot: number): void {
  for (let at = slot + 1; at < slots.length; at++) {
    keys[at - 1] = keys[at] as number;
    slots[at - 1] = slots[at] as VmArea | MapleNode;
  }
  keys.pop();
  slots.pop();
}

function adopt(parent: MapleNode): void {
  for (const child of parent.slots) (child as MapleNode).parent = parent;
}

/**
 * mas_split(): what has come to `slot` was one too many. It is cut there, since the next one often comes to the same place, and what lies
 * beyond stays full.
 */
function splitNode(root: MapleNode, node: MapleNode, slot: number): MapleNode {
  const count = node.slots.length;
  const cut = slot < count / 2 ? Math.max(slot, 2) : Math.min(slot + 1, count - 2);
  const upper = new MapleNode(node.isLeaf, node.keys.slice(cut), node.slots.slice(cut));
  node.keys = node.keys.slice(0, cut);
  node.slots = node.slots.slice(0, cut);
  if (node.isLeaf) {
    upper.prev = node;
    upper.next = node.next;
    if (node.next !== null) node.next.prev = upper;
    node.next = upper;
  } else adopt(upper);
  const { parent } = node;
  const key = upper.keys[0] as number;
  if (parent === null) {
    const top = new MapleNode(false, [node.keys[0] as number, key], [node, upper]);
    adopt(top);
    return top;
  }
  upper.parent = parent;
  return insertSlot(root, parent, indexInParent(parent, node) + 1, key, upper);
}

/** mas_wr_node_store(): the root, new or not. The node's gaps, and those of the area behind, are out of date. */
export function insertSlot(
  root: MapleNode,
  node: MapleNode,
  slot: number,
  key: number,
  what: VmArea | MapleNode,
): MapleNode {
  putSlot(node, slot, key, what);
  if (slot === 0) updateKeys(node);
  forgetGaps(node);
  return node.slots.length > SLOTS ? splitNode(root, node, slot) : root;
}

function unlinkLeaf(leaf: MapleNode): void {
  if (leaf.prev !== null) leaf.prev.next = leaf.next;
  if (leaf.next !== null) leaf.next.prev = leaf.prev;
}

/** mas_rebalance(): a node with few slots and its neighbour become one. */
function joinNodes(root: MapleNode, parent: MapleNode, node: MapleNode): MapleNode | null {
  const index = indexInParent(parent, node);
  const at = index + 1 < parent.slots.length ? index : index - 1;
  if (at < 0) return root;
  const lower = nodeAt(parent, at);
  const upper = nodeAt(parent, at + 1);
  if (lower.slots.length + upper.slots.length > ROOM) return root;
  lower.keys.push(...upper.keys);
  lower.slots.push(...upper.slots);
  if (lower.isLeaf) unlinkLeaf(upper);
  else adopt(lower);
  forgetGaps(lower);
  return removeSlot(root, parent, at + 1);
}

/** mas_erase(): the root that is left, or null. The gaps of the area behind are out of date too. */
export function removeSlot(root: MapleNode, node: MapleNode, slot: number): MapleNode | null {
  cutSlot(node, slot);
  forgetGaps(node);
  const { parent } = node;
  const left = node.slots.length;
  if (parent === null) {
    if (left === 0) return null;
    if (left > 1 || node.isLeaf) return root;
    const only = nodeAt(node, 0);
    only.parent = null;
    return only;
  }
  if (left === 0) {
    if (node.isLeaf) unlinkLeaf(node);
    return removeSlot(root, parent, indexInParent(parent, node));
  }
  if (slot === 0) updateKeys(node);
  return left < FEW ? joinNodes(root, parent, node) : root;
}
