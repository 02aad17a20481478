/**
 * Character devices and the host's streams: drivers/char/mem.c (null, zero, full), drivers/char/random.c, drivers/tty (tty,
 * console). Missing: terminals; a stream answers ENOTTY to every ioctl, so libc buffers it as a file.
 */
import { EFAULT, ENODEV, ENOSPC, ENXIO, type Errno } from '../abi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFIFO, mkdev } from '../abi/stat.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { ktimeGetRealTs } from '../mm/context.ts';
import { fput, ihold } from '../mm/fileRef.ts';
import { FILP_CACHEP, kmemCacheAllocNofail } from '../mm/slab.ts';
import { VM_SHARED, type VmArea } from '../mm/vma.ts';
import type { FsContext } from './context.ts';
import { File, FMODE_READ, FMODE_WRITE, type FileOperations } from './file.ts';
import { Dentry, Inode } from './inode.ts';
import { copyFromIter, copyToIter, iovIterAdvance, type IovIter } from './iovIter.ts';
import { randomBytes } from './random.ts';
import { shmemFileSetup } from './shmem.ts';

/** Reads and writes of /dev/console use this stream of the host. */
export const CONSOLE_STREAM = 0;

/** Bytes moved per step. */
const CHUNK = 16 * PAGE_SIZE;

function discard(_ctx: FsContext, _file: File, from: IovIter): number {
  const { count } = from;
  iovIterAdvance(from, count);
  return count;
}

function zeroFill(ctx: FsContext, _file: File, to: IovIter): number {
  return fill(ctx, to, (count) => new Uint8Array(count));
}

/** Gives the iterator what `make` makes, step by step, as far as it takes it. */
function fill(ctx: FsContext, to: IovIter, make: (count: number) => Uint8Array): number {
  let done = 0;
  while (to.count > 0) {
    const bytes = make(Math.min(to.count, CHUNK));
    const copied = copyToIter(ctx, bytes, to);
    done += copied;
    if (copied < bytes.length) return done > 0 ? done : -EFAULT;
  }
  return done;
}

/** mmap_zero(): shared is a shmem file, private is plain anonymous memory. */
function mmapZero(ctx: FsContext, _file: File, vma: VmArea): 0 | Errno {
  if ((vma.vmFlags & VM_SHARED) === 0) {
    vma.vmOps = null;
    return 0;
  }
  const size = vma.vmEnd - vma.vmStart;
  const shared = shmemFileSetup(ctx, '/dev/zero', size, false);
  if (typeof shared === 'number') return shared;
  const error = shared.fOp.mmap?.(ctx, shared, vma) ?? -ENODEV;
  if (error < 0) {
    fput(ctx, shared);
    return error;
  }
  if (vma.vmFile !== null) fput(ctx, vma.vmFile);
  vma.vmFile = shared;
  vma.vmPgoff = 0;
  return 0;
}

const seekToZero = (_ctx: FsContext, file: File): number => {
  file.fPos = 0;
  return 0;
};

const nullFops: FileOperations = {
  name: 'null_fops',
  readIter: () => 0,
  writeIter: discard,
  llseek: seekToZero,
};

const zeroFops: FileOperations = {
  name: 'zero_fops',
  readIter: zeroFill,
  writeIter: discard,
  llseek: seekToZero,
  mmap: mmapZero,
};

const fullFops: FileOperations = {
  name: 'full_fops',
  readIter: zeroFill,
  writeIter: () => -ENOSPC,
  llseek: seekToZero,
};

const randomFops: FileOperations = {
  name: 'random_fops',
  readIter: (ctx, _file, to) => fill(ctx, to, (count) => randomBytes(ctx.random, count)),
  writeIter: discard,
  llseek: seekToZero,
};

/** No process has a controlling terminal. */
const ttyFops: FileOperations = { name: 'tty_fops', open: () => -ENXIO };

function streamRead(ctx: FsContext, to: IovIter, stream: number): number {
  if (to.count === 0) return 0;
  const bytes = ctx.streams.read(stream, Math.min(to.count, CHUNK));
  if (bytes === null || bytes.length === 0) return 0;
  const copied = copyToIter(ctx, bytes, to);
  return copied > 0 ? copied : -EFAULT;
}

function streamWrite(ctx: FsContext, from: IovIter, stream: number): number {
  let done = 0;
  while (from.count > 0) {
    const want = Math.min(from.count, CHUNK);
    const bytes = copyFromIter(ctx, from, want);
    if (bytes.length > 0) ctx.streams.write(stream, bytes);
    done += bytes.length;
    if (bytes.length < want) return done > 0 ? done : -EFAULT;
  }
  return done;
}

const consoleFops: FileOperations = {
  name: 'console_fops',
  readIter: (ctx, _file, to) => streamRead(ctx, to, CONSOLE_STREAM),
  writeIter: (ctx, _file, from) => streamWrite(ctx, from, CONSOLE_STREAM),
};

/** The number of the host stream behind a file. */
function streamOf(file: File): number {
  return typeof file.fInode.iPrivate === 'number' ? file.fInode.iPrivate : CONSOLE_STREAM;
}

/** stdin, stdout, stderr: pipes whose other end is the host. */
export const hostStreamFops: FileOperations = {
  name: 'pipefifo_fops',
  readIter: (ctx, file, to) => streamRead(ctx, to, streamOf(file)),
  writeIter: (ctx, file, from) => streamWrite(ctx, from, streamOf(file)),
  poll: (_ctx, file) => ({
    mask:
      ((file.fMode & FMODE_READ) !== 0 ? POLLIN | POLLRDNORM : 0) |
      ((file.fMode & FMODE_WRITE) !== 0 ? POLLOUT | POLLWRNORM : 0),
    queues: [],
  }),
};

/** A file on stream `stream` of the host; FMODE_READ or FMODE_WRITE. */
export function hostStreamFile(ctx: FsContext, stream: number, fMode: number): File {
  const inode = new Inode(
    ctx.vfs.pipeMnt,
    S_IFIFO | 0o600,
    { name: 'pipefs_inode_operations' },
    hostStreamFops,
    ktimeGetRealTs(ctx),
  );
  inode.iUid = ctx.current.cred.fsuid;
  inode.iGid = ctx.current.cred.fsgid;
  inode.iPrivate = stream;
  ihold(inode);
  const dentry = new Dentry(`pipe:[${inode.iIno}]`, null, inode);
  const fFlags = (fMode & FMODE_WRITE) === 0 ? 0 : (fMode & FMODE_READ) === 0 ? 1 : 2;
  // The host's doing, which does not fail.
  kmemCacheAllocNofail(ctx, FILP_CACHEP);
  return new File(ctx.vfs.nextFileId++, dentry, inode, hostStreamFops, fFlags, fMode);
}

/** chrdevs: operations by device number. */
const CHRDEVS: ReadonlyMap<number, FileOperations> = new Map([
  [mkdev(1, 3), nullFops],
  [mkdev(1, 5), zeroFops],
  [mkdev(1, 7), fullFops],
  [mkdev(1, 8), randomFops],
  [mkdev(1, 9), randomFops],
  [mkdev(5, 0), ttyFops],
  [mkdev(5, 1), consoleFops],
]);

/** chrdev_open(): the operations of a device number, or ENXIO. */
export function chrdevOperations(rdev: number): FileOperations | Errno {
  return CHRDEVS.get(rdev) ?? -ENXIO;
}

/** Nodes of /dev: name, mode, device number. */
export const DEV_NODES: readonly (readonly [name: string, mode: number, rdev: number])[] = [
  ['null', 0o666, mkdev(1, 3)],
  ['zero', 0o666, mkdev(1, 5)],
  ['full', 0o666, mkdev(1, 7)],
  ['random', 0o666, mkdev(1, 8)],
  ['urandom', 0o666, mkdev(1, 9)],
  ['tty', 0o666, mkdev(5, 0)],
  ['console', 0o600, mkdev(5, 1)],
];
