/**
 * Sending signals (Linux: kernel/signal.c, send_signal_locked and its callers; kill(2), tgkill(2), sigqueue(3)).
 *
 * A signal is marked pending here and acted on when its task is about to return to user mode (`deliverSignals` in
 * signal.ts), in its own context as in Linux. A sleeper is woken for that: its system call looks once more at what it
 * waits for, and gives up when there is nothing.
 */
import { CAP_KILL } from '../abi/capability.ts';
import { EAGAIN, EINTR, EINVAL, EPERM, ESRCH, type Errno } from '../abi/errno.ts';
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  SA_NOCLDSTOP,
  SI_KERNEL,
  SI_TKILL,
  SI_USER,
  type SigInfo,
} from '../abi/signal.ts';
import { capable } from '../mm/cred.ts';
import type { Kernel } from './kernel.ts';
import { completeWait, enqueueTask, wakeQueue, wakeTask } from './sched.ts';
import { addPending, dropPending, mayQueue, recalcSigpending } from './sigQueue.ts';
import {
  commonOf,
  defaultAction,
  firstDeliverable,
  hasSignal,
  NSIG,
  removeSignal,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGRTMIN,
  STOP_SIGNALS,
  type SignalSet,
} from './signalSet.ts';
import {
  DEFAULT_SIGACTION,
  groupLeader,
  setAction,
  SIG_DFL,
  SIG_IGN,
  type SigAction,
  type Task,
} from './task.ts';
import { ticksOf } from './time.ts';

export function actionOf(task: Task, sig: number): SigAction {
  return task.sighand.action[sig] ?? DEFAULT_SIGACTION;
}

/** Running, sleeping or stopped. */
export const isAlive = (task: Task): boolean =>
  task.state === 'R' || task.state === 'S' || task.state === 'T';

/** sig_handler_ignored(): explicitly, or by default. */
export function isIgnored(task: Task, sig: number): boolean {
  const { handler } = actionOf(task, sig);
  // sig_kernel_ignore(): SIGCONT too; it has continued who was stopped before.
  const action = defaultAction(sig);
  return handler === SIG_IGN || (handler === SIG_DFL && (action === 'ignore' || action === 'cont'));
}

/** sig_ignored(). A blocked signal, or one that rt_sigtimedwait waits for, is kept whatever its action is now. */
function ignored(task: Task, sig: number): boolean {
  if (hasSignal(task.blocked, sig)) return false;
  if (task.realBlocked !== null && hasSignal(task.realBlocked, sig)) return false;
  return isIgnored(task, sig);
}

/** sig_fatal(): whether the signal ends the process of a task that does not block it. */
function isFatal(task: Task, sig: number): boolean {
  if (sig === SIGKILL) return true;
  const action = defaultAction(sig);
  return actionOf(task, sig).handler === SIG_DFL && (action === 'term' || action === 'core');
}

/** signal_wake_up(): the task has a signal to look at. Only a fatal one ends a vfork parent's wait and a stop. */
export function signalWakeUp(kernel: Kernel, task: Task, fatal: boolean): void {
  task.sigPending = true;
  if (task.state === 'T' && fatal) resume(kernel, task);
  if (task.state !== 'S' || task.wait === null) return;
  const { kind } = task.wait.reason;
  // "semop() is never automatically restarted after being interrupted by a signal handler": nor after a stop.
  if (kind === 'semop') completeWait(kernel, task, -EINTR);
  else if (fatal || kind !== 'vfork') wakeTask(kernel, task);
}

/** wake_up_state(__TASK_STOPPED). */
function resume(kernel: Kernel, task: Task): void {
  task.state = 'R';
  if (task !== kernel.current) enqueueTask(kernel, task);
}

/** prepare_signal(): stop and continue signals cancel each other; SIGCONT continues even when it is blocked or ignored. */
function prepareSignal(kernel: Kernel, task: Task, sig: number): void {
  const { group } = task;
  const cancelled = STOP_SIGNALS.includes(sig) ? [SIGCONT] : sig === SIGCONT ? STOP_SIGNALS : [];
  if (cancelled.length === 0) return;
  dropPending(kernel, group, cancelled);
  for (const t of group.threads) dropPending(kernel, t, cancelled);
  if (sig === SIGCONT) continueGroup(kernel, task);
}

/** The SIGCONT part of prepare_signal(): ends a stop, also one that not every thread has come to yet. */
function continueGroup(kernel: Kernel, task: Task): void {
  const { group } = task;
  const wasStopped = group.stopped;
  const wasStopping = group.stopCount > 0;
  group.stopped = false;
  group.stopCount = 0;
  for (const t of group.threads) {
    t.stopPending = false;
    if (t.state === 'T') resume(kernel, t);
  }
  if (!wasStopped && !wasStopping) return;
  group.continuedReport = true;
  notifyStopOrContinue(kernel, task, wasStopped ? CLD_CONTINUED : CLD_STOPPED);
  group.stopReport = null;
}

/**
 * send_signal_locked(): makes a signal pending for a thread, or with `toGroup` for its process, and wakes who must act.
 * Signal 0 and a process that is already dying take nothing. EAGAIN: no room for the siginfo of a real-time signal.
 */
export function sendSignal(kernel: Kernel, task: Task, info: SigInfo, toGroup: boolean): 0 | Errno {
  const sig = info.signo;
  const { group } = task;
  if (sig === 0 || group.groupExit !== null || !group.threads.some(isAlive)) return 0;
  prepareSignal(kernel, task, sig);
  if (ignored(task, sig)) return 0;
  const receiver = toGroup ? group : task;
  if (sig < SIGRTMIN && hasSignal(receiver.pending, sig)) return 0;
  const room = sig !== SIGKILL && mayQueue(kernel, task, sig < SIGRTMIN && info.code >= 0);
  if (!room && sig >= SIGRTMIN && info.code !== SI_USER) return -EAGAIN;
  addPending(kernel, task, receiver, info, room);
  kernel.stats.signals++;
  completeSignal(kernel, task, sig, toGroup);
  return 0;
}

/** complete_signal(): finds the thread that takes it, the addressed one first; a fatal one decides upon the process. */
function completeSignal(kernel: Kernel, task: Task, sig: number, toGroup: boolean): void {
  const wants = (t: Task): boolean => {
    if (!isAlive(t) || hasSignal(t.blocked, sig)) return false;
    if (sig === SIGKILL) return true;
    return t.state !== 'T' && (t === kernel.current || !t.sigPending);
  };
  const { group } = task;
  const target = wants(task) ? task : toGroup ? group.threads.find(wants) : undefined;
  if (target === undefined) return;
  const waitedFor = target.realBlocked !== null && hasSignal(target.realBlocked, sig);
  if (isFatal(target, sig) && !waitedFor) decideGroupExit(kernel, task, sig);
  else signalWakeUp(kernel, target, false);
}

/** The process will end with this wait(2) status: every thread comes to its end in its own context. */
export function decideGroupExit(kernel: Kernel, task: Task, status: number): void {
  const { group } = task;
  group.groupExit ??= status;
  group.stopCount = 0;
  for (const t of group.threads) {
    t.stopPending = false;
    if (isAlive(t)) signalWakeUp(kernel, t, true);
  }
}

/** retarget_shared_pending(): a thread will not take these signals of its process any more; others may. */
export function retargetSharedPending(kernel: Kernel, task: Task, which: Readonly<SignalSet>): void {
  const retarget = commonOf(task.group.pending, which);
  for (const t of task.group.threads) {
    if (t === task || !isAlive(t) || t.sigPending) continue;
    if (firstDeliverable(retarget, t.blocked) !== 0) signalWakeUp(kernel, t, false);
  }
}

/**
 * force_sig_info_to_task(): a signal that the task cannot escape. Blocked or ignored, it gets its default action back;
 * with `fatal` (force_fatal_sig) also when it has a handler.
 */
export function forceSignal(kernel: Kernel, task: Task, info: SigInfo, fatal = false): void {
  const { signo } = info;
  const blocked = hasSignal(task.blocked, signo);
  const action = actionOf(task, signo);
  if (blocked || fatal || action.handler === SIG_IGN) {
    setAction(task.sighand, signo, { ...action, handler: SIG_DFL });
    const left = { ...task.blocked };
    removeSignal(left, signo);
    task.blocked = left;
  }
  sendSignal(kernel, task, info, false);
  // It may have been pending already, and blocked.
  recalcSigpending(task);
}

/** force_sig(SIGSEGV) and force_sigsegv(): the kernel cannot go on with this program as it is. */
export function forceSig(kernel: Kernel, task: Task, signo: number, fatal = false): void {
  forceSignal(kernel, task, { signo, errno: 0, code: SI_KERNEL, fields: [] }, fatal);
}

/** siginfo of SIGCHLD about a process. */
function childInfo(kernel: Kernel, leader: Task, signo: number, code: number, status: number): SigInfo {
  const utime = ticksOf(kernel, leader);
  return { signo, errno: 0, code, fields: [leader.tgid, leader.cred.uid, status, utime, 0] };
}

/** The signal about a process to its parent, SIGCHLD unless it was cloned with another; 0 for none. */
export function sendToParent(
  kernel: Kernel,
  parent: Task,
  leader: Task,
  sig: number,
  code: number,
  status: number,
): void {
  // Mostly nobody wants it.
  if (sig <= 0 || sig >= NSIG || (sig === SIGCHLD && ignored(parent, sig))) return;
  sendSignal(kernel, parent, childInfo(kernel, leader, sig, code, status), true);
}

/** __wake_up_parent(). */
export function wakeUpParent(kernel: Kernel, parent: Task): void {
  const { childWait } = parent.group;
  if (childWait !== null) wakeQueue(kernel, childWait);
}

/** do_notify_parent_cldstop(): SIGCHLD about a stop or a continuation, unless SA_NOCLDSTOP or SIG_IGN. */
export function notifyStopOrContinue(kernel: Kernel, task: Task, code: number): void {
  const leader = groupLeader(task);
  const { parent } = leader;
  if (parent === null) return;
  const action = actionOf(parent, SIGCHLD);
  const wanted = action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0;
  const status = code === CLD_CONTINUED ? SIGCONT : (leader.group.stopReport ?? 0);
  if (wanted) sendToParent(kernel, parent, leader, SIGCHLD, code, status);
  wakeUpParent(kernel, parent);
}

/** task_participate_group_stop(): the last thread to come tells the parent. */
export function participateStop(kernel: Kernel, task: Task): void {
  const { group } = task;
  if (!task.stopPending) return;
  task.stopPending = false;
  group.stopCount--;
  if (group.stopCount > 0) return;
  group.stopped = true;
  notifyStopOrContinue(kernel, task, CLD_STOPPED);
}

/** kill_ok_by_cred() and the SIGCONT exception within a session. */
function mayKill(sender: Task, target: Task, sig: number): boolean {
  const a = sender.cred;
  const b = target.cred;
  if (sender.tgid === target.tgid) return true;
  if (a.euid === b.suid || a.euid === b.uid || a.uid === b.suid || a.uid === b.uid) return true;
  if (sig === SIGCONT && sender.group.sid === target.group.sid) return true;
  return capable(a, CAP_KILL);
}

/** prepare_kill_siginfo(), and SEND_SIG_NOINFO with the current task as sender. */
export const userInfo = (sender: Task, signo: number, code = SI_USER): SigInfo => ({
  signo,
  errno: 0,
  code,
  fields: [sender.tgid, sender.cred.uid],
});

/** check_kill_permission(): EINVAL, EPERM. Whoever may use a code above 0 sends to itself and needs no permission. */
function checkKillPermission(sender: Task, target: Task, info: SigInfo): 0 | Errno {
  if (info.signo < 0 || info.signo >= NSIG) return -EINVAL;
  return info.code <= 0 && !mayKill(sender, target, info.signo) ? -EPERM : 0;
}

/** group_send_sig_info(): to a process, when its credentials allow it. */
function groupSend(kernel: Kernel, sender: Task, target: Task, info: SigInfo): 0 | Errno {
  const refused = checkKillPermission(sender, target, info);
  return refused < 0 ? refused : sendSignal(kernel, target, info, true);
}

/**
 * kill(2): pid > 0 one process, 0 the own group, -1 all others, < -1 a group. ESRCH: no such process or group.
 * EINVAL: no such signal. EPERM: none of them may be signalled; of "all others" it is no error.
 */
export function doKill(kernel: Kernel, sender: Task, pid: number, sig: number): 0 | Errno {
  const info = userInfo(sender, sig);
  if (pid > 0) return killProcess(kernel, sender, pid, info);
  if (pid === -0x8000_0000) return -ESRCH;
  const pgid = pid === 0 ? sender.group.pgid : -pid;
  const results: (0 | Errno)[] = [];
  for (const target of Array.from(kernel.tasks.values())) {
    if (!target.isLeader) continue;
    if (pid === -1 ? target.tgid === sender.tgid : target.group.pgid !== pgid) continue;
    results.push(groupSend(kernel, sender, target, info));
  }
  if (results.length === 0) return -ESRCH;
  if (pid === -1) return results.filter((r) => r !== -EPERM).at(-1) ?? 0;
  return results.includes(0) ? 0 : (results.at(-1) ?? 0);
}

/** kill_proc_info(): the process that has a thread of this number. */
function killProcess(kernel: Kernel, sender: Task, pid: number, info: SigInfo): 0 | Errno {
  const found = kernel.tasks.get(pid);
  return found === undefined ? -ESRCH : groupSend(kernel, sender, groupLeader(found), info);
}

/** From the host: as the kernel would, no permission asked. */
export function hostKill(kernel: Kernel, task: Task, signo: number): void {
  sendSignal(kernel, groupLeader(task), { signo, errno: 0, code: SI_KERNEL, fields: [] }, true);
}

/** tgkill(2), tkill(2) with tgid null. EINVAL: ids not positive or no such signal. ESRCH, EPERM as kill; EAGAIN. */
export function doTkill(
  kernel: Kernel,
  sender: Task,
  tgid: number | null,
  tid: number,
  sig: number,
): 0 | Errno {
  if (tid <= 0 || (tgid !== null && tgid <= 0)) return -EINVAL;
  return sendSpecific(kernel, sender, tgid, tid, userInfo(sender, sig, SI_TKILL));
}

/** do_send_specific(): to one thread. */
function sendSpecific(
  kernel: Kernel,
  sender: Task,
  tgid: number | null,
  tid: number,
  info: SigInfo,
): 0 | Errno {
  const target = kernel.tasks.get(tid);
  if (target === undefined || (tgid !== null && target.tgid !== tgid)) return -ESRCH;
  const refused = checkKillPermission(sender, target, info);
  if (refused < 0) return refused;
  return isAlive(target) ? sendSignal(kernel, target, info, false) : 0;
}

/** Codes that tell of the kernel or of tkill are for oneself only. */
const isForged = (info: SigInfo): boolean => info.code >= 0 || info.code === SI_TKILL;

/** rt_sigqueueinfo(2): a signal to a process with a siginfo of the sender's. EPERM: a forged code. */
export function doSigqueueinfo(kernel: Kernel, sender: Task, pid: number, info: SigInfo): 0 | Errno {
  if (isForged(info) && sender.pid !== pid) return -EPERM;
  return killProcess(kernel, sender, pid, info);
}

/** rt_tgsigqueueinfo(2): the same to a thread. */
export function doTgsigqueueinfo(
  kernel: Kernel,
  sender: Task,
  tgid: number,
  tid: number,
  info: SigInfo,
): 0 | Errno {
  if (tid <= 0 || tgid <= 0) return -EINVAL;
  if (isForged(info) && sender.pid !== tid) return -EPERM;
  return sendSpecific(kernel, sender, tgid, tid, info);
}
