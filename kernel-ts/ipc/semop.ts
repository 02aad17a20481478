/** semop(2) and semtimedop(2): do_semtimedop() of ipc/sem.c. */
import { E2BIG, EACCES, EFAULT, EFBIG, EINVAL, ENOMEM, type Errno } from '../abi/errno.ts';
import { S_IRUGO, S_IWUGO } from '../abi/ipc.ts';
import { offsetInPage, PAGE_SIZE } from '../abi/mman.ts';
import { SEM_UNDO, SIZEOF_SEMBUF } from '../abi/sem.ts';
import type { MmStruct } from '../mm/mm.ts';
import { copyFromUser, userPhys } from '../mm/usercopy.ts';
import type { IpcContext } from './namespace.ts';
import {
  chargeSops,
  mergeQueues,
  queueOn,
  semAt,
  semQueueOf,
  sopAt,
  unchargeSops,
  type SemArray,
  type Sembuf,
  type SemQueue,
  type SemUndo,
} from './sem.ts';
import { doSmartUpdate, performAtomicSemop, setSemotime } from './semUpdate.ts';
import { findAllocUndo } from './semUndo.ts';
import { ipcObtainObjectCheck, ipcperms } from './util.ts';

function readSembuf({ ram }: IpcContext, pa: number, sop: Sembuf): Sembuf {
  sop.semNum = ram.read16(pa);
  sop.semOp = (ram.read16(pa + 2) << 16) >> 16;
  sop.semFlg = ram.read16(pa + 4);
  return sop;
}

function newSembuf(): Sembuf {
  return { semNum: 0, semOp: 0, semFlg: 0 };
}

/** The caller's array of at least one struct sembuf, or EFAULT. */
function readSops(ctx: IpcContext, mm: MmStruct, tsops: number, nsops: number): readonly Sembuf[] | Errno {
  const length = nsops * SIZEOF_SEMBUF;
  if (offsetInPage(tsops) + length > PAGE_SIZE || (tsops & 1) !== 0) return copySops(ctx, mm, tsops, length);
  // The usual few lie in one page: no copy.
  const pa = userPhys(ctx, mm, tsops, 'read');
  if (pa === 0) return -EFAULT;
  if (nsops === 1) {
    const fastSops = (ctx.current.fastSops ??= [newSembuf()]);
    readSembuf(ctx, pa, fastSops[0]);
    return fastSops;
  }
  const sops: Sembuf[] = [];
  for (let at = pa; at < pa + length; at += SIZEOF_SEMBUF) sops.push(readSembuf(ctx, at, newSembuf()));
  return sops;
}

function copySops(ctx: IpcContext, mm: MmStruct, tsops: number, length: number): Sembuf[] | Errno {
  const bytes = copyFromUser(ctx, mm, tsops, length);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sops: Sembuf[] = [];
  for (let at = 0; at < length; at += SIZEOF_SEMBUF) {
    sops.push({
      semNum: view.getUint16(at, true),
      semOp: view.getInt16(at + 2, true),
      semFlg: view.getUint16(at + 4, true),
    });
  }
  return sops;
}

/**
 * do_semtimedop(): `semid` signed, `tsops` a user address, `nsops` unsigned; `badTimeout`: the caller's timeout is no time.
 *
 * @returns 0; the queue entry on which the current task has to sleep (its status is the result then); E2BIG, EINVAL, ENOMEM, EFAULT,
 * EFBIG, EACCES, ERANGE, EAGAIN.
 */
export function doSemtimedop(
  ctx: IpcContext,
  semid: number,
  tsops: number,
  nsops: number,
  badTimeout: boolean,
): SemQueue | 0 | Errno {
  const { mm, ipcNs: ns } = ctx.current;
  // Linux compares as unsigned: a negative SEMOPM is none.
  if (nsops > ns.semCtls.opm >>> 0) return -E2BIG;
  if (nsops < 1) return -EINVAL;
  if (mm === null) return -EFAULT;
  if (!chargeSops(ctx, nsops)) return -ENOMEM;
  const sops = readSops(ctx, mm, tsops, nsops);
  unchargeSops(ctx, nsops);
  if (typeof sops === 'number') return sops;
  if (semid < 0 || badTimeout) return -EINVAL;
  return semOperation(ctx, semid, sops);
}

/** __do_semtimedop(), the user's memory aside. */
export function semOperation(ctx: IpcContext, semid: number, sops: readonly Sembuf[]): SemQueue | 0 | Errno {
  const { cred, ipcNs: ns } = ctx.current;
  let max = 0;
  let alter = false;
  let undos = false;
  for (let i = 0; i < sops.length; i++) {
    const { semNum, semOp, semFlg } = sopAt(sops, i);
    if (semNum > max) max = semNum;
    if (semOp !== 0) alter = true;
    if ((semFlg & SEM_UNDO) !== 0) undos = true;
  }
  let undo: SemUndo | null = null;
  if (undos) {
    const found = findAllocUndo(ctx, ns, semid);
    if (typeof found === 'number') return found;
    undo = found;
  }
  const sma = ipcObtainObjectCheck(ns.semIds, semid);
  if (typeof sma === 'number') return sma;
  // "For some operation, the value of sem_num is ... greater than or equal to the number of semaphores in the set."
  if (max >= sma.sems.length) return -EFBIG;
  if (ipcperms(cred, sma.semPerm, alter ? S_IWUGO : S_IRUGO)) return -EACCES;
  const result = performAtomicSemop(sma, sops, undo, ctx.current.tgid);
  if (result < 0) return result;
  const blocking = result === 0 ? undefined : sops[result - 1];
  if (blocking !== undefined) {
    if (!chargeSops(ctx, sops.length)) return -ENOMEM;
    const q = semQueueOf(ctx.current, sma, undo, sops, blocking, alter);
    enqueue(sma, q);
    return q;
  }
  if (alter) doSmartUpdate(ctx, sma, sops, true);
  else setSemotime(ctx, sma, sops);
  return 0;
}

/** Puts an operation that has to sleep where it will be looked for. */
function enqueue(sma: SemArray, q: SemQueue): void {
  if (q.sops.length > 1) {
    if (sma.complexCount === 0) mergeQueues(sma);
    queueOn(q.alter ? sma.pendingAlter : sma.pendingConst, q);
    sma.complexCount++;
    return;
  }
  const sem = semAt(sma, q.sops[0]?.semNum ?? 0);
  if (!q.alter) queueOn((sem.pendingConst ??= []), q);
  else if (sma.complexCount > 0) queueOn(sma.pendingAlter, q);
  else queueOn((sem.pendingAlter ??= []), q);
}
