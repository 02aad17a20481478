/** System V IPC: include/uapi/linux/ipc.h, asm-generic/ipcbuf.h. */

export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
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
