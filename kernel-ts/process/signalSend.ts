/**
 * Sending signals (Linux: kernel/signal.c, send_signal_locked and its callers; kill(2), tgkill(2)).
 *
 * A signal is marked pending here and acted on when its task is about to return to user mode (`deliverSignals` in
 * signal.ts), in its own context as in Linux; a sleeper is woken for that with its ecall to be restarted.
 *
 * Known to be missing: queued real-time signals are merged like standard ones.
 */
import { CAP_KILL } from '../abi/capability.ts';
import { EINTR, EINVAL, EPERM, ESRCH, type Errno } from '../abi/errno.ts';
import { capable } from '../mm/cred.ts';
import type { Kernel } from './kernel.ts';
import { completeWait, enqueueTask, wakeQueue, wakeTask } from './sched.ts';
import {
  addSignal,
  defaultAction,
  firstDeliverable,
  hasSignal,
  NSIG,
  removeSignal,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
} from './signalSet.ts';
import {
  DEFAULT_SIGACTION,
  groupLeader,
  SIG_DFL,
  SIG_IGN,
  type PendingSignals,
  type SigAction,
  type SigInfo,
  type Task,
} from './task.ts';

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_TKILL = -6;

export const CLD_DUMPED = 3;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

const SA_NOCLDSTOP = 1;
const STOP_SIGNALS = [19, 20, 21, 22];

export function actionOf(task: Task, sig: number): SigAction {
  return task.sighand.action[sig] ?? DEFAULT_SIGACTION;
}

/** sig_ignored(): explicitly, or by default. A blocked signal is kept whatever its action is now. */
function ignored(task: Task, sig: number): boolean {
  if (hasSignal(task.blocked, sig)) return false;
  const { handler } = actionOf(task, sig);
  // sig_kernel_ignore(): SIGCONT too; it has continued who was stopped before.
  const action = defaultAction(sig);
  return handler === SIG_IGN || (handler === SIG_DFL && (action === 'ignore' || action === 'cont'));
}

/** Whether the signal will end the process when it is delivered to this task. */
function fatal(task: Task, sig: number): boolean {
  if (sig === SIGKILL) return true;
  const { handler } = actionOf(task, sig);
  const action = defaultAction(sig);
  return handler !== SIG_IGN && (action === 'term' || action === 'core');
}

export function takePending(pending: PendingSignals, sig: number): SigInfo {
  removeSignal(pending.set, sig);
  const info = pending.info.get(sig) ?? { signo: sig, code: SI_USER, pid: 0, uid: 0, value: 0 };
  pending.info.delete(sig);
  return info;
}

export function dropPending(pending: PendingSignals, sigs: readonly number[]): void {
  for (const sig of sigs) {
    removeSignal(pending.set, sig);
    pending.info.delete(sig);
  }
}

/** recalc_sigpending(): whether a task must look at its signals before it runs user code again. */
export function recalcSigpending(task: Task): void {
  task.sigPending =
    task.group.groupExit !== null ||
    firstDeliverable(task.pending.set, task.blocked) !== 0 ||
    firstDeliverable(task.group.pending.set, task.blocked) !== 0;
}

/** signal_wake_up(): the task has a signal to look at. Only a fatal one ends a vfork parent's wait (TASK_KILLABLE). */
export function signalWakeUp(kernel: Kernel, task: Task, isFatal: boolean): void {
  task.sigPending = true;
  if (task.state !== 'S' || task.wait === null) return;
  const { kind } = task.wait.reason;
  // "semop() is never automatically restarted after being interrupted by a signal handler": nor after a stop.
  if (kind === 'semop') completeWait(kernel, task, -EINTR);
  else if (isFatal || kind !== 'vfork') wakeTask(kernel, task);
  // -ERESTARTNOHAND: the call begins again from its arguments.
  if (kind === 'msgsnd' || kind === 'msgrcv') task.restart = null;
}

/** prepare_signal(): stop and continue signals cancel each other; SIGCONT continues even when it is blocked or ignored. */
function prepareSignal(kernel: Kernel, task: Task, sig: number): void {
  const group = task.group;
  if (STOP_SIGNALS.includes(sig)) {
    dropPending(group.pending, [SIGCONT]);
    for (const t of group.threads) dropPending(t.pending, [SIGCONT]);
  } else if (sig === SIGCONT || sig === SIGKILL) {
    dropPending(group.pending, STOP_SIGNALS);
    for (const t of group.threads) dropPending(t.pending, STOP_SIGNALS);
    if (group.stopped) continueGroup(kernel, task, sig === SIGCONT);
  }
}

export function continueGroup(kernel: Kernel, task: Task, report: boolean): void {
  const group = task.group;
  group.stopped = false;
  group.stopReport = null;
  for (const t of group.threads) if (t.state === 'R' && t !== kernel.current) enqueueTask(kernel, t);
  if (!report) return;
  group.continuedReport = true;
  const leader = groupLeader(task);
  notifyParent(kernel, leader, leader.parent, CLD_CONTINUED, SIGCONT);
}

/**
 * send_signal_locked(): makes a signal pending for a thread (`toGroup` false) or its process, and wakes who must act.
 * Signal 0 and a process that is already dying take nothing.
 */
export function sendSignal(kernel: Kernel, task: Task, info: SigInfo, toGroup: boolean): void {
  const sig = info.signo;
  const group = task.group;
  if (sig === 0 || group.groupExit !== null) return;
  prepareSignal(kernel, task, sig);
  if (ignored(task, sig)) return;
  const pending = toGroup ? group.pending : task.pending;
  if (hasSignal(pending.set, sig)) return;
  addSignal(pending.set, sig);
  pending.info.set(sig, info);
  wakeQueue(kernel, group.signalWait);
  kernel.stats.signals++;
  // complete_signal(): a thread that does not block it, the addressed one first.
  const candidates = toGroup ? [task, ...group.threads] : [task];
  const target = candidates.find((t) => isAlive(t) && !hasSignal(t.blocked, sig));
  if (target === undefined) return;
  const isFatal = fatal(target, sig);
  if (isFatal && group.stopped) continueGroup(kernel, task, false);
  signalWakeUp(kernel, target, isFatal);
}

export const isAlive = (task: Task): boolean => task.state === 'R' || task.state === 'S';

/**
 * force_sig_info(): a fault of the task's own. Blocked or ignored, it gets its default action. The process is decided
 * upon at once; `deliverSignals` carries it out.
 */
export function forceSignal(task: Task, sig: number): void {
  // handlerDelivery: with a handler installed and not blocked, the frame would be built here.
  task.group.groupExit ??= sig;
  for (const t of task.group.threads) t.sigPending = true;
}

/** do_notify_parent(): the exit signal, or SIGCHLD for stop and continue, and a wake-up of waitid. */
export function notifyParent(
  kernel: Kernel,
  leader: Task,
  parent: Task | null,
  code: number,
  status: number,
): void {
  if (parent === null) return;
  wakeQueue(kernel, parent.group.childWait);
  const jobControl = code > CLD_DUMPED;
  const sig = jobControl ? SIGCHLD : leader.exitSignal;
  if (sig <= 0 || sig >= NSIG) return;
  if (jobControl && (actionOf(parent, SIGCHLD).flags & SA_NOCLDSTOP) !== 0) return;
  signalProcess(kernel, parent, { signo: sig, code, pid: leader.pid, uid: leader.cred.uid, value: status });
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

const validSignal = (sig: number): boolean => sig >= 0 && sig < NSIG;

/** check_kill_permission(): the signal is looked at when there is somebody to send it to. */
function checkKillPermission(sender: Task, target: Task, sig: number): 0 | Errno {
  if (!validSignal(sig)) return -EINVAL;
  return mayKill(sender, target, sig) ? 0 : -EPERM;
}

const userInfo = (sender: Task, sig: number, code: number): SigInfo => ({
  signo: sig,
  code,
  pid: sender.tgid,
  uid: sender.cred.uid,
  value: 0,
});

/**
 * kill(2): pid > 0 one process, 0 the own group, -1 all one may, < -1 a group.
 * ESRCH: no such process or group. EINVAL: no such signal. EPERM: none of them may be signalled.
 */
export function doKill(kernel: Kernel, sender: Task, pid: number, sig: number): 0 | Errno {
  if (pid > 0) {
    const found = kernel.tasks.get(pid);
    if (found === undefined) return -ESRCH;
    const target = groupLeader(found);
    const refused = checkKillPermission(sender, target, sig);
    if (refused < 0) return refused;
    signalProcess(kernel, target, userInfo(sender, sig, SI_USER));
    return 0;
  }
  if (pid === -0x8000_0000) return -ESRCH;
  const pgid = pid === 0 ? sender.group.pgid : -pid;
  let matched = 0;
  let allowed = 0;
  for (const target of Array.from(kernel.tasks.values())) {
    if (!target.isLeader) continue;
    if (pid === -1 ? target.tgid === sender.tgid : target.group.pgid !== pgid) continue;
    matched++;
    if (!validSignal(sig)) return -EINVAL;
    if (!mayKill(sender, target, sig)) continue;
    allowed++;
    signalProcess(kernel, target, userInfo(sender, sig, SI_USER));
  }
  if (matched === 0) return -ESRCH;
  return allowed > 0 ? 0 : -EPERM;
}

/** Sends to a process: through a living thread when the leader has already exited. */
function signalProcess(kernel: Kernel, leader: Task, info: SigInfo): void {
  const target = isAlive(leader) ? leader : leader.group.threads.find(isAlive);
  if (target !== undefined) sendSignal(kernel, target, info, true);
}

/** From the host: as the kernel would, no permission asked. */
export function hostKill(kernel: Kernel, task: Task, sig: number): void {
  signalProcess(kernel, task, { signo: sig, code: SI_KERNEL, pid: 0, uid: 0, value: 0 });
}

/** tgkill(2), tkill(2) with tgid null. EINVAL: ids not positive. ESRCH, EINVAL for the signal and EPERM as kill. */
export function doTkill(
  kernel: Kernel,
  sender: Task,
  tgid: number | null,
  tid: number,
  sig: number,
): 0 | Errno {
  if (tid <= 0 || (tgid !== null && tgid <= 0)) return -EINVAL;
  const target = kernel.tasks.get(tid);
  if (target === undefined || (tgid !== null && target.tgid !== tgid)) return -ESRCH;
  const refused = checkKillPermission(sender, target, sig);
  if (refused < 0) return refused;
  if (isAlive(target)) sendSignal(kernel, target, userInfo(sender, sig, SI_TKILL), false);
  return 0;
}
