/** mm against the model of model.ts, and under a shortage of frames. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAP_ANONYMOUS, MAP_FIXED, PROT_NONE } from '../../../kernel-ts/abi/mman.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import { doMremap } from '../../../kernel-ts/mm/mremap.ts';
import { checkKernel, load, mmOf, store, TestKernel } from './machine.ts';
import { BASE, P, page, step, World } from './model.ts';

test('mappings, contents, sharing and counts follow a per-page model', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const s of steps) {
        world.run(s);
        world.check();
      }
      for (const { task, model } of world.tasks) {
        model.forEach((at, i) => {
          if (at !== null && at.prot !== PROT_NONE)
            expect(load(world.k, task, BASE + i * P + 5)).toBe(at.cell.value);
        });
        world.k.exit(task);
      }
      checkKernel(world.k);
      const { memMap, vm } = world.k;
      expect(memMap.freeFrames).toBe(memMap.totalFrames - (vm.zeroPage === null ? 0 : 1));
    }),
    { numRuns: 150 },
  );
});

test('running out of frames at any moment loses none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), page, fc.integer({ min: 0, max: 4 })), {
        maxLength: 40,
      }),
      (steps) => {
        const k = new TestKernel(4 << 20);
        const task = k.spawn();
        for (const [op, at, after] of steps) {
          k.current = task;
          const addr = BASE + at * P;
          k.memMap.failAfter = after;
          if (op === 0)
            ksysMmapPgoff(k, addr, 4 * P, 3, MAP_FIXED | MAP_ANONYMOUS | (at % 2 === 0 ? 1 : 2), -1, 0);
          else if (op === 1) store(k, task, addr, 1);
          else if (op === 2) doMremap(k, mmOf(task), addr, 2 * P, 3 * P, 3, BASE + 0x80_0000 + at * P);
          else {
            const child = k.fork(task);
            if (child !== null) {
              store(k, child, addr, 2);
              k.exit(child);
            }
          }
          k.memMap.failAfter = Infinity;
          checkKernel(k);
        }
        k.exit(task);
        expect(k.memMap.freeFrames).toBe(k.memMap.totalFrames);
      },
    ),
    { numRuns: 100 },
  );
});
