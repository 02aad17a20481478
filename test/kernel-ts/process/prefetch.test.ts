import { expect, test, vi } from 'vitest';
import { Machine } from '../../../emulator/index.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../../kernel-ts/abi/mman.ts';
import { doMmap } from '../../../kernel-ts/mm/mmap.ts';
import { mmAlloc } from '../../../kernel-ts/mm/mmLife.ts';
import { putUser32 } from '../../../kernel-ts/mm/usercopy.ts';
import { walkPte } from '../../../kernel-ts/mm/pgtable.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import { prefetchTasks } from '../../../kernel-ts/process/prefetch.ts';
import { enqueueTask, schedule, sleepOn, wakeQueue } from '../../../kernel-ts/process/sched.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';
import { createKernel } from '../../../kernel-ts/system/createKernel.ts';
import { checkInvariants } from '../../../kernel-ts/system/invariants.ts';
import { newWaitQueue } from '../../../kernel-ts/process/waitQueue.ts';
import { bareTask } from './bareTask.ts';

const STACK = 0x7000_0000;
const DATA = 0x2000_0000;

/** A kernel with so many runnable processes, each with a page of stack and one of data. */
function kernelWith(count: number): { kernel: Kernel; tasks: Task[] } {
  const kernel = createKernel(new Machine({ ramBytes: 16 << 20 }), { read: () => null, write: () => {} }, {});
  const tasks = Array.from({ length: count }, (_, n) => {
    const task = bareTask(kernel, 100 + n);
    const mm = mmAlloc(kernel);
    if (typeof mm === 'number') throw new Error('no memory');
    task.mm = mm;
    for (const at of [DATA, STACK]) {
      doMmap(kernel, mm, null, at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
      expect(putUser32(kernel, mm, at, n)).toBe(0);
    }
    task.pc = DATA;
    task.x[2] = STACK + 16;
    enqueueTask(kernel, task);
    return task;
  });
  return { kernel, tasks };
}

/** Of the first processes in the queue, whose entries for an address are looked at. */
function looksAt(kernel: Kernel, tasks: readonly Task[], previous: Task, va: number): boolean[] {
  const { ram } = kernel;
  const gather = ram.gather32.bind(ram);
  const reads = new Set<number>();
  const spy = vi.spyOn(ram, 'gather32').mockImplementation((addresses, count, words) => {
    for (const pa of addresses.subarray(0, count)) reads.add(pa >>> 0);
    gather(addresses, count, words);
  });
  prefetchTasks(kernel, previous);
  spy.mockRestore();
  return tasks.slice(0, 9).map(({ mm }) => mm !== null && reads.has(walkPte(kernel, mm, va).pte0Address));
}

const EIGHT = [...Array.from({ length: 8 }, () => true), false];
const NONE = EIGHT.map(() => false);

test('with many processes, the stacks of the next eight are looked at now and then', () => {
  const { kernel, tasks } = kernelWith(128);
  const ran = (task: Task): number => (task.utime = 1);
  tasks.forEach(ran);
  expect(looksAt(kernel, tasks, kernel.swapper, STACK)).toEqual(EIGHT);
  expect(looksAt(kernel, tasks, kernel.swapper, 0x2000_0000)).toEqual(EIGHT);
  kernel.stats.contextSwitches = 4;
  expect(looksAt(kernel, tasks, kernel.swapper, STACK)).toEqual(NONE);
  kernel.stats.contextSwitches = 8;
  expect(looksAt(kernel, tasks, kernel.swapper, STACK)).toEqual(EIGHT);
  while (kernel.runQueue.length > 7) kernel.runQueue.removeAt(7);
  expect(looksAt(kernel, tasks, kernel.swapper, STACK)).toEqual(NONE);
});

test('all of their areas are when the last one has ended, or they have not run yet', () => {
  const { kernel, tasks } = kernelWith(129);
  const last = tasks.pop();
  if (last === undefined) throw new Error('no task');
  for (const task of tasks) task.pc = STACK;
  expect(looksAt(kernel, tasks, last, DATA)).toEqual(EIGHT);
  for (const task of tasks) task.utime = 1;
  expect(looksAt(kernel, tasks, last, DATA)).toEqual(NONE);
  last.state = 'Z';
  expect(looksAt(kernel, tasks, last, DATA)).toEqual(EIGHT);
});

test('with few processes nothing is', () => {
  const { kernel, tasks } = kernelWith(127);
  expect(looksAt(kernel, tasks, kernel.swapper, STACK)).toEqual(NONE);
});

test('the turns stay as they are, for tasks without memory too', () => {
  const { kernel, tasks } = kernelWith(130);
  const without = bareTask(kernel, 99);
  kernel.runQueue.unshift(without);
  const order = Array.from({ length: 30 }, () => {
    schedule(kernel);
    return kernel.current.pid;
  });
  expect(order).toEqual([99, ...tasks.slice(0, 29).map((task) => task.pid)]);
  expect(checkInvariants(kernel, null)).toEqual([]);
});

test('sleepers wake in the order in which they came, however many there are', () => {
  for (const count of [5, 127, 133]) {
    const { kernel, tasks } = kernelWith(count);
    const queue = newWaitQueue('gate');
    while (kernel.runQueue.length > 0) kernel.runQueue.removeAt(0);
    for (const task of tasks) sleepOn(kernel, task, { kind: 'io', what: 'gate' }, { queues: [queue] });
    // One of them is woken by something else before its turn.
    wakeQueue(kernel, { name: 'other', waiters: tasks.slice(2, 3), woken: false, io: null });
    wakeQueue(kernel, queue);
    const order = [...tasks.slice(2, 3), ...tasks.slice(0, 2), ...tasks.slice(3)];
    expect([...kernel.runQueue].map((task) => task.pid)).toEqual(order.map((task) => task.pid));
    expect([queue.waiters.length, checkInvariants(kernel, null)]).toEqual([0, []]);
  }
});
