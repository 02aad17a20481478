/**
 * System V message queues: ipc/msg.c and ipc/msgutil.c of 6.x. Here are the structures, msgget(2), who is woken and the end of a
 * queue; msgop.ts sends and receives, msgctl.ts is msgctl(2).
 */
import { EIDRM, ENOMEM } from '../abi/errno.ts';
import { S_IRWXUGO } from '../abi/ipc.ts';
import { ktimeGetRealSeconds } from '../mm/context.ts';
import type { Cred } from '../mm/cred.ts';
import { kfree, kmalloc, ksize } from '../mm/slab.ts';
import {
  RETRY,
  wakeQAdd,
  type IpcContext,
  type IpcNamespace,
  type IpcSleeper,
  type IpcTask,
} from './namespace.ts';
import { ipcAddid, ipcget, ipcRmid, ipcSorted, KernIpcPerm, type IpcOps } from './util.ts';

/** struct msg_msg. */
export interface MsgMsg {
  /** At least 1. */
  readonly mType: number;
  readonly mText: Uint8Array;
}

/** struct msg_queue. Invariant: qCbytes is the sum over qMessages, and so are msgBytes and msgHdrs of the namespace over its queues. */
export class MsgQueue extends KernIpcPerm {
  /** Seconds since 1970; 0 is never. */
  qStime = 0;
  qRtime = 0;
  qCtime: number;
  qCbytes = 0;
  /** The most that may lie in it, in bytes and in messages. */
  qQbytes: number;
  /** The process that sent, and the one that received last, or 0. */
  qLspid = 0;
  qLrpid = 0;
  /** The oldest first. */
  readonly qMessages: MsgMsg[] = [];
  readonly qReceivers: MsgReceiver[] = [];
  readonly qSenders: MsgSender[] = [];

  constructor(key: number, mode: number, cred: Cred, qbytes: number, ctime: number) {
    super(key, mode, cred);
    this.qQbytes = qbytes;
    this.qCtime = ctime;
  }

  get qPerm(): KernIpcPerm {
    return this;
  }
}

/** How msgrcv chooses: SEARCH_* of ipc/msg.c. */
export type SearchMode = 'any' | 'equal' | 'notEqual' | 'lessEqual' | 'number';

/** struct msg_receiver: somebody asleep in msgrcv. */
export class MsgReceiver implements IpcSleeper {
  readonly kind = 'msgrcv';
  readonly sleeper: IpcTask;
  readonly msq: MsgQueue;
  readonly msgtyp: number;
  readonly mode: SearchMode;
  /** User address of its struct msgbuf, and the bytes of text in it. */
  readonly msgp: number;
  readonly bufsz: number;
  /** MSG_NOERROR: a longer message is cut. */
  readonly noerror: boolean;
  status = 0;
  wakeNext: IpcSleeper | null = null;

  constructor(
    sleeper: IpcTask,
    msq: MsgQueue,
    msgtyp: number,
    mode: SearchMode,
    msgp: number,
    bufsz: number,
    noerror: boolean,
  ) {
    this.sleeper = sleeper;
    this.msq = msq;
    this.msgtyp = msgtyp;
    this.mode = mode;
    this.msgp = msgp;
    this.bufsz = bufsz;
    this.noerror = noerror;
  }
}

/** struct msg_sender: somebody asleep in msgsnd, with his message. */
export class MsgSender implements IpcSleeper {
  readonly kind = 'msgsnd';
  readonly sleeper: IpcTask;
  readonly msq: MsgQueue;
  readonly msg: MsgMsg;
  status = 0;
  wakeNext: IpcSleeper | null = null;

  constructor(sleeper: IpcTask, msq: MsgQueue, msg: MsgMsg) {
    this.sleeper = sleeper;
    this.msq = msq;
    this.msg = msg;
  }
}

const SIZEOF_MSG_QUEUE = 192;
const SIZEOF_MSG_MSG = 32;

export function msgBytes(length: number): number {
  return SIZEOF_MSG_MSG + length;
}

/** What the slab is charged with for a queue, its messages and those of its senders: the invariant checker. */
export function msgCharge(msq: MsgQueue): number {
  let bytes = ksize(SIZEOF_MSG_QUEUE);
  for (const msg of msq.qMessages) bytes += ksize(msgBytes(msg.mText.length));
  for (const { msg } of msq.qSenders) bytes += ksize(msgBytes(msg.mText.length));
  return bytes;
}

/** newque(): makes a queue; its id, ENOSPC, ENOMEM. */
export function newque(ctx: IpcContext, ns: IpcNamespace, key: number, msgflg: number): number {
  if (!kmalloc(ctx, SIZEOF_MSG_QUEUE)) return -ENOMEM;
  const { cred } = ctx.current;
  const msq = new MsgQueue(key, msgflg & S_IRWXUGO, cred, ns.msgCtlmnb, ktimeGetRealSeconds(ctx));
  const index = ipcAddid(ns.msgIds, msq, ns.msgCtlmni);
  if (index < 0) {
    kfree(ctx, SIZEOF_MSG_QUEUE);
    return index;
  }
  return msq.qPerm.id;
}

const MSG_OPS: IpcOps<MsgQueue> = {
  getnew: (ctx, ns, key, _size, msgflg) => newque(ctx, ns, key, msgflg),
  moreChecks: () => 0,
};

/** msgget(2): `key` and `msgflg` signed. */
export function sysMsgget(ctx: IpcContext, key: number, msgflg: number): number {
  return ipcget(ctx, ctx.current.ipcNs.msgIds, MSG_OPS, key, 0, msgflg);
}

/** msg_fits_inqueue(): bytes and messages both stay within msg_qbytes, so that empty messages end somewhere too. */
export function msgFitsInqueue(msq: MsgQueue, msgsz: number): boolean {
  return msgsz + msq.qCbytes <= msq.qQbytes && 1 + msq.qMessages.length <= msq.qQbytes;
}

/** expunge_all(): wakes every receiver; EIDRM, or RETRY when they shall look anew. */
export function expungeAll(ctx: IpcContext, msq: MsgQueue, status: number): void {
  for (const receiver of msq.qReceivers.splice(0)) {
    receiver.status = status;
    wakeQAdd(ctx.ipc.wakeQ, receiver);
  }
}

/**
 * ss_wakeup(): wakes the senders whose message fits now, each for itself; they try again in their turn. Those that do not fit go to the
 * end of the list in their order. `kill`: the queue goes, and all get EIDRM.
 */
export function ssWakeup(ctx: IpcContext, msq: MsgQueue, kill: boolean): void {
  if (msq.qSenders.length === 0) return;
  const stay: MsgSender[] = [];
  for (const sender of msq.qSenders) {
    if (!kill && !msgFitsInqueue(msq, sender.msg.mText.length)) {
      stay.push(sender);
      continue;
    }
    kfree(ctx, msgBytes(sender.msg.mText.length));
    sender.status = kill ? -EIDRM : RETRY;
    wakeQAdd(ctx.ipc.wakeQ, sender);
  }
  msq.qSenders.splice(0, Infinity, ...stay);
}

/** A sleeper of msgrcv or msgsnd gives up: a signal, or its end. */
export function msgFinishWait(ctx: IpcContext, waiter: MsgReceiver | MsgSender): void {
  const { msq } = waiter;
  if (waiter.kind === 'msgrcv') {
    const at = msq.qReceivers.indexOf(waiter);
    if (at >= 0) msq.qReceivers.splice(at, 1);
    return;
  }
  const at = msq.qSenders.indexOf(waiter);
  if (at < 0) return;
  msq.qSenders.splice(at, 1);
  kfree(ctx, msgBytes(waiter.msg.mText.length));
}

/** freeque(): the queue goes with its messages; sleepers get EIDRM. */
export function freeque(ctx: IpcContext, ns: IpcNamespace, msq: MsgQueue): void {
  expungeAll(ctx, msq, -EIDRM);
  ssWakeup(ctx, msq, true);
  ipcRmid(ns.msgIds, msq);
  for (const msg of msq.qMessages) kfree(ctx, msgBytes(msg.mText.length));
  ns.msgHdrs -= msq.qMessages.length;
  ns.msgBytes -= msq.qCbytes;
  msq.qMessages.length = 0;
  msq.qCbytes = 0;
  kfree(ctx, SIZEOF_MSG_QUEUE);
}

/** msg_exit_ns(): the namespace goes with its queues. Nobody can be asleep in it. */
export function msgExitNs(ctx: IpcContext, ns: IpcNamespace): void {
  for (const msq of ipcSorted(ns.msgIds)) freeque(ctx, ns, msq);
}
