/**
 * Random control-flow graphs in both tiers, cut by random budgets: the same state at every cut. A failure prints the seed of
 * the graph. GRAPHS=5000 in the environment runs so many.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MachineOptions } from '../../../emulator/index.ts';
import { BLOCK_TABLE, initialRegisters, makeGraph } from './graphs.ts';
import { Twins } from './twins.ts';
import { CODE_PAGES, CODE_VA, DATA_PAGES, DATA_VA, PAGES, Pager, physicalOf } from './userland.ts';

const RUNS = Number(process.env['GRAPHS'] ?? 150);

function prepare(seed: number, options: Omit<MachineOptions, 'tier'>): { twins: Twins; pagers: Pager[] } {
  const graph = makeGraph(seed);
  const pagers: Pager[] = [];
  const registers = initialRegisters(seed, graph);
  const twins = new Twins(
    (machine) => {
      const { hart, ram } = machine;
      const pager = new Pager(machine);
      pagers.push(pager);
      for (let page = 0; page < CODE_PAGES; page++) pager.give(CODE_VA + page * 4096);
      // Half of the data pages come by a fault.
      for (let page = 0; page < DATA_PAGES; page += 2) pager.give(DATA_VA + page * 4096);
      pager.code(graph.blocks[0] as number, graph.words);
      for (let at = 0; at < (DATA_PAGES - 1) * 4096; at += 4) {
        ram.write32(physicalOf(DATA_VA + at), Math.imul(at + seed, 0x9e37_79b1) >>> 0);
      }
      for (let n = 0; n < 8; n++) {
        ram.write32(physicalOf(BLOCK_TABLE) + 4 * n, graph.blocks[n % graph.blocks.length] as number);
      }
      hart.x.set(registers);
      for (let f = 0; f < 4; f++) new Float64Array(hart.f.buffer, hart.f.byteOffset, 32)[f] = f + 0.5;
      hart.fcsr = seed & 1;
      hart.pc = graph.blocks[0] as number;
    },
    PAGES,
    options,
  );
  return { twins, pagers };
}

const budgets = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 300 }), fc.constantFrom(997, 5003)),
  { minLength: 2, maxLength: 10 },
);

let compiled = 0;

test.each([
  ['as it is', {}],
  ['misaligned accesses trap', { misaligned: 'trap' }],
] as const)('tier 0 and tier 1 agree at every cut, %s', { timeout: 600_000 }, (_name, options) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), budgets, (seed, cuts) => {
      const { twins, pagers } = prepare(seed, options);
      for (const [index, budget] of cuts.entries()) {
        const stop = twins.run(budget, `graph ${seed}, cut ${index}`);
        expect(pagers[1]?.seen, `graph ${seed}, cut ${index}`).toEqual(pagers[0]?.seen);
        if (stop.kind === 'trap') break;
      }
      compiled += twins.regions;
    }),
    { numRuns: RUNS },
  );
  expect(compiled).toBeGreaterThan(RUNS);
});
