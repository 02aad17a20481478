/** Where regions are: by the micro-op and pc of their entry, by the pages that their code lies in, and which micro-ops are theirs. */
import type { FunctionBody } from '../wasm/encode.ts';
import type { JudgedLook } from './judgedLooks.ts';

export interface Region {
  readonly pc: number;
  /** Address of the entry's micro-op. */
  readonly uop: number;
  readonly slot: number;
  /** Micro-op pages that its code lies in; empty while only its slot is there. */
  pages: readonly number[];
  compiled: boolean;
  /** Its code, for the next table; null while only its slot is there. */
  body: FunctionBody | null;
  /** Instructions. */
  size: number;
  looks: readonly JudgedLook[];
  /** Its micro-ops. */
  uops: readonly number[];
  /** It computes in floating point: with assumptions about the unit's state, or with none. */
  floating: 'no' | 'assuming' | 'anyhow';
}

export class RegionIndex {
  /** By address of the entry's micro-op: usually one. */
  readonly #regions = new Map<number, Region[]>();
  readonly #byPage = new Map<number, Set<Region>>();
  /** Micro-ops of regions. */
  readonly #covered = new Set<number>();

  find(pc: number, uop: number): Region | null {
    return this.#regions.get(uop)?.find((r) => r.pc === pc) ?? null;
  }

  /** The micro-op is some region's. */
  covers(uop: number): boolean {
    return this.#covered.has(uop);
  }

  /** A region without code as yet. */
  add(pc: number, uop: number, slot: number): Region {
    const region: Region = {
      pc,
      uop,
      slot,
      pages: [],
      looks: [],
      uops: [],
      compiled: false,
      body: null,
      size: 0,
      floating: 'no',
    };
    const others = this.#regions.get(uop);
    if (others === undefined) this.#regions.set(uop, [region]);
    else others.push(region);
    this.#note(region, [uop - (pc & 0xfff) * 4]);
    return region;
  }

  /** The region has code now: those micro-ops, in those pages of them. */
  fill(region: Region, uops: readonly number[], pages: readonly number[]): void {
    region.uops = uops;
    for (let i = 0; i < uops.length; i++) this.#covered.add(uops[i] as number);
    this.#byPage.get(region.pages[0] as number)?.delete(region);
    this.#note(region, pages);
  }

  #note(region: Region, pages: readonly number[]): void {
    for (const page of pages) {
      const there = this.#byPage.get(page);
      if (there === undefined) this.#byPage.set(page, new Set([region]));
      else there.add(region);
    }
    region.pages = pages;
  }

  remove(region: Region): void {
    for (const uop of region.uops) this.#covered.delete(uop);
    const rest = this.#regions.get(region.uop)?.filter((r) => r !== region) ?? [];
    if (rest.length === 0) this.#regions.delete(region.uop);
    else this.#regions.set(region.uop, rest);
    for (const page of region.pages) this.#byPage.get(page)?.delete(region);
  }

  /** Those with code in a page, which is forgotten: whoever calls removes them. */
  takePage(page: number): Iterable<Region> {
    const there = this.#byPage.get(page) ?? [];
    this.#byPage.delete(page);
    return there;
  }
}
