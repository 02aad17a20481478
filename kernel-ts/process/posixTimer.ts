/**
 * POSIX timers (Linux: kernel/time/posix-timers.c; timer_create(2), timer_settime(2)). A timer has at most one signal
 * pending; expiries while it is, or while nobody may take it, are its overrun. It is armed again when the signal is taken.
 *
 * Known to be missing: timers on CPU-time clocks (EINVAL); a timer whose signal is ignored when it expires is silent until it
 * is set again, also when the signal gets a handler; timers do not count against RLIMIT_SIGPENDING.
 */
import { EAGAIN, EINVAL, type Errno } from '../abi/errno.ts';
import { SI_TIMER, type SigInfo } from '../abi/signal.ts';
import { ktimeGet } from '../mm/context.ts';
import { forward, startAlarm, type TimerSetting } from './itimer.ts';
import type { Kernel } from './kernel.ts';
import { removeTimer } from './sched.ts';
import { isAlive, sendSignal } from './signalSend.ts';
import { NSIG, SIGALRM } from './signalSet.ts';
import type { Task, ThreadGroup } from './task.ts';
import { deadlineAt, isSleepClock } from './time.ts';

export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;

/** Timers of one process: Linux counts them against RLIMIT_SIGPENDING, whose default is this. */
const MAX_TIMERS = 4096;
const DELAYTIMER_MAX = 0x7fff_ffff;

/** struct sigevent, as far as the kernel looks at it. */
export interface SigEvent {
  readonly notify: number;
  readonly signo: number;
  readonly value: number;
  readonly tid: number;
}

/** struct k_itimer. */
export interface PosixTimer {
  readonly kind: 'posix';
  readonly id: number;
  readonly group: ThreadGroup;
  readonly clock: number;
  readonly event: SigEvent;
  /** The thread of SIGEV_THREAD_ID, else null: the process. */
  readonly target: Task | null;
  expires: number;
  interval: number;
  armed: boolean;
  /** Its signal is pending. */
  signalled: boolean;
  /** Expiries between the last signal taken and the one before it, beyond one. */
  lastOverrun: number;
}

/** timer_create(2): the id. EINVAL: no such clock, event or thread of the own process. EAGAIN: too many timers. */
export function doTimerCreate(
  kernel: Kernel,
  task: Task,
  clock: number,
  event: SigEvent | null,
): number | Errno {
  if (!isSleepClock(clock)) return -EINVAL;
  const { group } = task;
  if (group.posixTimers !== null && group.posixTimers.size >= MAX_TIMERS) return -EAGAIN;
  const id = group.nextTimerId;
  const wanted = event ?? { notify: SIGEV_SIGNAL, signo: SIGALRM, value: id, tid: 0 };
  const target = targetOf(kernel, task, wanted);
  if (typeof target === 'number') return target;
  group.nextTimerId = (id + 1) & 0x7fff_ffff;
  const timer: PosixTimer = {
    kind: 'posix',
    id,
    group,
    clock,
    event: wanted,
    target,
    expires: 0,
    interval: 0,
    armed: false,
    signalled: false,
    lastOverrun: 0,
  };
  (group.posixTimers ??= new Map()).set(id, timer);
  return id;
}

/** good_sigevent() */
function targetOf(kernel: Kernel, task: Task, event: SigEvent): Task | null | Errno {
  const { notify, signo } = event;
  if (notify === SIGEV_NONE) return null;
  if (signo <= 0 || signo >= NSIG) return -EINVAL;
  if (notify === SIGEV_SIGNAL || notify === SIGEV_THREAD) return null;
  if (notify !== (SIGEV_SIGNAL | SIGEV_THREAD_ID)) return -EINVAL;
  const thread = kernel.tasks.get(event.tid);
  return thread === undefined || thread.tgid !== task.tgid ? -EINVAL : thread;
}

/** timer_gettime(2): what is left of a timer; one that has expired and waits for its signal to be taken has 1 ns left. */
export function timerSetting(kernel: Kernel, timer: PosixTimer): TimerSetting {
  const { interval } = timer;
  const now = ktimeGet(kernel);
  if (timer.event.notify === SIGEV_NONE && timer.armed && timer.expires <= now) {
    if (interval === 0) return { value: 0, interval };
    forward(timer, now);
  }
  if (!timer.armed && !timer.signalled) return { value: 0, interval };
  if (timer.armed) return { value: Math.max(1, timer.expires - now), interval };
  if (interval === 0) return { value: 0, interval };
  const next = timer.expires + (Math.floor((now - timer.expires) / interval) + 1) * interval;
  return { value: Math.max(1, next - now), interval };
}

/** timer_settime(2) with valid times; returns what it was. `sec` and `nsec` are absolute when `absolute`. */
export function doTimerSettime(
  kernel: Kernel,
  timer: PosixTimer,
  value: { readonly sec: number; readonly nsec: number },
  interval: number,
  absolute: boolean,
): TimerSetting {
  const old = timerSetting(kernel, timer);
  stopTimer(kernel, timer);
  timer.interval = interval;
  if (value.sec === 0 && value.nsec === 0) return old;
  const at = value.sec * 1e9 + value.nsec;
  const point = deadlineAt(kernel, timer.clock, value.sec, value.nsec);
  timer.expires = absolute ? (point ?? Infinity) : ktimeGet(kernel) + at;
  if (timer.event.notify === SIGEV_NONE) timer.armed = true;
  else startAlarm(kernel, timer);
  return old;
}

function stopTimer(kernel: Kernel, timer: PosixTimer): void {
  removeTimer(kernel, timer);
  timer.armed = false;
  timer.interval = 0;
  timer.signalled = false;
  timer.lastOverrun = 0;
}

/** timer_delete(2). A signal that it has sent stays pending. */
export function doTimerDelete(kernel: Kernel, timer: PosixTimer): void {
  stopTimer(kernel, timer);
  timer.group.posixTimers?.delete(timer.id);
}

/** posix_timer_fn(): the signal, unless the last one is still pending. */
export function ringPosixTimer(kernel: Kernel, timer: PosixTimer): void {
  timer.armed = false;
  const { event, target, group } = timer;
  const receiver = target ?? group.threads[0];
  if (receiver === undefined || (target !== null && !isAlive(target))) return;
  const info: SigInfo = {
    signo: event.signo,
    errno: 0,
    code: SI_TIMER,
    fields: [timer.id, 0, event.value],
  };
  timer.signalled = true;
  sendSignal(kernel, receiver, info, target === null);
}

/** posixtimer_rearm(): a timer's signal was taken; the siginfo with its overrun. */
export function takeTimerSignal(kernel: Kernel, group: ThreadGroup, info: SigInfo): SigInfo {
  const [id = -1, , value = 0] = info.fields;
  const timer = group.posixTimers?.get(id);
  if (timer === undefined || !timer.signalled) return info;
  timer.signalled = false;
  if (timer.interval > 0 && !timer.armed) {
    timer.lastOverrun = Math.min(DELAYTIMER_MAX, forward(timer, ktimeGet(kernel)) - 1);
    startAlarm(kernel, timer);
  }
  return { ...info, fields: [id, timer.lastOverrun, value] };
}

/** exit_itimers(): execve and the end of a process delete its timers. */
export function exitPosixTimers(kernel: Kernel, group: ThreadGroup): void {
  if (group.posixTimers === null) return;
  for (const timer of Array.from(group.posixTimers.values())) doTimerDelete(kernel, timer);
}
