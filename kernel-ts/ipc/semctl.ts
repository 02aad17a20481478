/** semctl(2) and the text of /proc/sysvipc/sem: ipc/sem.c. */
import { EACCES, EFAULT, EINVAL, ERANGE, type Errno } from '../abi/errno.ts';
import {
  decodeIpcPermSet,
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  LIBC_TIME64,
  S_IRUGO,
  S_IWUGO,
} from '../abi/ipc.ts';
import {
  encodeSemid64Ds,
  encodeSeminfo,
  GETALL,
  GETNCNT,
  GETPID,
  GETVAL,
  GETZCNT,
  SEM_INFO,
  SEM_STAT,
  SEM_STAT_ANY,
  SEMVMX,
  SETALL,
  SETVAL,
  SIZEOF_SEMID64_DS,
} from '../abi/sem.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import { copyFromUser } from '../mm/usercopy.ts';
import type { IpcContext, IpcNamespace } from './namespace.ts';
import { freeary, type SemArray, type SemQueue } from './sem.ts';
import { doSmartUpdate } from './semUpdate.ts';
import {
  answer,
  ipcColumns,
  ipcctlObtainCheck,
  ipcMaxIndex,
  ipcObtainObjectCheck,
  ipcObtainObjectIdr,
  ipcperms,
  ipcSorted,
  ipcUpdatePerm,
  kernelToIpc64Perm,
} from './util.ts';

/**
 * semctl(2): `semid`, `semnum` and `cmd` signed, `arg` the fourth register: a number for SETVAL (signed), else a user address.
 *
 * @returns 0; a count, value or pid for the GET commands; the highest index for IPC_INFO and SEM_INFO, the id for SEM_STAT and
 * SEM_STAT_ANY; EINVAL, EFAULT, EACCES, EPERM, ERANGE.
 */
export function sysSemctl(ctx: IpcContext, semid: number, semnum: number, cmd: number, arg: number): number {
  const ns = ctx.current.ipcNs;
  if (semid < 0) return -EINVAL;
  const buf = arg >>> 0;
  switch (cmd) {
    case IPC_INFO:
      return answer(ctx, buf, encodeSeminfo(ns.semCtls, null), ipcMaxIndex(ns.semIds));
    case SEM_INFO: {
      const counts = { arrays: ns.semIds.inUse, semaphores: ns.usedSems };
      return answer(ctx, buf, encodeSeminfo(ns.semCtls, counts), ipcMaxIndex(ns.semIds));
    }
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
    case IPC_STAT | LIBC_TIME64:
    case SEM_STAT | LIBC_TIME64:
    case SEM_STAT_ANY | LIBC_TIME64:
      return semctlStat(ctx, ns, semid, cmd & ~LIBC_TIME64, buf);
    case GETALL:
    case SETALL:
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
      return semctlMain(ctx, ns, semid, semnum, cmd, buf);
    case SETVAL:
      return semctlSetval(ctx, ns, semid, semnum, arg);
    case IPC_SET:
      return semctlSet(ctx, ns, semid, buf);
    case IPC_RMID: {
      const sma = ipcctlObtainCheck(ns.semIds, ctx.current.cred, semid);
      if (typeof sma === 'number') return sma;
      freeary(ctx, ns, sma);
      return 0;
    }
    default:
      return -EINVAL;
  }
}

/** get_semotime(): of the latest operation on any of them. */
export function getSemotime(sma: SemArray): number {
  return sma.sems.reduce((latest, sem) => Math.max(latest, sem.semOtime), 0);
}

function semctlStat(ctx: IpcContext, ns: IpcNamespace, semid: number, cmd: number, buf: number): number {
  const { semIds } = ns;
  const sma = cmd === IPC_STAT ? ipcObtainObjectCheck(semIds, semid) : ipcObtainObjectIdr(semIds, semid);
  if (typeof sma === 'number') return sma;
  if (cmd !== SEM_STAT_ANY && ipcperms(ctx.current.cred, sma.semPerm, S_IRUGO)) return -EACCES;
  const bytes = encodeSemid64Ds({
    semPerm: kernelToIpc64Perm(sma.semPerm),
    semOtime: getSemotime(sma),
    semCtime: sma.semCtime,
    semNsems: sma.sems.length,
  });
  return answer(ctx, buf, bytes, cmd === IPC_STAT ? 0 : sma.semPerm.id);
}

function semctlSet(ctx: IpcContext, ns: IpcNamespace, semid: number, buf: number): 0 | Errno {
  const { mm, cred } = ctx.current;
  const bytes = mm === null ? -EFAULT : copyFromUser(ctx, mm, buf, SIZEOF_SEMID64_DS);
  if (typeof bytes === 'number') return bytes;
  const sma = ipcctlObtainCheck(ns.semIds, cred, semid);
  if (typeof sma === 'number') return sma;
  const error = ipcUpdatePerm(sma.semPerm, decodeIpcPermSet(bytes));
  if (error === 0) sma.semCtime = ktimeGetRealSeconds(ctx);
  return error;
}

/** The adjustments of all processes for the semaphores of which a value was set are void. */
function clearUndo(sma: SemArray, first: number, count: number): void {
  for (const un of sma.listId) un.semadj.fill(0, first, first + count);
}

function semctlSetval(
  ctx: IpcContext,
  ns: IpcNamespace,
  semid: number,
  semnum: number,
  val: number,
): 0 | Errno {
  if (val > SEMVMX || val < 0) return -ERANGE;
  const sma = ipcObtainObjectCheck(ns.semIds, semid);
  if (typeof sma === 'number') return sma;
  const sem = sma.sems[semnum];
  if (sem === undefined) return -EINVAL;
  if (ipcperms(ctx.current.cred, sma.semPerm, S_IWUGO)) return -EACCES;
  clearUndo(sma, semnum, 1);
  sem.semval = val;
  sem.sempid = ctx.current.tgid;
  sma.semCtime = ktimeGetRealSeconds(ctx);
  doSmartUpdate(ctx, sma, null, false);
  return 0;
}

/** semctl_main(): what reads or sets values. The permission comes before the number of the semaphore, other than for SETVAL. */
function semctlMain(
  ctx: IpcContext,
  ns: IpcNamespace,
  semid: number,
  semnum: number,
  cmd: number,
  array: number,
): number {
  const sma = ipcObtainObjectCheck(ns.semIds, semid);
  if (typeof sma === 'number') return sma;
  if (ipcperms(ctx.current.cred, sma.semPerm, cmd === SETALL ? S_IWUGO : S_IRUGO)) return -EACCES;
  if (cmd === GETALL) return getAll(ctx, sma, array);
  if (cmd === SETALL) return setAll(ctx, sma, array);
  const sem = sma.sems[semnum];
  if (sem === undefined) return -EINVAL;
  switch (cmd) {
    case GETVAL:
      return sem.semval;
    case GETPID:
      return sem.sempid;
    case GETNCNT:
      return countSemcnt(sma, semnum, false);
    default:
      return countSemcnt(sma, semnum, true);
  }
}

function getAll(ctx: IpcContext, sma: SemArray, array: number): number {
  const values = new DataView(new ArrayBuffer(sma.sems.length * 2));
  sma.sems.forEach((sem, i) => values.setUint16(i * 2, sem.semval, true));
  return answer(ctx, array, new Uint8Array(values.buffer), 0);
}

function setAll(ctx: IpcContext, sma: SemArray, array: number): 0 | Errno {
  const { mm, tgid } = ctx.current;
  const bytes = mm === null ? -EFAULT : copyFromUser(ctx, mm, array, sma.sems.length * 2);
  if (typeof bytes === 'number') return bytes;
  const values = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < sma.sems.length; i++) if (values.getUint16(i * 2, true) > SEMVMX) return -ERANGE;
  sma.sems.forEach((sem, i) => {
    sem.semval = values.getUint16(i * 2, true);
    sem.sempid = tgid;
  });
  clearUndo(sma, 0, sma.sems.length);
  sma.semCtime = ktimeGetRealSeconds(ctx);
  doSmartUpdate(ctx, sma, null, false);
  return 0;
}

/** check_qop(): whether a complex operation sleeps because of that semaphore. */
function blockedOn(q: SemQueue, semnum: number, zero: boolean): boolean {
  const sop = q.blocking;
  return sop.semNum === semnum && (zero ? sop.semOp === 0 : sop.semOp < 0);
}

/** count_semcnt(): who waits for the semaphore to become zero, or to increase. */
export function countSemcnt(sma: SemArray, semnum: number, zero: boolean): number {
  const sem = sma.sems[semnum];
  let count = (zero ? sem?.pendingConst : sem?.pendingAlter)?.length ?? 0;
  for (const q of sma.pendingAlter) if (blockedOn(q, semnum, zero)) count++;
  if (zero) for (const q of sma.pendingConst) if (blockedOn(q, semnum, zero)) count++;
  return count;
}

const PROC_HEADER = '       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n';

/** sysvipc_sem_proc_show(). */
export function sysvipcSemText(ns: IpcNamespace): string {
  let text = PROC_HEADER;
  for (const sma of ipcSorted(ns.semIds)) {
    const { key, id, mode, uid, gid, cuid, cgid } = sma.semPerm;
    text += ipcColumns(
      [key | 0, 10],
      [id, 10],
      [mode.toString(8), 5],
      [sma.sems.length, 10],
      [uid, 5],
      [gid, 5],
      [cuid, 5],
      [cgid, 5],
      [getSemotime(sma), 10],
      [sma.semCtime, 10],
    );
  }
  return text;
}
