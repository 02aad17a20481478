/**
 * Wait queues and the reasons for which a task sleeps (Linux: wait_queue_head_t, kernel/sched/wait.c).
 *
 * A blocked task is data. It has left the run queue with its pc still at the ecall; `task.wait` says what it waits
 * for. There are two ways to come back:
 *   restart   the system call runs again and looks at its condition anew (pipes, waitid, poll; any call for a signal);
 *   complete  the waker writes the result register and moves the pc behind the ecall (futex, sleep, vfork, semop).
 * No closure, promise or generator holds anything, so copying the object graph copies the system.
 *
 * Invariant: a task is on the waiters of each of `wait.queues` exactly while its state is 'S' (checked in
 * system/invariants.ts).
 */
import type { FutexQ } from './futexQueue.ts';
import type { MsgReceiver, MsgSender } from '../ipc/msg.ts';
import type { SemQueue } from '../ipc/sem.ts';
import type { Task } from './task.ts';

/** wait_queue_head_t: tasks in order of arrival. */
export interface WaitQueue {
  /** For people: "pipe 7 read". */
  readonly name: string;
  readonly waiters: Task[];
  /** It is among those that are to be woken (wakeQueues). */
  woken: boolean;
  /** What those wait for who read or write and are on it alone: the same for all; null before the first. */
  io: { readonly reason: SleepReason; readonly queues: readonly WaitQueue[] } | null;
}

export const newWaitQueue = (name: string): WaitQueue => ({ name, waiters: [], woken: false, io: null });

export type SleepReason =
  /** nanosleep, clock_nanosleep: completed with 0 by its timer. */
  | { readonly kind: 'sleep' }
  /** A futex: completed with its result by a waker, -ETIMEDOUT by its timer. */
  | FutexQ
  /** waitid: restarted when a child changes its state. */
  | { readonly kind: 'child' }
  /** Parent of vfork: completed with the child's pid when that execs or exits. */
  | { readonly kind: 'vfork'; readonly child: number }
  /** Reading from or writing to something that is not ready: restarted. */
  | { readonly kind: 'io'; readonly what: string }
  /** ppoll, pselect6: restarted by readiness and by its timer. */
  | { readonly kind: 'poll'; readonly what: string }
  /** semop: completed with its status by whoever performs or ends it, with -EINTR by any signal. */
  | SemQueue
  /** msgrcv: completed with the bytes received; restarted by a change of the queue's permissions. */
  | MsgReceiver
  /** msgsnd: restarted when there is room for its message. */
  | MsgSender
  /** rt_sigsuspend, rt_sigtimedwait: restarted by a signal. */
  | { readonly kind: 'signal'; readonly what: string };

/** restart_block: what a repeated system call must remember of its first try. */
export interface Restart {
  /** Absolute virtual time in ns at which it gives up, or null. */
  readonly deadline: number | null;
  /** Bytes already transferred. */
  readonly progress: number;
  /** What it slept for. */
  readonly reason: SleepReason;
}

/** What a sleeping task waits for. */
export interface Waiting extends Restart {
  /** The queues it is on (one; several for poll; none when only a timer or a signal can end it). */
  queues: readonly WaitQueue[];
  /** Result register when the deadline passes; null: the call is repeated then. */
  readonly timeoutResult: number | null;
}

/** What a sleeper waits for, for people (TaskPicture.waiting, deadlock reports). */
export function describeWait(wait: Waiting): string {
  const reason = wait.reason;
  switch (reason.kind) {
    case 'sleep':
      return 'nanosleep';
    case 'futex':
      return `${reason.pi === null ? 'futex' : `pid ${reason.pi.owner.pid}, futex`} 0x${reason.address.toString(16)}`;
    case 'child':
      return 'waitid';
    case 'vfork':
      return `vfork child ${reason.child}`;
    case 'io':
    case 'poll':
    case 'signal':
      return reason.what;
    case 'semop': {
      const { semNum, semOp } = reason.blocking;
      return `semop: semid ${reason.sma.semPerm.id}, semaphore ${semNum}, ${semOp === 0 ? 'for zero' : semOp}`;
    }
    case 'msgrcv':
      return `msgrcv: msqid ${reason.msq.qPerm.id}${describeType(reason)}`;
    case 'msgsnd':
      return `msgsnd: msqid ${reason.msq.qPerm.id}, ${reason.msg.mText.length} bytes`;
  }
}

const MODES = {
  any: '',
  number: '',
  equal: ', type ',
  notEqual: ', any type but ',
  lessEqual: ', type up to ',
};

function describeType(receiver: MsgReceiver): string {
  const text = MODES[receiver.mode];
  return text === '' ? '' : `${text}${receiver.msgtyp}`;
}
