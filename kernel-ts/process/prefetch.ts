/**
 * Which processes are about to run, and what of theirs to prefetch (mm/prefetch.ts says why and how): Linux has prefetch() at the same
 * place, on the way into a context switch (kernel/sched/core.c, prefetch_curr_exec_start).
 */
import {
  lookAtMm,
  lookAtTree,
  prefetchWords,
  manyMms,
  PREFETCH_BATCH,
  prefetchAreas,
  prefetched,
  prefetchEntries,
  prefetchFrames,
  wantWord,
} from '../mm/prefetch.ts';
import type { Kernel } from './kernel.ts';
import { X_REGISTERS, type Task } from './task.ts';
import type { TaskQueue } from './taskQueue.ts';

/** On the way from `previous` to the next task: now and then, what the next few tasks will need. */
export function prefetchTasks(kernel: Kernel, previous: Task): void {
  const { runQueue, stats } = kernel;
  if (runQueue.length < PREFETCH_BATCH || !manyMms(kernel)) return;
  if (stats.contextSwitches % PREFETCH_BATCH !== 0) return;
  prefetchStructs(runQueue);
  // Processes that one event has woken often do the same: they end, or break copy-on-write after their fork.
  const isFresh = runQueue.at(0)?.utime === 0;
  const wantsAreas = isFresh || previous.state === 'Z' || previous.state === 'X';
  // One walk of the page tables for both.
  const pages = wantsAreas ? prefetchAreas(runQueue) : 0;
  const count = wantState(runQueue, pages);
  prefetchEntries(kernel, count);
  prefetchWords(kernel, pages, count);
  if (wantsAreas) prefetchFrames(kernel, pages);
}

/** task_struct, what it points to, and what that points to: each in a loop of its own, as it needs the one before. */
function prefetchStructs(queue: TaskQueue): void {
  let sum = 0;
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = queue.at(i);
    if (task === undefined) continue;
    sum += task.pc + task.nivcsw + task.exitCode + task.pid;
    sum +=
      (task.files === null ? 1 : 0) +
      (task.realBlocked === null ? 1 : 0) +
      (task.vforkParent === null ? 1 : 0);
  }
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = queue.at(i);
    if (task === undefined) continue;
    const { group, files, mm } = task;
    if (mm) sum += lookAtMm(mm);
    sum += task.x.length;
    sum += group.stopCount + group.pgid + (files === null ? 0 : files.count);
  }
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = queue.at(i);
    if (task === undefined) continue;
    const { x, files, group, mm } = task;
    if (mm) sum += lookAtTree(mm);
    sum += (x[0] as number) + (x[X_REGISTERS / 2] as number);
    sum += group.threads.length + (files === null || files.fd[0] === null ? 0 : 1);
  }
  prefetched(sum);
}

/** What libc keeps of its thread (struct pthread) lies below tp; each call that can be cancelled looks at it. */
function belowTp({ x }: Task): number {
  return (x[4] as number) - 128;
}

/** Asks for what pc, stack pointer and thread pointer point to, behind `first` other pages. */
function wantState(queue: TaskQueue, first: number): number {
  let count = first;
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = queue.at(i);
    const mm = task?.mm;
    if (!task || !mm) continue;
    count = wantWord(count, mm, task.pc);
    count = wantWord(count, mm, task.x[2] as number);
    count = wantWord(count, mm, belowTp(task));
  }
  return count;
}

/** The sleepers from the n-th on, who are to be woken: now and then, what that needs of the next few. */
export function prefetchSleepers(kernel: Kernel, sleepers: readonly Task[], n: number): void {
  if (n % PREFETCH_BATCH !== 0 || sleepers.length - n < PREFETCH_BATCH || !manyMms(kernel)) return;
  let sum = 0;
  for (let i = n; i < n + PREFETCH_BATCH; i++) {
    const task = sleepers[i];
    if (task !== undefined) sum += task.pc + (task.realBlocked === null ? 1 : 0);
  }
  for (let i = n; i < n + PREFETCH_BATCH; i++) {
    const wait = sleepers[i]?.wait;
    if (wait) sum += wait.progress + wait.queues.length;
  }
  prefetched(sum);
}

/** With fewer tasks all that is theirs is in the cache. */
const MANY = 128;

/** The first of these children is about to be released, and the others mostly soon: now and then, what that needs of the next few. */
export function prefetchZombies(kernel: Kernel, children: TaskQueue): void {
  const { size } = kernel.tasks;
  if (size < MANY || size % PREFETCH_BATCH !== 0) return;
  let sum = 0;
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = children.at(i);
    if (task === undefined) continue;
    sum += task.pc + task.nivcsw + task.exitCode + task.pid;
    sum += task.realBlocked === null ? 1 : 0;
  }
  for (let i = 0; i < PREFETCH_BATCH; i++) {
    const task = children.at(i);
    if (task === undefined) continue;
    const { group } = task;
    sum += group.stopCount + group.pgid + group.threads.length;
  }
  prefetched(sum);
}
