/**
 * Performing operations on an array of semaphores and finding whom they wake: perform_atomic_semop(), update_queue() and
 * do_smart_update() of ipc/sem.c, in whose order sleepers are served:
 *
 * Who waits for zero goes first, since he changes nothing. Operations that alter are tried in the order of arrival, each on its
 * semaphore's list, or, when somebody sleeps with several parts, on the array's one list; after each that succeeds the wait-for-zero
 * lists are looked at again, and the search starts anew where an earlier one may have become possible.
 */
import { EAGAIN, ERANGE } from '../abi/errno.ts';
import { IPC_NOWAIT } from '../abi/ipc.ts';
import { SEM_UNDO, SEMAEM, SEMVMX } from '../abi/sem.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import type { IpcContext } from './namespace.ts';
import {
  semAt,
  sopAt,
  semUnlock,
  unlinkQueue,
  wakeUpSemQueuePrepare,
  type SemArray,
  type SemQueue,
  type Sembuf,
  type SemUndo,
} from './sem.ts';

/**
 * perform_atomic_semop(): all parts in order, or none; `pid` is their process. Returns 0, 1 + the index of the part that must wait, EAGAIN
 * when that part has IPC_NOWAIT, or ERANGE (semval above SEMVMX, or an adjustment out of its range).
 */
export function performAtomicSemop(
  sma: SemArray,
  sops: readonly Sembuf[],
  undo: SemUndo | null,
  pid: number,
): number {
  const count = sops.length;
  // By index: this is the hot path of semop, and `for of` is several times the code.
  for (let done = 0; done < count; done++) {
    const { semNum, semOp, semFlg } = sopAt(sops, done);
    const sem = semAt(sma, semNum);
    const result = sem.semval + semOp;
    if ((semOp === 0 && result !== 0) || result < 0) {
      undoParts(sma, sops, undo, done);
      return (semFlg & IPC_NOWAIT) !== 0 ? -EAGAIN : 1 + done;
    }
    if (result > SEMVMX) {
      undoParts(sma, sops, undo, done);
      return -ERANGE;
    }
    if (undo !== null && (semFlg & SEM_UNDO) !== 0) {
      const adjustment = (undo.semadj[semNum] ?? 0) - semOp;
      if (adjustment < -SEMAEM - 1 || adjustment > SEMAEM) {
        undoParts(sma, sops, undo, done);
        return -ERANGE;
      }
      undo.semadj[semNum] = adjustment;
    }
    sem.semval = result;
  }
  for (let i = 0; i < count; i++) semAt(sma, sopAt(sops, i).semNum).sempid = pid;
  return 0;
}

/** The same for an operation that sleeps. */
function tryAgain(sma: SemArray, q: SemQueue): number {
  const result = performAtomicSemop(sma, q.sops, q.undo, q.pid);
  if (result > 0) q.blocking = q.sops[result - 1] ?? q.blocking;
  return result;
}

/** Takes back the first `done` parts, the last of them first. */
function undoParts(sma: SemArray, sops: readonly Sembuf[], undo: SemUndo | null, done: number): void {
  for (let i = done - 1; i >= 0; i--) {
    const { semNum, semOp, semFlg } = sopAt(sops, i);
    semAt(sma, semNum).semval -= semOp;
    if (undo !== null && (semFlg & SEM_UNDO) !== 0) undo.semadj[semNum] = (undo.semadj[semNum] ?? 0) + semOp;
  }
}

/** check_restart(): whether an operation that just succeeded may have made an earlier one possible. */
function checkRestart(sma: SemArray, q: SemQueue): boolean {
  return sma.pendingAlter.length > 0 || q.sops.length > 1;
}

/** wake_const_ops(): wakes those of a wait-for-zero list that can go on now. Whether one did. */
function wakeConstOps(ctx: IpcContext, sma: SemArray, list: SemQueue[] | null): boolean {
  if (list === null) return false;
  let completed = false;
  for (let i = 0; i < list.length;) {
    const q = list[i];
    if (q === undefined) break;
    const error = tryAgain(sma, q);
    if (error > 0) {
      i++;
      continue;
    }
    unlinkQueue(ctx, sma, q);
    wakeUpSemQueuePrepare(ctx, q, error);
    if (error === 0) completed = true;
  }
  return completed;
}

/** do_smart_wakeup_zero(): after `sops`, or (null) after any change, wakes those who waited for zero. Whether one did. */
function doSmartWakeupZero(ctx: IpcContext, sma: SemArray, sops: readonly Sembuf[] | null): boolean {
  let completed = false;
  let gotZero = false;
  const count = sops === null ? sma.sems.length : sops.length;
  for (let i = 0; i < count; i++) {
    const sem = semAt(sma, sops === null ? i : sopAt(sops, i).semNum);
    if (sem.semval !== 0) continue;
    gotZero = true;
    if (wakeConstOps(ctx, sma, sem.pendingConst)) completed = true;
  }
  if (gotZero && wakeConstOps(ctx, sma, sma.pendingConst)) completed = true;
  return completed;
}

/** update_queue(): performs what has become possible of one semaphore's list, or (-1) of the array's. Whether anything was. */
function updateQueue(ctx: IpcContext, sma: SemArray, semnum: number): boolean {
  const sem = semnum < 0 ? null : semAt(sma, semnum);
  const list = sem === null ? sma.pendingAlter : sem.pendingAlter;
  if (list === null) return false;
  let completed = false;
  for (let i = 0; i < list.length;) {
    // Nobody can decrement a zero, and nothing else is on a semaphore's own list.
    if (sem !== null && sem.semval === 0) break;
    const q = list[i];
    if (q === undefined) break;
    const error = tryAgain(sma, q);
    if (error > 0) {
      i++;
      continue;
    }
    unlinkQueue(ctx, sma, q);
    let restart = false;
    if (error === 0) {
      completed = true;
      doSmartWakeupZero(ctx, sma, q.sops);
      restart = checkRestart(sma, q);
    }
    wakeUpSemQueuePrepare(ctx, q, error);
    if (restart) i = 0;
  }
  return completed;
}

/** set_semotime(). */
export function setSemotime(ctx: IpcContext, sma: SemArray, sops: readonly Sembuf[] | null): void {
  semAt(sma, sops?.[0]?.semNum ?? 0).semOtime = ktimeGetRealSeconds(ctx);
}

/**
 * do_smart_update() and sem_unlock(): after `sops`, or (null) after any change, performs what has become possible. `otime`: the
 * operation itself counts for sem_otime; else only what it woke does.
 */
export function doSmartUpdate(
  ctx: IpcContext,
  sma: SemArray,
  sops: readonly Sembuf[] | null,
  otime: boolean,
): void {
  let operated = otime;
  if (doSmartWakeupZero(ctx, sma, sops)) operated = true;
  if (sma.pendingAlter.length > 0) {
    if (updateQueue(ctx, sma, -1)) operated = true;
  } else if (sops === null) {
    for (let i = 0; i < sma.sems.length; i++) if (updateQueue(ctx, sma, i)) operated = true;
  } else {
    // Only an increase can help those who sleep on a single decrement.
    for (let i = 0; i < sops.length; i++) {
      const { semNum, semOp } = sopAt(sops, i);
      if (semOp > 0 && updateQueue(ctx, sma, semNum)) operated = true;
    }
  }
  if (operated) setSemotime(ctx, sma, sops);
  semUnlock(sma);
}
