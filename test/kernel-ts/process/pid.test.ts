import { expect, test } from 'vitest';
import fc from 'fast-check';
import { PidTable } from '../../../kernel-ts/process/pid.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';

const taskOf = (pid: number): Task => ({ pid }) as unknown as Task;

test('a table of pids holds what was put in, by pid, whatever came and went before', () => {
  const step = fc.record({ pid: fc.integer({ min: 1, max: 300 }), put: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new PidTable();
      const model = new Map<number, Task>();
      for (const { pid, put } of steps) {
        if (put === model.has(pid)) continue;
        if (put) {
          const task = taskOf(pid);
          table.set(pid, task);
          model.set(pid, task);
        } else {
          table.delete(pid);
          model.delete(pid);
        }
      }
      expect(table.size).toBe(model.size);
      expect([...table.values()]).toEqual([...model.values()].sort((a, b) => a.pid - b.pid));
      for (let pid = 0; pid <= 320; pid++) expect(table.get(pid)).toBe(model.get(pid));
    }),
  );
});

test('no pid that a guest may ask for is there without having been put in', () => {
  const table = new PidTable();
  table.set(1, taskOf(1));
  for (const pid of [0, -1, -64, 63, 64, 32_767, 0x7fff_ffff, -0x8000_0000])
    expect(table.has(pid)).toBe(false);
  table.delete(70);
  expect(table.size).toBe(1);
});
