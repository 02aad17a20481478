/**
 * "Not now" as data: include/linux/wait.h. An operation that cannot finish returns a WaitReason; the process layer puts
 * the task on the queue and repeats the system call once the queue was woken.
 */
import type { WaitQueue } from '../process/waitQueue.ts';

/** Sleep on `wait`, then repeat the call. */
export interface WaitReason {
  readonly wait: WaitQueue;
  /** Bytes already transferred: the repeated call starts after them and adds them to its result. */
  readonly progress: number;
}

/** wake_up(): the process layer makes every sleeper of the queue runnable when it empties ctx.wakeQueues. */
export function wakeUp(ctx: { readonly wakeQueues: WaitQueue[] }, queue: WaitQueue): void {
  if (queue.waiters.length === 0 || queue.woken) return;
  queue.woken = true;
  ctx.wakeQueues.push(queue);
}

/** True for a WaitReason among the results of a file operation. */
export function isWait(result: number | WaitReason): result is WaitReason {
  return typeof result === 'object';
}
