/**
 * The end of a task (Linux: kernel/exit.c do_exit, release_task; _exit(2), exit_group(2)).
 *
 * A process is dead when its last thread is. Its leader then stays as a zombie until the parent has waited, unless
 * the parent is the host or ignores SIGCHLD. Orphans become children of the host, which waits for nobody.
 *
 * Known to be missing: core dumps, subreapers.
 */
import { putIpcNs } from '../ipc/namespace.ts';
import { exitSem } from '../ipc/semUndo.ts';
import { CLD_EXITED, CLD_KILLED, SA_NOCLDWAIT } from '../abi/signal.ts';
import { exitShm } from '../ipc/shm.ts';
import { putFilesStruct } from '../fs/fdtable.ts';
import { mmput } from '../mm/mmLife.ts';
import type { Kernel } from './kernel.ts';
import { futexExitRelease } from './robust.ts';
import { exitItimers } from './itimer.ts';
import { detachPids } from './pid.ts';
import { exitPosixTimers } from './posixTimer.ts';
import { completeWait, dequeueTask, finishWait, runningSlice, wakeUpQ } from './sched.ts';
import {
  actionOf,
  decideGroupExit,
  isAlive,
  participateStop,
  retargetSharedPending,
  sendSignal,
  sendToParent,
  userInfo,
  wakeUpParent,
} from './signalSend.ts';
import { SIGCHLD } from './signalSet.ts';
import { flushPending } from './sigQueue.ts';
import { groupLeader, SIG_IGN, type Task } from './task.ts';

/** do_group_exit(): decides the wait status of a process and sends every other thread to its end. */
export function groupExit(kernel: Kernel, task: Task, status: number): void {
  decideGroupExit(kernel, task, status);
  doExit(kernel, task, task.group.groupExit ?? status);
}

/**
 * do_exit(): ends the current task with a wait(2) status word. Must run as `kernel.current` (or for a task that never
 * ran), because detaching shared memory records who did it.
 */
export function doExit(kernel: Kernel, task: Task, status: number): void {
  if (!isAlive(task)) return;
  task.exitCode = status;
  finishWait(kernel, task);
  exitSignals(kernel, task);
  releaseMm(kernel, task);
  exitSem(kernel, task);
  wakeUpQ(kernel);
  exitShm(kernel, task);
  if (task.files !== null) putFilesStruct(kernel, task.files);
  task.files = null;
  // exit_task_namespaces()
  putIpcNs(kernel, task.ipcNs);
  dequeueTask(kernel, task);
  task.state = 'Z';
  kernel.needResched ||= kernel.current === task;
  const group = task.group;
  if (!task.isLeader) {
    group.deadThreadTime += task.utime + runningSlice(kernel, task);
    group.threads.splice(group.threads.indexOf(task), 1);
    flushPending(kernel, task);
    freeTask(kernel, task);
  }
  const leader = groupLeader(task);
  if (group.threads.length === 1 && !isAlive(leader)) processDead(kernel, leader);
}

/** exit_signals(): what the process still has to do with signals is left to its other threads. */
function exitSignals(kernel: Kernel, task: Task): void {
  const { group } = task;
  if (group.groupExit !== null || !group.threads.some((t) => t !== task && isAlive(t))) return;
  retargetSharedPending(kernel, task, { lo: ~task.blocked.lo, hi: ~task.blocked.hi });
  participateStop(kernel, task);
}

/** exit_mm() and mm_release(): what other threads and the vfork parent wait for comes first. */
export function releaseMm(kernel: Kernel, task: Task): void {
  const mm = task.mm;
  if (mm === null) return;
  futexExitRelease(kernel, task);
  task.mm = null;
  mmput(kernel, mm);
  releaseVforkParent(kernel, task);
}

/** complete_vfork_done(): the parent may go on; its call returns the child's pid. */
export function releaseVforkParent(kernel: Kernel, task: Task): void {
  const parent = task.vforkParent;
  task.vforkParent = null;
  if (parent !== null) completeWait(kernel, parent, task.pid);
}

/** exit_notify() for the last thread: orphans, the parent, the record for the host. */
function processDead(kernel: Kernel, leader: Task): void {
  const group = leader.group;
  if (group.groupExit !== null) leader.exitCode = group.groupExit;
  exitItimers(kernel, group);
  exitPosixTimers(kernel, group);
  const orphans = leader.children;
  leader.children = null;
  for (const child of orphans ?? []) {
    child.parent = null;
    child.exitSignal = SIGCHLD;
    if (child.pdeathSignal !== 0) sendSignal(kernel, child, userInfo(leader, child.pdeathSignal), true);
    if (child.state === 'Z' && child.group.threads.length === 1) releaseTask(kernel, child);
  }
  kernel.exits.push({ pid: leader.pid, status: leader.exitCode, crash: group.crash, comm: leader.comm });
  const parent = leader.parent;
  if (parent === null) {
    releaseTask(kernel, leader);
    return;
  }
  doNotifyParent(kernel, leader, parent);
}

/** do_notify_parent(): the exit signal, and a wake-up of waitid. A parent that ignores SIGCHLD need not wait for children. */
function doNotifyParent(kernel: Kernel, leader: Task, parent: Task): void {
  const { exitSignal } = leader;
  const action = actionOf(parent, SIGCHLD);
  const ignores = exitSignal === SIGCHLD && action.handler === SIG_IGN;
  const autoreap = ignores || (exitSignal === SIGCHLD && (action.flags & SA_NOCLDWAIT) !== 0);
  const signal = leader.exitCode & 0x7f;
  const code = signal === 0 ? CLD_EXITED : CLD_KILLED;
  const status = signal === 0 ? (leader.exitCode >>> 8) & 0xff : signal;
  if (!ignores) sendToParent(kernel, parent, leader, exitSignal, code, status);
  if (autoreap) releaseTask(kernel, leader);
  wakeUpParent(kernel, parent);
}

/** free_task(). Its registers may still be saved, when it has just ended itself; they are set anew by whoever gets them. */
function freeTask(kernel: Kernel, task: Task): void {
  task.state = 'X';
  kernel.tasks.delete(task.pid);
  kernel.threadCache.push(task.x);
}

/** release_task(): the last trace of a process goes. */
export function releaseTask(kernel: Kernel, leader: Task): void {
  flushPending(kernel, leader);
  flushPending(kernel, leader.group);
  detachPids(kernel, leader.group);
  freeTask(kernel, leader);
  const { parent } = leader;
  parent?.children?.remove(leader);
}
