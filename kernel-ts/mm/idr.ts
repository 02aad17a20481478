/**
 * struct idr (lib/idr.c): objects by small numbers that are mostly dense, as pids and the indexes of ipc are.
 *
 * Not a Map: V8 makes a Map's table anew when as many objects were deleted as it holds, and links the old table to the new one, for iterators.
 * Once an old one has been promoted, it keeps all later ones and every object that was ever in them alive until all garbage is
 * collected; of a program that forks, hardly any was collected cheaply.
 */

/** Objects in a node: RADIX_TREE_MAP_SIZE. */
const MAP_SIZE = 64;
const MAP_SHIFT = 6;

/** struct xa_node. */
interface Node<T> {
  /** Objects that are there. */
  count: number;
  readonly slots: (T | undefined)[];
}

/** struct idr. */
export class Idr<T> {
  /** Objects in it. */
  size = 0;
  /** By index / MAP_SIZE, null where nothing is. Never with holes, which would make a dictionary of it. */
  readonly #nodes: (Node<T> | null)[] = [];
  /** The node that became empty last, for the next one: indexes are given in turn. */
  #spare: Node<T> | null = null;

  /** idr_find(): `index` as large, or as negative, as it may be. */
  get(index: number): T | undefined {
    const at = index >>> MAP_SHIFT;
    const node = at < this.#nodes.length ? this.#nodes[at] : null;
    return node?.slots[index & (MAP_SIZE - 1)];
  }

  has(index: number): boolean {
    return this.get(index) !== undefined;
  }

  /** The slot must be free. */
  set(index: number, object: T): void {
    const at = index >>> MAP_SHIFT;
    while (this.#nodes.length <= at) this.#nodes.push(null);
    const node = (this.#nodes[at] ??= this.#newNode());
    node.slots[index & (MAP_SIZE - 1)] = object;
    node.count++;
    this.size++;
  }

  /** idr_remove() of a used slot. */
  delete(index: number): void {
    const at = index >>> MAP_SHIFT;
    const node = this.#nodes[at];
    if (!node) return;
    node.slots[index & (MAP_SIZE - 1)] = undefined;
    node.count--;
    this.size--;
    if (node.count > 0) return;
    this.#nodes[at] = null;
    this.#spare = node;
    if (this.size === 0) this.#nodes.length = 0;
  }

  #newNode(): Node<T> {
    const node = this.#spare ?? { count: 0, slots: Array.from<T | undefined>({ length: MAP_SIZE }) };
    this.#spare = null;
    return node;
  }

  /** idr_for_each_entry(): by index. A visited one may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<[index: number, object: T]> {
    for (let at = 0; at < this.#nodes.length; at++) {
      for (let slot = 0; slot < MAP_SIZE; slot++) {
        const object = this.#nodes[at]?.slots[slot];
        if (object !== undefined) yield [at * MAP_SIZE + slot, object];
      }
    }
  }

  *values(): Generator<T> {
    for (const [, object] of this) yield object;
  }
}
