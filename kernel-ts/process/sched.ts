/**
 * The scheduler: one hart, a run queue, exact quanta, sleeping and waking (Linux: kernel/sched/core.c, wait.c).
 *
 * Which runnable task runs next and for how long is asked of a `Schedule` policy at every decision, so that seeded,
 * recorded or exhaustive schedules are other policies, not other schedulers. The default is round robin.
 *
 * Invariants: a task is in `kernel.runQueue` exactly when its state is 'R' and it is not `kernel.current`; every timer
 * belongs to a task that sleeps with that deadline, or to an armed alarm. Checked in system/invariants.ts.
 *
 * Known to be missing: priorities and niceness (stored, without effect), more than one hart.
 */
import { msgFinishWait } from '../ipc/msg.ts';
import { RETRY } from '../ipc/namespace.ts';
import { semFinishWait } from '../ipc/sem.ts';
import { ERESTARTSYS } from '../abi/errno.ts';
import { ktimeGet } from '../mm/context.ts';
import { mmSatp } from '../mm/mm.ts';
import { futexFinishWait } from './futexQueue.ts';
import type { Alarm } from './itimer.ts';
import type { Kernel } from './kernel.ts';
import { prefetchSleepers, prefetchTasks } from './prefetch.ts';
import { recalcSigpending, restoreSavedMask } from './sigQueue.ts';
import type { Task } from './task.ts';
import { loadRegisters, saveRegisters } from './switchTo.ts';
import type { SleepReason, Waiting, WaitQueue } from './waitQueue.ts';

/** Results of a system-call handler that are not values for a0. Below the range of Errno. */
export const SYSCALL_BLOCKED = -10_000;
/** The handler has set the registers itself (execve), or the task is gone (exit). */
export const SYSCALL_NO_RESULT = -10_001;

/** Decides at each scheduling point. Functions only: any state of a policy is data in `kernel.scheduleState`. */
export interface Schedule {
  readonly name: string;
  /** Index into `kernel.runQueue` (not empty) of the task to run. */
  pick(kernel: Kernel): number;
  /** Instructions it may run before the next decision; at least 1. */
  quantum(kernel: Kernel, task: Task): number;
}

/** First come, first served, `limits.quantum` instructions each. */
export const ROUND_ROBIN: Schedule = {
  name: 'round-robin',
  pick: () => 0,
  quantum: (kernel) => kernel.limits.quantum,
};

/**
 * What is to happen at a point of virtual time: a sleeper's wait ends, or an interval timer expires. Sorted by deadline,
 * then by order of arrival.
 */
export type Timer =
  { readonly deadline: number; readonly task: Task } | { readonly deadline: number; readonly alarm: Alarm };

/** Puts a runnable task at the end of the run queue. */
export function enqueueTask(kernel: Kernel, task: Task): void {
  kernel.runQueue.push(task);
}

/** Takes a task off the run queue if it is there. Mostly it is the current one, which is not: no need to look through the others. */
export function dequeueTask(kernel: Kernel, task: Task): void {
  if (task.state === 'R' && task !== kernel.current) kernel.runQueue.remove(task);
}

/** Instructions the current task has run in this slice and that are not in utime yet. */
export function runningSlice(kernel: Kernel, task: Task): number {
  return kernel.current === task ? kernel.hart.retired - kernel.sliceStart : 0;
}

/** CPU time of a task in instructions (= ns), the running slice included. */
export function taskTime(kernel: Kernel, task: Task): number {
  return task.utime + runningSlice(kernel, task);
}

/** Registers of any task: the hart's when it is running, the saved ones otherwise. */
export function taskRegisters(kernel: Kernel, task: Task): Int32Array {
  return kernel.current === task ? kernel.hart.x : task.x;
}

export function taskPc(kernel: Kernel, task: Task): number {
  return kernel.current === task ? kernel.hart.pc : task.pc;
}

/** What sleepOn may be told beyond the reason. */
export interface SleepOptions {
  readonly queues?: readonly WaitQueue[];
  /** Absolute virtual time in ns at which the wait ends with `timeoutResult` (default 0); null: the call is repeated. */
  readonly deadline?: number | null;
  readonly timeoutResult?: number | null;
  /** Bytes already transferred; the repeated call finds them in task.restart. */
  readonly progress?: number;
  /**
   * The restart class: what the call answers when a signal is pending, -ERESTARTSYS (the default), -ERESTARTNOHAND,
   * -ERESTART_RESTARTBLOCK or -EINTR. `deliverSignals` makes EINTR or a repetition of it.
   */
  readonly interrupted?: number;
}

const NO_QUEUES: readonly WaitQueue[] = [];
const NO_OPTIONS: SleepOptions = {};

/**
 * prepare_to_wait + schedule: the current task leaves the hart until something wakes it, and its system call is repeated,
 * or completed by the waker. With a signal pending it does not sleep: the answer is then its restart class, or the bytes
 * that it has transferred. The caller's handler returns the result of this function at once.
 */
export function sleepOn(
  kernel: Kernel,
  task: Task,
  reason: SleepReason,
  options: SleepOptions = NO_OPTIONS,
): number {
  const { queues = NO_QUEUES, deadline = null, timeoutResult = 0, progress = 0 } = options;
  const wait: Waiting = { reason, queues, deadline, timeoutResult, progress };
  return sleep(kernel, task, wait, options.interrupted ?? -ERESTARTSYS);
}

/** sleepOn on the queue of a file that is not ready, with nothing else to make than the one object. */
export function sleepOnIo(kernel: Kernel, task: Task, queue: WaitQueue, progress: number): number {
  const { reason, queues } = (queue.io ??= { reason: { kind: 'io', what: queue.name }, queues: [queue] });
  return sleep(kernel, task, { reason, queues, deadline: null, timeoutResult: 0, progress }, -ERESTARTSYS);
}

/** sleepOn on nothing but an object that names its sleepers. Not by options: round trips by semop and messages come here. */
export function sleepOnObject(kernel: Kernel, task: Task, reason: SleepReason, interrupted: number): number {
  let wait = task.objectWait;
  if (wait === null || wait.reason !== reason) {
    wait = { reason, queues: NO_QUEUES, deadline: null, timeoutResult: 0, progress: 0 };
    task.objectWait = wait;
  }
  return sleep(kernel, task, wait, interrupted);
}

function sleep(kernel: Kernel, task: Task, wait: Waiting, interrupted: number): number {
  const { reason, queues, deadline, progress } = wait;
  task.restart = wait;
  // signal_pending_state()
  if (task.sigPending && reason.kind !== 'vfork') {
    // A futex is entered afterwards (futexSleep), the objects of ipc have been already.
    if (reason.kind !== 'futex') leaveObject(kernel, reason);
    return progress > 0 ? progress : interrupted;
  }
  kernel.needResched = true;
  task.state = 'S';
  task.wait = wait;
  if (queues !== NO_QUEUES) joinQueues(queues, task);
  if (deadline !== null) addTimer(kernel, { deadline, task });
  return SYSCALL_BLOCKED;
}

function joinQueues(queues: readonly WaitQueue[], task: Task): void {
  for (const queue of queues) queue.waiters.push(task);
}

function leaveQueues(queues: readonly WaitQueue[], task: Task): void {
  for (const queue of queues) removeFrom(queue.waiters, task);
}

/** Takes a sleeper off its queues and timer without making it runnable. */
export function finishWait(kernel: Kernel, task: Task): Waiting | null {
  const wait = task.wait;
  if (wait === null) return null;
  if (wait.queues !== NO_QUEUES) leaveQueues(wait.queues, task);
  if (wait.deadline !== null) removeTimer(kernel, task);
  leaveObject(kernel, wait.reason);
  task.wait = null;
  if (task.realBlocked !== null) {
    task.blocked = task.realBlocked;
    task.realBlocked = null;
    recalcSigpending(task);
  }
  return wait;
}

/**
 * wake_up_process: the ecall of a sleeper will execute again. Returns false when it was not asleep. A task may be woken
 * before it has left the hart (its deadline has passed already): it is then still current, and on no queue.
 */
export function wakeTask(kernel: Kernel, task: Task): boolean {
  if (task.state !== 'S') return false;
  finishWait(kernel, task);
  task.state = 'R';
  if (task !== kernel.current) enqueueTask(kernel, task);
  return true;
}

/** Wakes a sleeper and ends its system call with a result. Returns false when it was not asleep. */
export function completeWait(kernel: Kernel, task: Task, result: number): boolean {
  if (!wakeTask(kernel, task)) return false;
  task.restart = null;
  restoreSavedMask(task);
  taskRegisters(kernel, task)[10] = result;
  const at = task === kernel.current ? kernel.hart : task;
  at.pc = (at.pc + 4) >>> 0;
  kernel.completed?.push({ task, result });
  return true;
}

/** What lies outside the wait queues: a futex, a semaphore array, a message queue. */
function leaveObject(kernel: Kernel, reason: SleepReason): void {
  switch (reason.kind) {
    case 'futex':
      futexFinishWait(reason);
      return;
    case 'semop':
      semFinishWait(kernel, reason);
      return;
    case 'msgrcv':
    case 'msgsnd':
      msgFinishWait(kernel, reason);
      return;
    default:
  }
}

/** wake_up_q(): the sleepers that ipc has found, in its order. */
export function wakeUpQ(kernel: Kernel): void {
  const { wakeQ } = kernel.ipc;
  let next = wakeQ.first;
  wakeQ.first = null;
  wakeQ.last = null;
  while (next !== null) {
    const { sleeper, status, wakeNext } = next;
    next.wakeNext = null;
    next = wakeNext;
    // The tasks of ipc are the kernel's; who has ended sleeps no more.
    const task = sleeper as Task;
    if (status === RETRY) wakeTask(kernel, task);
    else completeWait(kernel, task, status);
  }
}

/** wake_up: the ecalls of all waiters will execute again, oldest first. */
export function wakeQueue(kernel: Kernel, queue: WaitQueue): void {
  const { waiters } = queue;
  // A queue of one, as most are, keeps its array.
  if (waiters.length <= 1) {
    if (waiters.length === 1) wakeTask(kernel, waiters[0] as Task);
    return;
  }
  // Off the queue all at once: one by one each would look for itself at its head.
  const sleepers = waiters.splice(0);
  for (let n = 0; n < sleepers.length; n++) {
    prefetchSleepers(kernel, sleepers, n);
    wakeTask(kernel, sleepers[n] as Task);
  }
}

/** Makes runnable whom the lower layers have woken. */
export function drainWakeQueues(kernel: Kernel): void {
  const { wakeQueues } = kernel;
  for (const queue of wakeQueues) {
    queue.woken = false;
    wakeQueue(kernel, queue);
  }
  wakeQueues.length = 0;
}

/** list_del(): takes a task off a list if it is there. The first one costs the same however many follow. */
function removeFrom(list: Task[], task: Task): void {
  const i = list.indexOf(task);
  if (i === 0) list.shift();
  else if (i > 0) list.splice(i, 1);
}

/** hrtimer_start() */
export function addTimer(kernel: Kernel, timer: Timer): void {
  const timers = kernel.timers;
  let low = 0;
  let high = timers.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    const other = timers[mid];
    if (other !== undefined && other.deadline <= timer.deadline) low = mid + 1;
    else high = mid;
  }
  timers.splice(low, 0, timer);
}

/** hrtimer_cancel() of a sleeper's or an alarm's timer. */
export function removeTimer(kernel: Kernel, owner: Task | Alarm): void {
  const i = kernel.timers.findIndex((t) => ('task' in t ? t.task : t.alarm) === owner);
  if (i >= 0) kernel.timers.splice(i, 1);
}

/** Virtual nanoseconds until the next timer; Infinity when there is none. */
export function untilNextTimer(kernel: Kernel): number {
  const first = kernel.timers[0];
  return first === undefined ? Infinity : Math.max(0, first.deadline - ktimeGet(kernel));
}

/** context_switch away: the hart's registers go back into the running task. */
export function saveCurrent(kernel: Kernel): void {
  const task = kernel.current;
  const hart = kernel.hart;
  const { retired } = hart;
  task.utime += retired - kernel.sliceStart;
  kernel.sliceStart = retired;
  if (task === kernel.swapper) return;
  saveRegisters(hart, task);
  task.pc = hart.pc;
}

/** context_switch to `next`: registers, address space, reservation. */
export function loadTask(kernel: Kernel, next: Task): void {
  const hart = kernel.hart;
  kernel.current = next;
  kernel.sliceStart = hart.retired;
  hart.clearReservation();
  if (next === kernel.swapper) return;
  loadRegisters(hart, next);
  hart.pc = next.pc;
  hart.privilege = 0;
  if (next.mm !== null) hart.setAddressSpace(mmSatp(next.mm));
  kernel.stats.contextSwitches++;
}

/**
 * schedule(): chooses the next task. The current one goes to the end of the queue when it can still run.
 * Afterwards `kernel.current` is the chosen task, or the swapper when nothing is runnable.
 */
export function schedule(kernel: Kernel): void {
  kernel.needResched = false;
  if (kernel.wakeQueues.length > 0) drainWakeQueues(kernel);
  const previous = kernel.current;
  if (previous !== kernel.swapper && previous.state === 'R') enqueueTask(kernel, previous);
  prefetchTasks(kernel, previous);
  const queue = kernel.runQueue;
  if (queue.length === 0) {
    previous.nvcsw++;
    saveCurrent(kernel);
    loadTask(kernel, kernel.swapper);
    return;
  }
  const picked = kernel.schedule.pick(kernel);
  const place = queue.at(picked) === undefined ? 0 : picked;
  const next = queue.at(place);
  if (next === undefined) throw new Error('run queue emptied by its policy');
  queue.removeAt(place);
  if (next !== previous) {
    if (previous.state === 'R') previous.nivcsw++;
    else previous.nvcsw++;
    saveCurrent(kernel);
    loadTask(kernel, next);
  }
  next.quantumLeft = Math.max(1, Math.floor(kernel.schedule.quantum(kernel, next)));
}
