/**
 * Message queues: include/uapi/linux/msg.h, asm-generic/msgbuf.h. msqid64_ds is that of a 32-bit architecture with 64-bit time: its
 * `*_high` words are what musl's msgctl for riscv32 reads (offsets checked against its headers).
 */
import { IpcRoom, SIZEOF_IPC64_PERM, writeIpc64Perm, writeIpcTime, type Ipc64Perm } from './ipc.ts';

/** msgrcv flags: cut a message that is too long; any type but this; copy the message of that number, leaving it there. */
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;

export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;

/** Defaults: queues, bytes of a message, bytes of a queue. */
export const MSGMNI = 32000;
export const MSGMAX = 8192;
export const MSGMNB = 16384;
const MSGPOOL = (MSGMNI * MSGMNB) / 1024;
const MSGTQL = MSGMNB;
const MSGMAP = MSGMNB;
const MSGSSZ = 16;
const MSGSEG = 0xffff;

/** struct msqid64_ds. */
export interface Msqid64Ds {
  readonly msgPerm: Ipc64Perm;
  /** Seconds since 1970; 0 is never. */
  readonly msgStime: number;
  readonly msgRtime: number;
  readonly msgCtime: number;
  readonly msgCbytes: number;
  readonly msgQnum: number;
  readonly msgQbytes: number;
  readonly msgLspid: number;
  readonly msgLrpid: number;
}

export const SIZEOF_MSQID64_DS = 88;
const MSG_QBYTES = 68;

const msqid64Ds = new IpcRoom(SIZEOF_MSQID64_DS);

export function encodeMsqid64Ds(ds: Msqid64Ds): Uint8Array {
  const { bytes, view } = msqid64Ds;
  writeIpc64Perm(view, 0, ds.msgPerm);
  writeIpcTime(view, SIZEOF_IPC64_PERM, ds.msgStime);
  writeIpcTime(view, 44, ds.msgRtime);
  writeIpcTime(view, 52, ds.msgCtime);
  view.setUint32(60, ds.msgCbytes, true);
  view.setUint32(64, ds.msgQnum, true);
  view.setUint32(MSG_QBYTES, ds.msgQbytes, true);
  view.setInt32(72, ds.msgLspid, true);
  view.setInt32(76, ds.msgLrpid, true);
  return bytes;
}

/** msg_qbytes of a struct msqid64_ds for IPC_SET. */
export function decodeMsgQbytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(MSG_QBYTES, true);
}

/** struct msginfo; msgpool, msgmap and msgtql are counts for MSG_INFO, constants (null) for IPC_INFO. */
export function encodeMsginfo(
  limits: { readonly max: number; readonly mnb: number; readonly mni: number },
  counts: { readonly queues: number; readonly messages: number; readonly bytes: number } | null,
): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const clamp = (n: number): number => Math.min(n, 0x7fff_ffff);
  const [pool, map, tql] =
    counts === null
      ? [MSGPOOL, MSGMAP, MSGTQL]
      : [counts.queues, clamp(counts.messages), clamp(counts.bytes)];
  [pool, map, limits.max, limits.mnb, limits.mni, MSGSSZ, tql].forEach((word, i) =>
    view.setInt32(i * 4, word, true),
  );
  view.setUint16(28, MSGSEG, true);
  return bytes;
}
