/** SEM_UNDO: the adjustments that the end of a process makes. find_alloc_undo(), copy_semundo() and exit_sem() of ipc/sem.c. */
import { ENOMEM, type Errno } from '../abi/errno.ts';
import { SEMVMX } from '../abi/sem.ts';
import { kfree, kmalloc } from '../mm/slab.ts';
import type { IpcContext, IpcNamespace, IpcTask, SysvSem } from './namespace.ts';
import { SemUndo, undoBytes, type SemArray, type SemUndoList } from './sem.ts';
import { doSmartUpdate } from './semUpdate.ts';
import { ipcObtainObjectCheck } from './util.ts';

/** get_undo_list(): the task's list, made when there is none. */
function getUndoList(task: SysvSem): SemUndoList {
  return (task.undoList ??= { refcnt: 1, listProc: [] });
}

/** lookup_undo(): the structure for an array, or null; it becomes the most recently used. */
function lookupUndo(ulp: SemUndoList, semid: number): SemUndo | null {
  const { listProc } = ulp;
  const last = listProc.length - 1;
  for (let i = last; i >= 0; i--) {
    const un = listProc[i];
    if (un?.semid !== semid) continue;
    if (i !== last) {
      listProc.splice(i, 1);
      listProc.push(un);
    }
    return un;
  }
  return null;
}

/** find_alloc_undo(): the current task's structure for an array, made when there is none; EINVAL (no such array), ENOMEM. */
export function findAllocUndo(ctx: IpcContext, ns: IpcNamespace, semid: number): SemUndo | Errno {
  const ulp = getUndoList(ctx.current);
  const known = lookupUndo(ulp, semid);
  if (known !== null) return known;
  const sma = ipcObtainObjectCheck(ns.semIds, semid);
  if (typeof sma === 'number') return sma;
  if (!kmalloc(ctx, undoBytes(sma.sems.length))) return -ENOMEM;
  const un = new SemUndo(ulp, semid, sma.sems.length);
  ulp.listProc.push(un);
  sma.listId.add(un);
  return un;
}

/** copy_semundo(): a new task shares the list of the current one (CLONE_SYSVSEM); else it has none. */
export function copySemundo(parent: SysvSem, child: SysvSem): void {
  const ulp = getUndoList(parent);
  ulp.refcnt++;
  child.undoList = ulp;
}

/**
 * exit_sem(): the task gives up its list; the last that shares it makes the adjustments, array by array, the most recently used
 * first. For exit, and for unshare of CLONE_SYSVSEM or CLONE_NEWIPC.
 */
export function exitSem(ctx: IpcContext, task: IpcTask): void {
  const ulp = task.undoList;
  if (ulp === null) return;
  task.undoList = null;
  ulp.refcnt--;
  if (ulp.refcnt > 0) return;
  for (let un = ulp.listProc.pop(); un !== undefined; un = ulp.listProc.pop()) {
    const sma = ipcObtainObjectCheck(task.ipcNs.semIds, un.semid);
    if (typeof sma === 'number') continue;
    sma.listId.delete(un);
    adjust(sma, un, task.tgid);
    kfree(ctx, undoBytes(sma.sems.length));
    doSmartUpdate(ctx, sma, null, true);
  }
}

/** The adjustments of one structure. Values are capped at 0 and SEMVMX, as Linux does where others give up. */
function adjust(sma: SemArray, un: SemUndo, pid: number): void {
  sma.sems.forEach((sem, i) => {
    const adjustment = un.semadj[i] ?? 0;
    if (adjustment === 0) return;
    sem.semval = Math.min(SEMVMX, Math.max(0, sem.semval + adjustment));
    sem.sempid = pid;
  });
}
