/** Shims of clone(2), clone3(2), unshare(2), setns(2). */
import { EINVAL } from '../abi/errno.ts';
import { TASK_SIZE } from '../abi/mman.ts';
import {
  CLONE_ARGS_SIZE,
  CLONE_ARGS_SIZE_VER0,
  CLONE_CLEAR_SIGHAND_HIGH,
  CLONE_DETACHED,
  CLONE_NEWTIME,
  CLONE_PARENT,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CSIGNAL,
} from '../abi/sched.ts';
import { doClone } from '../process/fork.ts';
import { doSetns, ksysUnshare } from '../process/nsproxy.ts';
import { NSIG } from '../process/signalSet.ts';
import type { Handler } from './row.ts';
import { copyStructFromUser } from './user.ts';

export const sysClone: Handler = (kernel, task, flags, stack, parentTid, tls, childTid) =>
  doClone(kernel, task, {
    flags: (flags & ~CSIGNAL) >>> 0,
    exitSignal: flags & CSIGNAL,
    clearSighand: false,
    stack: stack >>> 0,
    parentTid: parentTid >>> 0,
    tls: tls >>> 0,
    childTid: childTid >>> 0,
  });

/** clone3(2). Missing: set_tid (EINVAL), CLONE_INTO_CGROUP (EINVAL). */
export const sysClone3: Handler = (kernel, task, uargs, size) => {
  const raw = copyStructFromUser(kernel, task, uargs, size >>> 0, CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE);
  if (typeof raw === 'number') return raw;
  const word = (field: number): number => raw.getUint32(field * 8, true);
  const high = (field: number): number => raw.getUint32(field * 8 + 4, true);
  const [setTid, setTidSize] = [word(8), word(9)];
  // "set_tid_size is greater than the number of nested PID namespaces", and one without the other.
  if (setTidSize > 32 || (setTid !== 0) !== setTidSize > 0) return -EINVAL;
  const exitSignal = word(4);
  if (high(4) !== 0 || (exitSignal & ~CSIGNAL) !== 0 || exitSignal >= NSIG) return -EINVAL;
  const flags = word(0);
  if ((high(0) & ~CLONE_CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  if ((flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))) !== 0) return -EINVAL;
  const clearSighand = (high(0) & CLONE_CLEAR_SIGHAND_HIGH) !== 0;
  if (clearSighand && (flags & CLONE_SIGHAND) !== 0) return -EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  // clone3_stack_valid(): "the child would get a stack pointer of size 0, or size without stack".
  const [stack, stackSize] = [word(5), word(6)];
  if ((stack === 0) !== (stackSize === 0) || high(6) !== 0 || stack + stackSize > TASK_SIZE) return -EINVAL;
  if (setTidSize > 0) return -EINVAL;
  return doClone(kernel, task, {
    flags,
    exitSignal,
    clearSighand,
    stack: stack + stackSize,
    parentTid: word(3),
    tls: word(7),
    childTid: word(2),
  });
};

export const sysUnshare: Handler = (kernel, task, flags) => ksysUnshare(kernel, task, flags >>> 0);

export const sysSetns: Handler = (kernel, task, fd, nstype) => doSetns(kernel, task, fd, nstype);
