/** Semaphores against the reference of semModel.ts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IPC_NOWAIT } from '../../../kernel-ts/abi/ipc.ts';
import { SEM_UNDO, SEMVMX } from '../../../kernel-ts/abi/sem.ts';
import type { Sembuf } from '../../../kernel-ts/ipc/sem.ts';
import { event, World } from './semModel.ts';

test('results, values, adjustments and who wakes are those of a plain reference', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      const world = new World();
      for (const e of events) world.run(e);
    }),
    { numRuns: 300 },
  );
});

test('an operation that fails half way changes nothing', () => {
  const world = new World();
  const undo = { semNum: 0, semOp: 2, semFlg: SEM_UNDO };
  const parts = (...sops: Sembuf[]): void => world.run({ kind: 'semop', who: 0, sops });
  parts(undo, { semNum: 1, semOp: -1, semFlg: IPC_NOWAIT });
  parts(undo, { semNum: 1, semOp: SEMVMX, semFlg: 0 }, { semNum: 1, semOp: 1, semFlg: 0 });
  parts(undo, { ...undo, semOp: -2 }, { semNum: 0, semOp: 0, semFlg: 0 });
  expect(world.sma.sems.map(({ semval }) => semval)).toEqual([0, 0, 0]);
  expect(world.asleep.size).toBe(0);
});
