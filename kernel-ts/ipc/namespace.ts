/**
 * struct ipc_namespace: include/linux/ipc_namespace.h, ipc/namespace.c, for shared memory alone.
 * Missing: semaphores and message queues; creating further namespaces from the guest.
 */
import { SHMALL, SHMMAX, SHMMNI } from '../abi/shm.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { ShmidKernel } from './shm.ts';
import { IpcIds } from './util.ts';

/** struct ipc_namespace. */
export class IpcNamespace {
  /** "init_ipc_ns" for the first. */
  readonly name: string;
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
  /** Pages that SHM_LOCK counts against RLIMIT_MEMLOCK, by real uid (struct ucounts). */
  readonly lockedShm = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
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
  /** nsproxy->ipc_ns. */
  readonly ipcNs: IpcNamespace;
  readonly sysvshm: SysvShm;
}

export interface IpcContext extends FsContext {
  readonly current: IpcTask;
}

/** create_ipc_ns(): an empty namespace with the default limits. */
export function createIpcNs(name: string): IpcNamespace {
  return new IpcNamespace(name);
}

/** shm_init_task(). */
export function shmInitTask(): SysvShm {
  return { shmClist: new Set() };
}
