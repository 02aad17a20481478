/**
 * Waiting for children (Linux: kernel/exit.c do_wait; waitid(2)). riscv32 has waitid alone; libc builds wait4 on it.
 *
 * Known to be missing: P_PIDFD, ptrace stops.
 */
import { ECHILD, EINVAL, type Errno } from '../abi/errno.ts';
import { CLD_CONTINUED, CLD_EXITED, CLD_KILLED, CLD_STOPPED } from '../abi/signal.ts';
import { releaseTask } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { prefetchZombies } from './prefetch.ts';
import { sleepOn, type SYSCALL_BLOCKED } from './sched.ts';
import { SIGCHLD, SIGCONT } from './signalSet.ts';
import { childrenOf, groupLeader, type Task } from './task.ts';
import { processTime } from './time.ts';
import { newWaitQueue } from './waitQueue.ts';

export const WNOHANG = 1;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x0100_0000;
const WNOTHREAD = 0x2000_0000;
const WALL = 0x4000_0000;
const WCLONE = 0x8000_0000;
const KNOWN_OPTIONS = WNOHANG | WSTOPPED | WEXITED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL | WCLONE;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;

/** What waitid tells: siginfo_t's fields for SIGCHLD, and the child's time for rusage. pid 0: nothing yet (WNOHANG). */
export interface WaitResult {
  readonly pid: number;
  readonly uid: number;
  readonly code: number;
  readonly status: number;
  /** CPU time of the child and of those it waited for, in ns. */
  readonly time: number;
  readonly minFlt: number;
}

const NOTHING: WaitResult = { pid: 0, uid: 0, code: 0, status: 0, time: 0, minFlt: 0 };

/**
 * do_waitid(). EINVAL: unknown options, none of WEXITED, WSTOPPED, WCONTINUED, or an id that is not possible.
 * ECHILD: no child fits. SYSCALL_BLOCKED: the caller sleeps, the call will be restarted.
 */
export function doWaitid(
  kernel: Kernel,
  task: Task,
  idtype: number,
  id: number,
  options: number,
): WaitResult | Errno | typeof SYSCALL_BLOCKED {
  if ((options & ~KNOWN_OPTIONS) !== 0) return -EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return -EINVAL;
  let pgid = id;
  if (idtype === P_PID) {
    if (id <= 0) return -EINVAL;
  } else if (idtype === P_PGID) {
    if (id < 0) return -EINVAL;
    if (id === 0) pgid = task.group.pgid;
  } else if (idtype !== P_ALL) {
    return -EINVAL;
  }
  let eligible = false;
  const children = childrenOf(groupLeader(task));
  for (let place = 0; place < children.length; place++) {
    const child = children.at(place) as Task;
    if (idtype === P_PID ? child.pid !== id : idtype === P_PGID && child.group.pgid !== pgid) continue;
    if ((options & WALL) === 0 && (child.exitSignal !== SIGCHLD) !== ((options & WCLONE) !== 0)) continue;
    const result = consider(kernel, task, child, options);
    if (result !== null) return result;
    // A zombie that nobody asks the exit of has nothing more to tell; any other child keeps us waiting.
    if (!(child.state === 'Z' && child.group.threads.length === 1)) eligible = true;
  }
  if (!eligible) return -ECHILD;
  if ((options & WNOHANG) !== 0) return NOTHING;
  const childWait = (task.group.childWait ??= newWaitQueue('children'));
  return sleepOn(kernel, task, { kind: 'child' }, { queues: [childWait] });
}

/** wait_consider_task(): what this child has to tell now, or null. */
function consider(kernel: Kernel, task: Task, child: Task, options: number): WaitResult | null {
  const group = child.group;
  const keep = (options & WNOWAIT) !== 0;
  if (child.state === 'Z' && group.threads.length === 1) {
    if ((options & WEXITED) === 0) return null;
    prefetchZombies(kernel, childrenOf(groupLeader(task)));
    const signal = child.exitCode & 0x7f;
    const status = signal === 0 ? (child.exitCode >>> 8) & 0xff : signal;
    const told = tell(kernel, child, signal === 0 ? CLD_EXITED : CLD_KILLED, status);
    if (!keep) {
      task.group.childTime += told.time;
      task.group.childMinFlt += told.minFlt;
      releaseTask(kernel, child);
    }
    return told;
  }
  if ((options & WSTOPPED) !== 0 && group.stopped && group.stopReport !== null) {
    const status = group.stopReport;
    if (!keep) group.stopReport = null;
    return tell(kernel, child, CLD_STOPPED, status);
  }
  if ((options & WCONTINUED) !== 0 && group.continuedReport) {
    if (!keep) group.continuedReport = false;
    return tell(kernel, child, CLD_CONTINUED, SIGCONT);
  }
  return null;
}

/** The result about a child. All of it in one place: V8 makes an object that begins as a copy of another slowly. */
function tell(kernel: Kernel, child: Task, code: number, status: number): WaitResult {
  const { pid, cred, group } = child;
  const time = processTime(kernel, child) + group.childTime;
  return { pid, uid: cred.uid, code, status, time, minFlt: group.minFlt + group.childMinFlt };
}
