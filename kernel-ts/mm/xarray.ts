/**
 * struct xarray (lib/xarray.c): values by index, for page caches. A value at index 0 lies in the array's head, so that one of a single page
 * needs nothing else; what is filled from there on, as files and segments are, in an array; the rest of a sparse object in a map.
 */
class Nodes<T> {
  /** Values that are there. */
  size = 0;
  private readonly dense: (T | undefined)[] = [];
  private readonly sparse = new Map<number, T>();

  get(index: number): T | undefined {
    if (index < this.dense.length) return this.dense[index];
    return this.sparse.size === 0 ? undefined : this.sparse.get(index);
  }

  /** Puts a value where none is. */
  set(index: number, value: T): void {
    this.size++;
    if (index < this.dense.length) this.dense[index] = value;
    else if (index === this.dense.length && !this.sparse.has(index)) this.append(value);
    else this.sparse.set(index, value);
  }

  private append(value: T): void {
    this.dense.push(value);
    // What came out of turn follows now.
    for (let next = this.dense.length; this.sparse.size > 0; next++) {
      const waiting = this.sparse.get(next);
      if (waiting === undefined) return;
      this.sparse.delete(next);
      this.dense.push(waiting);
    }
  }

  /** Takes out the value that is there. */
  delete(index: number): void {
    this.size--;
    if (index >= this.dense.length) this.sparse.delete(index);
    else if (this.size === 0) this.dense.length = 0;
    else this.dense[index] = undefined;
  }

  /** xa_for_each_range(): visits the values of [first, end), in no order; a visit may take its value out. */
  forRange(first: number, end: number, visit: (value: T, index: number) => void): void {
    const { dense } = this;
    for (let index = first; index < end && index < dense.length; index++) {
      const value = dense[index];
      if (value !== undefined) visit(value, index);
    }
    const { sparse } = this;
    if (end - first < sparse.size) {
      for (let index = first; index < end; index++) {
        const value = sparse.get(index);
        if (value !== undefined) visit(value, index);
      }
    } else if (sparse.size > 0) {
      for (const [index, value] of sparse) if (index >= first && index < end) visit(value, index);
    }
  }

  /** The values by index. */
  sorted(): T[] {
    const rest = [...this.sparse].sort(([a], [b]) => a - b).map(([, value]) => value);
    return [...this.dense.filter((value) => value !== undefined), ...rest];
  }
}

/** struct xarray. */
export class XArray<T> {
  /** xa_head. */
  private head: T | undefined = undefined;
  /** Values from index 1 on, by index - 1; null while there are none. */
  private nodes: Nodes<T> | null = null;

  /** Values that are there. */
  get size(): number {
    return (this.head === undefined ? 0 : 1) + (this.nodes === null ? 0 : this.nodes.size);
  }

  get(index: number): T | undefined {
    if (index === 0) return this.head;
    return this.nodes === null ? undefined : this.nodes.get(index - 1);
  }

  /** Puts a value where none is. */
  set(index: number, value: T): void {
    if (index === 0) this.head = value;
    else (this.nodes ??= new Nodes<T>()).set(index - 1, value);
  }

  /** Takes out the value that is there. */
  delete(index: number): void {
    if (index === 0) this.head = undefined;
    else if (this.nodes !== null) {
      this.nodes.delete(index - 1);
      if (this.nodes.size === 0) this.nodes = null;
    }
  }

  /** xa_for_each_range(): visits the values of [first, end), in no order; a visit may take its value out. */
  forRange(first: number, end: number, visit: (value: T, index: number) => void): void {
    if (first <= 0 && end > 0 && this.head !== undefined) visit(this.head, 0);
    this.nodes?.forRange(Math.max(0, first - 1), end - 1, (value, index) => visit(value, index + 1));
  }

  /** The values by index. */
  sorted(): T[] {
    const rest = this.nodes === null ? [] : this.nodes.sorted();
    return this.head === undefined ? rest : [this.head, ...rest];
  }
}
