/** Shims of mapped pages: mremap(2), madvise(2), msync(2), mincore(2), mlock(2), process_vm_readv(2) and their kin. */
import { EINVAL } from '../abi/errno.ts';
import { MLOCK_ONFAULT } from '../abi/mman.ts';
import { importIovec, iovecFromUser } from '../fs/iovIter.ts';
import { ownsOrMayWrite } from '../fs/permission.ts';
import { doMadvise, doMincore, doMsync, type MayWriteFile } from '../mm/madvise.ts';
import { doMlock, doMlockall, doMunlock, doMunlockall } from '../mm/mlock.ts';
import { doMremap } from '../mm/mremap.ts';
import { doRemapFilePages } from '../mm/remapFilePages.ts';
import { processVmRw } from '../process/processVm.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import type { Handler } from './row.ts';
import { userMm, writeUser } from './user.ts';

export const sysMremap: Handler = (kernel, task, addr, oldLength, newLength, flags, newAddr) =>
  doMremap(kernel, userMm(task), addr >>> 0, oldLength >>> 0, newLength >>> 0, flags >>> 0, newAddr >>> 0);

export const sysRemapFilePages: Handler = (kernel, task, addr, size, prot, pgoff, flags) =>
  doRemapFilePages(kernel, userMm(task), addr >>> 0, size >>> 0, prot, pgoff >>> 0, flags);

const mayWriteFile =
  (task: Task): MayWriteFile =>
  ({ fInode }) =>
    ownsOrMayWrite(task.cred, fInode);

export const sysMadvise: Handler = (kernel, task, addr, length, advice) =>
  doMadvise(kernel, userMm(task), addr >>> 0, length >>> 0, advice, mayWriteFile(task));

export const sysMsync: Handler = (_kernel, task, addr, length, flags) =>
  doMsync(userMm(task), addr >>> 0, length >>> 0, flags >>> 0);

export const sysMincore: Handler = (kernel, task, addr, length, vec) => {
  const resident = doMincore(kernel, userMm(task), addr >>> 0, length >>> 0, mayWriteFile(task));
  return typeof resident === 'number' ? resident : writeUser(kernel, task, vec, resident);
};

export const sysMlock: Handler = (kernel, task, addr, length) =>
  doMlock(kernel, userMm(task), addr >>> 0, length >>> 0, 0);

export const sysMlock2: Handler = (kernel, task, addr, length, flags) =>
  (flags & ~MLOCK_ONFAULT) !== 0
    ? -EINVAL
    : doMlock(kernel, userMm(task), addr >>> 0, length >>> 0, flags >>> 0);

export const sysMunlock: Handler = (kernel, task, addr, length) =>
  doMunlock(kernel, userMm(task), addr >>> 0, length >>> 0);

export const sysMlockall: Handler = (kernel, task, flags) => doMlockall(kernel, userMm(task), flags >>> 0);

export const sysMunlockall: Handler = (kernel, task) => doMunlockall(kernel, userMm(task));

/** process_vm_rw(): the caller's ranges are judged first, then the other process's, then whether there is one. */
function processVm(
  kernel: Kernel,
  task: Task,
  pid: number,
  local: readonly [address: number, count: number],
  remote: readonly [address: number, count: number],
  flags: number,
  write: boolean,
): number {
  if (flags !== 0) return -EINVAL;
  const mm = userMm(task);
  const iter = importIovec(kernel, mm, local[0] >>> 0, local[1] >>> 0);
  if (typeof iter === 'number') return iter;
  if (iter.count === 0) return 0;
  const ranges = iovecFromUser(kernel, mm, remote[0] >>> 0, remote[1] >>> 0);
  return typeof ranges === 'number' ? ranges : processVmRw(kernel, task, pid, iter, ranges, write);
}

export const sysProcessVmReadv: Handler = (kernel, task, pid, local, liovcnt, remote, riovcnt, flags) =>
  processVm(kernel, task, pid, [local, liovcnt], [remote, riovcnt], flags, false);

export const sysProcessVmWritev: Handler = (kernel, task, pid, local, liovcnt, remote, riovcnt, flags) =>
  processVm(kernel, task, pid, [local, liovcnt], [remote, riovcnt], flags, true);
