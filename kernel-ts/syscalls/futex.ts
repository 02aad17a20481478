/** Shims of futexes: futex(2), futex_waitv(2), set_robust_list(2), get_robust_list(2). */
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from '../abi/errno.ts';
import {
  FUTEX_BITSET_MATCH_ANY,
  futexRequeue,
  futexWait,
  futexWaitMultiple,
  futexWake,
  futexWakeOp,
  type FutexWaitv,
} from '../process/futex.ts';
import { futexLockPi, futexUnlockPi } from '../process/futexPi.ts';
import { ptraceMayAccess } from '../fs/ptrace.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, deadlineAfter, deadlineAt } from '../process/time.ts';
import type { Handler } from './row.ts';
import { readUser, readValidTimespec, writeWords } from './user.ts';

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_LOCK_PI = 6;
const FUTEX_UNLOCK_PI = 7;
const FUTEX_TRYLOCK_PI = 8;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_WAIT_REQUEUE_PI = 11;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_PRIVATE_FLAG = 128;
const FUTEX_CLOCK_REALTIME = 256;
/** FUTEX_CMD_MASK. */
const FUTEX_CMD_MASK = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

/** futex_cmd_has_timeout(). */
function hasTimeout(cmd: number): boolean {
  return (
    cmd === FUTEX_WAIT ||
    cmd === FUTEX_WAIT_BITSET ||
    cmd === FUTEX_LOCK_PI ||
    cmd === FUTEX_LOCK_PI2 ||
    cmd === FUTEX_WAIT_REQUEUE_PI
  );
}

/** The deadline of a waiting operation: relative for FUTEX_WAIT, else a point of a clock; for FUTEX_LOCK_PI the wall clock. */
function futexDeadline(kernel: Kernel, task: Task, op: number, timeout: number): number | null {
  if (task.restart !== null) return task.restart.deadline;
  const t = readValidTimespec(kernel, task, timeout);
  if (typeof t === 'number') return t;
  const cmd = op & FUTEX_CMD_MASK;
  if (cmd === FUTEX_WAIT) return deadlineAfter(kernel, t.sec, t.nsec);
  const realtime = (op & FUTEX_CLOCK_REALTIME) !== 0 || cmd === FUTEX_LOCK_PI;
  return deadlineAt(kernel, realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, t.sec, t.nsec);
}

/** futex_time64(2). `val2` of the operations that do not wait comes in the register of the timeout. */
export const sysFutex: Handler = (kernel, task, uaddr, op, val, timeout, uaddr2, val3) => {
  const isPrivate = (op & FUTEX_PRIVATE_FLAG) !== 0;
  const cmd = op & FUTEX_CMD_MASK;
  const at = uaddr >>> 0;
  let deadline: number | null = null;
  if (timeout !== 0 && hasTimeout(cmd)) {
    deadline = futexDeadline(kernel, task, op, timeout);
    if (deadline !== null && deadline < 0) return deadline;
  }
  if (
    (op & FUTEX_CLOCK_REALTIME) !== 0 &&
    cmd !== FUTEX_WAIT_BITSET &&
    cmd !== FUTEX_WAIT_REQUEUE_PI &&
    cmd !== FUTEX_LOCK_PI2
  )
    return -ENOSYS;
  switch (cmd) {
    case FUTEX_WAIT:
      return futexWait(kernel, task, at, isPrivate, val, deadline, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
      return futexWait(kernel, task, at, isPrivate, val, deadline, val3 >>> 0);
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
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return futexLockPi(kernel, task, at, isPrivate, deadline, false);
    case FUTEX_TRYLOCK_PI:
      return futexLockPi(kernel, task, at, isPrivate, null, true);
    case FUTEX_UNLOCK_PI:
      return futexUnlockPi(kernel, task, at, isPrivate);
    default:
      return -ENOSYS;
  }
};

const FUTEX_WAITV_MAX = 128;
/** struct futex_waitv: val and uaddr of 64 bits, flags, reserved. */
const FUTEX_WAITV_SIZE = 24;
const FUTEX2_SIZE_U32 = 2;

/** futex_parse_waitv(): EFAULT, EINVAL (flags, reserved bits, a value or address beyond 32 bits). */
function readWaitv(kernel: Kernel, task: Task, waiters: number, count: number): FutexWaitv[] | number {
  const list: FutexWaitv[] = [];
  for (let i = 0; i < count; i++) {
    const raw = readUser(kernel, task, waiters + i * FUTEX_WAITV_SIZE, FUTEX_WAITV_SIZE);
    if (typeof raw === 'number') return raw;
    const word = (offset: number): number => raw.getUint32(offset, true);
    const flags = word(16);
    if ((flags & ~FUTEX_PRIVATE_FLAG) !== FUTEX2_SIZE_U32 || word(20) !== 0 || word(4) !== 0) return -EINVAL;
    list.push({ address: word(8), expected: word(0), isPrivate: (flags & FUTEX_PRIVATE_FLAG) !== 0 });
  }
  return list;
}

export const sysFutexWaitv: Handler = (kernel, task, waiters, count, flags, timeout, clock) => {
  if (flags !== 0 || count >>> 0 === 0 || count >>> 0 > FUTEX_WAITV_MAX || waiters === 0) return -EINVAL;
  let deadline = task.restart?.deadline ?? null;
  if (timeout !== 0 && task.restart === null) {
    if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) return -EINVAL;
    const t = readValidTimespec(kernel, task, timeout);
    if (typeof t === 'number') return t;
    deadline = deadlineAt(kernel, clock, t.sec, t.nsec);
  }
  const list = readWaitv(kernel, task, waiters >>> 0, count);
  return typeof list === 'number' ? list : futexWaitMultiple(kernel, task, list, deadline);
};

/** sizeof(struct robust_list_head) on 32 bits. */
const ROBUST_LIST_HEAD_SIZE = 12;

export const sysSetRobustList: Handler = (_kernel, task, head, length) => {
  if (length !== ROBUST_LIST_HEAD_SIZE) return -EINVAL;
  task.robustList = head >>> 0;
  return 0;
};

export const sysGetRobustList: Handler = (kernel, task, pid, headPointer, lengthPointer) => {
  const target = pid === 0 ? task : kernel.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  if (!ptraceMayAccess(task, target, 'real')) return -EPERM;
  if (writeWords(kernel, task, lengthPointer, [ROBUST_LIST_HEAD_SIZE]) < 0) return -EFAULT;
  return writeWords(kernel, task, headPointer, [target.robustList]);
};
