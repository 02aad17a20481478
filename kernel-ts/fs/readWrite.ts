/** read, write, lseek, ioctl, poll, getdents, sendfile: fs/read_write.c, fs/readdir.c, fs/select.c. */
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EFBIG,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTTY,
  ESPIPE,
} from '../abi/errno.ts';
import { encodeDirent64 } from '../abi/dirent.ts';
import { O_APPEND, O_NONBLOCK } from '../abi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { RLIMIT_FSIZE, rlimit } from '../abi/resource.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { MmStruct } from '../mm/mm.ts';
import { copyToUser, getUser32, putUser32 } from '../mm/usercopy.ts';
import type { WaitQueue } from '../process/waitQueue.ts';
import type { FsContext } from './context.ts';
import { FMODE_LSEEK, FMODE_READ, FMODE_WRITE, type File } from './file.ts';
import { iovIterAdvance, kernelIter, type IovIter } from './iovIter.ts';
import { llseekWithin } from './llseek.ts';
import { isDir } from './tmpfs.ts';
import { isWait, type WaitReason } from './wait.ts';

function readAt(ctx: FsContext, file: File, to: IovIter, pos: number): number | WaitReason {
  if ((file.fMode & FMODE_READ) === 0) return -EBADF;
  if (isDir(file.fInode)) return -EISDIR;
  return file.fOp.readIter?.(ctx, file, to, pos) ?? -EINVAL;
}

/**
 * vfs_read(): reads at fPos and moves it. `progress` is that of the WaitReason this call repeats.
 *
 * @returns bytes, 0 at the end, EBADF (not open for reading), EISDIR, EINVAL, EFAULT, EAGAIN; or what to wait for.
 */
export function vfsRead(ctx: FsContext, file: File, to: IovIter, progress = 0): number | WaitReason {
  iovIterAdvance(to, progress);
  const result = readAt(ctx, file, to, file.fPos);
  if (isWait(result))
    return progress === 0 ? result : { wait: result.wait, progress: progress + result.progress };
  if (result < 0) return progress > 0 ? progress : result;
  if ((file.fMode & FMODE_LSEEK) !== 0) file.fPos += result;
  return progress + result;
}

/** pread64(2), preadv(2): at `pos`, fPos stays. ESPIPE where there are no positions. */
export function ksysPread(ctx: FsContext, file: File, to: IovIter, pos: number): number | WaitReason {
  if (pos < 0) return -EINVAL;
  if ((file.fMode & FMODE_LSEEK) === 0) return -ESPIPE;
  return readAt(ctx, file, to, pos);
}

/** Bytes that RLIMIT_FSIZE leaves at `pos`; SIGXFSZ is the caller's on EFBIG. */
function roomBelowLimit(ctx: FsContext, file: File, pos: number): number {
  if ((file.fInode.iMode & S_IFMT) !== S_IFREG) return Infinity;
  return rlimit(ctx.current.rlim, RLIMIT_FSIZE) - pos;
}

function writeAt(ctx: FsContext, file: File, from: IovIter, pos: number): number | WaitReason {
  if ((file.fMode & FMODE_WRITE) === 0) return -EBADF;
  const room = roomBelowLimit(ctx, file, pos);
  if (from.count > 0 && room <= 0) return -EFBIG;
  if (from.count > room) from.count = room;
  return file.fOp.writeIter?.(ctx, file, from, pos) ?? -EINVAL;
}

/** vfs_write(): writes at fPos, or at the end with O_APPEND, and moves fPos. On EPIPE the caller sends SIGPIPE. */
export function vfsWrite(ctx: FsContext, file: File, from: IovIter, progress = 0): number | WaitReason {
  iovIterAdvance(from, progress);
  const pos = (file.fFlags & O_APPEND) !== 0 ? file.fInode.iSize : file.fPos;
  const result = writeAt(ctx, file, from, pos);
  if (isWait(result))
    return progress === 0 ? result : { wait: result.wait, progress: progress + result.progress };
  if (result < 0) return progress > 0 ? progress : result;
  if ((file.fMode & FMODE_LSEEK) !== 0) file.fPos = pos + result;
  return progress + result;
}

/** pwrite64(2), pwritev(2): at `pos` (at the end with O_APPEND, as Linux does), fPos stays. */
export function ksysPwrite(ctx: FsContext, file: File, from: IovIter, pos: number): number | WaitReason {
  if (pos < 0) return -EINVAL;
  if ((file.fMode & FMODE_LSEEK) === 0) return -ESPIPE;
  return writeAt(ctx, file, from, (file.fFlags & O_APPEND) !== 0 ? file.fInode.iSize : pos);
}

/** vfs_llseek(). */
export function vfsLlseek(ctx: FsContext, file: File, offset: number, whence: number): number {
  if ((file.fMode & FMODE_LSEEK) === 0) return -ESPIPE;
  if (whence < 0 || whence > 4) return -EINVAL;
  if (file.fOp.llseek !== undefined) return file.fOp.llseek(ctx, file, offset, whence);
  return llseekWithin(file, offset, whence, file.fInode.iSize);
}

const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;

/** ioctl(2) as far as it concerns files in general; ENOTTY for the rest, TIOCGWINSZ included. */
export function vfsIoctl(ctx: FsContext, fd: number, file: File, cmd: number, arg: number): number {
  const { files, mm } = ctx.current;
  switch (cmd) {
    case FIOCLEX:
      files?.setCloseOnExec(fd, true);
      return 0;
    case FIONCLEX:
      files?.setCloseOnExec(fd, false);
      return 0;
    case FIONBIO: {
      if (mm === null) return -EFAULT;
      const on = getUser32(ctx, mm, arg);
      if (on === null) return -EFAULT;
      file.fFlags = on !== 0 ? file.fFlags | O_NONBLOCK : file.fFlags & ~O_NONBLOCK;
      return 0;
    }
    default: {
      const value = file.fOp.queryIoctl?.(file, cmd) ?? null;
      if (value === null || mm === null) return -ENOTTY;
      return putUser32(ctx, mm, arg, value);
    }
  }
}

/** vfs_poll(): what is ready now and the queues that tell of changes. */
export function vfsPoll(
  ctx: FsContext,
  file: File,
): { readonly mask: number; readonly queues: readonly WaitQueue[] } {
  const ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  return file.fOp.poll?.(ctx, file) ?? { mask: ready, queues: [] };
}

/** getdents64(2): bytes written, 0 at the end; EINVAL when the first entry does not fit, ENOTDIR, EFAULT. */
export function vfsGetdents64(ctx: FsContext, file: File, mm: MmStruct, buf: number, count: number): number {
  if (file.fOp.iterateShared === undefined) return -ENOTDIR;
  // A removed directory is empty, without even "." (IS_DEADDIR).
  if (file.fInode.iNlink === 0) return -ENOENT;
  let used = 0;
  let error = 0;
  const result = file.fOp.iterateShared(ctx, file, (name, offset, ino, dtype) => {
    const entry = encodeDirent64(ino, offset, dtype, name);
    if (used + entry.length > count) {
      if (used === 0) error = -EINVAL;
      return false;
    }
    if (copyToUser(ctx, mm, buf + used, entry) < 0) {
      error = -EFAULT;
      return false;
    }
    used += entry.length;
    return true;
  });
  if (result < 0 && used === 0) return result;
  return used > 0 ? used : error;
}

/** sendfile(2): from a seekable file, at `pos` or at its fPos, to any file. `next` is the position after the last byte. */
export function doSendfile(
  ctx: FsContext,
  out: File,
  input: File,
  pos: number | null,
  count: number,
): { readonly result: number; readonly next: number } | WaitReason {
  let at = pos ?? input.fPos;
  const start = at;
  const fail = (result: number): { result: number; next: number } => ({ result, next: at });
  if ((input.fMode & FMODE_READ) === 0 || (out.fMode & FMODE_WRITE) === 0) return fail(-EBADF);
  if ((input.fMode & FMODE_LSEEK) === 0) return fail(pos === null ? -EINVAL : -ESPIPE);
  if ((out.fFlags & O_APPEND) !== 0) return fail(-EINVAL);
  if (at < 0) return fail(-EINVAL);
  let error = 0;
  while (at - start < count) {
    const buffer = new Uint8Array(Math.min(65536, count - (at - start)));
    const got = readAt(ctx, input, kernelIter(buffer), at);
    // Nothing seekable makes its reader wait.
    if (isWait(got)) throw new Error('a seekable file asked to wait');
    if (got <= 0) {
      error = got;
      break;
    }
    const put = vfsWrite(ctx, out, kernelIter(buffer.subarray(0, got)));
    if (isWait(put)) {
      at += put.progress;
      // What went through is the answer; the caller of a full pipe tries again.
      if (at === start)
        return (out.fFlags & O_NONBLOCK) !== 0 ? fail(-EAGAIN) : { wait: put.wait, progress: 0 };
      break;
    }
    if (put < 0) {
      error = put;
      break;
    }
    at += put;
    if (put < got) break;
  }
  if (pos === null) input.fPos = at;
  return fail(at > start ? at - start : error);
}

/** kernel_read(): up to `len` bytes at `pos`, fewer at the end of the file; or an Errno. */
export function kernelReadFile(ctx: FsContext, file: File, pos: number, len: number): Uint8Array | number {
  const size = Math.max(0, Math.min(len, file.fInode.iSize - pos));
  const buffer = new Uint8Array(
    (file.fInode.iMode & S_IFMT) === S_IFREG && file.fInode.iSize > 0 ? size : len,
  );
  const got = readAt(ctx, file, kernelIter(buffer), pos);
  if (isWait(got)) return -EAGAIN;
  return got < 0 ? got : buffer.subarray(0, got);
}
