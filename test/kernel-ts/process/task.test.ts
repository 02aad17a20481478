import { expect, test } from 'vitest';
import { Machine } from '../../../emulator/index.ts';
import { initRlimits, rlimit, RLIMIT_NOFILE } from '../../../kernel-ts/abi/resource.ts';
import { doExit } from '../../../kernel-ts/process/exit.ts';
import {
  DEFAULT_SIGACTION,
  newSigHand,
  newThreadGroup,
  setAction,
  setRlimit,
  SIG_IGN,
  type Task,
} from '../../../kernel-ts/process/task.ts';
import { createKernel } from '../../../kernel-ts/system/createKernel.ts';
import { checkInvariants } from '../../../kernel-ts/system/invariants.ts';
import { bareTask } from './bareTask.ts';

const kernel = createKernel(new Machine({ ramBytes: 16 << 20 }), { read: () => null, write: () => {} }, {});

const makeTask = (pid: number, registers?: Int32Array): Task => bareTask(kernel, pid, registers);

test('x and f are views of the registers', () => {
  const task = makeTask(100);
  task.x[5] = -7;
  task.f[3] = 0xffff_ffff;
  expect(task.registers[5]).toBe(-7);
  expect([task.x[5], task.f[3], task.registers.filter((word) => word !== 0).length]).toEqual([
    -7, 0xffff_ffff, 2,
  ]);
});

test('what a process inherits is shared until somebody changes it', () => {
  const hand = newSigHand();
  const inherited = { action: hand.action };
  setAction(hand, 10, { ...DEFAULT_SIGACTION, handler: SIG_IGN });
  expect([hand.action[10]?.handler, inherited.action[10]?.handler]).toEqual([SIG_IGN, 0]);
  const limits = initRlimits();
  const group = newThreadGroup(7, 7, limits);
  setRlimit(group, RLIMIT_NOFILE, { rlimCur: 3, rlimMax: 3 });
  expect([rlimit(group.rlim, RLIMIT_NOFILE), rlimit(limits, RLIMIT_NOFILE)]).toEqual([3, 1024]);
});

test('the registers of a task that is gone are kept for the next one', () => {
  const task = makeTask(101);
  kernel.current = task;
  doExit(kernel, task, 0);
  expect([task.state, kernel.tasks.has(101)]).toEqual(['X', false]);
  const kept = kernel.threadCache.pop();
  expect(kept).toBe(task.registers);
  expect(makeTask(102, kept).registers).toBe(kept);
  kernel.current = kernel.swapper;
  for (const pid of [100, 102]) {
    const left = kernel.tasks.get(pid);
    if (left !== undefined) doExit(kernel, left, 0);
  }
  expect(checkInvariants(kernel, null)).toEqual([]);
});
