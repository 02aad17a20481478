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

const makeTask = (pid: number, x?: Int32Array): Task => bareTask(kernel, pid, x);

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
  expect(kept).toBe(task.x);
  expect(makeTask(102, kept).x).toBe(kept);
  kernel.current = kernel.swapper;
  const left = kernel.tasks.get(102);
  if (left !== undefined) doExit(kernel, left, 0);
  expect(checkInvariants(kernel, null)).toEqual([]);
});
