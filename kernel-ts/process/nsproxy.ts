/**
 * Namespaces of a task: kernel/nsproxy.c, unshare(2) of kernel/fork.c, setns(2). The task names its IPC namespace itself, without a
 * struct nsproxy between. Missing: all other namespaces (EINVAL and a line in the log), setns of a pidfd.
 */
import { CAP_SYS_ADMIN } from '../abi/capability.ts';
import { EBADF, EINVAL, EPERM, type Errno } from '../abi/errno.ts';
import {
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEW_NAMESPACES,
  CLONE_NEWIPC,
  CLONE_NEWNS,
  CLONE_NEWUSER,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VM,
} from '../abi/sched.ts';
import { dupFilesStruct, fget, putFilesStruct } from '../fs/fdtable.ts';
import { createIpcNs, ipcnsInstall, ipcNsOfFile } from '../ipc/ipcNs.ts';
import { getIpcNs, putIpcNs, type IpcNamespace } from '../ipc/namespace.ts';
import { exitSem } from '../ipc/semUndo.ts';
import { exitShm } from '../ipc/shm.ts';
import { capable } from '../mm/cred.ts';
import { log, type Kernel } from './kernel.ts';
import { wakeUpQ } from './sched.ts';
import type { Task } from './task.ts';

/** Why this task may not make these new namespaces: EPERM, EINVAL for kinds that are missing; 0 when it may. */
function checkNewNamespaces(kernel: Kernel, task: Task, flags: number): 0 | Errno {
  const wanted = flags & CLONE_NEW_NAMESPACES;
  if (wanted === 0) return 0;
  if ((wanted & CLONE_NEWUSER) === 0 && !capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  const missing = (wanted & ~CLONE_NEWIPC) >>> 0;
  if (missing === 0) return 0;
  log(kernel, `pid ${task.pid} (${task.comm}): namespaces 0x${missing.toString(16)} are not supported`);
  return -EINVAL;
}

/** copy_namespaces(): the namespace of a child, held for it; EPERM, EINVAL, ENOSPC. */
export function copyNamespaces(kernel: Kernel, task: Task, flags: number): IpcNamespace | Errno {
  const refused = checkNewNamespaces(kernel, task, flags);
  if (refused < 0) return refused;
  if ((flags & CLONE_NEWIPC) === 0) return getIpcNs(task.ipcNs);
  // "CLONE_NEWIPC must detach from the undolist", which CLONE_SYSVSEM would share.
  return (flags & CLONE_SYSVSEM) !== 0 ? -EINVAL : createIpcNs(kernel);
}

/** switch_task_namespaces(): `ns` is held for the task already. */
function switchIpcNs(kernel: Kernel, task: Task, ns: IpcNamespace): void {
  const old = task.ipcNs;
  task.ipcNs = ns;
  putIpcNs(kernel, old);
}

const UNSHARE_FLAGS =
  CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEW_NAMESPACES;

/** check_unshare_flags(): what a task with company cannot give up alone. */
function checkUnshareFlags(kernel: Kernel, task: Task, flags: number): 0 | Errno {
  if ((flags & ~UNSHARE_FLAGS) !== 0) return -EINVAL;
  const alone = (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) === 0;
  if (!alone && task.group.threads.length > 1) return -EINVAL;
  if ((flags & (CLONE_SIGHAND | CLONE_VM)) !== 0) {
    for (const other of kernel.tasks.values())
      if (other !== task && other.sighand === task.sighand) return -EINVAL;
  }
  return (flags & CLONE_VM) !== 0 && (task.mm?.mmUsers ?? 1) > 1 ? -EINVAL : 0;
}

/** ksys_unshare(). EINVAL, EPERM, ENOSPC; on failure nothing is unshared. */
export function ksysUnshare(kernel: Kernel, task: Task, wanted: number): 0 | Errno {
  let flags = wanted;
  if ((flags & CLONE_NEWUSER) !== 0) flags |= CLONE_THREAD | CLONE_FS;
  if ((flags & CLONE_VM) !== 0) flags |= CLONE_SIGHAND;
  if ((flags & CLONE_SIGHAND) !== 0) flags |= CLONE_THREAD;
  if ((flags & CLONE_NEWNS) !== 0) flags |= CLONE_FS;
  const refused = checkUnshareFlags(kernel, task, flags);
  if (refused < 0) return refused;
  const forbidden = checkNewNamespaces(kernel, task, flags);
  if (forbidden < 0) return forbidden;
  const ns = (flags & CLONE_NEWIPC) !== 0 ? createIpcNs(kernel) : null;
  if (typeof ns === 'number') return ns;
  if ((flags & CLONE_FS) !== 0) task.fs = { ...task.fs };
  if ((flags & CLONE_FILES) !== 0 && task.files !== null && task.files.count > 1) {
    const shared = task.files;
    task.files = dupFilesStruct(shared);
    putFilesStruct(kernel, shared);
  }
  if ((flags & (CLONE_NEWIPC | CLONE_SYSVSEM)) !== 0) {
    // "CLONE_SYSVSEM is equivalent to sys_exit()."
    exitSem(kernel, task);
    wakeUpQ(kernel);
  }
  if (ns === null) return 0;
  // "Orphan segments in old ns": nobody is their creator from now on.
  exitShm(kernel, task);
  switchIpcNs(kernel, task, ns);
  return 0;
}

/** setns(2): `nstype` 0 takes any kind. EBADF, EINVAL (no namespace, or of another kind), EPERM. */
export function doSetns(kernel: Kernel, task: Task, fd: number, nstype: number): 0 | Errno {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  const ns = ipcNsOfFile(file);
  if (ns === null || (nstype !== 0 && nstype !== CLONE_NEWIPC)) return -EINVAL;
  const refused = ipcnsInstall(task.cred);
  if (refused < 0) return refused;
  exitSem(kernel, task);
  wakeUpQ(kernel);
  // The segments it made stay its own: they are destroyed with their creator in every namespace.
  switchIpcNs(kernel, task, getIpcNs(ns));
  return 0;
}
