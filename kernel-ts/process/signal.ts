/**
 * What signals do to the task that gets them, and the calls that arrange it (Linux: kernel/signal.c, get_signal and
 * do_sigaction; arch/riscv/kernel/signal.c arch_do_signal_or_restart; signal(7), sigaction(2), sigprocmask(2)).
 *
 * Known to be missing: SIGHUP for a process group that is orphaned while it is stopped, SIGTTIN and SIGTTOU are never raised (there is no job-control terminal), core dumps (RLIMIT_CORE
 * has no effect: a signal that would dump kills), CLONE_CLEAR_SIGHAND.
 */
import {
  EAGAIN,
  EINTR,
  EINVAL,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTSYS,
  type Errno,
} from '../abi/errno.ts';
import { SA_RESETHAND, SA_RESTART, SI_TIMER, UAPI_SA_FLAGS, type SigInfo } from '../abi/signal.ts';
import { doExit } from './exit.ts';
import { rearmRealTimer } from './itimer.ts';
import type { Kernel } from './kernel.ts';
import { takeTimerSignal } from './posixTimer.ts';
import { dequeueTask, sleepOn } from './sched.ts';
import { setupSignal } from './signalFrame.ts';
import {
  actionOf,
  decideGroupExit,
  isAlive,
  participateStop,
  retargetSharedPending,
  signalWakeUp,
} from './signalSend.ts';
import {
  defaultAction,
  differenceOf,
  hasSignal,
  isEmptySet,
  NSIG,
  SIGALRM,
  SIGKILL,
  SIGSTOP,
  withoutUnblockable,
  type SignalSet,
} from './signalSet.ts';
import { dequeueSignal, dropPending, recalcSigpending, restoreSavedMask, takePending } from './sigQueue.ts';
import {
  DEFAULT_SIGACTION,
  HOST_SESSION,
  setAction,
  SIG_DFL,
  SIG_IGN,
  type SigAction,
  type Task,
  type ThreadGroup,
} from './task.ts';

/** Who wants to know of signals as they are delivered, before they act (what a tracer sees). */
export interface SignalObserver {
  delivered(task: Task, info: SigInfo): void;
  /** The process ends by this signal; `info` is null when another thread or the host decided it. */
  fatal(task: Task, info: SigInfo | null): void;
}

/**
 * exit_to_user_mode_loop(): acts on every deliverable signal of the current task, which is about to return to user mode.
 * Afterwards the task may be dead (state Z or X) or stopped (T); the caller reschedules then. The system call that it
 * may be in has ended, or is to be repeated, or had been interrupted.
 */
export function deliverSignals(kernel: Kernel, task: Task, observer: SignalObserver | null): void {
  while (isAlive(task)) {
    const { groupExit } = task.group;
    if (groupExit !== null) {
      if (observer !== null) tellOfDeath(kernel, task, groupExit & 0x7f, observer);
      doExit(kernel, task, groupExit);
      return;
    }
    if (task.stopPending) {
      enterStop(kernel, task);
      return;
    }
    const info = dequeueSignal(kernel, task, task.blocked);
    if (info === null) break;
    const told = afterDequeue(kernel, task, info);
    observer?.delivered(task, told);
    actOn(kernel, task, told);
  }
  // No handler ran: an interrupted call begins again from its arguments, or goes on with the deadline it had.
  if (task.interrupted !== 0 && task.interrupted !== -ERESTART_RESTARTBLOCK) task.restart = null;
  task.interrupted = 0;
  restoreSavedMask(task);
  recalcSigpending(task);
}

/** dequeue_signal()'s work for timers: they go on when their signal is taken. The siginfo with a timer's overrun. */
function afterDequeue(kernel: Kernel, task: Task, info: SigInfo): SigInfo {
  if (info.signo === SIGALRM) rearmRealTimer(kernel, task.group);
  return info.code === SI_TIMER ? takeTimerSignal(kernel, task.group, info) : info;
}

/** The signal that decided the end is still pending: it is told of once, by the first thread that ends. */
function tellOfDeath(kernel: Kernel, task: Task, sig: number, observer: SignalObserver): void {
  if (sig === 0) return;
  const receiver = [task, task.group].find(({ pending }) => hasSignal(pending, sig));
  const info = receiver === undefined || sig === SIGKILL ? null : takePending(kernel, receiver, sig);
  if (info !== null) observer.delivered(task, info);
  observer.fatal(task, info);
}

/** get_signal() for one signal: its default action, or its handler. */
function actOn(kernel: Kernel, task: Task, info: SigInfo): void {
  const sig = info.signo;
  const action = actionOf(task, sig);
  if (action.handler === SIG_IGN) return;
  if (action.handler !== SIG_DFL) {
    if ((action.flags & SA_RESETHAND) !== 0) setAction(task.sighand, sig, { ...action, handler: SIG_DFL });
    endInterrupted(kernel, task, (action.flags & SA_RESTART) !== 0);
    setupSignal(kernel, task, info, action);
    return;
  }
  switch (defaultAction(sig)) {
    case 'ignore':
    case 'cont':
      return;
    case 'stop':
      // Job control does nothing in an orphaned process group, but SIGSTOP always works.
      if (sig !== SIGSTOP && isOrphanedPgrp(kernel, task.group)) return;
      beginStop(kernel, task, sig);
      return;
    case 'term':
    case 'core':
      // It came to be fatal after it was sent.
      decideGroupExit(kernel, task, sig);
  }
}

/** handle_signal(): a handler is about to run, so an interrupted call ends with EINTR or will be repeated from its start. */
function endInterrupted(kernel: Kernel, task: Task, restart: boolean): void {
  const { interrupted } = task;
  task.interrupted = 0;
  task.restart = null;
  const fails =
    interrupted === -ERESTART_RESTARTBLOCK ||
    interrupted === -ERESTARTNOHAND ||
    (interrupted === -ERESTARTSYS && !restart);
  if (!fails) return;
  kernel.hart.x[10] = -EINTR;
  kernel.hart.pc = (kernel.hart.pc + 4) >>> 0;
}

/** do_signal_stop(): begins the stop of a process; every thread comes to it in its own context. */
function beginStop(kernel: Kernel, task: Task, sig: number): void {
  const { group } = task;
  if (!group.stopped) group.stopReport = sig;
  group.continuedReport = false;
  group.stopCount = 0;
  for (const t of group.threads) {
    if (t.state !== 'R' && t.state !== 'S') continue;
    t.stopPending = true;
    group.stopCount++;
    if (t !== task) signalWakeUp(kernel, t, false);
  }
}

function enterStop(kernel: Kernel, task: Task): void {
  dequeueTask(kernel, task);
  task.state = 'T';
  if (task === kernel.current) kernel.needResched = true;
  participateStop(kernel, task);
}

/**
 * will_become_orphaned_pgrp(): no process of the group has a parent in another group of the same session. The host is the
 * shell of the processes that it has started: their session is HOST_SESSION, and it can continue them.
 */
function isOrphanedPgrp(kernel: Kernel, { pgid }: ThreadGroup): boolean {
  for (const t of kernel.tasks.values()) {
    if (!t.isLeader || t.group.pgid !== pgid || !t.group.threads.some(isAlive)) continue;
    const { parent } = t;
    if (parent === null) {
      if (t.group.sid === HOST_SESSION) return false;
    } else if (parent.group.pgid !== pgid && parent.group.sid === t.group.sid) {
      return false;
    }
  }
  return true;
}

/** do_sigaction(): EINVAL for numbers out of range and for changing SIGKILL or SIGSTOP. Returns the old action. */
export function doSigaction(
  kernel: Kernel,
  task: Task,
  sig: number,
  action: SigAction | null,
): SigAction | Errno {
  if (sig < 1 || sig >= NSIG) return -EINVAL;
  if (action !== null && (sig === SIGKILL || sig === SIGSTOP)) return -EINVAL;
  const old = actionOf(task, sig);
  if (action === null) return old;
  setAction(task.sighand, sig, {
    handler: action.handler,
    flags: (action.flags & UAPI_SA_FLAGS) >>> 0,
    mask: withoutUnblockable(action.mask),
  });
  // POSIX: setting an action that ignores the signal discards what is pending.
  if (action.handler === SIG_IGN || (action.handler === SIG_DFL && defaultAction(sig) === 'ignore')) {
    dropPending(kernel, task.group, [sig]);
    for (const t of task.group.threads) {
      dropPending(kernel, t, [sig]);
      recalcSigpending(t);
    }
  }
  return old;
}

/** set_current_blocked(). What became deliverable is acted on before user code runs again. */
export function setBlocked(kernel: Kernel, task: Task, mask: Readonly<SignalSet>): void {
  const blocked = withoutUnblockable(mask);
  const before = task.blocked;
  task.blocked = blocked;
  if (task.sigPending) {
    const newlyBlocked = differenceOf(blocked, before);
    if (!isEmptySet(newlyBlocked)) retargetSharedPending(kernel, task, newlyBlocked);
  }
  recalcSigpending(task);
}

/** sigpending(2): blocked and pending, for the thread or the process. */
export function pendingSet(task: Task): SignalSet {
  const a = task.pending;
  const b = task.group.pending;
  return { lo: (a.lo | b.lo) & task.blocked.lo, hi: (a.hi | b.hi) & task.blocked.hi };
}

/** flush_signal_handlers() at execve: only that a signal is ignored survives. */
export function resetHandlers(task: Task): void {
  task.sighand.action = task.sighand.action.map((a) =>
    a.handler === SIG_IGN ? { ...DEFAULT_SIGACTION, handler: SIG_IGN } : DEFAULT_SIGACTION,
  );
}

/** set_user_sigmask() and set_restore_sigmask(): a mask for the time of one system call. */
export function replaceMask(kernel: Kernel, task: Task, mask: Readonly<SignalSet>): void {
  task.savedMask = task.blocked;
  setBlocked(kernel, task, mask);
}

/** rt_sigsuspend(2): the mask is replaced until a handler has run. */
export function doSigsuspend(kernel: Kernel, task: Task, mask: Readonly<SignalSet>): number {
  if (task.savedMask === null) replaceMask(kernel, task, mask);
  const reason = { kind: 'signal', what: 'rt_sigsuspend' } as const;
  return sleepOn(kernel, task, reason, { interrupted: -ERESTARTNOHAND });
}

/**
 * do_sigtimedwait(): takes a pending signal of the set, or sleeps for one with the set unblocked. EAGAIN at `deadline`
 * (absolute virtual ns; null: none; 0: at once), EINTR by another signal.
 */
export function doSigtimedwait(
  kernel: Kernel,
  task: Task,
  wanted: Readonly<SignalSet>,
  deadline: number | null,
): SigInfo | number {
  const others = complementOf(wanted);
  const info = dequeueSignal(kernel, task, others);
  if (info !== null) {
    recalcSigpending(task);
    return afterDequeue(kernel, task, info);
  }
  if (deadline === 0) return -EAGAIN;
  const reason = { kind: 'signal', what: 'rt_sigtimedwait' } as const;
  const options = { deadline, timeoutResult: -EAGAIN, interrupted: -EINTR };
  const result = sleepOn(kernel, task, reason, options);
  if (task.state === 'S') {
    task.realBlocked = task.blocked;
    task.blocked = differenceOf(task.blocked, wanted);
  }
  return result;
}

const complementOf = (set: Readonly<SignalSet>): SignalSet => ({ lo: ~set.lo, hi: ~set.hi });
