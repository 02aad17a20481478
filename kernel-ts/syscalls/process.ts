/** Shims of processes: execve(2), waitid(2), credentials, groups, limits, scheduling, prctl(2). */
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from '../abi/errno.ts';
import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from '../abi/capability.ts';
import { RLIM_INFINITY, RLIM_NLIMITS, type Rlimit } from '../abi/resource.ts';
import { ktimeGet } from '../mm/context.ts';
import { capable } from '../mm/cred.ts';
import { getMmRss } from '../mm/mm.ts';
import {
  doSetfsgid,
  doSetfsuid,
  doSetgid,
  doSetgroups,
  doSetregid,
  doSetresgid,
  doSetresuid,
  doSetreuid,
  doSetuid,
} from '../process/creds.ts';
import { doExecve } from '../process/exec.ts';
import type { Kernel } from '../process/kernel.ts';
import { changePids } from '../process/pid.ts';
import { taskTime } from '../process/sched.ts';
import { SIGCHLD } from '../process/signalSet.ts';
import { groupLeader, setRlimit, type Task } from '../process/task.ts';
import { processTime } from '../process/time.ts';
import { doWaitid } from '../process/wait.ts';
import type { Handler } from './row.ts';
import { readUser, userMm, userPath, userString, writeUser, writeWords } from './user.ts';

export const sysExecve: Handler = (kernel, task, pathname, argv, envp) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doExecve(kernel, task, path, argv >>> 0, envp >>> 0);
};

export const sysWaitid: Handler = (kernel, task, idtype, id, infop, options, rusage) => {
  const result = doWaitid(kernel, task, idtype, id, options);
  if (typeof result === 'number') return result;
  if (rusage !== 0 && result.pid !== 0) {
    const failed = writeWords(kernel, task, rusage, rusageWords(result.time, 0, result.minFlt));
    if (failed < 0) return failed;
  }
  if (infop === 0) return 0;
  const signo = result.pid === 0 ? 0 : SIGCHLD;
  return writeWords(kernel, task, infop, [signo, 0, result.code, result.pid, result.uid, result.status]);
};

/** struct rusage: user and system time as two old timevals, then 14 longs. */
function rusageWords(ns: number, maxRssKib: number, minFlt: number): number[] {
  const words = Array.from({ length: 18 }, () => 0);
  words[0] = Math.floor(ns / 1e9);
  words[1] = Math.floor((ns % 1e9) / 1000);
  words[4] = maxRssKib;
  words[8] = minFlt;
  return words;
}

export const sysGetrusage: Handler = (kernel, task, who, usage) => {
  const { group } = task;
  const rss = task.mm === null ? 0 : getMmRss(task.mm) * 4;
  if (who === 0)
    return writeWords(kernel, task, usage, rusageWords(processTime(kernel, task), rss, group.minFlt));
  if (who === 1)
    return writeWords(kernel, task, usage, rusageWords(taskTime(kernel, task), rss, group.minFlt));
  if (who === -1) return writeWords(kernel, task, usage, rusageWords(group.childTime, 0, group.childMinFlt));
  return -EINVAL;
};

/** Clock ticks are 10 ms. */
const NS_PER_TICK = 10_000_000;

export const sysTimes: Handler = (kernel, task, tbuf) => {
  const ticks = (ns: number): number => Math.floor(ns / NS_PER_TICK);
  const words = [ticks(processTime(kernel, task)), 0, ticks(task.group.childTime), 0];
  if (tbuf !== 0 && writeWords(kernel, task, tbuf, words) < 0) return -EFAULT;
  return ticks(ktimeGet(kernel)) >>> 0;
};

// Identity

export const sysGetpid: Handler = (_kernel, task) => task.tgid;
export const sysGettid: Handler = (_kernel, task) => task.pid;
/** Children of the host see 1, as orphans do. */
export const sysGetppid: Handler = (_kernel, task) => groupLeader(task).parent?.tgid ?? 1;
export const sysGetuid: Handler = (_kernel, task) => task.cred.uid;
export const sysGeteuid: Handler = (_kernel, task) => task.cred.euid;
export const sysGetgid: Handler = (_kernel, task) => task.cred.gid;
export const sysGetegid: Handler = (_kernel, task) => task.cred.egid;

export const sysSetuid: Handler = (_kernel, task, uid) => (uid === -1 ? -EINVAL : doSetuid(task, uid >>> 0));
export const sysSetgid: Handler = (_kernel, task, gid) => (gid === -1 ? -EINVAL : doSetgid(task, gid >>> 0));
export const sysSetreuid: Handler = (_kernel, task, r, e) => doSetreuid(task, r >>> 0, e >>> 0);
export const sysSetregid: Handler = (_kernel, task, r, e) => doSetregid(task, r >>> 0, e >>> 0);
export const sysSetresuid: Handler = (_kernel, task, r, e, s) => doSetresuid(task, r >>> 0, e >>> 0, s >>> 0);
export const sysSetresgid: Handler = (_kernel, task, r, e, s) => doSetresgid(task, r >>> 0, e >>> 0, s >>> 0);
export const sysSetfsuid: Handler = (_kernel, task, uid) => doSetfsuid(task, uid >>> 0);
export const sysSetfsgid: Handler = (_kernel, task, gid) => doSetfsgid(task, gid >>> 0);

function putThree(
  kernel: Kernel,
  task: Task,
  addresses: readonly number[],
  values: readonly number[],
): number {
  for (const [i, address] of addresses.entries()) {
    if (writeWords(kernel, task, address, [values[i] ?? 0]) < 0) return -EFAULT;
  }
  return 0;
}

export const sysGetresuid: Handler = (kernel, task, r, e, s) =>
  putThree(kernel, task, [r, e, s], [task.cred.uid, task.cred.euid, task.cred.suid]);

export const sysGetresgid: Handler = (kernel, task, r, e, s) =>
  putThree(kernel, task, [r, e, s], [task.cred.gid, task.cred.egid, task.cred.sgid]);

export const sysGetgroups: Handler = (kernel, task, size, list) => {
  const { groups } = task.cred;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (groups.length > size) return -EINVAL;
  return writeWords(kernel, task, list, groups) < 0 ? -EFAULT : groups.length;
};

const NGROUPS_MAX = 65536;

export const sysSetgroups: Handler = (kernel, task, size, list) => {
  const denied = doSetgroups(task, task.cred.groups);
  if (denied < 0) return denied;
  if (size >>> 0 > NGROUPS_MAX) return -EINVAL;
  const raw = readUser(kernel, task, list, size * 4);
  if (typeof raw === 'number') return raw;
  return doSetgroups(
    task,
    Array.from({ length: size }, (_, i) => raw.getUint32(i * 4, true)),
  );
};

// Process groups and sessions

function findGroupOf(kernel: Kernel, task: Task, pid: number): Task | null {
  if (pid === 0) return task;
  return kernel.tasks.get(pid) ?? null;
}

export const sysGetpgid: Handler = (kernel, task, pid) =>
  findGroupOf(kernel, task, pid)?.group.pgid ?? -ESRCH;
export const sysGetsid: Handler = (kernel, task, pid) => findGroupOf(kernel, task, pid)?.group.sid ?? -ESRCH;

/** setpgid(2): oneself or a child that has not execed, within the session, never a session leader. */
export const sysSetpgid: Handler = (kernel, task, pid, pgid) => {
  const self = groupLeader(task);
  const target = pid === 0 ? self : kernel.tasks.get(pid);
  const wanted = pgid === 0 ? (target?.tgid ?? 0) : pgid;
  if (pgid < 0) return -EINVAL;
  if (target === undefined) return -ESRCH;
  if (!target.isLeader) return -EINVAL;
  if (target !== self) {
    if (target.parent !== self) return -ESRCH;
    if (target.group.sid !== task.group.sid) return -EPERM;
    if (target.group.didExec) return -EACCES;
  }
  if (target.group.sid === target.tgid) return -EPERM;
  if (wanted !== target.tgid) {
    const inSession = [...kernel.tasks.values()].some(
      (t) => t.group.pgid === wanted && t.group.sid === task.group.sid,
    );
    if (!inSession) return -EPERM;
  }
  changePids(kernel, target.group, wanted, target.group.sid);
  return 0;
};

/** setsid(2). EPERM: already the leader of a process group. */
export const sysSetsid: Handler = (kernel, task) => {
  for (const t of kernel.tasks.values()) if (t.group.pgid === task.tgid) return -EPERM;
  changePids(kernel, task.group, task.tgid, task.tgid);
  return task.tgid;
};

// Limits

const limitWords = (value: number): [number, number] =>
  value === RLIM_INFINITY ? [0xffff_ffff, 0xffff_ffff] : [value >>> 0, Math.floor(value / 2 ** 32)];

/** 64-bit limits; from 2^53 on they count as infinite. */
function limitValue(low: number, high: number): number {
  const value = high * 2 ** 32 + low;
  return value >= 2 ** 53 ? RLIM_INFINITY : value;
}

export const sysPrlimit64: Handler = (kernel, task, pid, resource, newLimit, oldLimit) => {
  if (resource < 0 || resource >= RLIM_NLIMITS) return -EINVAL;
  let wanted: Rlimit | null = null;
  if (newLimit !== 0) {
    const raw = readUser(kernel, task, newLimit, 16);
    if (typeof raw === 'number') return raw;
    wanted = {
      rlimCur: limitValue(raw.getUint32(0, true), raw.getUint32(4, true)),
      rlimMax: limitValue(raw.getUint32(8, true), raw.getUint32(12, true)),
    };
  }
  const target = pid === 0 ? task : kernel.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  const a = task.cred;
  const b = target.cred;
  const same =
    [b.euid, b.suid, b.uid].every((u) => u === a.uid) && [b.egid, b.sgid, b.gid].every((g) => g === a.gid);
  if (target !== task && !same && !capable(a, CAP_SYS_RESOURCE)) return -EPERM;
  const old = target.rlim[resource];
  if (old === undefined) return -EINVAL;
  const words = [...limitWords(old.rlimCur), ...limitWords(old.rlimMax)];
  if (wanted !== null) {
    if (wanted.rlimCur > wanted.rlimMax) return -EINVAL;
    if (wanted.rlimMax > old.rlimMax && !capable(a, CAP_SYS_RESOURCE)) return -EPERM;
    setRlimit(target.group, resource, wanted);
  }
  return oldLimit === 0 ? 0 : writeWords(kernel, task, oldLimit, words);
};

// Scheduling: one policy, priorities are stored nowhere and have no effect

export const sysSchedYield: Handler = (kernel) => {
  kernel.needResched = true;
  return 0;
};

function schedTarget(kernel: Kernel, task: Task, pid: number): Task | number {
  if (pid < 0) return -EINVAL;
  return pid === 0 ? task : (kernel.tasks.get(pid) ?? -ESRCH);
}

/** One hart: the mask is 1, written as one 32-bit word; the result is its size. */
export const sysSchedGetaffinity: Handler = (kernel, task, pid, length, mask) => {
  if (length < 4 || length % 4 !== 0) return -EINVAL;
  const target = schedTarget(kernel, task, pid);
  if (typeof target === 'number') return target;
  return writeWords(kernel, task, mask, [1]) < 0 ? -EFAULT : 4;
};

export const sysSchedSetaffinity: Handler = (kernel, task, pid, length, mask) => {
  const target = schedTarget(kernel, task, pid);
  if (typeof target === 'number') return target;
  const raw = readUser(kernel, task, mask, Math.min(length >>> 0, 4));
  if (typeof raw === 'number') return raw;
  return raw.byteLength > 0 && (raw.getUint8(0) & 1) !== 0 ? 0 : -EINVAL;
};

export const sysSchedGetscheduler: Handler = (kernel, task, pid) => {
  const target = schedTarget(kernel, task, pid);
  return typeof target === 'number' ? target : 0;
};

export const sysSchedGetparam: Handler = (kernel, task, pid, param) => {
  const target = schedTarget(kernel, task, pid);
  if (typeof target === 'number') return target;
  return param === 0 ? -EINVAL : writeWords(kernel, task, param, [0]);
};

/** SCHED_OTHER with priority 0 is what there is; real-time policies are refused as for an unprivileged user. */
export const sysSchedSetscheduler: Handler = (kernel, task, pid, policy, param) => {
  if (param === 0 || policy < 0 || policy > 5) return -EINVAL;
  const target = schedTarget(kernel, task, pid);
  if (typeof target === 'number') return target;
  const raw = readUser(kernel, task, param, 4);
  if (typeof raw === 'number') return raw;
  if (policy === 1 || policy === 2) return -EPERM;
  return raw.getInt32(0, true) === 0 ? 0 : -EINVAL;
};

export const sysSchedSetparam: Handler = (kernel, task, pid, param) =>
  sysSchedSetscheduler(kernel, task, pid, 0, param, 0, 0, 0);

export const sysSchedPriorityMax: Handler = (_kernel, _task, policy) =>
  policy === 1 || policy === 2 ? 99 : policy === 0 || policy === 3 || policy === 5 ? 0 : -EINVAL;

export const sysSchedPriorityMin: Handler = (_kernel, _task, policy) =>
  policy === 1 || policy === 2 ? 1 : policy === 0 || policy === 3 || policy === 5 ? 0 : -EINVAL;

/** The raw call returns 20 - nice; nice is always 0. */
export const sysGetpriority: Handler = (kernel, task, which, who) => {
  if (which < 0 || which > 2) return -EINVAL;
  if (which === 0 && who !== 0 && !kernel.tasks.has(who)) return -ESRCH;
  return task === kernel.swapper ? -ESRCH : 20;
};

/** Accepted within one's rights and without effect: every task has equal turns. */
export const sysSetpriority: Handler = (kernel, task, which, who, nice) => {
  if (which < 0 || which > 2) return -EINVAL;
  if (which === 0 && who !== 0 && !kernel.tasks.has(who)) return -ESRCH;
  return nice < 0 && !capable(task.cred, CAP_SYS_NICE) ? -EACCES : 0;
};

export const sysGetcpu: Handler = (kernel, task, cpu, node) => {
  if (cpu !== 0 && writeWords(kernel, task, cpu, [0]) < 0) return -EFAULT;
  return node !== 0 && writeWords(kernel, task, node, [0]) < 0 ? -EFAULT : 0;
};

export const sysPersonality: Handler = (_kernel, task, persona) => {
  const old = task.personality;
  if (persona !== -1) task.personality = persona >>> 0;
  return old;
};

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;

export const sysPrctl: Handler = (kernel, task, option, arg2, arg3, arg4, arg5) => {
  switch (option) {
    case PR_SET_NAME: {
      // strncpy_from_user of 15 bytes: a longer name is cut, not refused.
      const name = userString(kernel, task, arg2, 4096);
      if (typeof name === 'number') return -EFAULT;
      task.comm = name.slice(0, 15);
      return 0;
    }
    case PR_GET_NAME: {
      const bytes = new Uint8Array(16);
      bytes.set(new TextEncoder().encode(task.comm).subarray(0, 15));
      return writeUser(kernel, task, arg2, bytes);
    }
    case PR_GET_DUMPABLE:
      return userMm(task).dumpable;
    case PR_SET_DUMPABLE:
      if (arg2 !== 0 && arg2 !== 1) return -EINVAL;
      userMm(task).dumpable = arg2;
      return 0;
    case PR_SET_PDEATHSIG:
      if (arg2 < 0 || arg2 > 64) return -EINVAL;
      task.pdeathSignal = arg2;
      return 0;
    case PR_GET_PDEATHSIG:
      return writeWords(kernel, task, arg2, [task.pdeathSignal]);
    case PR_SET_NO_NEW_PRIVS:
      if (arg2 !== 1 || arg3 !== 0 || arg4 !== 0 || arg5 !== 0) return -EINVAL;
      task.noNewPrivs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return arg2 !== 0 || arg3 !== 0 || arg4 !== 0 || arg5 !== 0 ? -EINVAL : task.noNewPrivs ? 1 : 0;
    default:
      return -EINVAL;
  }
};
