/**
 * File status: include/uapi/linux/stat.h (statx, S_*), asm-generic/statfs.h (statfs64), linux/magic.h.
 * riscv32 has no fstat or newfstatat: libc asks statx for everything.
 */

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const S_IALLUGO = 0o7777;

export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_RESERVED = 0x8000_0000;

export const TMPFS_MAGIC = 0x0102_1994;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const PIPEFS_MAGIC = 0x5049_5045;
export const NSFS_MAGIC = 0x6e73_6673;

export interface KstatTime {
  readonly tvSec: number;
  readonly tvNsec: number;
}

/** struct kstat. */
export interface Kstat {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** MKDEV: major << 20 | minor. */
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  /** 512-byte blocks. */
  readonly blocks: number;
  readonly atime: KstatTime;
  readonly mtime: KstatTime;
  readonly ctime: KstatTime;
  readonly btime: KstatTime;
}

/** sizeof(struct statx). */
export const SIZEOF_STATX = 256;

function put64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
}

function putTime(view: DataView, at: number, time: KstatTime): void {
  put64(view, at, time.tvSec);
  view.setUint32(at + 8, time.tvNsec, true);
}

/** struct statx, 256 bytes. */
export function encodeStatx(stat: Kstat): Uint8Array {
  const bytes = new Uint8Array(SIZEOF_STATX);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STATX_BASIC_STATS | STATX_BTIME, true);
  view.setUint32(4, stat.blksize, true);
  view.setUint32(16, stat.nlink, true);
  view.setUint32(20, stat.uid, true);
  view.setUint32(24, stat.gid, true);
  view.setUint16(28, stat.mode, true);
  put64(view, 32, stat.ino);
  put64(view, 40, stat.size);
  put64(view, 48, stat.blocks);
  putTime(view, 64, stat.atime);
  putTime(view, 80, stat.btime);
  putTime(view, 96, stat.ctime);
  putTime(view, 112, stat.mtime);
  view.setUint32(128, stat.rdev >>> 20, true);
  view.setUint32(132, stat.rdev & 0xf_ffff, true);
  view.setUint32(136, stat.dev >>> 20, true);
  view.setUint32(140, stat.dev & 0xf_ffff, true);
  return bytes;
}

/** struct kstatfs. */
export interface Kstatfs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly files: number;
  readonly ffree: number;
  readonly fsid: number;
  readonly namelen: number;
}

/** struct statfs64 of a 32-bit architecture (asm-generic/statfs.h), 84 bytes, 88 with the padding to 8. */
export function encodeStatfs64(stat: Kstatfs): Uint8Array {
  const bytes = new Uint8Array(88);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, stat.type, true);
  view.setUint32(4, stat.bsize, true);
  put64(view, 8, stat.blocks);
  put64(view, 16, stat.bfree);
  put64(view, 24, stat.bfree);
  put64(view, 32, stat.files);
  put64(view, 40, stat.ffree);
  view.setUint32(48, stat.fsid, true);
  view.setUint32(56, stat.namelen, true);
  view.setUint32(60, stat.bsize, true);
  return bytes;
}

/** MKDEV(). */
export function mkdev(major: number, minor: number): number {
  return (major << 20) | minor;
}

/** new_decode_dev(): the 32-bit dev_t of system calls. */
export function decodeDev(dev: number): number {
  return mkdev((dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xf_ff00));
}

/** new_encode_dev(), as printed by /proc/PID/maps. */
export function devMajorMinor(dev: number): { major: number; minor: number } {
  return { major: dev >>> 20, minor: dev & 0xf_ffff };
}
