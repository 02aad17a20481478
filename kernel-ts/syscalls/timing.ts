/** Shims of clocks: clock_gettime(2), clock_nanosleep(2). */
import { EINVAL, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import {
  CLOCK_REALTIME,
  clockRead,
  clockResolution,
  deadlineAfter,
  deadlineAt,
  isSleepClock,
  sleepUntil,
  TIMER_ABSTIME,
} from '../process/time.ts';
import type { Handler } from './row.ts';
import { readValidTimespec, writeTimespec } from './user.ts';

export const sysClockGettime64: Handler = (kernel, task, clock, tp) => {
  const value = clockRead(kernel, task, clock);
  return typeof value === 'number' ? value : writeTimespec(kernel, task, tp, value.sec, value.nsec);
};

export const sysClockGetres64: Handler = (kernel, task, clock, tp) => {
  const value = clockResolution(kernel, task, clock);
  if (typeof value === 'number') return value;
  return tp === 0 ? 0 : writeTimespec(kernel, task, tp, value.sec, value.nsec);
};

/** Virtual time is nobody's to set: EPERM, as for a user without CAP_SYS_TIME. */
export const sysClockSettime64: Handler = (kernel, task, clock, tp) => {
  const t = readValidTimespec(kernel, task, tp);
  if (typeof t === 'number') return t;
  return clock === CLOCK_REALTIME ? -EPERM : -EINVAL;
};

/** The remaining time is never written: a sleep ends at its deadline or with the process. */
export const sysClockNanosleep64: Handler = (kernel, task, clock, flags, request) => {
  if (!isSleepClock(clock)) return typeof clockRead(kernel, task, clock) === 'number' ? -EINVAL : -EOPNOTSUPP;
  const t = readValidTimespec(kernel, task, request);
  if (typeof t === 'number') return t;
  if (task.restart !== null) return sleepUntil(kernel, task, task.restart.deadline);
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  return sleepUntil(
    kernel,
    task,
    absolute ? deadlineAt(kernel, clock, t.sec, t.nsec) : deadlineAfter(kernel, t.sec, t.nsec),
  );
};
