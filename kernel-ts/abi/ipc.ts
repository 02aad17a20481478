/** System V IPC: include/uapi/linux/ipc.h, asm-generic/ipcbuf.h. */

export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
/** Do not wait: semop, msgsnd, msgrcv. */
export const IPC_NOWAIT = 0o4000;
/**
 * musl's headers for riscv32 mark the commands that report times with 0x100, and its *ctl calls take the mark off again. A program
 * that makes the system call itself with those constants is served here; Linux answers EINVAL.
 */
export const LIBC_TIME64 = 0x100;
export const S_IRUGO = 0o444;
export const S_IWUGO = 0o222;
export const S_IXUGO = 0o111;
export const S_IRWXUGO = 0o777;

/** struct ipc64_perm of a 32-bit architecture: 36 bytes. */
export interface Ipc64Perm {
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  readonly seq: number;
}

export const SIZEOF_IPC64_PERM = 36;

/**
 * Room for a structure that goes to the user at once: it is good until the next of its kind. V8 takes 200 ns for bytes of their own, which is
 * half of an IPC_STAT.
 */
export class IpcRoom {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  /** `size` in bytes; what nobody writes is 0. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Writes struct ipc64_perm at `at`. */
export function writeIpc64Perm(view: DataView, at: number, perm: Ipc64Perm): void {
  view.setUint32(at, perm.key, true);
  view.setUint32(at + 4, perm.uid, true);
  view.setUint32(at + 8, perm.gid, true);
  view.setUint32(at + 12, perm.cuid, true);
  view.setUint32(at + 16, perm.cgid, true);
  view.setUint32(at + 20, perm.mode, true);
  view.setUint16(at + 24, perm.seq, true);
}

/** A time of a 32-bit architecture: the low word of the seconds, and behind it the `*_high` word. */
export function writeIpcTime(view: DataView, at: number, seconds: number): void {
  view.setUint32(at, seconds >>> 0, true);
  view.setUint32(at + 4, Math.floor(seconds / 2 ** 32) >>> 0, true);
}

/** What IPC_SET reads of struct ipc64_perm. */
export interface IpcPermSet {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** The struct ipc64_perm that a structure for IPC_SET begins with. */
export function decodeIpcPermSet(bytes: Uint8Array): IpcPermSet {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { uid: view.getUint32(4, true), gid: view.getUint32(8, true), mode: view.getUint32(20, true) };
}
