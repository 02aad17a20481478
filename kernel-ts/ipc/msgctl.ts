/** msgctl(2) and the text of /proc/sysvipc/msg: ipc/msg.c. */
import { CAP_SYS_RESOURCE } from '../abi/capability.ts';
import { EACCES, EFAULT, EINVAL, EPERM, type Errno } from '../abi/errno.ts';
import { decodeIpcPermSet, IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, LIBC_TIME64, S_IRUGO } from '../abi/ipc.ts';
import {
  decodeMsgQbytes,
  encodeMsginfo,
  encodeMsqid64Ds,
  MSG_INFO,
  MSG_STAT,
  MSG_STAT_ANY,
  SIZEOF_MSQID64_DS,
} from '../abi/msg.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import { capable } from '../mm/cred.ts';
import { copyFromUser } from '../mm/usercopy.ts';
import { expungeAll, freeque, ssWakeup } from './msg.ts';
import { RETRY, type IpcContext, type IpcNamespace } from './namespace.ts';
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
 * msgctl(2): `msqid` and `cmd` signed, `buf` a user address.
 *
 * @returns 0; the highest index for IPC_INFO and MSG_INFO, the id for MSG_STAT and MSG_STAT_ANY; EINVAL, EFAULT, EACCES, EPERM.
 */
export function sysMsgctl(ctx: IpcContext, msqid: number, cmd: number, buf: number): number {
  const ns = ctx.current.ipcNs;
  if (msqid < 0 || cmd < 0) return -EINVAL;
  switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
      return msgctlInfo(ctx, ns, cmd, buf);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
    case IPC_STAT | LIBC_TIME64:
    case MSG_STAT | LIBC_TIME64:
    case MSG_STAT_ANY | LIBC_TIME64:
      return msgctlStat(ctx, ns, msqid, cmd & ~LIBC_TIME64, buf);
    case IPC_SET:
      return msgctlSet(ctx, ns, msqid, buf);
    case IPC_RMID: {
      const msq = ipcctlObtainCheck(ns.msgIds, ctx.current.cred, msqid);
      if (typeof msq === 'number') return msq;
      freeque(ctx, ns, msq);
      return 0;
    }
    default:
      return -EINVAL;
  }
}

function msgctlInfo(ctx: IpcContext, ns: IpcNamespace, cmd: number, buf: number): number {
  const limits = { max: ns.msgCtlmax, mnb: ns.msgCtlmnb, mni: ns.msgCtlmni };
  const counts = { queues: ns.msgIds.inUse, messages: ns.msgHdrs, bytes: ns.msgBytes };
  return answer(ctx, buf, encodeMsginfo(limits, cmd === MSG_INFO ? counts : null), ipcMaxIndex(ns.msgIds));
}

function msgctlStat(ctx: IpcContext, ns: IpcNamespace, msqid: number, cmd: number, buf: number): number {
  const { msgIds } = ns;
  const msq = cmd === IPC_STAT ? ipcObtainObjectCheck(msgIds, msqid) : ipcObtainObjectIdr(msgIds, msqid);
  if (typeof msq === 'number') return msq;
  if (cmd !== MSG_STAT_ANY && ipcperms(ctx.current.cred, msq.qPerm, S_IRUGO)) return -EACCES;
  const bytes = encodeMsqid64Ds({
    msgPerm: kernelToIpc64Perm(msq.qPerm),
    msgStime: msq.qStime,
    msgRtime: msq.qRtime,
    msgCtime: msq.qCtime,
    msgCbytes: msq.qCbytes,
    msgQnum: msq.qMessages.length,
    msgQbytes: msq.qQbytes,
    msgLspid: msq.qLspid,
    msgLrpid: msq.qLrpid,
  });
  return answer(ctx, buf, bytes, cmd === IPC_STAT ? 0 : msq.qPerm.id);
}

function msgctlSet(ctx: IpcContext, ns: IpcNamespace, msqid: number, buf: number): 0 | Errno {
  const { mm, cred } = ctx.current;
  const bytes = mm === null ? -EFAULT : copyFromUser(ctx, mm, buf, SIZEOF_MSQID64_DS);
  if (typeof bytes === 'number') return bytes;
  const msq = ipcctlObtainCheck(ns.msgIds, cred, msqid);
  if (typeof msq === 'number') return msq;
  const qbytes = decodeMsgQbytes(bytes);
  // "An attempt (IPC_SET) was made to increase msg_qbytes beyond the system parameter MSGMNB, but the caller is not privileged"
  if (qbytes > ns.msgCtlmnb && !capable(cred, CAP_SYS_RESOURCE)) return -EPERM;
  const error = ipcUpdatePerm(msq.qPerm, decodeIpcPermSet(bytes));
  if (error < 0) return error;
  msq.qQbytes = qbytes;
  msq.qCtime = ktimeGetRealSeconds(ctx);
  // Receivers may be excluded by stricter permissions, senders may find room in a larger queue.
  expungeAll(ctx, msq, RETRY);
  ssWakeup(ctx, msq, false);
  return 0;
}

const PROC_HEADER =
  '       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n';

/** sysvipc_msg_proc_show(). */
export function sysvipcMsgText(ns: IpcNamespace): string {
  let text = PROC_HEADER;
  for (const msq of ipcSorted(ns.msgIds)) {
    const { key, id, mode, uid, gid, cuid, cgid } = msq.qPerm;
    text += ipcColumns(
      [key | 0, 10],
      [id, 10],
      [mode.toString(8), 5],
      [msq.qCbytes, 11],
      [msq.qMessages.length, 10],
      [msq.qLspid, 5],
      [msq.qLrpid, 5],
      [uid, 5],
      [gid, 5],
      [cuid, 5],
      [cgid, 5],
      [msq.qStime, 10],
      [msq.qRtime, 10],
      [msq.qCtime, 10],
    );
  }
  return text;
}
