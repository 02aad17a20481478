/**
 * Shims of waiting for descriptors: poll(2), select(2) (Linux: fs/select.c). A task asleep in one of them looks again at all its
 * descriptors whenever one changes. riscv32 has ppoll and pselect6 alone; the C library makes poll and select of them.
 */
import { EBADF, EFAULT, EINTR, EINVAL, ERESTARTNOHAND } from '../abi/errno.ts';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../abi/poll.ts';
import { RLIMIT_NOFILE, rlimit } from '../abi/resource.ts';
import { fget, fgetRaw, maxFdsOf } from '../fs/fdtable.ts';
import { vfsPoll } from '../fs/readWrite.ts';
import { ktimeGet } from '../mm/context.ts';
import type { Kernel } from '../process/kernel.ts';
import { sleepOn, SYSCALL_BLOCKED } from '../process/sched.ts';
import { replaceMask } from '../process/signal.ts';
import { restoreSavedMask } from '../process/sigQueue.ts';
import type { Task } from '../process/task.ts';
import { deadlineAfter } from '../process/time.ts';
import type { WaitQueue } from '../process/waitQueue.ts';
import type { Handler } from './row.ts';
import { readSet, readUser, readValidTimespec, writeTimespec, writeUser } from './user.ts';

/** Reported whether asked for or not. */
const POLL_ALWAYS = POLLERR | POLLHUP;

const POLLIN_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL;
const POLLOUT_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL;
const POLLEX_SET = POLLPRI | POLLNVAL;

/** When a call gives up, in ns of virtual time: 0 at once, Infinity never. */
type Deadline = number;

/** poll_select_set_timeout(). A call that is repeated goes on with the time that it had. An Errno for a time that is none. */
function deadlineOf(kernel: Kernel, task: Task, timeout: number): Deadline {
  if (task.restart !== null) return task.restart.deadline ?? Infinity;
  if (timeout === 0) return Infinity;
  const t = readValidTimespec(kernel, task, timeout);
  if (typeof t === 'number') return t;
  return t.sec === 0 && t.nsec === 0 ? 0 : (deadlineAfter(kernel, t.sec, t.nsec) ?? Infinity);
}

/** set_user_sigmask(): the mask while the call lasts; `address` 0: as it is. */
function setUserSigmask(kernel: Kernel, task: Task, address: number, size: number): number {
  if (address === 0 || task.savedMask !== null) return 0;
  const mask = readSet(kernel, task, address, size);
  if (typeof mask === 'number') return mask;
  replaceMask(kernel, task, mask);
  return 0;
}

/** poll_select_finish(): the mask is as before, and what is left of the time is the user's, who begins again with that. */
function pollSelectFinish(
  kernel: Kernel,
  task: Task,
  result: number,
  timeout: number,
  deadline: Deadline,
): number {
  if (result === SYSCALL_BLOCKED) return result;
  if (result !== -ERESTARTNOHAND) restoreSavedMask(task);
  if (timeout === 0 || deadline === 0 || deadline === Infinity) return result;
  const left = Math.max(0, deadline - ktimeGet(kernel));
  const failed = writeTimespec(kernel, task, timeout, Math.floor(left / 1e9), left % 1e9) < 0;
  return failed && result === -ERESTARTNOHAND ? -EINTR : result;
}

/** Sleeps, or says that it is not the time for it. The call is repeated when a queue tells, a signal comes, or time is up. */
function pollSchedule(
  kernel: Kernel,
  task: Task,
  queues: readonly WaitQueue[],
  what: 'ppoll' | 'pselect6',
  deadline: Deadline,
): number | null {
  if (!task.sigPending && deadline <= ktimeGet(kernel)) return null;
  return sleepOn(
    kernel,
    task,
    { kind: 'poll', what },
    {
      queues,
      deadline: deadline === Infinity ? null : deadline,
      timeoutResult: null,
      interrupted: -ERESTARTNOHAND,
    },
  );
}

/** What is ready of a descriptor; adds the queues that tell of changes. */
function pollFd(kernel: Kernel, fd: number, queues: WaitQueue[]): number {
  const file = fget(kernel, fd);
  if (file === null) return POLLNVAL;
  const { mask, queues: own } = vfsPoll(kernel, file);
  for (const queue of own) if (!queues.includes(queue)) queues.push(queue);
  return mask;
}

/** struct pollfd is fd (int), events (short), revents (short). */
export const sysPpoll: Handler = (kernel, task, fds, nfds, timeout, sigmask, sigsetsize) => {
  const deadline = deadlineOf(kernel, task, timeout);
  if (deadline < 0) return deadline;
  const masked = setUserSigmask(kernel, task, sigmask, sigsetsize);
  if (masked < 0) return masked;
  return pollSelectFinish(kernel, task, doSysPoll(kernel, task, fds, nfds, deadline), timeout, deadline);
};

/** do_sys_poll(): descriptors that are ready. */
function doSysPoll(kernel: Kernel, task: Task, fds: number, nfds: number, deadline: Deadline): number {
  if (nfds >>> 0 > rlimit(task.rlim, RLIMIT_NOFILE)) return -EINVAL;
  const raw = readUser(kernel, task, fds, nfds * 8);
  if (typeof raw === 'number') return raw;
  const queues: WaitQueue[] = [];
  let ready = 0;
  for (let i = 0; i < nfds; i++) {
    const fd = raw.getInt32(i * 8, true);
    const asked = raw.getInt16(i * 8 + 4, true) | POLL_ALWAYS | POLLNVAL;
    const revents = fd < 0 ? 0 : pollFd(kernel, fd, queues) & asked;
    raw.setInt16(i * 8 + 6, revents, true);
    if (revents !== 0) ready++;
  }
  const slept = ready === 0 ? pollSchedule(kernel, task, queues, 'ppoll', deadline) : null;
  if (slept === SYSCALL_BLOCKED) return slept;
  const written = writeUser(kernel, task, fds, new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength));
  return written < 0 ? written : (slept ?? ready);
}

/** The last argument is a pair, the mask's address and its size: a call has six at most. */
export const sysPselect6: Handler = (kernel, task, n, inp, outp, exp, timeout, sig) => {
  const pair = sig === 0 ? null : readUser(kernel, task, sig, 8);
  if (typeof pair === 'number') return pair;
  const deadline = deadlineOf(kernel, task, timeout);
  if (deadline < 0) return deadline;
  if (pair !== null) {
    const masked = setUserSigmask(kernel, task, pair.getInt32(0, true), pair.getInt32(4, true));
    if (masked < 0) return masked;
  }
  const result = coreSysSelect(kernel, task, n, [inp, outp, exp], deadline);
  return pollSelectFinish(kernel, task, result, timeout, deadline);
};

const SELECT_SETS = [POLLIN_SET, POLLOUT_SET, POLLEX_SET];

/** core_sys_select(): bits that are set then. Sets are whole words; what lies beyond the table of descriptors is not looked at. */
function coreSysSelect(
  kernel: Kernel,
  task: Task,
  n: number,
  addresses: readonly number[],
  deadline: Deadline,
): number {
  if (n < 0) return -EINVAL;
  const count = Math.min(n, maxFdsOf(task.files?.fd.length ?? 0));
  const words = Math.ceil(count / 32);
  const asked: Int32Array[] = [];
  for (const address of addresses) {
    const set = new Int32Array(words);
    asked.push(set);
    if (address === 0) continue;
    const raw = readUser(kernel, task, address, words * 4);
    if (typeof raw === 'number') return -EFAULT;
    for (let i = 0; i < words; i++) set[i] = raw.getInt32(i * 4, true);
  }
  const found = asked.map(() => new Int32Array(words));
  const ready = doSelect(kernel, task, count, asked, found, deadline);
  if (ready < 0) return ready;
  for (let i = 0; i < found.length; i++) {
    const address = addresses[i] as number;
    const bytes = new Uint8Array((found[i] as Int32Array).buffer);
    if (address !== 0 && writeUser(kernel, task, address, bytes) < 0) return -EFAULT;
  }
  return ready;
}

/** do_select(): fills `found` with those of `asked` that are ready, and counts them. */
function doSelect(
  kernel: Kernel,
  task: Task,
  count: number,
  asked: readonly Int32Array[],
  found: readonly Int32Array[],
  deadline: Deadline,
): number {
  const fds: number[] = [];
  for (let fd = 0; fd < count; fd++) {
    if (!asked.some((set) => isSet(set, fd))) continue;
    if (fgetRaw(kernel, fd) === null) return -EBADF;
    fds.push(fd);
  }
  const queues: WaitQueue[] = [];
  let ready = 0;
  for (const fd of fds) {
    const mask = pollFd(kernel, fd, queues);
    for (let i = 0; i < asked.length; i++) {
      if (!isSet(asked[i] as Int32Array, fd) || (mask & (SELECT_SETS[i] as number)) === 0) continue;
      const set = found[i] as Int32Array;
      set[fd >>> 5] = (set[fd >>> 5] as number) | (1 << (fd & 31));
      ready++;
    }
  }
  return ready > 0 ? ready : (pollSchedule(kernel, task, queues, 'pselect6', deadline) ?? 0);
}

const isSet = (set: Int32Array, fd: number): boolean => (((set[fd >>> 5] as number) >>> (fd & 31)) & 1) !== 0;
