/**
 * struct file and struct file_operations: include/linux/fs.h, fs/file_table.c.
 * Missing: async I/O, leases, record locks between processes (every F_SETLK succeeds against no other holder).
 */
import type { Errno } from '../abi/errno.ts';
import type { VmArea } from '../mm/vma.ts';
import type { FsContext } from './context.ts';
import type { Dentry, Inode } from './inode.ts';
import type { IovIter } from './iovIter.ts';
import type { WaitQueue } from '../process/waitQueue.ts';
import type { WaitReason } from './wait.ts';

export { FMODE_LSEEK, FMODE_PATH, FMODE_READ, FMODE_WRITE } from '../mm/fmode.ts';

/** Takes one directory entry; false when the caller's buffer is full. */
export type DirActor = (name: string, offset: number, ino: number, dtype: number) => boolean;

/** struct file_operations: module-level constants. */
export interface FileOperations {
  /** Name of the C structure, e.g. "shmem_file_operations". */
  readonly name: string;
  readonly open?: (ctx: FsContext, file: File) => 0 | Errno;
  readonly release?: (ctx: FsContext, file: File) => void;
  /** Reads at byte offset `pos` (ignored by streams); bytes read, 0 at the end. */
  readonly readIter?: (ctx: FsContext, file: File, to: IovIter, pos: number) => number | WaitReason;
  readonly writeIter?: (ctx: FsContext, file: File, from: IovIter, pos: number) => number | WaitReason;
  /** Absent: generic (SEEK_SET/CUR/END) when the file has FMODE_LSEEK, else ESPIPE. */
  readonly llseek?: (ctx: FsContext, file: File, offset: number, whence: number) => number;
  /** Emits the entries from file.fPos on and moves fPos. */
  readonly iterateShared?: (ctx: FsContext, file: File, actor: DirActor) => 0 | Errno;
  /** Fills in vma.vmOps. Absent: ENODEV. */
  readonly mmap?: (ctx: FsContext, file: File, vma: VmArea) => 0 | Errno;
  /** Absent: always readable and writable. */
  readonly poll?: (
    ctx: FsContext,
    file: File,
  ) => { readonly mask: number; readonly queues: readonly WaitQueue[] };
  /** An ioctl that reports one int (FIONREAD); null when it is none of this file's. */
  readonly queryIoctl?: (file: File, cmd: number) => number | null;
  readonly fallocate?: (ctx: FsContext, file: File, mode: number, offset: number, len: number) => 0 | Errno;
}

/** struct file. */
export class File {
  readonly fOp: FileOperations;
  readonly fInode: Inode;
  /** Descriptors, VMAs and other holders. */
  count = 1;
  privateData: unknown = null;
  /** FMODE_*. */
  fMode: number;
  /** Serial number, for the picture. */
  readonly id: number;
  /** f_path. */
  readonly fPath: Dentry;
  fPos = 0;
  /** O_*. */
  fFlags: number;
  /** It is counted in fInode.iWritecount. */
  writeCounted = false;

  constructor(id: number, fPath: Dentry, fInode: Inode, fOp: FileOperations, fFlags: number, fMode: number) {
    this.id = id;
    this.fPath = fPath;
    this.fInode = fInode;
    this.fOp = fOp;
    this.fFlags = fFlags;
    this.fMode = fMode;
  }
}

/** struct fs_struct. Shared between threads (CLONE_FS), copied by fork. */
export interface FsStruct {
  root: Dentry;
  pwd: Dentry;
  /** 0..0777. */
  umask: number;
}

/** struct files_struct: descriptors by number. Functions are in fdtable.ts. */
export class FilesStruct {
  /** Tasks that share it. */
  count = 1;
  /** Holes are null. */
  readonly fd: (File | null)[];
  /** close_on_exec: a bit for each descriptor with FD_CLOEXEC, 32 to a number. */
  readonly closeOnExec: number[];
  /** No descriptor below is free. */
  nextFd = 0;

  constructor(fd: (File | null)[] = [], closeOnExec: number[] = []) {
    this.fd = fd;
    this.closeOnExec = closeOnExec;
  }

  /** __set_close_on_exec(), __clear_close_on_exec(). */
  setCloseOnExec(fd: number, on: boolean): void {
    const words = this.closeOnExec;
    const word = fd >>> 5;
    if (!on && word >= words.length) return;
    while (words.length <= word) words.push(0);
    const bit = 1 << (fd & 31);
    words[word] = on ? (words[word] as number) | bit : (words[word] as number) & ~bit;
  }

  /** close_on_exec(). */
  isCloseOnExec(fd: number): boolean {
    return ((this.closeOnExec[fd >>> 5] ?? 0) & (1 << (fd & 31))) !== 0;
  }
}
