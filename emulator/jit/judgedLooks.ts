/** How looks at the TLB have done in regions, and how those that did badly are made when their region is made anew. */
import type { PageCaches } from '../mmu/pageCaches.ts';
import { BoundedMap, MAX_REMEMBERED } from './boundedMap.ts';
import type { Reach } from './checks.ts';
import type { Look } from './lookups.ts';

/** Looks at other pages than the last, and looks in vain, until others are tried; between two judgements. */
const MAX_MISSES = 300_000;
const MAX_FAILURES = 20;

/** A look at the TLB in a region, and how it was made. */
export interface JudgedLook {
  /** The micro-op that looks, and those that it looks for. */
  readonly uop: number;
  readonly uops: readonly number[];
  readonly cache: number;
  readonly reach: Reach;
  readonly wild: boolean;
}

export class JudgedLooks {
  readonly #caches: Pick<PageCaches, 'counts'>;
  /** How much looks may ask for, by the micro-op that looks. */
  readonly #reach = new BoundedMap(MAX_REMEMBERED);
  /** Micro-ops of instructions whose looks meet too many pages for a page cache. */
  readonly #wild = new BoundedMap(MAX_REMEMBERED);

  constructor(caches: Pick<PageCaches, 'counts'>) {
    this.#caches = caches;
  }

  reachOf(uop: number): Reach {
    return (this.#reach.get(uop) ?? 0) as Reach;
  }

  isWild(uop: number): boolean {
    return this.#wild.has(uop);
  }

  /** A look of a region that has just been made. `uopOf`: the micro-op at a pc. */
  made({ pc, pcs, cache }: Look, uopOf: (pc: number) => number): JudgedLook {
    const uop = uopOf(pc);
    const uops = pcs.map(uopOf);
    let reach: Reach = 0;
    for (let i = 0; i < uops.length; i++) reach = Math.max(reach, this.reachOf(uops[i] as number)) as Reach;
    return { uop, uops, cache, reach, wild: this.#wild.has(uop) };
  }

  /** True when some of a region's looks did so badly that others are worth trying. */
  judge(looks: readonly JudgedLook[]): boolean {
    let better = false;
    for (const { uop, uops, reach, wild, cache } of looks) {
      const { misses, failures } = this.#caches.counts(cache);
      if (failures >= MAX_FAILURES && reach < 2) {
        for (const one of uops) this.#reach.set(one, Math.max(reach + 1, this.reachOf(one)));
        better = true;
      }
      if (misses >= MAX_MISSES && !wild) {
        this.#wild.set(uop, 1);
        better = true;
      }
    }
    return better;
  }

  /** The micro-ops in [from, to) are gone. */
  deleteRange(from: number, to: number): void {
    this.#reach.deleteRange(from, to);
    this.#wild.deleteRange(from, to);
  }
}
