/**
 * struct ipc_namespace: include/linux/ipc_namespace.h, for shared memory alone. How namespaces come and go is in ipcNs.ts.
 * Missing: semaphores and message queues.
 */
import { SHMALL, SHMMAX, SHMMNI } from '../abi/shm.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { MmContext } from '../mm/context.ts';
import type { ShmidKernel } from './shm.ts';
import { IpcIds } from './util.ts';

/** What a namespace does at its end: a module-level constant of ipcNs.ts. */
export interface IpcNsOperations {
  /** free_ipc_ns(): no task, attach or open file refers to it any more. */
  readonly free: (ctx: IpcContext, ns: IpcNamespace) => void;
}

/** struct ipc_namespace. */
export class IpcNamespace {
  /** "init_ipc_ns" for the first, "ipc:[4026531840]" and so on for others. */
  readonly name: string;
  /** ns.inum: the inode number of /proc/PID/ns/ipc. */
  readonly inum: number;
  readonly ops: IpcNsOperations;
  /** ns.count: tasks that live in it, VMAs that attach a segment of it, open files of it or of its /proc/sysvipc. 0: it is gone. */
  count = 1;
  /** ipc_ids[IPC_SHM_IDS]. */
  readonly shmIds = new IpcIds<ShmidKernel>();
  /** Bytes. */
  shmCtlmax: number;
  /** Pages. */
  shmCtlall: number;
  shmCtlmni = SHMMNI;
  /** Pages of all segments. */
  shmTot = 0;
  shmRmidForced = 0;

  constructor(name: string, inum: number, ops: IpcNsOperations) {
    this.name = name;
    this.inum = inum;
    this.ops = ops;
    this.shmCtlmax = SHMMAX;
    this.shmCtlall = SHMALL;
  }
}

/** task_struct.sysvshm: the segments this task made and that are still there. */
export interface SysvShm {
  readonly shmClist: Set<ShmidKernel>;
}

/** Linux's `current`, as far as ipc looks at it. */
export interface IpcTask extends FsTask {
  /** nsproxy->ipc_ns. A dead task (state Z or X) names it still and is no longer counted. */
  readonly ipcNs: IpcNamespace;
  readonly sysvshm: SysvShm;
}

/** What ipc keeps outside of any namespace. */
export interface IpcState {
  /** Every namespace with a user, by number, in the order of creation. */
  readonly namespaces: Map<number, IpcNamespace>;
  nextInum: number;
  /** /proc/sys/user/max_ipc_namespaces: ENOSPC beyond it. */
  maxIpcNamespaces: number;
  /** Pages that SHM_LOCK counts against RLIMIT_MEMLOCK, by real uid, over all namespaces (struct ucounts). */
  readonly lockedShm: Map<number, number>;
}

export interface IpcContext extends FsContext {
  readonly current: IpcTask;
  readonly ipc: IpcState;
}

/** The kernel is one object: whoever runs mm has ipc too. VMA operations get it by this door. */
export function ipcContext(ctx: MmContext): IpcContext {
  return ctx as IpcContext;
}

/** get_ipc_ns(). */
export function getIpcNs(ns: IpcNamespace): IpcNamespace {
  ns.count++;
  return ns;
}

/** put_ipc_ns(): the last user takes the namespace and what is in it along. */
export function putIpcNs(ctx: MmContext, ns: IpcNamespace): void {
  if (ns.count <= 0) throw new Error(`put_ipc_ns of the dead ${ns.name}`);
  ns.count--;
  if (ns.count === 0) ns.ops.free(ipcContext(ctx), ns);
}

/** shm_init_task(). */
export function shmInitTask(): SysvShm {
  return { shmClist: new Set() };
}
