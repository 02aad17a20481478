/** Shims of clocks and futexes: clock_gettime(2), clock_nanosleep(2), futex(2). */
import { EINVAL, ENOSYS, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMP_REQUEUE,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
  futexRequeue,
  futexWait,
  futexWake,
  futexWakeOp,
} from '../process/futex.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import {
  CLOCK_MONOTONIC,
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

/** The deadline of a waiting operation: relative for FUTEX_WAIT, a point of a clock for FUTEX_WAIT_BITSET. */
function futexDeadline(kernel: Kernel, task: Task, op: number, timeout: number): number | null {
  if (task.restart !== null) return task.restart.deadline;
  if (timeout === 0) return null;
  const t = readValidTimespec(kernel, task, timeout);
  if (typeof t === 'number') return t;
  if ((op & 127) === FUTEX_WAIT) return deadlineAfter(kernel, t.sec, t.nsec);
  const clock = (op & FUTEX_CLOCK_REALTIME) !== 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  return deadlineAt(kernel, clock, t.sec, t.nsec);
}

/** futex_time64(2). `val2` of the operations that do not wait comes in the register of the timeout. */
export const sysFutex: Handler = (kernel, task, uaddr, op, val, timeout, uaddr2, val3) => {
  const isPrivate = (op & FUTEX_PRIVATE_FLAG) !== 0;
  const cmd = op & 127;
  const at = uaddr >>> 0;
  if ((op & FUTEX_CLOCK_REALTIME) !== 0 && cmd !== FUTEX_WAIT_BITSET && cmd !== FUTEX_WAIT) return -ENOSYS;
  switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const deadline = futexDeadline(kernel, task, op, timeout);
      if (deadline !== null && deadline < 0) return deadline;
      const bitset = cmd === FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : val3 >>> 0;
      return futexWait(kernel, task, at, isPrivate, val, deadline, bitset);
    }
    case FUTEX_WAKE:
      return futexWake(kernel, task, at, isPrivate, val, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return futexWake(kernel, task, at, isPrivate, val, val3 >>> 0);
    case FUTEX_REQUEUE:
      return futexRequeue(kernel, task, at, uaddr2 >>> 0, isPrivate, val, timeout, null);
    case FUTEX_CMP_REQUEUE:
      return futexRequeue(kernel, task, at, uaddr2 >>> 0, isPrivate, val, timeout, val3);
    case FUTEX_WAKE_OP:
      return futexWakeOp(kernel, task, at, uaddr2 >>> 0, isPrivate, val, timeout, val3);
    default:
      return -ENOSYS;
  }
};
