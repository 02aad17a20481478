/**
 * Where the functions of regions stand: the WebAssembly table that the interpreter and regions call through, its slots, and the modules
 * that are linked to it.
 */
import { isShared } from '../layout.ts';
import type { FunctionBody } from '../wasm/encode.ts';
import { regionModule } from './batch.ts';
import { ECALL_SLOT, TABLE_SIZE } from './convention.ts';

/** Regions take slots from here on. */
const FIRST_SLOT = ECALL_SLOT + 1;

/** Slots that a table has when the first region comes; it grows by doubling. */
const FIRST_SIZE = 64;

/** Modules linked to one table at most: each costs the host 0.1 MB, a function in a module of many 0.02. */
const MODULES_PER_TABLE = 100;

/** What regions are called through. */
export interface Linked {
  readonly table: WebAssembly.Table;
  /** What stands in a slot without a region. */
  readonly stub: unknown;
  /** What stands in ECALL_SLOT. */
  readonly ecall: unknown;
  /** What regions ask when a page cache is of no use. */
  readonly lookUp: WebAssembly.ExportValue;
}

/** Whoever has a slot. `body`: its code, for the next table; null while only its slot is there. */
interface Holder {
  readonly slot: number;
  readonly body: FunctionBody | null;
}

/** Counters. */
export interface TableStats {
  /** WebAssembly modules, and their bytes. */
  modules: number;
  bytes: number;
  /** Tables of functions that there have been. */
  tables: number;
}

export class RegionTable<R extends Holder> {
  readonly #memory: WebAssembly.Memory;
  readonly #link: () => Linked;
  readonly #stats: TableStats;
  #linked!: Linked;
  /** Modules whose instances have imported the table. */
  #modules = 0;
  /** By slot, up to the highest that has been given away. */
  readonly #holders: (R | null)[] = [];
  #taken = 0;
  #next = FIRST_SLOT;

  /** `link`: makes a table and an interpreter that calls regions through it. */
  constructor(memory: WebAssembly.Memory, link: () => Linked, stats: TableStats) {
    this.#memory = memory;
    this.#link = link;
    this.#stats = stats;
    this.#begin(ECALL_SLOT);
  }

  /** `last`: a slot that it is to have, since the jump cache may still name it. */
  #begin(last: number): void {
    this.#linked = this.#link();
    const { table, ecall } = this.#linked;
    table.set(ECALL_SLOT, ecall);
    this.#growFor(last);
    this.#modules = 0;
    this.#stats.tables++;
  }

  /**
   * A table keeps every instance alive that ever imported it (V8), so a guest that makes code for ever would grow the host
   * with each module: after so many a new table is begun, and what has not been dropped moves there, as one module.
   */
  renew(): void {
    if (this.#modules < MODULES_PER_TABLE) return;
    this.#begin(this.#linked.table.length - 1);
    const live = this.#holders.flatMap((holder) =>
      holder === null || holder.body === null ? [] : { slot: holder.slot, body: holder.body },
    );
    if (live.length === 0) return;
    const bytes = this.encode(live);
    this.instantiate(new WebAssembly.Module(bytes), bytes.length);
  }

  /** One module of regions, for `instantiate`. */
  encode(
    regions: readonly { readonly body: FunctionBody; readonly slot: number }[],
  ): Uint8Array<ArrayBuffer> {
    return regionModule(regions, isShared(this.#memory));
  }

  /** Puts a module's functions into their slots. */
  instantiate(module: WebAssembly.Module, bytes: number): void {
    const { table, lookUp } = this.#linked;
    void new WebAssembly.Instance(module, { env: { memory: this.#memory, table, lookUp } });
    this.#modules++;
    this.#stats.modules++;
    this.#stats.bytes += bytes;
  }

  functionAt(slot: number): unknown {
    return this.#linked.table.get(slot);
  }

  at(slot: number): R | null {
    return this.#holders[slot] ?? null;
  }

  get holders(): readonly (R | null)[] {
    return this.#holders;
  }

  /** `wish`, if that slot is free, else the next free one; when there is none, the one given away first, whose holder has to go. */
  choose(wish: number): number {
    if (wish >= FIRST_SLOT && wish < TABLE_SIZE && this.at(wish) === null) return wish;
    const following = (slot: number): number => (slot + 1 === TABLE_SIZE ? FIRST_SLOT : slot + 1);
    let slot = this.#next;
    if (this.#taken < TABLE_SIZE - FIRST_SLOT) while (this.at(slot) !== null) slot = following(slot);
    this.#next = following(slot);
    return slot;
  }

  /** Its slot is free. */
  add(holder: R): void {
    this.#growFor(holder.slot);
    while (this.#holders.length <= holder.slot) this.#holders.push(null);
    this.#holders[holder.slot] = holder;
    this.#taken++;
  }

  /** Makes sure that the table has the slot. */
  #growFor(slot: number): void {
    const { table, stub } = this.#linked;
    while (table.length <= slot) table.grow(Math.max(FIRST_SIZE, 2 * table.length) - table.length, stub);
  }

  remove({ slot }: R): void {
    this.#linked.table.set(slot, this.#linked.stub);
    this.#holders[slot] = null;
    this.#taken--;
  }
}
