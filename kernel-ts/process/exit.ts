/**
 * The end of a task (Linux: kernel/exit.c do_exit, release_task; _exit(2), exit_group(2)).
 *
 * A process is dead when its last thread is. Its leader then stays as a zombie until the parent has waited, unless
 * the parent is the host or ignores SIGCHLD. Orphans become children of the host, which waits for nobody.
 *
 * Known to be missing: core dumps (RLIMIT_CORE is 0), subreapers, PR_SET_PDEATHSIG.
 */
import { putIpcNs } from '../ipc/namespace.ts';
import { exitSem } from '../ipc/semUndo.ts';
import { exitShm } from '../ipc/shm.ts';
import { putFilesStruct } from '../fs/fdtable.ts';
import { mmput } from '../mm/mmLife.ts';
import type { Kernel } from './kernel.ts';
import { futexExitRelease } from './robust.ts';
import { completeWait, dequeueTask, finishWait, runningSlice, wakeUpQ } from './sched.ts';
import { actionOf, continueGroup, isAlive, notifyParent, signalWakeUp } from './signalSend.ts';
import { SIGCHLD } from './signalSet.ts';
import { groupLeader, SIG_IGN, type Task } from './task.ts';

export const CLD_EXITED = 1;
export const CLD_KILLED = 2;

const SA_NOCLDWAIT = 2;

/** do_group_exit(): decides the wait status of a process and sends every other thread to its end. */
export function groupExit(kernel: Kernel, task: Task, status: number): void {
  const group = task.group;
  group.groupExit ??= status;
  if (group.stopped) continueGroup(kernel, task, false);
  for (const t of group.threads) if (t !== task && isAlive(t)) signalWakeUp(kernel, t, true);
  doExit(kernel, task, group.groupExit);
}

/**
 * do_exit(): ends the current task with a wait(2) status word. Must run as `kernel.current` (or for a task that never
 * ran), because detaching shared memory records who did it.
 */
export function doExit(kernel: Kernel, task: Task, status: number): void {
  if (!isAlive(task)) return;
  task.exitCode = status;
  finishWait(kernel, task);
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
    task.state = 'X';
    kernel.tasks.delete(task.pid);
  }
  const leader = groupLeader(task);
  if (group.threads.length === 1 && !isAlive(leader)) processDead(kernel, leader);
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
  for (const child of leader.children.splice(0)) {
    child.parent = null;
    child.exitSignal = SIGCHLD;
    if (child.state === 'Z' && child.group.threads.length === 1) releaseTask(kernel, child);
  }
  kernel.exits.push({ pid: leader.pid, status: leader.exitCode, crash: group.crash, comm: leader.comm });
  const parent = leader.parent;
  if (parent === null) {
    releaseTask(kernel, leader);
    return;
  }
  const action = actionOf(parent, SIGCHLD);
  const autoreap =
    leader.exitSignal === SIGCHLD && (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
  const signal = leader.exitCode & 0x7f;
  if (autoreap) releaseTask(kernel, leader);
  notifyParent(
    kernel,
    leader,
    parent,
    signal === 0 ? CLD_EXITED : CLD_KILLED,
    signal === 0 ? (leader.exitCode >>> 8) & 0xff : signal,
  );
}

/** release_task(): the last trace of a process goes. */
export function releaseTask(kernel: Kernel, leader: Task): void {
  leader.state = 'X';
  kernel.tasks.delete(leader.pid);
  const siblings = leader.parent?.children;
  if (siblings !== undefined) {
    const i = siblings.indexOf(leader);
    if (i >= 0) siblings.splice(i, 1);
  }
}
