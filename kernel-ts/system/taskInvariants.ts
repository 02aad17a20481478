/** The part of the invariant checker that is about tasks: the run queue, timers, alarms, queued signals. */
import { Fs } from '../../emulator/index.ts';
import type { Alarm } from '../process/itimer.ts';
import type { Kernel } from '../process/kernel.ts';
import { hasSignal } from '../process/signalSet.ts';
import type { PendingSignals, Task } from '../process/task.ts';

/** States, the run queue, timers, what is queued for whom. */
export function checkTasks(kernel: Kernel, problems: string[]): void {
  const queued = new Set(kernel.runQueue);
  if (queued.size !== kernel.runQueue.length) problems.push('a task is on the run queue twice');
  for (const task of kernel.tasks.values()) checkTask(kernel, task, queued, problems);
  for (const task of queued)
    if (kernel.tasks.get(task.pid) !== task) problems.push(`pid ${task.pid} is queued and gone`);
  let last = -Infinity;
  for (const timer of kernel.timers) {
    if (timer.deadline < last) problems.push('timers are out of order');
    last = timer.deadline;
    if ('alarm' in timer) checkAlarm(timer.alarm, timer.deadline, problems);
    else if (timer.task.wait?.deadline !== timer.deadline)
      problems.push(`pid ${timer.task.pid} has a timer that it does not wait for`);
  }
  checkFpu(kernel, problems);
  checkQueuedSignals(kernel, problems);
  checkPids(kernel, problems);
}

/** What is not loaded for a task that has not touched the f registers must not be another's. */
function checkFpu({ hart }: Kernel, problems: string[]): void {
  if (hart.fs !== Fs.Initial) return;
  if (hart.fcsr !== 0 || hart.f.some((word) => word !== 0))
    problems.push('FS is initial, and the f registers or fcsr are not 0');
}

/** Numbers of groups and sessions against the processes. */
function checkPids(kernel: Kernel, problems: string[]): void {
  const found = new Map<number, number>();
  const count = (id: number): void => void found.set(id, (found.get(id) ?? 0) + 1);
  for (const { isLeader, group } of kernel.tasks.values()) {
    if (!isLeader) continue;
    count(group.pgid);
    count(group.sid);
  }
  for (const [id, { uses }] of kernel.pids) {
    if (found.get(id) !== uses)
      problems.push(`number ${id} has ${uses} uses, but ${found.get(id) ?? 0} are found`);
    found.delete(id);
  }
  for (const id of found.keys()) problems.push(`number ${id} is used and not noted`);
}

function checkAlarm(alarm: Alarm, deadline: number, problems: string[]): void {
  const { group } = alarm;
  const known =
    alarm.kind === 'real' ? group.realTimer === alarm : group.posixTimers?.get(alarm.id) === alarm;
  if (!known || !alarm.armed || Math.max(0, alarm.expires) !== deadline)
    problems.push(`an alarm of group ${group.pgid} rings that is not set so`);
}

/** sigpending per uid against the queues; a set has every signal that has something queued. */
function checkQueuedSignals(kernel: Kernel, problems: string[]): void {
  const counted = new Map<number, number>();
  const pendings = new Set<PendingSignals>();
  for (const task of kernel.tasks.values()) pendings.add(task.pending).add(task.group.pending);
  for (const pending of pendings) {
    for (const [sig, queued] of pending.queue ?? []) {
      for (const { uid } of queued) counted.set(uid, (counted.get(uid) ?? 0) + 1);
      // An empty queue stays for the next signal of its number.
      if (!hasSignal(pending, sig) && queued.length > 0)
        problems.push(`signal ${sig} is queued and not pending`);
    }
  }
  for (const uid of new Set([...counted.keys(), ...kernel.sigpending.keys()])) {
    const [found, kept] = [counted.get(uid) ?? 0, kernel.sigpending.get(uid) ?? 0];
    if (found !== kept) problems.push(`uid ${uid}: sigpending ${kept}, but ${found} signals are queued`);
  }
}

function checkTask(kernel: Kernel, task: Task, queued: ReadonlySet<Task>, problems: string[]): void {
  const at = `pid ${task.pid}`;
  const shouldQueue = task.state === 'R' && task !== kernel.current;
  if (queued.has(task) !== shouldQueue)
    problems.push(`${at} (${task.state}) is ${shouldQueue ? 'not ' : ''}on the run queue`);
  if ((task.wait !== null) !== (task.state === 'S'))
    problems.push(`${at}: state ${task.state} and wait do not agree`);
  for (const queue of task.wait?.queues ?? []) {
    if (queue.waiters.filter((t) => t === task).length !== 1)
      problems.push(`${at} is not once on ${queue.name}`);
  }
  if (
    task.wait?.deadline !== null &&
    task.wait !== null &&
    !kernel.timers.some((t) => 'task' in t && t.task === task)
  ) {
    problems.push(`${at} waits for a deadline without a timer`);
  }
  if (task.interrupted !== 0 || task.realBlocked !== null) {
    if (task.state === 'S' ? task.interrupted !== 0 : task.realBlocked !== null)
      problems.push(`${at} (${task.state}) has the signal state of another`);
  }
  if (task.state === 'T' && (task.stopPending || task.group.groupExit !== null))
    problems.push(`${at} is stopped and has something to do`);
  if (task.state === 'X') problems.push(`${at} is gone and still listed`);
  for (const child of task.children ?? [])
    if (child.parent !== task) problems.push(`${at}: child ${child.pid} has another parent`);
  if (task.state !== 'Z' && !task.group.threads.includes(task))
    problems.push(`${at} is not in its thread group`);
}
