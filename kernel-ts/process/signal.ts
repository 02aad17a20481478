/**
 * What signals do to the task that gets them, and the calls that arrange it (Linux: kernel/signal.c, get_signal and
 * do_sigaction; signal(7), sigaction(2), sigprocmask(2)).
 *
 * Known to be missing: handlers. sigaction stores and returns them faithfully, but a signal that has one gets its
 * default action and a line in the log; `handlerDelivery` marks the place. SIGTTIN and SIGTTOU are never raised:
 * there is no job-control terminal.
 */
import { EINVAL, type Errno } from '../abi/errno.ts';
import { doExit, groupExit } from './exit.ts';
import { log, type Kernel } from './kernel.ts';
import { dequeueTask } from './sched.ts';
import {
  actionOf,
  CLD_STOPPED,
  dropPending,
  isAlive,
  notifyParent,
  recalcSigpending,
  takePending,
} from './signalSend.ts';
import {
  defaultAction,
  firstDeliverable,
  hasSignal,
  NSIG,
  SIGKILL,
  signalName,
  signalsOf,
  SIGSTOP,
  withoutUnblockable,
  type SignalSet,
} from './signalSet.ts';
import {
  DEFAULT_SIGACTION,
  groupLeader,
  SIG_DFL,
  SIG_IGN,
  type SigAction,
  type SigInfo,
  type Task,
} from './task.ts';

/**
 * get_signal(): acts on every deliverable signal of a task that is about to return to user mode. Afterwards the task
 * may be dead (state Z or X) or its group stopped; the caller reschedules then.
 */
export function deliverSignals(kernel: Kernel, task: Task): void {
  while (isAlive(task)) {
    if (task.group.groupExit !== null) {
      doExit(kernel, task, task.group.groupExit);
      return;
    }
    const own = firstDeliverable(task.pending.set, task.blocked);
    const shared = firstDeliverable(task.group.pending.set, task.blocked);
    const sig = own !== 0 && (shared === 0 || own <= shared) ? own : shared;
    if (sig === 0) break;
    takePending(sig === own ? task.pending : task.group.pending, sig);
    actOn(kernel, task, sig);
    if (task.group.stopped) return;
  }
  task.sigPending = false;
  if (task.savedMask !== null) {
    task.blocked = task.savedMask;
    task.savedMask = null;
  }
}

function actOn(kernel: Kernel, task: Task, sig: number): void {
  const { handler } = actionOf(task, sig);
  if (handler === SIG_IGN) return;
  if (handler !== SIG_DFL) handlerDelivery(kernel, task, sig, handler);
  switch (defaultAction(sig)) {
    case 'ignore':
    case 'cont':
      return;
    case 'stop':
      stopGroup(kernel, task, sig);
      return;
    case 'term':
    case 'core':
      groupExit(kernel, task, sig);
      return;
  }
}

/** handle_signal(): the place where a frame for the handler is to be pushed. Until then it is loud about it. */
function handlerDelivery(kernel: Kernel, task: Task, sig: number, handler: number): void {
  const where = `0x${handler.toString(16)}`;
  log(
    kernel,
    `pid ${task.pid} (${task.comm}): ${signalName(sig)} has a handler at ${where}; handlers are not run, default action taken`,
  );
}

/** do_signal_stop(): holds every thread of the process until SIGCONT or SIGKILL. */
function stopGroup(kernel: Kernel, task: Task, sig: number): void {
  const group = task.group;
  group.stopped = true;
  group.stopReport = sig;
  group.continuedReport = false;
  for (const t of group.threads) dequeueTask(kernel, t);
  if (group.threads.includes(kernel.current)) kernel.needResched = true;
  const leader = groupLeader(task);
  notifyParent(kernel, leader, leader.parent, CLD_STOPPED, sig);
}

/** do_sigaction(): EINVAL for numbers out of range and for changing SIGKILL or SIGSTOP. Returns the old action. */
export function doSigaction(task: Task, sig: number, action: SigAction | null): SigAction | Errno {
  if (sig < 1 || sig >= NSIG) return -EINVAL;
  if (action !== null && (sig === SIGKILL || sig === SIGSTOP)) return -EINVAL;
  const old = actionOf(task, sig);
  if (action === null) return old;
  task.sighand.action[sig] = { ...action, mask: withoutUnblockable({ ...action.mask }) };
  // POSIX: setting an action that ignores the signal discards what is pending.
  if (action.handler === SIG_IGN || (action.handler === SIG_DFL && defaultAction(sig) === 'ignore')) {
    dropPending(task.group.pending, [sig]);
    for (const t of task.group.threads) dropPending(t.pending, [sig]);
  }
  return old;
}

/** set_current_blocked(). What became deliverable is acted on before user code runs again. */
export function setBlocked(task: Task, mask: SignalSet): void {
  task.blocked = withoutUnblockable({ lo: mask.lo >>> 0, hi: mask.hi >>> 0 });
  recalcSigpending(task);
}

/** sigpending(2): blocked and pending, for the thread or the process. */
export function pendingSet(task: Task): SignalSet {
  const a = task.pending.set;
  const b = task.group.pending.set;
  return { lo: ((a.lo | b.lo) & task.blocked.lo) >>> 0, hi: ((a.hi | b.hi) & task.blocked.hi) >>> 0 };
}

/** flush_signal_handlers() at execve: handlers become default, ignored ones stay ignored. */
export function resetHandlers(task: Task): void {
  task.sighand.action.forEach((a, sig) => {
    if (a.handler !== SIG_DFL && a.handler !== SIG_IGN) task.sighand.action[sig] = DEFAULT_SIGACTION;
  });
}

/** Takes one pending signal of a set, for rt_sigtimedwait; null when none is pending. */
export function dequeueSignal(task: Task, wanted: SignalSet): SigInfo | null {
  for (const sig of signalsOf(wanted)) {
    for (const pending of [task.pending, task.group.pending]) {
      if (hasSignal(pending.set, sig)) {
        const info = takePending(pending, sig);
        recalcSigpending(task);
        return info;
      }
    }
  }
  return null;
}
