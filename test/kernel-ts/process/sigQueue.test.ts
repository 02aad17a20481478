import { expect, test } from 'vitest';
import type { SigInfo } from '../../../kernel-ts/abi/signal.ts';
import { boot } from '../../../kernel-ts/index.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import {
  addPending,
  dropPending,
  flushPending,
  queuedOf,
  takePending,
} from '../../../kernel-ts/process/sigQueue.ts';
import { signalsOf } from '../../../kernel-ts/process/signalSet.ts';
import { NO_PENDING } from '../../../kernel-ts/process/task.ts';
import { bareTask } from './bareTask.ts';

const info = (signo: number, value = 0): SigInfo => ({ signo, errno: 0, code: -1, fields: [value] });

function newKernel(): Kernel {
  return (boot() as unknown as { kernel: Kernel }).kernel;
}

test('tasks without a signal share what is pending, and none sees the signals of another', () => {
  const kernel = newKernel();
  const [a, b] = [bareTask(kernel, 1001), bareTask(kernel, 1002)];
  expect([a.pending, a.group.pending, b.pending]).toEqual([NO_PENDING, NO_PENDING, NO_PENDING]);
  addPending(kernel, a, a, info(10), true);
  addPending(kernel, a, a.group, info(40), true);
  expect([a, a.group, b, b.group].map(({ pending }) => signalsOf(pending))).toEqual([[10], [40], [], []]);
  dropPending(kernel, b, [10, 40]);
  flushPending(kernel, b.group);
  expect(queuedOf(kernel, 0)).toBe(2);
  flushPending(kernel, a);
  dropPending(kernel, a.group, [40]);
  expect([signalsOf(a.pending), signalsOf(a.group.pending), queuedOf(kernel, 0)]).toEqual([[], [], 0]);
  expect(NO_PENDING).toEqual({ lo: 0, hi: 0, queue: null });
});

test('real-time signals are taken in the order in which they were sent, and pending until the last', () => {
  const kernel = newKernel();
  const task = bareTask(kernel, 1001);
  for (const value of [1, 2, 3]) addPending(kernel, task, task, info(34, value), true);
  const taken = [];
  while (signalsOf(task.pending).length > 0) taken.push(takePending(kernel, task, 34).fields[0]);
  expect([taken, queuedOf(kernel, 0)]).toEqual([[1, 2, 3], 0]);
});

test('what found no room is pending, and tells nothing', () => {
  const kernel = newKernel();
  const task = bareTask(kernel, 1001);
  addPending(kernel, task, task, info(10, 7), false);
  expect(queuedOf(kernel, 0)).toBe(0);
  expect(takePending(kernel, task, 10)).toEqual({ signo: 10, errno: 0, code: 0, fields: [] });
  expect(signalsOf(task.pending)).toEqual([]);
});
