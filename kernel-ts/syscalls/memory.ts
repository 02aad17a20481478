/** Shims of memory: mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mlock(2) and shmget(2) and its kin. */
import { EINVAL } from '../abi/errno.ts';
import { MLOCK_ONFAULT } from '../abi/mman.ts';
import { importIovec, iovecFromUser } from '../fs/iovIter.ts';
import { ksysMmapPgoff } from '../fs/mmapFile.ts';
import { doShmat, sysShmdt as shmdt, sysShmget as shmget } from '../ipc/shm.ts';
import { sysShmctl as shmctl } from '../ipc/shmctl.ts';
import { ownsOrMayWrite } from '../fs/permission.ts';
import { doMadvise, doMincore, doMsync, type MayWriteFile } from '../mm/madvise.ts';
import { doMlock, doMlockall, doMunlock, doMunlockall } from '../mm/mlock.ts';
import { doBrk, doMunmap } from '../mm/mmap.ts';
import { doMprotect } from '../mm/mprotect.ts';
import { doMremap } from '../mm/mremap.ts';
import { doRemapFilePages } from '../mm/remapFilePages.ts';
import { processVmRw } from '../process/processVm.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import type { Handler } from './row.ts';
import { userMm, writeUser } from './user.ts';

/** The offset of mmap2 is in units of 4096 bytes. */
export const sysMmap2: Handler = (kernel, _task, addr, length, prot, flags, fd, pgoff) =>
  ksysMmapPgoff(kernel, addr >>> 0, length >>> 0, prot >>> 0, flags >>> 0, fd, pgoff >>> 0);

export const sysMunmap: Handler = (kernel, task, addr, length) =>
  doMunmap(kernel, userMm(task), addr >>> 0, length >>> 0);

export const sysMprotect: Handler = (kernel, task, addr, length, prot) =>
  doMprotect(kernel, userMm(task), addr >>> 0, length >>> 0, prot >>> 0);

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

export const sysBrk: Handler = (kernel, task, addr) => doBrk(kernel, userMm(task), addr >>> 0);

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

export const sysShmget: Handler = (kernel, _task, key, size, shmflg) =>
  shmget(kernel, key, size >>> 0, shmflg);

export const sysShmat: Handler = (kernel, _task, shmid, shmaddr, shmflg) =>
  doShmat(kernel, shmid, shmaddr >>> 0, shmflg);

export const sysShmdt: Handler = (kernel, _task, shmaddr) => shmdt(kernel, shmaddr >>> 0);

export const sysShmctl: Handler = (kernel, _task, shmid, cmd, buf) => shmctl(kernel, shmid, cmd, buf >>> 0);

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
