/** Numbers of processes: in turn, and again when all have been given, but not while something has them. */
import { beforeEach, expect, test } from 'vitest';
import { Machine } from '../../../emulator/index.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import { allocPid, changePids, detachPids } from '../../../kernel-ts/process/pid.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';
import { createKernel } from '../../../kernel-ts/system/createKernel.ts';
import { checkTasks } from '../../../kernel-ts/system/taskInvariants.ts';
import { bareTask } from './bareTask.ts';

const PID_MAX = 310;
let kernel: Kernel;

/** A new process. */
function born(): Task {
  return bareTask(kernel, allocPid(kernel) ?? -1);
}

/** Its last trace goes. */
function released(task: Task): void {
  detachPids(kernel, task.group);
  kernel.tasks.delete(task.pid);
}

/** What the invariant checker says of numbers. */
function problems(): string[] {
  const all: string[] = [];
  checkTasks(kernel, all);
  return all.filter((problem) => problem.startsWith('number'));
}

beforeEach(() => {
  kernel = createKernel(new Machine({ ramBytes: 16 << 20 }), { read: () => null, write: () => {} }, {});
  kernel.limits.pidMax = PID_MAX;
  kernel.nextPid = 300;
});

test('numbers are given in turn, and after the last the first again that is free', () => {
  const tasks = Array.from({ length: 10 }, () => born());
  expect(tasks.map(({ pid }) => pid)).toEqual([300, 301, 302, 303, 304, 305, 306, 307, 308, 309]);
  expect(allocPid(kernel)).toBeNull();
  released(tasks[4] as Task);
  released(tasks[7] as Task);
  expect([born().pid, born().pid, allocPid(kernel)]).toEqual([304, 307, null]);
});

test('a number is taken as long as a group or a session has it', () => {
  const [leader, member] = [born(), born()] as const;
  changePids(kernel, leader.group, leader.pid, leader.pid);
  changePids(kernel, member.group, leader.pid, leader.pid);
  expect(problems()).toEqual([]);
  released(leader);
  kernel.nextPid = leader.pid;
  expect(allocPid(kernel)).toBe(302);
  changePids(kernel, member.group, member.pid, leader.pid);
  kernel.nextPid = leader.pid;
  expect(allocPid(kernel)).toBe(302);
  changePids(kernel, member.group, member.pid, member.pid);
  kernel.nextPid = leader.pid;
  expect(allocPid(kernel)).toBe(leader.pid);
  expect(problems()).toEqual([]);
  released(member);
});

test('a count that is not that of the processes is noticed', () => {
  const task = born();
  const known = kernel.pids.get(task.pid);
  if (known !== undefined) known.uses++;
  expect(problems()).toEqual([`number ${task.pid} has 2 uses, but 1 are found`]);
  kernel.pids.delete(task.pid);
  expect(problems()).toEqual([`number ${task.pid} is used and not noted`]);
});
