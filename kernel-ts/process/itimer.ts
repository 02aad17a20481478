/**
 * Interval timers that send a signal to a process (Linux: kernel/time/itimer.c, posix-cpu-timers.c for the two that count
 * CPU time; getitimer(2), setitimer(2)).
 *
 * A periodic ITIMER_REAL is armed again when its SIGALRM is taken, as in Linux: one that is never taken costs nothing.
 * User time is all CPU time here, so ITIMER_VIRTUAL and ITIMER_PROF run alike; they expire exactly, not at a tick.
 *
 * Known to be missing: RLIMIT_CPU.
 */
import { EINVAL, type Errno } from '../abi/errno.ts';
import { SI_KERNEL, type SigInfo } from '../abi/signal.ts';
import { ktimeGet } from '../mm/context.ts';
import type { Kernel } from './kernel.ts';
import type { PosixTimer } from './posixTimer.ts';
import { addTimer, removeTimer } from './sched.ts';
import { sendSignal } from './signalSend.ts';
import { SIGALRM, SIGPROF, SIGVTALRM } from './signalSet.ts';
import type { Task, ThreadGroup } from './task.ts';
import { processTime, withinTime } from './time.ts';

const ITIMER_REAL = 0;
const ITIMER_VIRTUAL = 1;
const ITIMER_PROF = 2;

/** ITIMER_REAL of a process. */
export interface RealTimer {
  readonly kind: 'real';
  readonly group: ThreadGroup;
  /** When it expires, or expired last; virtual ns. */
  expires: number;
  /** it_real_incr in ns; 0: once. */
  interval: number;
  armed: boolean;
}

/** What a Timer of the scheduler may ring. */
export type Alarm = RealTimer | PosixTimer;

/** ITIMER_VIRTUAL or ITIMER_PROF: CPU time of the process in ns at which it expires (0: never), and the period. */
export interface CpuTimer {
  expires: number;
  interval: number;
}

/** struct itimerval in ns. */
export interface TimerSetting {
  readonly value: number;
  readonly interval: number;
}

const OFF: TimerSetting = { value: 0, interval: 0 };

const CPU_SIGNALS = [SIGVTALRM, SIGPROF] as const;

const NOT_SET: Readonly<CpuTimer> = { expires: 0, interval: 0 };

/** do_getitimer(): what is left, and the period. EINVAL: no such timer. */
export function doGetitimer(kernel: Kernel, task: Task, which: number): TimerSetting | Errno {
  const { group } = task;
  if (which === ITIMER_REAL) {
    const timer = group.realTimer;
    if (timer === null) return OFF;
    // A timer that is due but has not rung has a microsecond left.
    const left = timer.armed ? Math.max(1000, timer.expires - ktimeGet(kernel)) : 0;
    return { value: left, interval: timer.interval };
  }
  if (which !== ITIMER_VIRTUAL && which !== ITIMER_PROF) return -EINVAL;
  const timer = group.cpuTimers?.[which - ITIMER_VIRTUAL] ?? NOT_SET;
  const left = timer.expires === 0 ? 0 : Math.max(1000, timer.expires - processTime(kernel, task));
  return { value: left, interval: timer.interval };
}

/** do_setitimer(): returns what it was. Value 0 switches it off. EINVAL: no such timer. */
export function doSetitimer(
  kernel: Kernel,
  task: Task,
  which: number,
  setting: TimerSetting,
): TimerSetting | Errno {
  const old = doGetitimer(kernel, task, which);
  if (typeof old === 'number') return old;
  const { group } = task;
  const { value } = setting;
  const interval = value === 0 ? 0 : setting.interval;
  if (which === ITIMER_REAL) {
    stopRealTimer(kernel, group);
    if (value === 0) return old;
    const timer: RealTimer = {
      kind: 'real',
      group,
      expires: ktimeGet(kernel) + value,
      interval,
      armed: true,
    };
    group.realTimer = timer;
    startAlarm(kernel, timer);
    return old;
  }
  group.cpuTimers ??= [{ ...NOT_SET }, { ...NOT_SET }];
  const timer = group.cpuTimers[which - ITIMER_VIRTUAL];
  if (timer === undefined) return -EINVAL;
  timer.expires = value === 0 ? 0 : processTime(kernel, task) + value;
  timer.interval = setting.interval;
  return old;
}

function stopRealTimer(kernel: Kernel, group: ThreadGroup): void {
  if (group.realTimer !== null) removeTimer(kernel, group.realTimer);
  group.realTimer = null;
}

/** hrtimer_start(): beyond the end of time it never rings. */
export function startAlarm(kernel: Kernel, alarm: Alarm): void {
  alarm.armed = true;
  const deadline = withinTime(alarm.expires);
  if (deadline !== null) addTimer(kernel, { deadline, alarm });
}

/** hrtimer_forward_now(): the next expiry on the grid of a periodic timer that lies ahead; how many it leaps over. */
export function forward(alarm: Alarm, now: number): number {
  const missed = Math.max(1, Math.floor((now - alarm.expires) / alarm.interval) + 1);
  alarm.expires += missed * alarm.interval;
  return missed;
}

/** it_real_fn(): SIGALRM to the process. */
export function ringRealTimer(kernel: Kernel, timer: RealTimer): void {
  timer.armed = false;
  sendToGroup(kernel, timer.group, { signo: SIGALRM, errno: 0, code: SI_KERNEL, fields: [] });
}

function sendToGroup(kernel: Kernel, group: ThreadGroup, info: SigInfo): void {
  const leader = group.threads[0];
  if (leader !== undefined) sendSignal(kernel, leader, info, true);
}

/** dequeue_signal()'s part: a SIGALRM was taken, so a periodic timer goes on. */
export function rearmRealTimer(kernel: Kernel, group: ThreadGroup): void {
  const timer = group.realTimer;
  if (timer === null || timer.armed || timer.interval === 0) return;
  forward(timer, ktimeGet(kernel));
  startAlarm(kernel, timer);
}

/** CPU time in ns that a process may still use before one of its timers expires; Infinity without one. */
export function untilCpuTimer(kernel: Kernel, task: Task): number {
  const next = nextCpuExpiry(task.group);
  return next === Infinity ? next : Math.max(1, next - processTime(kernel, task));
}

function nextCpuExpiry(group: ThreadGroup): number {
  if (group.cpuTimers === null) return Infinity;
  const [virtual, prof] = group.cpuTimers;
  if (virtual.expires === 0 && prof.expires === 0) return Infinity;
  return Math.min(virtual.expires || Infinity, prof.expires || Infinity);
}

/** run_posix_cpu_timers(): after a process has run. */
export function checkCpuTimers(kernel: Kernel, task: Task): void {
  const { group } = task;
  if (nextCpuExpiry(group) === Infinity) return;
  const now = processTime(kernel, task);
  group.cpuTimers?.forEach((timer, i) => {
    if (timer.expires === 0 || timer.expires > now) return;
    const { interval, expires } = timer;
    timer.expires = interval === 0 ? 0 : expires + (Math.floor((now - expires) / interval) + 1) * interval;
    sendToGroup(kernel, group, { signo: CPU_SIGNALS[i] ?? SIGPROF, errno: 0, code: SI_KERNEL, fields: [] });
  });
}

/** The last thread of a process has ended. */
export function exitItimers(kernel: Kernel, group: ThreadGroup): void {
  stopRealTimer(kernel, group);
  group.cpuTimers = null;
}
