/** msgsnd(2) and msgrcv(2): do_msgsnd() and do_msgrcv() of ipc/msg.c. */
import { E2BIG, EACCES, EAGAIN, EFAULT, EIDRM, EINVAL, ENOMEM, ENOMSG, type Errno } from '../abi/errno.ts';
import { IPC_NOWAIT, S_IRUGO, S_IWUGO } from '../abi/ipc.ts';
import { offsetInPage, PAGE_SIZE } from '../abi/mman.ts';
import { MSG_COPY, MSG_EXCEPT, MSG_NOERROR } from '../abi/msg.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import type { MmStruct } from '../mm/mm.ts';
import { kfree, kmalloc } from '../mm/slab.ts';
import { copyFromUser, copyToUser, getUser32, putUser32, userPhys } from '../mm/usercopy.ts';
import {
  msgBytes,
  msgFitsInqueue,
  MsgReceiver,
  MsgSender,
  ssWakeup,
  type MsgMsg,
  type MsgQueue,
  type SearchMode,
} from './msg.ts';
import { wakeQAdd, type IpcContext, type IpcNamespace } from './namespace.ts';
import { ipcObtainObjectCheck, ipcperms } from './util.ts';

/** mtype, a long. */
const SIZEOF_MTYPE = 4;
const LONG_MAX = 0x7fff_ffff;

/** load_msg(): a message from user memory, charged; EFAULT, ENOMEM. */
function loadMsg(ctx: IpcContext, mm: MmStruct, mtext: number, msgsz: number, mType: number): MsgMsg | Errno {
  if (!kmalloc(ctx, msgBytes(msgsz))) return -ENOMEM;
  const mText = loadText(ctx, mm, mtext, msgsz);
  if (typeof mText !== 'number') return { mType, mText };
  kfree(ctx, msgBytes(msgsz));
  return mText;
}

function loadText(ctx: IpcContext, mm: MmStruct, mtext: number, msgsz: number): Uint8Array | Errno {
  if (msgsz === 0) return new Uint8Array(0);
  if (offsetInPage(mtext) + msgsz > PAGE_SIZE) return copyFromUser(ctx, mm, mtext, msgsz);
  const pa = userPhys(ctx, mm, mtext, 'read');
  return pa === 0 ? -EFAULT : ctx.ram.readBytes(pa, msgsz);
}

/** free_msg(), and the result of the call that it ends. */
function freeMsg<T>(ctx: IpcContext, msg: MsgMsg, result: T): T {
  kfree(ctx, msgBytes(msg.mText.length));
  return result;
}

/**
 * do_msgsnd(): `msqid`, `msgflg` signed, `msgp` a user address, `msgsz` unsigned.
 *
 * @returns 0; the sender as which the current task has to sleep; EFAULT, EINVAL, ENOMEM, EACCES, EAGAIN.
 */
export function doMsgsnd(
  ctx: IpcContext,
  msqid: number,
  msgp: number,
  msgsz: number,
  msgflg: number,
): MsgSender | 0 | Errno {
  const { mm, ipcNs: ns } = ctx.current;
  const mType = mm === null ? null : getUser32(ctx, mm, msgp);
  if (mm === null || mType === null) return -EFAULT;
  if (msgsz > ns.msgCtlmax || msgsz > LONG_MAX || msqid < 0) return -EINVAL;
  // "... or nonpositive mtype value"
  if (mType < 1 || mType > LONG_MAX) return -EINVAL;
  const msg = loadMsg(ctx, mm, msgp + SIZEOF_MTYPE, msgsz, mType);
  if (typeof msg === 'number') return msg;
  const msq = ipcObtainObjectCheck(ns.msgIds, msqid);
  return typeof msq === 'number' ? freeMsg(ctx, msg, msq) : sendMsg(ctx, ns, msq, msg, msgflg);
}

/** do_msgsnd() after its sleep: there was room for the message, and may still be. */
export function msgsndAgain(ctx: IpcContext, slept: MsgSender, msgflg: number): MsgSender | 0 | Errno {
  const { msq, msg } = slept;
  if (msq.qPerm.deleted) return -EIDRM;
  if (!kmalloc(ctx, msgBytes(msg.mText.length))) return -ENOMEM;
  return sendMsg(ctx, ctx.current.ipcNs, msq, msg, msgflg);
}

function sendMsg(
  ctx: IpcContext,
  ns: IpcNamespace,
  msq: MsgQueue,
  msg: MsgMsg,
  msgflg: number,
): MsgSender | 0 | Errno {
  const { current } = ctx;
  if (ipcperms(current.cred, msq.qPerm, S_IWUGO)) return freeMsg(ctx, msg, -EACCES);
  const msgsz = msg.mText.length;
  if (!msgFitsInqueue(msq, msgsz)) {
    if ((msgflg & IPC_NOWAIT) !== 0) return freeMsg(ctx, msg, -EAGAIN);
    const sender = new MsgSender(current, msq, msg);
    msq.qSenders.push(sender);
    return sender;
  }
  msq.qLspid = current.tgid;
  msq.qStime = ktimeGetRealSeconds(ctx);
  if (pipelinedSend(ctx, msq, msg)) return freeMsg(ctx, msg, 0);
  msq.qMessages.push(msg);
  msq.qCbytes += msgsz;
  ns.msgBytes += msgsz;
  ns.msgHdrs++;
  return 0;
}

/** testmsg(). */
function testmsg(msg: MsgMsg, type: number, mode: SearchMode): boolean {
  switch (mode) {
    case 'any':
    case 'number':
      return true;
    case 'equal':
      return msg.mType === type;
    case 'notEqual':
      return msg.mType !== type;
    case 'lessEqual':
      return msg.mType <= type;
  }
}

/**
 * pipelined_send(): hands the message to the first receiver that waits for such a one, past the queue. Receivers whose buffer is too
 * small get E2BIG. Whether somebody took it.
 *
 * It is copied to the receiver here and now: in Linux he copies it himself when he runs.
 */
function pipelinedSend(ctx: IpcContext, msq: MsgQueue, msg: MsgMsg): boolean {
  const { qReceivers } = msq;
  for (let i = 0; i < qReceivers.length;) {
    const receiver = qReceivers[i];
    if (receiver === undefined) break;
    if (!testmsg(msg, receiver.msgtyp, receiver.mode)) {
      i++;
      continue;
    }
    if (i === 0) qReceivers.shift();
    else qReceivers.splice(i, 1);
    wakeQAdd(ctx.ipc.wakeQ, receiver);
    if (msg.mText.length > receiver.bufsz && !receiver.noerror) {
      receiver.status = -E2BIG;
      continue;
    }
    // Its own number, not its process's: as Linux does only here.
    msq.qLrpid = receiver.sleeper.pid;
    msq.qRtime = ktimeGetRealSeconds(ctx);
    receiver.status = doMsgFill(ctx, receiver.sleeper.mm, receiver.msgp, msg, receiver.bufsz);
    return true;
  }
  return false;
}

/** do_msg_fill(): the bytes of text that the receiver got, or EFAULT; the message is gone either way. */
function doMsgFill(ctx: IpcContext, mm: MmStruct | null, msgp: number, msg: MsgMsg, bufsz: number): number {
  if (mm === null) return -EFAULT;
  const msgsz = Math.min(bufsz, msg.mText.length);
  const text = msgsz === msg.mText.length ? msg.mText : msg.mText.subarray(0, msgsz);
  if ((msgp & 3) === 0 && offsetInPage(msgp) + SIZEOF_MTYPE + msgsz <= PAGE_SIZE) {
    const pa = userPhys(ctx, mm, msgp, 'write');
    if (pa === 0) return -EFAULT;
    ctx.ram.write32(pa, msg.mType);
    ctx.ram.writeBytes(pa + SIZEOF_MTYPE, text);
    return msgsz;
  }
  if (putUser32(ctx, mm, msgp, msg.mType) < 0) return -EFAULT;
  return copyToUser(ctx, mm, msgp + SIZEOF_MTYPE, text) < 0 ? -EFAULT : msgsz;
}

/** convert_mode(): msgrcv's type and flags; the type that goes with it is its size, for MSG_COPY a place in the queue. */
function convertMode(msgtyp: number, msgflg: number): SearchMode {
  if ((msgflg & MSG_COPY) !== 0) return 'number';
  if (msgtyp === 0) return 'any';
  if (msgtyp < 0) return 'lessEqual';
  return (msgflg & MSG_EXCEPT) !== 0 ? 'notEqual' : 'equal';
}

/** find_msg(): index of the message to receive, -1 for none: the first that fits, of `lessEqual` the first of the lowest type. */
function findMsg(msq: MsgQueue, msgtyp: number, mode: SearchMode): number {
  const { qMessages } = msq;
  if (mode === 'any') return qMessages.length > 0 ? 0 : -1;
  if (mode === 'number') return msgtyp >= 0 && msgtyp < qMessages.length ? msgtyp : -1;
  let type = msgtyp;
  let found = -1;
  for (let i = 0; i < qMessages.length; i++) {
    const msg = qMessages[i];
    if (msg === undefined || !testmsg(msg, type, mode)) continue;
    if (mode !== 'lessEqual' || msg.mType === 1) return i;
    found = i;
    type = msg.mType - 1;
  }
  return found;
}

/** What msgrcv is asked for. */
interface Request {
  readonly msgp: number;
  readonly bufsz: number;
  readonly msgtyp: number;
  readonly mode: SearchMode;
  readonly msgflg: number;
}

/**
 * do_msgrcv(): `msqid`, `msgtyp`, `msgflg` signed, `msgp` a user address, `bufsz` unsigned. `slept`: the call slept as this, and was
 * woken to look anew.
 *
 * @returns the bytes received; the receiver as which the current task has to sleep; EINVAL, EFAULT, ENOMEM, EACCES, E2BIG, ENOMSG,
 * EIDRM.
 */
export function doMsgrcv(
  ctx: IpcContext,
  msqid: number,
  msgp: number,
  bufsz: number,
  msgtyp: number,
  msgflg: number,
  slept: MsgReceiver | null,
): MsgReceiver | number {
  const { mm, ipcNs: ns } = ctx.current;
  if (mm === null) return -EFAULT;
  if (msqid < 0 || bufsz > LONG_MAX) return -EINVAL;
  if ((msgflg & MSG_COPY) !== 0) {
    if ((msgflg & MSG_EXCEPT) !== 0 || (msgflg & IPC_NOWAIT) === 0) return -EINVAL;
    const error = prepareCopy(ctx, mm, msgp, Math.min(bufsz, ns.msgCtlmax));
    if (error < 0) return error;
  }
  const msq = slept === null ? ipcObtainObjectCheck(ns.msgIds, msqid) : slept.msq;
  if (typeof msq === 'number') return msq;
  if (ipcperms(ctx.current.cred, msq.qPerm, S_IRUGO)) return -EACCES;
  if (msq.qPerm.deleted) return -EIDRM;
  const mode = convertMode(msgtyp, msgflg);
  const type = mode === 'lessEqual' ? Math.min(LONG_MAX, -msgtyp) : msgtyp;
  return receive(ctx, ns, msq, { msgp, bufsz, msgtyp: type, mode, msgflg });
}

/** prepare_copy(): Linux makes the copy's room by loading a message from the buffer, which therefore must be readable. */
function prepareCopy(ctx: IpcContext, mm: MmStruct, msgp: number, bufsz: number): 0 | Errno {
  const dummy = loadMsg(ctx, mm, msgp, bufsz, 0);
  return typeof dummy === 'number' ? dummy : freeMsg(ctx, dummy, 0);
}

function receive(ctx: IpcContext, ns: IpcNamespace, msq: MsgQueue, request: Request): MsgReceiver | number {
  const { msgp, bufsz, msgtyp, mode, msgflg } = request;
  const { current } = ctx;
  const noerror = (msgflg & MSG_NOERROR) !== 0;
  const at = findMsg(msq, msgtyp, mode);
  const msg = at < 0 ? undefined : msq.qMessages[at];
  if (msg === undefined) {
    if ((msgflg & IPC_NOWAIT) !== 0) return -ENOMSG;
    const receiver = new MsgReceiver(current, msq, msgtyp, mode, msgp, bufsz, noerror);
    msq.qReceivers.push(receiver);
    return receiver;
  }
  const msgsz = msg.mText.length;
  if (bufsz < msgsz && !noerror) return -E2BIG;
  if ((msgflg & MSG_COPY) !== 0) {
    // copy_msg() cuts nothing, MSG_NOERROR or not.
    if (msgsz > Math.min(bufsz, ns.msgCtlmax)) return -EINVAL;
    return doMsgFill(ctx, current.mm, msgp, msg, bufsz);
  }
  if (at === 0) msq.qMessages.shift();
  else msq.qMessages.splice(at, 1);
  msq.qRtime = ktimeGetRealSeconds(ctx);
  msq.qLrpid = current.tgid;
  msq.qCbytes -= msgsz;
  ns.msgBytes -= msgsz;
  ns.msgHdrs--;
  ssWakeup(ctx, msq, false);
  return freeMsg(ctx, msg, doMsgFill(ctx, current.mm, msgp, msg, bufsz));
}
