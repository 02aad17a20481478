/** Shims of signals: kill(2), tgkill(2), sigaction(2), sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2). */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from '../abi/errno.ts';
import type { Kernel } from '../process/kernel.ts';
import { sleepOn } from '../process/sched.ts';
import { dequeueSignal, doSigaction, pendingSet, setBlocked } from '../process/signal.ts';
import { doKill, doTkill, recalcSigpending } from '../process/signalSend.ts';
import { withoutUnblockable, type SignalSet } from '../process/signalSet.ts';
import type { SigAction, Task } from '../process/task.ts';
import { deadlineAfter } from '../process/time.ts';
import type { Handler } from './row.ts';
import { readUser, readValidTimespec, writeWords } from './user.ts';

const SIGSET_SIZE = 8;

export const sysKill: Handler = (kernel, task, pid, sig) => doKill(kernel, task, pid, sig);
export const sysTkill: Handler = (kernel, task, tid, sig) => doTkill(kernel, task, null, tid, sig);
export const sysTgkill: Handler = (kernel, task, tgid, tid, sig) => doTkill(kernel, task, tgid, tid, sig);

function readSet(kernel: Kernel, task: Task, address: number): SignalSet | number {
  const raw = readUser(kernel, task, address, SIGSET_SIZE);
  return typeof raw === 'number' ? raw : { lo: raw.getUint32(0, true), hi: raw.getUint32(4, true) };
}

/** struct sigaction of RISC-V: handler, flags, 8 bytes of mask; there is no restorer. */
export const sysRtSigaction: Handler = (kernel, task, sig, act, oldact, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  let action: SigAction | null = null;
  if (act !== 0) {
    const raw = readUser(kernel, task, act, 16);
    if (typeof raw === 'number') return raw;
    const mask = { lo: raw.getUint32(8, true), hi: raw.getUint32(12, true) };
    action = { handler: raw.getUint32(0, true), flags: raw.getUint32(4, true), mask };
  }
  const old = doSigaction(task, sig, action);
  if (typeof old === 'number') return old;
  if (oldact === 0) return 0;
  return writeWords(kernel, task, oldact, [old.handler, old.flags, old.mask.lo, old.mask.hi]);
};

export const sysRtSigprocmask: Handler = (kernel, task, how, set, oldset, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  const old = task.blocked;
  if (set !== 0) {
    const given = readSet(kernel, task, set);
    if (typeof given === 'number') return given;
    if (how === 0) setBlocked(task, { lo: old.lo | given.lo, hi: old.hi | given.hi });
    else if (how === 1) setBlocked(task, { lo: old.lo & ~given.lo, hi: old.hi & ~given.hi });
    else if (how === 2) setBlocked(task, given);
    else return -EINVAL;
  }
  return oldset === 0 ? 0 : writeWords(kernel, task, oldset, [old.lo, old.hi]);
};

export const sysRtSigpending: Handler = (kernel, task, set, sigsetsize) => {
  if (sigsetsize >>> 0 > SIGSET_SIZE) return -EINVAL;
  const pending = pendingSet(task);
  return writeWords(kernel, task, set, [pending.lo, pending.hi].slice(0, Math.ceil((sigsetsize >>> 0) / 4)));
};

/** Sleeps until a signal ends the process; with handlers delivered it would return EINTR after one. */
export const sysRtSigsuspend: Handler = (kernel, task, set, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  const mask = readSet(kernel, task, set);
  if (typeof mask === 'number') return mask;
  task.savedMask ??= task.blocked;
  task.blocked = withoutUnblockable(mask);
  recalcSigpending(task);
  return sleepOn(kernel, task, { kind: 'signal', what: 'rt_sigsuspend' });
};

/** Takes a pending signal of the set; sleeps for one until the timeout (EAGAIN). */
export const sysRtSigtimedwait: Handler = (kernel, task, set, info, timeout, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  const wanted = readSet(kernel, task, set);
  if (typeof wanted === 'number') return wanted;
  let deadline = task.restart?.deadline ?? null;
  let poll = false;
  if (task.restart === null && timeout !== 0) {
    const t = readValidTimespec(kernel, task, timeout);
    if (typeof t === 'number') return t;
    deadline = deadlineAfter(kernel, t.sec, t.nsec);
    poll = t.sec === 0 && t.nsec === 0;
  }
  const found = dequeueSignal(task, withoutUnblockable(wanted));
  if (found !== null) {
    const words = [found.signo, 0, found.code, found.pid, found.uid, found.value];
    if (info !== 0 && writeWords(kernel, task, info, words) < 0) return -EFAULT;
    return found.signo;
  }
  if (poll) return -EAGAIN;
  const options = { queues: [task.group.signalWait], deadline, timeoutResult: -EAGAIN };
  return sleepOn(kernel, task, { kind: 'signal', what: 'rt_sigtimedwait' }, options);
};

const SS_DISABLE = 2;
const MINSIGSTKSZ = 2048;

/** sigaltstack(2): remembered for handlers. */
export const sysSigaltstack: Handler = (kernel, task, ss, oldSs) => {
  const old = task.altStack;
  if (ss !== 0) {
    const raw = readUser(kernel, task, ss, 12);
    if (typeof raw === 'number') return raw;
    const flags = raw.getUint32(4, true);
    const size = raw.getUint32(8, true);
    if ((flags & ~(SS_DISABLE | 0x8000_0000 | 1)) !== 0) return -EINVAL;
    if ((flags & SS_DISABLE) === 0 && size < MINSIGSTKSZ) return -ENOMEM;
    const disabled = (flags & SS_DISABLE) !== 0;
    task.altStack = disabled
      ? { sp: 0, flags: SS_DISABLE, size: 0 }
      : { sp: raw.getUint32(0, true), flags: 0, size };
  }
  return oldSs === 0 ? 0 : writeWords(kernel, task, oldSs, [old.sp, old.flags, old.size]);
};

/** rt_sigqueueinfo(2) with a code that only the kernel may use, or for somebody else. */
export const sysRtSigqueueinfo: Handler = (kernel, task, pid, sig, info) => {
  const raw = readUser(kernel, task, info, 128);
  if (typeof raw === 'number') return raw;
  const code = raw.getInt32(8, true);
  if ((code >= 0 || code === -6) && pid !== task.tgid) return -EPERM;
  return doKill(kernel, task, pid > 0 ? pid : -0x8000_0000, sig);
};
