/**
 * struct ipc_namespace: include/linux/ipc_namespace.h; and what ipc needs of a task and of the kernel. How namespaces come and go is
 * in ipcNs.ts. Missing: POSIX message queues.
 */
import { MSGMAX, MSGMNB, MSGMNI } from '../abi/msg.ts';
import { SEMMNI, SEMMNS, SEMMSL, SEMOPM } from '../abi/sem.ts';
import { SHMALL, SHMMAX, SHMMNI } from '../abi/shm.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { MmContext } from '../mm/context.ts';
import type { MsgQueue } from './msg.ts';
import type { SemArray, Sembuf, SemQueue, SemUndoList } from './sem.ts';
import type { ShmidKernel } from './shm.ts';
import { IpcIds } from './util.ts';

/** What a namespace does at its end: a module-level constant of ipcNs.ts. */
export interface IpcNsOperations {
  /** free_ipc_ns(): no task, attach or open file refers to it any more. */
  readonly free: (ctx: IpcContext, ns: IpcNamespace) => void;
}

/** sem_ctls[]: the four numbers of /proc/sys/kernel/sem in their order. */
export interface SemCtls {
  /** SEMMSL: semaphores of an array. */
  msl: number;
  /** SEMMNS: semaphores of all arrays. */
  mns: number;
  /** SEMOPM: operations of one semop. */
  opm: number;
  /** SEMMNI: arrays. */
  mni: number;
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

  /** ipc_ids[IPC_SEM_IDS]. */
  readonly semIds = new IpcIds<SemArray>();
  readonly semCtls: SemCtls = { msl: SEMMSL, mns: SEMMNS, opm: SEMOPM, mni: SEMMNI };
  /** Semaphores of all arrays. */
  usedSems = 0;

  /** ipc_ids[IPC_MSG_IDS]. */
  readonly msgIds = new IpcIds<MsgQueue>();
  /** MSGMAX: bytes of a message. */
  msgCtlmax = MSGMAX;
  /** MSGMNB: bytes of a new queue. */
  msgCtlmnb = MSGMNB;
  /** MSGMNI: queues. */
  msgCtlmni = MSGMNI;
  /** percpu_msg_bytes, percpu_msg_hdrs: what lies in all queues. */
  msgBytes = 0;
  msgHdrs = 0;

  constructor(name: string, inum: number, ops: IpcNsOperations) {
    this.name = name;
    this.inum = inum;
    this.ops = ops;
    this.shmCtlmax = SHMMAX;
    this.shmCtlall = SHMALL;
  }
}

/**
 * task_struct.sysvshm: the segments this task made and that are still there, oldest first, linked by shmClistNext. Part of the task, as sysvsem is:
 * objects of their own would be made at each fork and looked at at each exit.
 */
export interface SysvShm {
  shmClist: ShmidKernel | null;
  shmClistLast: ShmidKernel | null;
}

/** task_struct.sysvsem, and what do_semtimedop() has on the task's kernel stack: kept, so that a semop allocates nothing. */
export interface SysvSem {
  /** What to undo when the task exits; shared by CLONE_SYSVSEM. */
  undoList: SemUndoList | null;
  /** fast_sops: the operation of one part that is under way, or was last; null before the first. */
  fastSops: readonly [Sembuf] | null;
  /** The operation that sleeps, or slept last; null before the first. */
  semQueue: SemQueue | null;
}

/** Linux's `current`, as far as ipc looks at it. */
export interface IpcTask extends FsTask, SysvShm, SysvSem {
  /** nsproxy->ipc_ns. A dead task (state Z or X) names it still and is no longer counted. */
  readonly ipcNs: IpcNamespace;
}

/** A status that ends no system call: the sleeper shall look at its condition anew. */
export const RETRY = -20_000;

/** Somebody asleep in semop, msgsnd or msgrcv. */
export interface IpcSleeper {
  readonly sleeper: IpcTask;
  /** What its call returns, or RETRY; set by whoever wakes it. */
  readonly status: number;
  /** struct wake_q_node. */
  wakeNext: IpcSleeper | null;
}

/** struct wake_q_head: sleepers that shall be woken, in their order. */
export interface WakeQ {
  first: IpcSleeper | null;
  last: IpcSleeper | null;
}

/** wake_q_add(). */
export function wakeQAdd(wakeQ: WakeQ, sleeper: IpcSleeper): void {
  if (wakeQ.last === null) wakeQ.first = sleeper;
  else wakeQ.last.wakeNext = sleeper;
  wakeQ.last = sleeper;
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
  /**
   * wake_q: who is to be woken, in this order, once the objects are consistent again. The process layer empties it before
   * anything else runs.
   */
  readonly wakeQ: WakeQ;
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
