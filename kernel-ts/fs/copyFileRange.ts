/** copy_file_range(2): fs/read_write.c (vfs_copy_file_range). Missing: copies that share pages; tmpfs has none either. */
import { EBADF, EFBIG, EINVAL, EISDIR, EOVERFLOW, EXDEV } from '../abi/errno.ts';
import { MAX_RW_COUNT, O_APPEND } from '../abi/fcntl.ts';
import { RLIMIT_FSIZE, rlimit } from '../abi/resource.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { FsContext } from './context.ts';
import { FMODE_READ, FMODE_WRITE, type File } from './file.ts';
import { kernelIter } from './iovIter.ts';
import { ksysPread, ksysPwrite } from './readWrite.ts';
import { isDir } from './tmpfs.ts';
import { isWait } from './wait.ts';

/** Bytes moved per step. */
const CHUNK = 65536;

const MAX_OFFSET = 2 ** 63;

/**
 * generic_copy_file_checks(): the bytes to copy, or EISDIR, EINVAL (no regular file, overlap), EBADF (modes, O_APPEND), EXDEV,
 * EOVERFLOW, EFBIG.
 */
function bytesToCopy(
  ctx: FsContext,
  input: File,
  from: number,
  output: File,
  to: number,
  len: number,
): number {
  const { fInode: source } = input;
  const { fInode: target } = output;
  if (isDir(source) || isDir(target)) return -EISDIR;
  if ((source.iMode & S_IFMT) !== S_IFREG || (target.iMode & S_IFMT) !== S_IFREG) return -EINVAL;
  if ((input.fMode & FMODE_READ) === 0 || (output.fMode & FMODE_WRITE) === 0) return -EBADF;
  if ((output.fFlags & O_APPEND) !== 0) return -EBADF;
  if (source.iSb !== target.iSb) return -EXDEV;
  if (from + len >= MAX_OFFSET || to + len >= MAX_OFFSET) return -EOVERFLOW;
  let count = Math.max(0, Math.min(len, source.iSize - from, MAX_RW_COUNT));
  if (count > 0) {
    const room = rlimit(ctx.current.rlim, RLIMIT_FSIZE) - to;
    if (room <= 0) return -EFBIG;
    count = Math.min(count, room);
  }
  if (source === target && to + count > from && to < from + count) return -EINVAL;
  return from < 0 || to < 0 ? -EINVAL : count;
}

/** vfs_copy_file_range(): bytes copied from `from` to `to`; positions are the caller's. */
export function vfsCopyFileRange(
  ctx: FsContext,
  input: File,
  from: number,
  output: File,
  to: number,
  len: number,
): number {
  const count = bytesToCopy(ctx, input, from, output, to, len);
  if (count <= 0) return count;
  let done = 0;
  while (done < count) {
    const buffer = new Uint8Array(Math.min(CHUNK, count - done));
    const got = ksysPread(ctx, input, kernelIter(buffer), from + done);
    if (isWait(got)) throw new Error('a regular file asked to wait');
    if (got <= 0) return done > 0 ? done : got;
    const put = ksysPwrite(ctx, output, kernelIter(buffer.subarray(0, got)), to + done);
    if (isWait(put)) throw new Error('a regular file asked to wait');
    if (put <= 0) return done > 0 ? done : put;
    done += put;
    if (put < got) break;
  }
  return done;
}
