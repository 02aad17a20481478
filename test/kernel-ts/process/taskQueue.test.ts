import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Machine } from '../../../emulator/index.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';
import { TaskQueue } from '../../../kernel-ts/process/taskQueue.ts';
import { createKernel } from '../../../kernel-ts/system/createKernel.ts';
import { bareTask } from './bareTask.ts';

const kernel = createKernel(new Machine({ ramBytes: 16 << 20 }), { read: () => null, write: () => {} }, {});
const tasks = Array.from({ length: 40 }, (_, n) => bareTask(kernel, 100 + n));

const which = fc.nat(tasks.length - 1);
const steps = fc.array(
  fc.oneof(
    fc.record({ step: fc.constantFrom('push', 'unshift', 'remove') as fc.Arbitrary<string>, n: which }),
    fc.record({ step: fc.constant('first'), n: fc.constant(0) }),
    fc.record({ step: fc.constant('at'), n: fc.nat(60) }),
  ),
  { maxLength: 200 },
);

test('holds tasks in their order, as an array would', () => {
  fc.assert(
    fc.property(steps, (made) => {
      const queue = new TaskQueue();
      let model: Task[] = [];
      for (const { step, n } of made) {
        const task = tasks[n] as Task;
        if ((step === 'push' || step === 'unshift') && !model.includes(task)) {
          queue[step](task);
          model[step](task);
        } else if (step === 'remove') {
          queue.remove(task);
          model = model.filter((other) => other !== task);
        } else if (step === 'first' && model.length > 0) {
          queue.removeAt(0);
          model.shift();
        }
        expect(queue.at(n)).toBe(model[n]);
        expect(queue.indexOf(task)).toBe(model.indexOf(task));
        expect(queue.length).toBe(model.length);
      }
      expect([...queue].map(({ pid }) => pid)).toEqual(model.map(({ pid }) => pid));
    }),
    { numRuns: 300 },
  );
});

test('list_replace: another task takes the place of one', () => {
  const [a, b, c, d] = tasks as [Task, Task, Task, Task];
  const queue = new TaskQueue();
  for (const task of [a, b, c]) queue.push(task);
  queue.replace(b, d);
  queue.replace(b, a);
  expect([...queue]).toEqual([a, d, c]);
});

test('is empty when all have gone, from the middle too', () => {
  const queue = new TaskQueue();
  for (const task of tasks.slice(0, 5)) queue.push(task);
  queue.removeAt(3);
  while (queue.length > 0) queue.removeAt(0);
  expect(queue.at(0)).toBeUndefined();
  for (const task of tasks.slice(0, 8)) queue.push(task);
  expect([queue.at(-1), queue.at(8)]).toEqual([undefined, undefined]);
  while (queue.length > 0) queue.removeAt(queue.length - 1);
  expect([...queue]).toEqual([]);
});
