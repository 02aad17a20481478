/** What tier 1 counts. */
import type { TableStats } from './regionTable.ts';

/** Counters, for `--stats`. */
export interface Tier1Stats extends TableStats {
  /** Regions compiled, and guest instructions in them. */
  regions: number;
  instructions: number;
  /** Regions that are gone: their code changed, or their slot was needed. */
  dropped: number;
  /** Entries that cannot be compiled. */
  refused: number;
  /** Times that a hot entry had to wait, because the code of its page changes too often. */
  postponed: number;
  /** Instructions that regions have retired; the interpreter retired the others. */
  retired: number;
  /** Regions, of those counted, whose code an earlier run has made. */
  recalled: number;
}

export const newStats = (): Tier1Stats => ({
  regions: 0,
  instructions: 0,
  modules: 0,
  tables: 0,
  bytes: 0,
  dropped: 0,
  refused: 0,
  postponed: 0,
  retired: 0,
  recalled: 0,
});
