/** Shims of clocks: clock_gettime(2), clock_nanosleep(2). */
import { EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from '../abi/errno.ts';
import { ktimeGet } from '../mm/context.ts';
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

/** A relative sleep that a signal interrupts tells what is left of it. */
export const sysClockNanosleep64: Handler = (kernel, task, clock, flags, request, remaining) => {
  if (!isSleepClock(clock)) return typeof clockRead(kernel, task, clock) === 'number' ? -EINVAL : -EOPNOTSUPP;
  const t = readValidTimespec(kernel, task, request);
  if (typeof t === 'number') return t;
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  const first = absolute ? deadlineAt(kernel, clock, t.sec, t.nsec) : deadlineAfter(kernel, t.sec, t.nsec);
  const deadline = task.restart === null ? first : task.restart.deadline;
  const restartClass = absolute ? -ERESTARTNOHAND : -ERESTART_RESTARTBLOCK;
  const result = sleepUntil(kernel, task, deadline, restartClass);
  if (result !== -ERESTART_RESTARTBLOCK || remaining === 0) return result;
  // A sleep without end has a remainder that no arithmetic changes.
  const left = deadline === null ? null : Math.max(0, deadline - ktimeGet(kernel));
  const sec = left === null ? t.sec : Math.floor(left / 1e9);
  const failed = writeTimespec(kernel, task, remaining, sec, left === null ? t.nsec : left % 1e9);
  return failed < 0 ? failed : result;
};
