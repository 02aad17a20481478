/**
 * System V semaphores: ipc/sem.c of 6.x. Here are the structures, semget(2) and the end of an array; semUpdate.ts performs operations
 * and decides who wakes up, semUndo.ts keeps the adjustments for exit, semop.ts and semctl.ts are the calls.
 *
 * Linux has locks for one semaphore or the whole array; what can be seen of them is the merging of queues (semUnlock).
 */
import { EIDRM, EINVAL, ENOMEM, ENOSPC } from '../abi/errno.ts';
import { S_IRWXUGO } from '../abi/ipc.ts';
import { bug } from '../mm/bug.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import type { Cred } from '../mm/cred.ts';
import { kfree, kmalloc, ksize } from '../mm/slab.ts';
import { wakeQAdd, type IpcContext, type IpcNamespace, type IpcSleeper, type IpcTask } from './namespace.ts';
import { ipcAddid, ipcget, ipcRmid, ipcSorted, KernIpcPerm, type IpcOps } from './util.ts';

/** struct sem. Invariant: 0 <= semval <= SEMVMX. */
export class Sem {
  semval = 0;
  /** The process that changed it last, or 0. */
  sempid = 0;
  /** Seconds since 1970; the array's sem_otime is the latest of these. */
  semOtime = 0;
  /** Sleepers of a single operation that alters, and of one that waits for zero; null: none so far. */
  pendingAlter: SemQueue[] | null = null;
  pendingConst: SemQueue[] | null = null;
}

/**
 * struct sem_array. Invariants: complexCount counts the queued operations of more than one part; while it is 0, the array's own
 * lists are empty between calls, and while it is not, no semaphore has a pendingAlter.
 */
export class SemArray extends KernIpcPerm {
  /** Seconds since 1970. */
  semCtime: number;
  /** Operations that alter, when complex ones are among them: those of one part too, in the order of arrival. */
  readonly pendingAlter: SemQueue[] = [];
  /** Complex operations that only wait for zeros. */
  readonly pendingConst: SemQueue[] = [];
  /** Undo structures that refer to it. */
  readonly listId = new Set<SemUndo>();
  complexCount = 0;
  readonly sems: readonly Sem[];

  constructor(key: number, mode: number, cred: Cred, nsems: number, ctime: number) {
    super(key, mode, cred);
    this.semCtime = ctime;
    this.sems = Array.from({ length: nsems }, () => new Sem());
  }

  get semPerm(): KernIpcPerm {
    return this;
  }
}

/** struct sembuf: one part of an operation. */
export interface Sembuf {
  /** 0 .. 0xffff */
  semNum: number;
  /** Signed; 0 waits for zero. */
  semOp: number;
  /** IPC_NOWAIT, SEM_UNDO. */
  semFlg: number;
}

/**
 * struct sem_queue: one semop, and while it sleeps its place in a list. As a reason to sleep it is data. A task has one, for all its
 * sleeps (`semQueueOf`).
 */
export class SemQueue implements IpcSleeper {
  readonly kind = 'semop';
  readonly sleeper: IpcTask;
  sma!: SemArray;
  undo!: SemUndo | null;
  /** Thread group id, for sempid. */
  pid = 0;
  status = 0;
  wakeNext: IpcSleeper | null = null;
  /** At least one. */
  sops!: readonly Sembuf[];
  /** The part that blocked when it was tried last. */
  blocking!: Sembuf;
  /** Some part is not a wait for zero. */
  alter = false;
  /** The list that it is on; null while it is on none. */
  list: SemQueue[] | null = null;

  /** Only by semQueueOf, which fills it. */
  constructor(sleeper: IpcTask) {
    this.sleeper = sleeper;
  }
}

/** The current task's sem_queue, on no list, for an operation that is about to sleep. */
export function semQueueOf(
  sleeper: IpcTask,
  sma: SemArray,
  undo: SemUndo | null,
  sops: readonly Sembuf[],
  blocking: Sembuf,
  alter: boolean,
): SemQueue {
  const q = (sleeper.semQueue ??= new SemQueue(sleeper));
  if (q.list !== null) throw bug('this task sleeps in a semop', sleeper.pid);
  q.sma = sma;
  q.undo = undo;
  q.pid = sleeper.tgid;
  q.status = 0;
  q.sops = sops;
  q.blocking = blocking;
  q.alter = alter;
  return q;
}

/** struct sem_undo: what one undo list adds to the semaphores of one array at exit. */
export class SemUndo {
  readonly ulp: SemUndoList;
  /** -1 once the array is gone. */
  semid: number;
  readonly semadj: Int16Array;

  constructor(ulp: SemUndoList, semid: number, nsems: number) {
    this.ulp = ulp;
    this.semid = semid;
    this.semadj = new Int16Array(nsems);
  }
}

/** struct sem_undo_list. */
export interface SemUndoList {
  /** Tasks that share it. */
  refcnt: number;
  /** The most recently used last. */
  readonly listProc: SemUndo[];
}

/** sizeof(struct sem_array), struct sem (a cache line), struct sem_undo. */
const SIZEOF_SEM_ARRAY = 128;
const SIZEOF_SEM = 64;
const SIZEOF_SEM_UNDO = 40;

function arrayBytes(nsems: number): number {
  return SIZEOF_SEM_ARRAY + nsems * SIZEOF_SEM;
}

export function undoBytes(nsems: number): number {
  return SIZEOF_SEM_UNDO + nsems * 2;
}

/** Operations of up to this many parts (SEMOPM_FAST) are not charged: so many a task may always have. */
const SEMOPM_FAST = 64;
/** A part takes an object here; Linux's sembuf has 6 bytes. */
const SIZEOF_SEMBUF_OBJECT = 40;

/** The parts of a long operation are charged; false when there is no room. */
export function chargeSops(ctx: IpcContext, nsops: number): boolean {
  return nsops <= SEMOPM_FAST || kmalloc(ctx, nsops * SIZEOF_SEMBUF_OBJECT);
}

export function unchargeSops(ctx: IpcContext, nsops: number): void {
  if (nsops > SEMOPM_FAST) kfree(ctx, nsops * SIZEOF_SEMBUF_OBJECT);
}

/** What the slab is charged with for an array, its undo structures and its sleepers: the invariant checker. */
export function semCharge(sma: SemArray): number {
  const nsems = sma.sems.length;
  let bytes = ksize(arrayBytes(nsems)) + sma.listId.size * ksize(undoBytes(nsems));
  for (const { sops } of semSleepers(sma))
    if (sops.length > SEMOPM_FAST) bytes += ksize(sops.length * SIZEOF_SEMBUF_OBJECT);
  return bytes;
}

/** newary(): makes an array; its id, EINVAL, ENOSPC, ENOMEM. */
export function newary(
  ctx: IpcContext,
  ns: IpcNamespace,
  key: number,
  nsems: number,
  semflg: number,
): number {
  if (nsems === 0) return -EINVAL;
  // "A semaphore set has to be created but the system limit ... (SEMMNS), would be exceeded."
  if (ns.usedSems + nsems > ns.semCtls.mns) return -ENOSPC;
  if (!kmalloc(ctx, arrayBytes(nsems))) return -ENOMEM;
  const { cred } = ctx.current;
  const sma = new SemArray(key, semflg & S_IRWXUGO, cred, nsems, ktimeGetRealSeconds(ctx));
  const index = ipcAddid(ns.semIds, sma, ns.semCtls.mni);
  if (index < 0) {
    kfree(ctx, arrayBytes(nsems));
    return index;
  }
  ns.usedSems += nsems;
  return sma.semPerm.id;
}

const SEM_OPS: IpcOps<SemArray> = {
  getnew: newary,
  // "A semaphore set corresponding to key already exists, but nsems is larger than the number of semaphores in that set."
  moreChecks: (sma, nsems) => (nsems > sma.sems.length ? -EINVAL : 0),
};

/** semget(2): `key`, `nsems` and `semflg` signed. */
export function sysSemget(ctx: IpcContext, key: number, nsems: number, semflg: number): number {
  const { semIds, semCtls } = ctx.current.ipcNs;
  if (nsems < 0 || nsems > semCtls.msl) return -EINVAL;
  return ipcget(ctx, semIds, SEM_OPS, key, nsems, semflg);
}

/** list_add_tail(). */
export function queueOn(list: SemQueue[], q: SemQueue): void {
  list.push(q);
  q.list = list;
}

/** unlink_queue(): off its list, if it is on one. */
export function unlinkQueue(ctx: IpcContext, sma: SemArray, q: SemQueue): void {
  const { list } = q;
  if (list === null) return;
  if (list[0] === q) list.shift();
  else list.splice(list.indexOf(q), 1);
  q.list = null;
  unchargeSops(ctx, q.sops.length);
  if (q.sops.length > 1) sma.complexCount--;
}

/** wake_up_sem_queue_prepare(): ends the sleeper's call with a result. */
export function wakeUpSemQueuePrepare(ctx: IpcContext, q: SemQueue, error: number): void {
  q.status = error;
  wakeQAdd(ctx.ipc.wakeQ, q);
}

/** merge_queues(): a complex operation is about to sleep: operations of one part move to the array's queue. */
export function mergeQueues(sma: SemArray): void {
  for (const sem of sma.sems) {
    if (sem.pendingAlter === null) continue;
    for (const q of sem.pendingAlter) queueOn(sma.pendingAlter, q);
    sem.pendingAlter = null;
  }
}

/** unmerge_queues(), as sem_unlock() calls it: without complex operations the others go back to their semaphores. */
export function semUnlock(sma: SemArray): void {
  if (sma.complexCount === 0 && sma.pendingAlter.length > 0) unmergeQueues(sma);
}

function unmergeQueues(sma: SemArray): void {
  for (const q of sma.pendingAlter.splice(0)) {
    const sem = semAt(sma, q.sops[0]?.semNum ?? 0);
    queueOn((sem.pendingAlter ??= []), q);
  }
}

/** The semaphore of that number, which has been checked. */
export function semAt(sma: SemArray, num: number): Sem {
  const sem = sma.sems[num];
  if (sem === undefined) throw bug('the set has no semaphore of this number', num);
  return sem;
}

/** The part of that index. */
export function sopAt(sops: readonly Sembuf[], index: number): Sembuf {
  const sop = sops[index];
  if (sop === undefined) throw bug('the operation has no part of this index', index);
  return sop;
}

/** A sleeper of semop gives up: its time has come, or a signal. */
export function semFinishWait(ctx: IpcContext, q: SemQueue): void {
  unlinkQueue(ctx, q.sma, q);
  semUnlock(q.sma);
}

/** freeary(): the array goes; undo structures lose it, sleepers get EIDRM. */
export function freeary(ctx: IpcContext, ns: IpcNamespace, sma: SemArray): void {
  const nsems = sma.sems.length;
  for (const un of sma.listId) {
    un.semid = -1;
    un.ulp.listProc.splice(un.ulp.listProc.indexOf(un), 1);
    kfree(ctx, undoBytes(nsems));
  }
  sma.listId.clear();
  wakeAll(ctx, sma, sma.pendingConst);
  wakeAll(ctx, sma, sma.pendingAlter);
  for (const sem of sma.sems) {
    if (sem.pendingConst !== null) wakeAll(ctx, sma, sem.pendingConst);
    if (sem.pendingAlter !== null) wakeAll(ctx, sma, sem.pendingAlter);
  }
  ipcRmid(ns.semIds, sma);
  ns.usedSems -= nsems;
  kfree(ctx, arrayBytes(nsems));
}

function wakeAll(ctx: IpcContext, sma: SemArray, list: SemQueue[]): void {
  while (list[0] !== undefined) {
    const [q] = list;
    unlinkQueue(ctx, sma, q);
    wakeUpSemQueuePrepare(ctx, q, -EIDRM);
  }
}

/** sem_exit_ns(): the namespace goes with its arrays. Nobody can be asleep in it. */
export function semExitNs(ctx: IpcContext, ns: IpcNamespace): void {
  for (const sma of ipcSorted(ns.semIds)) freeary(ctx, ns, sma);
}

/** Everybody asleep on an array, list by list: inspection. */
export function semSleepers(sma: SemArray): SemQueue[] {
  const own = sma.sems.flatMap((sem) => [...(sem.pendingAlter ?? []), ...(sem.pendingConst ?? [])]);
  return [...sma.pendingAlter, ...sma.pendingConst, ...own];
}
