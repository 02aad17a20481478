/**
 * Clocks and sleeping on virtual time (Linux: kernel/time/posix-timers.c, hrtimer.c).
 *
 * Time is retired instructions, one nanosecond each, plus the time skipped while every task slept. CLOCK_REALTIME
 * adds the boot epoch. Nothing below cli/ ever asks the host for the time.
 *
 * Known to be missing: setting clocks (EPERM), per-process clocks of other processes.
 */
import { EINVAL, type Errno } from '../abi/errno.ts';
import { ktimeGet } from '../mm/context.ts';
import type { Kernel } from './kernel.ts';
import { sleepOn, taskTime } from './sched.ts';
import type { Task } from './task.ts';

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
const CLOCK_MONOTONIC_RAW = 4;
const CLOCK_REALTIME_COARSE = 5;
const CLOCK_MONOTONIC_COARSE = 6;
const CLOCK_BOOTTIME = 7;
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_BOOTTIME_ALARM = 9;
const CLOCK_TAI = 11;

export const TIMER_ABSTIME = 1;

/**
 * The end of virtual time in ns (26 days): arithmetic on it stays exact in doubles, whatever is added. A deadline beyond
 * is no deadline; a clock that a guest has driven there by sleeping goes on with its instructions.
 */
const KTIME_MAX = 2 ** 51;

export const withinTime = (deadline: number): number | null =>
  deadline > KTIME_MAX ? null : Math.max(0, deadline);

/** A point of a clock: whole seconds and nanoseconds. Seconds since the epoch for the realtime clocks. */
export interface ClockValue {
  readonly sec: number;
  readonly nsec: number;
}

/** CPU time of the whole process in ns, dead threads included. */
export function processTime(kernel: Kernel, task: Task): number {
  return task.group.threads.reduce((sum, t) => sum + taskTime(kernel, t), task.group.deadThreadTime);
}

/** USER_HZ: clock_t counts hundredths of a second. */
const NS_PER_TICK = 10_000_000;

/** nsec_to_clock_t() of the process's CPU time. */
export function ticksOf(kernel: Kernel, task: Task): number {
  return Math.floor(processTime(kernel, task) / NS_PER_TICK);
}

/** Reads a clock. EINVAL: no such clock. */
export function clockRead(kernel: Kernel, task: Task, clock: number): ClockValue | Errno {
  let ns = ktimeGet(kernel);
  let epoch = 0;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      epoch = kernel.clock.epoch;
      break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      break;
    case CLOCK_PROCESS_CPUTIME_ID:
      ns = processTime(kernel, task);
      break;
    case CLOCK_THREAD_CPUTIME_ID:
      ns = taskTime(kernel, task);
      break;
    default:
      return -EINVAL;
  }
  const sec = Math.floor(ns / 1e9);
  return { sec: epoch + sec, nsec: ns - sec * 1e9 };
}

/** Resolution is one instruction, 1 ns. EINVAL: no such clock. */
export function clockResolution(kernel: Kernel, task: Task, clock: number): ClockValue | Errno {
  const value = clockRead(kernel, task, clock);
  return typeof value === 'number' ? value : { sec: 0, nsec: 1 };
}

/** Absolute monotonic deadline in ns for a relative time of `sec` + `nsec` from now; null: never. */
export function deadlineAfter(kernel: Kernel, sec: number, nsec: number): number | null {
  return withinTime(ktimeGet(kernel) + sec * 1e9 + nsec);
}

/** Absolute monotonic deadline in ns for a point of a realtime or monotonic clock; null: never. */
export function deadlineAt(kernel: Kernel, clock: number, sec: number, nsec: number): number | null {
  const realtime = clock === CLOCK_REALTIME || clock === CLOCK_TAI || clock === CLOCK_REALTIME_ALARM;
  return withinTime((sec - (realtime ? kernel.clock.epoch : 0)) * 1e9 + nsec);
}

/** Clocks one can sleep on. */
export function isSleepClock(clock: number): boolean {
  return (
    clock === CLOCK_REALTIME || clock === CLOCK_MONOTONIC || clock === CLOCK_BOOTTIME || clock === CLOCK_TAI
  );
}

/**
 * hrtimer_nanosleep: until the deadline; completed with 0 by the timer. A deadline that has passed returns 0 at once.
 * `interrupted` is the restart class: an absolute sleep is ended by a handler, a relative one too, but goes on after a stop.
 */
export function sleepUntil(kernel: Kernel, task: Task, deadline: number | null, interrupted: number): number {
  if (deadline !== null && deadline <= ktimeGet(kernel)) return 0;
  return sleepOn(kernel, task, { kind: 'sleep' }, { deadline, interrupted });
}
