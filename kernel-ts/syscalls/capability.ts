/** Shims of capget(2) and capset(2): kernel/capability.c. */
import {
  LINUX_CAPABILITY_VERSION_1,
  LINUX_CAPABILITY_VERSION_2,
  LINUX_CAPABILITY_VERSION_3,
} from '../abi/capability.ts';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../abi/errno.ts';
import { capWords, mkKernelCap } from '../mm/cred.ts';
import { doCapset } from '../process/creds.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import type { Handler } from './row.ts';
import { readUser, writeWords } from './user.ts';

/** Words per set, by the version of the header. */
const WORDS: ReadonlyMap<number, number> = new Map([
  [LINUX_CAPABILITY_VERSION_1, 1],
  [LINUX_CAPABILITY_VERSION_2, 2],
  [LINUX_CAPABILITY_VERSION_3, 2],
]);

/** cap_validate_magic(): the pid of the header and the words per set; EINVAL for an unknown version, after naming a known one. */
function header(kernel: Kernel, task: Task, at: number): { pid: number; words: number } | number {
  const version = readUser(kernel, task, at, 4);
  if (typeof version === 'number') return version;
  const words = WORDS.get(version.getUint32(0, true));
  if (words === undefined)
    return writeWords(kernel, task, at, [LINUX_CAPABILITY_VERSION_3]) < 0 ? -EFAULT : -EINVAL;
  const pid = readUser(kernel, task, (at + 4) >>> 0, 4);
  return typeof pid === 'number' ? pid : { pid: pid.getInt32(0, true), words };
}

export const sysCapget: Handler = (kernel, task, headerAt, dataAt) => {
  const head = header(kernel, task, headerAt >>> 0);
  // A caller without data asks for the version alone.
  if (typeof head === 'number') return dataAt === 0 && head === -EINVAL ? 0 : head;
  if (dataAt === 0) return 0;
  if (head.pid < 0) return -EINVAL;
  const target = head.pid === 0 ? task : kernel.tasks.get(head.pid);
  if (target === undefined) return -ESRCH;
  const { capEffective, capPermitted, capInheritable } = target.cred;
  const sets = [capEffective, capPermitted, capInheritable].map(capWords);
  const data = [...sets.map(([low]) => low), ...sets.map(([, high]) => high)];
  return writeWords(kernel, task, dataAt, data.slice(0, head.words * 3));
};

export const sysCapset: Handler = (kernel, task, headerAt, dataAt) => {
  const head = header(kernel, task, headerAt >>> 0);
  if (typeof head === 'number') return head;
  // "No one can set the capabilities of another process."
  if (head.pid !== 0 && head.pid !== task.pid) return -EPERM;
  const data = readUser(kernel, task, dataAt, head.words * 12);
  if (typeof data === 'number') return data;
  const set = (at: number): number =>
    mkKernelCap(data.getUint32(at, true), head.words === 1 ? 0 : data.getUint32(at + 12, true));
  return doCapset(task, set(0), set(4), set(8));
};
