/**
 * Pending sets and their queues (Linux: kernel/signal.c, sigqueue_alloc, collect_signal, flush_sigqueue, recalc_sigpending).
 *
 * A standard signal is pending once; a real-time one as often as it was sent. What is queued counts per real uid of the
 * receiver against RLIMIT_SIGPENDING and, whatever that is raised to, `limits.maxQueuedSignals`. Standard signals of the
 * kernel and of kill(2) find room always: there are at most 31 of them in a set.
 */
import { SI_USER, type SigInfo } from '../abi/signal.ts';
import { RLIMIT_SIGPENDING, rlimit } from '../abi/resource.ts';
import type { Kernel } from './kernel.ts';
import { addSignal, firstDeliverable, hasSignal, removeSignal, type SignalSet } from './signalSet.ts';
import { NO_PENDING, type PendingSignals, type QueuedSignal, type Task } from './task.ts';

/** Whose signals they are: a task, or with its thread group all of a process. */
interface Receiver {
  pending: PendingSignals;
}

/** What a signal tells whose siginfo found no room in the queue. */
const lost = (signo: number): SigInfo => ({ signo, errno: 0, code: SI_USER, fields: [] });

/** Signals queued for the processes of a real uid. */
export function queuedOf(kernel: Kernel, uid: number): number {
  return kernel.sigpending.get(uid) ?? 0;
}

function uncount(kernel: Kernel, { uid }: QueuedSignal): void {
  const left = queuedOf(kernel, uid) - 1;
  if (left > 0) kernel.sigpending.set(uid, left);
  else kernel.sigpending.delete(uid);
}

/** sigqueue_alloc(): whether there is room for one more signal to `task`. */
export function mayQueue(kernel: Kernel, task: Task, overrideLimit: boolean): boolean {
  if (overrideLimit) return true;
  const limit = Math.min(rlimit(task.rlim, RLIMIT_SIGPENDING), kernel.limits.maxQueuedSignals);
  return queuedOf(kernel, task.cred.uid) < limit;
}

/** Makes `info.signo` pending, with its siginfo when `room` says so. */
export function addPending(
  kernel: Kernel,
  task: Task,
  receiver: Receiver,
  info: SigInfo,
  room: boolean,
): void {
  const { signo } = info;
  const { lo, hi, queue } = receiver.pending;
  const pending = { lo, hi, queue: room ? (queue ?? new Map<number, QueuedSignal[]>()) : queue };
  addSignal(pending, signo);
  receiver.pending = pending;
  if (!room) return;
  const { uid } = task.cred;
  kernel.sigpending.set(uid, queuedOf(kernel, uid) + 1);
  const queued = pending.queue?.get(signo);
  if (queued === undefined) pending.queue?.set(signo, [{ info, uid }]);
  else queued.push({ info, uid });
}

/** The signal is not pending any more. */
function notPending(receiver: Receiver, sig: number): void {
  const { lo, hi, queue } = receiver.pending;
  const pending = { lo, hi, queue };
  removeSignal(pending, sig);
  receiver.pending = pending;
}

/** collect_signal(): takes the oldest one of a pending signal; it stays pending while there are more. */
export function takePending(kernel: Kernel, receiver: Receiver, sig: number): SigInfo {
  const queue = receiver.pending.queue?.get(sig);
  const first = queue?.shift();
  // An empty queue stays: the next signal of the number will be put there.
  if (queue === undefined || queue.length === 0) notPending(receiver, sig);
  if (first === undefined) return lost(sig);
  uncount(kernel, first);
  return first.info;
}

/** flush_sigqueue_mask(): forgets signals. */
export function dropPending(kernel: Kernel, receiver: Receiver, sigs: readonly number[]): void {
  for (const sig of sigs) {
    if (!hasSignal(receiver.pending, sig)) continue;
    notPending(receiver, sig);
    const { queue } = receiver.pending;
    for (const queued of queue?.get(sig) ?? []) uncount(kernel, queued);
    queue?.delete(sig);
  }
}

/** flush_sigqueue(): the end of a task or process. */
export function flushPending(kernel: Kernel, receiver: Receiver): void {
  const { queue } = receiver.pending;
  if (queue !== null) for (const queued of queue.values()) for (const one of queued) uncount(kernel, one);
  receiver.pending = NO_PENDING;
}

/** dequeue_signal(): the next signal that `blocked` lets through, the thread's own before the process's; or null. */
export function dequeueSignal(kernel: Kernel, task: Task, blocked: Readonly<SignalSet>): SigInfo | null {
  const own = firstDeliverable(task.pending, blocked);
  if (own !== 0) return takePending(kernel, task, own);
  const shared = firstDeliverable(task.group.pending, blocked);
  return shared === 0 ? null : takePending(kernel, task.group, shared);
}

/** recalc_sigpending(): whether a task must look at its signals before it runs user code again. */
export function recalcSigpending(task: Task): void {
  task.sigPending =
    task.stopPending ||
    task.group.groupExit !== null ||
    firstDeliverable(task.pending, task.blocked) !== 0 ||
    firstDeliverable(task.group.pending, task.blocked) !== 0;
}

/** restore_saved_sigmask(): the mask from before rt_sigsuspend or ppoll. */
export function restoreSavedMask(task: Task): void {
  if (task.savedMask === null) return;
  task.blocked = task.savedMask;
  task.savedMask = null;
  recalcSigpending(task);
}
