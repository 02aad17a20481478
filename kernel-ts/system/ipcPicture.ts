/** Semaphore arrays and message queues of the picture: for inspect.ts. */
import type { MsgQueue } from '../ipc/msg.ts';
import type { IpcNamespace } from '../ipc/namespace.ts';
import { semSleepers, type SemArray, type SemUndoList } from '../ipc/sem.ts';
import { getSemotime } from '../ipc/semctl.ts';
import { IPCMNI, ipcSorted, type IpcIds, type IpcObject, type KernIpcPerm } from '../ipc/util.ts';
import type { Task } from '../process/task.ts';
import type { IpcIdsPicture, IpcPermPicture, MsgQueuePicture, SemArrayPicture } from './picture.ts';

function permPicture(perm: KernIpcPerm): IpcPermPicture {
  const { id, seq, key, uid, gid, cuid, cgid, mode } = perm;
  return { index: id % IPCMNI, id, seq, key: key >>> 0, uid, gid, cuid, cgid, mode };
}

function idsPicture<T extends IpcObject, P>(ids: IpcIds<T>, picture: (object: T) => P): IpcIdsPicture<P> {
  return { inUse: ids.inUse, seq: ids.seq, maxIdx: ids.maxIdx, entries: ipcSorted(ids).map(picture) };
}

/** ipc_ids[IPC_SEM_IDS]; `tasks` say who would undo. */
export function semIdsPicture(ns: IpcNamespace, tasks: Iterable<Task>): IpcIdsPicture<SemArrayPicture> {
  const owners = new Map<SemUndoList, number[]>();
  for (const { pid, undoList } of tasks) {
    if (undoList === null) continue;
    const pids = owners.get(undoList) ?? [];
    pids.push(pid);
    owners.set(undoList, pids);
  }
  return idsPicture(ns.semIds, (sma) => semArrayPicture(sma, owners));
}

function semArrayPicture(sma: SemArray, owners: ReadonlyMap<SemUndoList, number[]>): SemArrayPicture {
  return {
    ...permPicture(sma.semPerm),
    semOtime: getSemotime(sma),
    semCtime: sma.semCtime,
    complexCount: sma.complexCount,
    sems: sma.sems.map(({ semval, sempid }) => ({ semval, sempid })),
    sleepers: semSleepers(sma).map((q) => ({
      pid: q.sleeper.pid,
      blockedOn: q.blocking.semNum,
      sops: q.sops.map(({ semNum, semOp, semFlg }) => ({ semNum, semOp, semFlg })),
    })),
    undos: Array.from(sma.listId, (un) => ({ pids: owners.get(un.ulp) ?? [], semadj: [...un.semadj] })),
  };
}

/** ipc_ids[IPC_MSG_IDS]. */
export function msgIdsPicture(ns: IpcNamespace): IpcIdsPicture<MsgQueuePicture> {
  return idsPicture(ns.msgIds, msgQueuePicture);
}

function msgQueuePicture(msq: MsgQueue): MsgQueuePicture {
  const { qStime, qRtime, qCtime, qCbytes, qQbytes, qLspid, qLrpid } = msq;
  return {
    ...permPicture(msq.qPerm),
    qStime,
    qRtime,
    qCtime,
    qCbytes,
    qQbytes,
    qLspid,
    qLrpid,
    messages: msq.qMessages.map(({ mType, mText }) => ({ mType, size: mText.length })),
    receivers: msq.qReceivers.map(({ sleeper, mode, msgtyp, bufsz }) => ({
      pid: sleeper.pid,
      mode,
      msgtyp,
      bufsz,
    })),
    senders: msq.qSenders.map(({ sleeper, msg }) => ({
      pid: sleeper.pid,
      mType: msg.mType,
      size: msg.mText.length,
    })),
  };
}
