/** Shims of timers that send signals: setitimer(2), getitimer(2), timer_create(2), timer_settime(2) and their kin. */
import { EFAULT, EINVAL, type Errno } from '../abi/errno.ts';
import { doGetitimer, doSetitimer, type TimerSetting } from '../process/itimer.ts';
import type { Kernel } from '../process/kernel.ts';
import {
  doTimerCreate,
  doTimerDelete,
  doTimerSettime,
  timerSetting,
  type PosixTimer,
  type SigEvent,
} from '../process/posixTimer.ts';
import type { Task } from '../process/task.ts';
import { TIMER_ABSTIME } from '../process/time.ts';
import type { Handler } from './row.ts';
import { readUser, readValidTimespec, writeWords } from './user.ts';

/** struct __kernel_old_itimerval: interval and value, each a timeval of two longs. Microseconds, rounded up. */
function writeItimerval(kernel: Kernel, task: Task, address: number, setting: TimerSetting): 0 | Errno {
  const words = [setting.interval, setting.value].flatMap((ns) => {
    const us = Math.ceil(ns / 1000);
    return [Math.floor(us / 1e6), us % 1e6];
  });
  return writeWords(kernel, task, address, words);
}

/** get_itimerval(): EINVAL for microseconds out of range or negative seconds. A NULL pointer counts as zeros. */
function readItimerval(kernel: Kernel, task: Task, address: number): TimerSetting | Errno {
  if (address === 0) return { value: 0, interval: 0 };
  const raw = readUser(kernel, task, address, 16);
  if (typeof raw === 'number') return raw;
  const [interval, value] = [0, 8].map((at) => {
    const sec = raw.getInt32(at, true);
    const usec = raw.getInt32(at + 4, true);
    return sec < 0 || usec < 0 || usec >= 1e6 ? -1 : sec * 1e9 + usec * 1000;
  });
  if (interval === undefined || value === undefined || interval < 0 || value < 0) return -EINVAL;
  return { value, interval };
}

export const sysGetitimer: Handler = (kernel, task, which, value) => {
  const setting = doGetitimer(kernel, task, which);
  return typeof setting === 'number' ? setting : writeItimerval(kernel, task, value, setting);
};

export const sysSetitimer: Handler = (kernel, task, which, value, oldValue) => {
  const setting = readItimerval(kernel, task, value);
  if (typeof setting === 'number') return setting;
  const old = doSetitimer(kernel, task, which, setting);
  if (typeof old === 'number') return old;
  return oldValue === 0 ? 0 : writeItimerval(kernel, task, oldValue, old);
};

/** struct sigevent: value, signo, notify, thread id. */
function readSigEvent(kernel: Kernel, task: Task, address: number): SigEvent | Errno {
  const raw = readUser(kernel, task, address, 64);
  if (typeof raw === 'number') return raw;
  return {
    value: raw.getUint32(0, true),
    signo: raw.getInt32(4, true),
    notify: raw.getInt32(8, true),
    tid: raw.getInt32(12, true),
  };
}

export const sysTimerCreate: Handler = (kernel, task, clock, sevp, idPointer) => {
  const event = sevp === 0 ? null : readSigEvent(kernel, task, sevp);
  if (typeof event === 'number') return event;
  const id = doTimerCreate(kernel, task, clock, event);
  if (id < 0) return id;
  if (writeWords(kernel, task, idPointer, [id]) === 0) return 0;
  const timer = task.group.posixTimers?.get(id);
  if (timer !== undefined) doTimerDelete(kernel, timer);
  return -EFAULT;
};

const timerOf = (task: Task, id: number): PosixTimer | null => task.group.posixTimers?.get(id) ?? null;

/** struct __kernel_itimerspec: interval and value, each a timespec of 64-bit words. */
function writeItimerspec(kernel: Kernel, task: Task, address: number, setting: TimerSetting): 0 | Errno {
  const words = [setting.interval, setting.value].flatMap((ns) => {
    const sec = Math.floor(ns / 1e9);
    return [sec, Math.floor(sec / 2 ** 32), ns % 1e9, 0];
  });
  return writeWords(kernel, task, address, words);
}

export const sysTimerGettime64: Handler = (kernel, task, id, value) => {
  const timer = timerOf(task, id);
  return timer === null ? -EINVAL : writeItimerspec(kernel, task, value, timerSetting(kernel, timer));
};

export const sysTimerSettime64: Handler = (kernel, task, id, flags, value, oldValue) => {
  if (value === 0) return -EINVAL;
  const interval = readValidTimespec(kernel, task, value);
  if (typeof interval === 'number') return interval;
  const first = readValidTimespec(kernel, task, value + 16);
  if (typeof first === 'number') return first;
  const timer = timerOf(task, id);
  if (timer === null) return -EINVAL;
  const period = interval.sec * 1e9 + interval.nsec;
  const old = doTimerSettime(kernel, timer, first, period, (flags & TIMER_ABSTIME) !== 0);
  return oldValue === 0 ? 0 : writeItimerspec(kernel, task, oldValue, old);
};

export const sysTimerGetoverrun: Handler = (_kernel, task, id) => timerOf(task, id)?.lastOverrun ?? -EINVAL;

export const sysTimerDelete: Handler = (kernel, task, id) => {
  const timer = timerOf(task, id);
  if (timer === null) return -EINVAL;
  doTimerDelete(kernel, timer);
  return 0;
};
