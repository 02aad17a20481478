/** Shims of signals: kill(2), sigaction(2), sigprocmask(2), sigsuspend(2), sigtimedwait(2), sigaltstack(2), sigreturn(2). */
import { EFAULT, EINVAL } from '../abi/errno.ts';
import { decodeSigInfo, encodeSigInfo, SIGINFO_SIZE, type SigInfo } from '../abi/signal.ts';
import type { Kernel } from '../process/kernel.ts';
import { SYSCALL_NO_RESULT } from '../process/sched.ts';
import { currentAltStack, doSigaltstack } from '../process/sigaltstack.ts';
import { doSigaction, doSigsuspend, doSigtimedwait, pendingSet, setBlocked } from '../process/signal.ts';
import { doSigreturn } from '../process/signalFrame.ts';
import { doKill, doSigqueueinfo, doTgsigqueueinfo, doTkill } from '../process/signalSend.ts';
import { sigset, withoutUnblockable } from '../process/signalSet.ts';
import type { SigAction, Task } from '../process/task.ts';
import { deadlineAfter } from '../process/time.ts';
import type { Handler } from './row.ts';
import {
  readSet,
  readUser,
  readValidTimespec,
  SIGSET_SIZE,
  writeSet,
  writeUser,
  writeWords,
} from './user.ts';

export const sysKill: Handler = (kernel, task, pid, sig) => doKill(kernel, task, pid, sig);
export const sysTkill: Handler = (kernel, task, tid, sig) => doTkill(kernel, task, null, tid, sig);
export const sysTgkill: Handler = (kernel, task, tgid, tid, sig) => doTkill(kernel, task, tgid, tid, sig);

/** struct sigaction of RISC-V: handler, flags, 8 bytes of mask; there is no restorer. */
export const sysRtSigaction: Handler = (kernel, task, sig, act, oldact, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  let action: SigAction | null = null;
  if (act !== 0) {
    const raw = readUser(kernel, task, act, 16);
    if (typeof raw === 'number') return raw;
    const mask = { lo: raw.getInt32(8, true), hi: raw.getInt32(12, true) };
    action = { handler: raw.getUint32(0, true), flags: raw.getUint32(4, true), mask };
  }
  const old = doSigaction(kernel, task, sig, action);
  if (typeof old === 'number') return old;
  if (oldact === 0) return 0;
  return writeWords(kernel, task, oldact, [old.handler, old.flags, old.mask.lo, old.mask.hi]);
};

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

export const sysRtSigprocmask: Handler = (kernel, task, how, set, oldset, sigsetsize) => {
  if (sigsetsize !== SIGSET_SIZE) return -EINVAL;
  const { lo, hi } = task.blocked;
  if (set !== 0) {
    const mask = readSet(kernel, task, set);
    if (typeof mask === 'number') return mask;
    if (how === SIG_BLOCK) setBlocked(kernel, task, sigset(lo | mask.lo, hi | mask.hi));
    else if (how === SIG_UNBLOCK) setBlocked(kernel, task, sigset(lo & ~mask.lo, hi & ~mask.hi));
    else if (how === SIG_SETMASK) setBlocked(kernel, task, mask);
    else return -EINVAL;
  }
  return oldset === 0 ? 0 : writeSet(kernel, task, oldset, lo, hi);
};

export const sysRtSigpending: Handler = (kernel, task, set, sigsetsize) => {
  if (sigsetsize >>> 0 > SIGSET_SIZE) return -EINVAL;
  const { lo, hi } = pendingSet(task);
  const bytes = new Uint8Array(Uint32Array.of(lo, hi).buffer);
  return writeUser(kernel, task, set, bytes.subarray(0, sigsetsize));
};

export const sysRtSigsuspend: Handler = (kernel, task, set, sigsetsize) => {
  const mask = readSet(kernel, task, set, sigsetsize);
  return typeof mask === 'number' ? mask : doSigsuspend(kernel, task, mask);
};

/** Takes a pending signal of the set; sleeps for one until the timeout (EAGAIN). */
export const sysRtSigtimedwait: Handler = (kernel, task, set, info, timeout, sigsetsize) => {
  const wanted = readSet(kernel, task, set, sigsetsize);
  if (typeof wanted === 'number') return wanted;
  let deadline = task.restart?.deadline ?? null;
  if (task.restart === null && timeout !== 0) {
    const t = readValidTimespec(kernel, task, timeout);
    if (typeof t === 'number') return t;
    deadline = t.sec === 0 && t.nsec === 0 ? 0 : deadlineAfter(kernel, t.sec, t.nsec);
  }
  const found = doSigtimedwait(kernel, task, withoutUnblockable(wanted), deadline);
  if (typeof found === 'number') return found;
  if (info !== 0 && writeUser(kernel, task, info, encodeSigInfo(found)) < 0) return -EFAULT;
  return found.signo;
};

const X_SP = 2;

/** struct sigaltstack: sp, flags, size. */
export const sysSigaltstack: Handler = (kernel, task, ss, oldSs) => {
  const stackPointer = (kernel.hart.x[X_SP] ?? 0) >>> 0;
  const old = currentAltStack(task, stackPointer);
  if (ss !== 0) {
    const raw = readUser(kernel, task, ss, 12);
    if (typeof raw === 'number') return raw;
    const [sp, flags, size] = [raw.getUint32(0, true), raw.getUint32(4, true), raw.getUint32(8, true)];
    const failed = doSigaltstack(task, stackPointer, { sp, flags, size });
    if (failed < 0) return failed;
  }
  return oldSs === 0 ? 0 : writeWords(kernel, task, oldSs, [old.sp, old.flags, old.size]);
};

export const sysRtSigreturn: Handler = (kernel, task) => {
  doSigreturn(kernel, task);
  return SYSCALL_NO_RESULT;
};

/** copy_siginfo_from_user() */
function readSigInfo(kernel: Kernel, task: Task, address: number, sig: number): SigInfo | number {
  const raw = readUser(kernel, task, address, SIGINFO_SIZE);
  return typeof raw === 'number' ? raw : decodeSigInfo(raw, sig);
}

export const sysRtSigqueueinfo: Handler = (kernel, task, pid, sig, address) => {
  const info = readSigInfo(kernel, task, address, sig);
  return typeof info === 'number' ? info : doSigqueueinfo(kernel, task, pid, info);
};

export const sysRtTgsigqueueinfo: Handler = (kernel, task, tgid, tid, sig, address) => {
  const info = readSigInfo(kernel, task, address, sig);
  return typeof info === 'number' ? info : doTgsigqueueinfo(kernel, task, tgid, tid, info);
};
