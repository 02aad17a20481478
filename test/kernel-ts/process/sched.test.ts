import { beforeEach, describe, expect, test } from 'vitest';
import { Fs, Machine } from '../../../emulator/index.ts';
import { EINTR, ERESTARTSYS } from '../../../kernel-ts/abi/errno.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import {
  completeWait,
  enqueueTask,
  schedule,
  sleepOn,
  SYSCALL_BLOCKED,
  wakeQueue,
  wakeTask,
} from '../../../kernel-ts/process/sched.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';
import { clockRead, deadlineAfter, deadlineAt } from '../../../kernel-ts/process/time.ts';
import { expireTimers, idle } from '../../../kernel-ts/process/timers.ts';
import { newWaitQueue } from '../../../kernel-ts/process/waitQueue.ts';
import { createKernel } from '../../../kernel-ts/system/createKernel.ts';
import { checkInvariants } from '../../../kernel-ts/system/invariants.ts';
import { bareTask } from './bareTask.ts';

let kernel: Kernel;

/** A runnable task. */
function task(pid: number): Task {
  const made = bareTask(kernel, pid);
  enqueueTask(kernel, made);
  return made;
}

beforeEach(() => {
  kernel = createKernel(
    new Machine({ ramBytes: 16 << 20 }),
    { read: () => null, write: () => {} },
    { quantum: 500 },
  );
});

describe('round robin', () => {
  test('every task has its turn, with a whole quantum', () => {
    const tasks = [task(1), task(2), task(3)];
    const order = Array.from({ length: 6 }, () => {
      schedule(kernel);
      expect(kernel.current.quantumLeft).toBe(500);
      return kernel.current.pid;
    });
    expect(order).toEqual([1, 2, 3, 1, 2, 3]);
    expect(tasks.every((t) => t.state === 'R')).toBe(true);
    expect(checkInvariants(kernel, null)).toEqual([]);
  });

  test('registers go with the task', () => {
    const [one, two] = [task(1), task(2)];
    one.x[5] = 111;
    two.x[5] = 222;
    two.fstate = new Uint32Array(64).fill(7);
    two.fcsr = 3;
    two.pc = 0x4000;
    schedule(kernel);
    kernel.hart.x[5] = 112;
    schedule(kernel);
    expect([kernel.hart.x[5], kernel.hart.f[3], kernel.hart.fcsr, kernel.hart.pc]).toEqual([
      222, 7, 3, 0x4000,
    ]);
    expect(one.x[5]).toBe(112);
    // Those of a task that has not touched them are 0, whatever the one before it left.
    schedule(kernel);
    const floats = (): number[] => [kernel.hart.f[3] ?? -1, kernel.hart.fcsr, kernel.hart.fs];
    expect([kernel.hart.x[5], ...floats()]).toEqual([112, 0, 0, Fs.Initial]);
    schedule(kernel);
    expect([kernel.hart.x[5], ...floats()]).toEqual([222, 7, 3, Fs.Dirty]);
  });

  test('without a runnable task nobody is current', () => {
    const one = task(1);
    schedule(kernel);
    expect(sleepOn(kernel, one, { kind: 'child' })).toBe(SYSCALL_BLOCKED);
    schedule(kernel);
    expect(kernel.current).toBe(kernel.swapper);
    expect(idle(kernel)).toBe(false);
  });
});

describe('sleeping', () => {
  test('a waker restarts the call: the pc stays at the ecall', () => {
    const queue = newWaitQueue('q');
    const [one, two] = [task(1), task(2)];
    schedule(kernel);
    kernel.hart.pc = 0x100;
    sleepOn(kernel, one, { kind: 'io', what: 'q' }, { queues: [queue], progress: 3 });
    schedule(kernel);
    expect(kernel.current).toBe(two);
    expect(queue.waiters).toEqual([one]);
    expect(checkInvariants(kernel, null)).toEqual([]);
    wakeQueue(kernel, queue);
    expect(one).toMatchObject({ state: 'R', pc: 0x100, restart: { deadline: null, progress: 3 } });
    expect(queue.waiters).toEqual([]);
    expect(checkInvariants(kernel, null)).toEqual([]);
  });

  test('a completed call gets its result and goes on behind the ecall', () => {
    const one = task(1);
    task(2);
    schedule(kernel);
    kernel.hart.pc = 0x100;
    sleepOn(kernel, one, { kind: 'sleep' });
    schedule(kernel);
    expect(completeWait(kernel, one, 42)).toBe(true);
    expect(completeWait(kernel, one, 43)).toBe(false);
    expect(one).toMatchObject({ pc: 0x104, restart: null });
    expect(one.x[10]).toBe(42);
  });

  test('a task that is woken before it left the hart is queued once', () => {
    const one = task(1);
    task(2);
    schedule(kernel);
    kernel.hart.pc = 0x100;
    sleepOn(kernel, one, { kind: 'sleep' }, { deadline: 0, timeoutResult: 5 });
    expireTimers(kernel);
    expect(kernel.hart.pc).toBe(0x104);
    expect(kernel.hart.x[10]).toBe(5);
    schedule(kernel);
    expect([...kernel.runQueue]).toEqual([one]);
    expect(one.pc).toBe(0x104);
    expect(checkInvariants(kernel, null)).toEqual([]);
  });

  test('time jumps to the first deadline when all sleep', () => {
    const [one, two] = [task(1), task(2)];
    schedule(kernel);
    sleepOn(kernel, one, { kind: 'sleep' }, { deadline: 5000 });
    schedule(kernel);
    sleepOn(kernel, two, { kind: 'sleep' }, { deadline: 3000 });
    schedule(kernel);
    expect(idle(kernel)).toBe(true);
    expect(kernel.clock.idle).toBe(3000);
    expect([one.state, two.state]).toEqual(['S', 'R']);
    expect(wakeTask(kernel, two)).toBe(false);
  });

  test('a pending signal is looked at before sleeping', () => {
    const one = task(1);
    schedule(kernel);
    one.sigPending = true;
    expect(sleepOn(kernel, one, { kind: 'poll', what: 'ppoll' })).toBe(-ERESTARTSYS);
    expect(sleepOn(kernel, one, { kind: 'poll', what: 'ppoll' }, { interrupted: -EINTR })).toBe(-EINTR);
    expect(sleepOn(kernel, one, { kind: 'io', what: 'pipe' }, { progress: 7 })).toBe(7);
    expect(one.state).toBe('R');
  });
});

describe('virtual time', () => {
  test('a deadline beyond the end of time is none', () => {
    expect(deadlineAfter(kernel, 1, 500)).toBe(1_000_000_500);
    expect(deadlineAfter(kernel, 2 ** 40, 0)).toBeNull();
    expect(deadlineAt(kernel, 0, 1_000_000_002, 7)).toBe(2_000_000_007);
    expect(deadlineAt(kernel, 1, 0, 7)).toBe(7);
    expect(deadlineAt(kernel, 0, 5, 0)).toBe(0);
  });

  test('clocks', () => {
    kernel.clock.idle = 1_500_000_000;
    expect(clockRead(kernel, kernel.swapper, 0)).toEqual({ sec: 1_000_000_001, nsec: 500_000_000 });
    expect(clockRead(kernel, kernel.swapper, 1)).toEqual({ sec: 1, nsec: 500_000_000 });
    expect(clockRead(kernel, kernel.swapper, 99)).toBe(-22);
  });
});
