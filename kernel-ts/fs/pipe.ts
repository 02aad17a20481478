/**
 * Pipes: fs/pipe.c. The buffer is a byte ring, not a ring of pages, so a pipe full of small writes holds more than Linux's. Writes
 * of up to PIPE_BUF bytes are atomic. Missing: named fifos (opening one answers ENXIO), packet mode (O_DIRECT: EINVAL), splice.
 */
import {
  EAGAIN,
  EBUSY,
  EFAULT,
  EINVAL,
  EMFILE,
  ENFILE,
  ENOMEM,
  EPERM,
  EPIPE,
  type Errno,
} from '../abi/errno.ts';
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFIFO } from '../abi/stat.ts';
import { ktimeGetRealTs } from '../mm/context.ts';
import { fput, ihold } from '../mm/fileRef.ts';
import { FILP_CACHEP, kmemCacheAlloc, kmemCacheFree, slabMay } from '../mm/slab.ts';
import type { WaitQueue } from '../process/waitQueue.ts';
import type { FsContext } from './context.ts';
import { fdInstall } from './fdtable.ts';
import { File, FMODE_READ, FMODE_WRITE, type FileOperations } from './file.ts';
import { Dentry, Inode } from './inode.ts';
import { copyFromIter, copyToIter, type IovIter } from './iovIter.ts';
import { wakeUp, type WaitReason } from './wait.ts';

/** Writes up to this size are not interleaved with others (uapi/linux/limits.h). */
export const PIPE_BUF = 4096;
const DEFAULT_CAPACITY = 16 * PAGE_SIZE;
/** /proc/sys/fs/pipe-max-size. */
const PIPE_MAX_SIZE = 1024 * 1024;

/** struct pipe_inode_info. Invariant: 0 <= used <= ring.length <= capacity. */
export class Pipe {
  /** Grows with what is in it, up to the capacity. */
  ring: Uint8Array = new Uint8Array(0);
  capacity = DEFAULT_CAPACITY;
  /** Offset of the oldest byte. */
  head = 0;
  used = 0;
  /** Open files by direction. */
  readers = 0;
  writers = 0;
  readonly rdWait: WaitQueue;
  readonly wrWait: WaitQueue;

  constructor(ino: number) {
    this.rdWait = { name: `read of pipe:[${ino}]`, waiters: [], woken: false, io: null };
    this.wrWait = { name: `write to pipe:[${ino}]`, waiters: [], woken: false, io: null };
  }
}

function pipeOf(file: File): Pipe {
  const pipe = file.fInode.iPrivate;
  if (!(pipe instanceof Pipe)) throw new Error('a pipe file without a pipe');
  return pipe;
}

/** Makes the ring hold `bytes`, keeping what is in it. */
function resizeRing(pipe: Pipe, bytes: number): void {
  const ring = new Uint8Array(bytes);
  const first = headRun(pipe, pipe.used);
  ring.set(first);
  ring.set(pipe.ring.subarray(0, pipe.used - first.length), first.length);
  pipe.ring = ring;
  pipe.head = 0;
}

/** The longest run of stored bytes from the head on. */
function headRun(pipe: Pipe, max: number): Uint8Array {
  const run = Math.min(max, pipe.used, pipe.ring.length - pipe.head);
  return pipe.ring.subarray(pipe.head, pipe.head + run);
}

function pipeRead(ctx: FsContext, file: File, to: IovIter): number | WaitReason {
  const pipe = pipeOf(file);
  if (to.count === 0) return 0;
  if (pipe.used === 0) {
    if (pipe.writers === 0) return 0;
    return (file.fFlags & O_NONBLOCK) !== 0 ? -EAGAIN : { wait: pipe.rdWait, progress: 0 };
  }
  let done = 0;
  while (to.count > 0 && pipe.used > 0) {
    const run = headRun(pipe, to.count);
    const copied = copyToIter(ctx, run, to);
    pipe.head = (pipe.head + copied) % pipe.ring.length;
    pipe.used -= copied;
    done += copied;
    if (copied < run.length) break;
  }
  if (done === 0) return -EFAULT;
  wakeUp(ctx, pipe.wrWait);
  if (pipe.used > 0) wakeUp(ctx, pipe.rdWait);
  return done;
}

function pipeWrite(ctx: FsContext, file: File, from: IovIter): number | WaitReason {
  const pipe = pipeOf(file);
  // The system-call layer adds SIGPIPE.
  if (pipe.readers === 0) return -EPIPE;
  const nonblocking = (file.fFlags & O_NONBLOCK) !== 0;
  const room = pipe.capacity - pipe.used;
  if (from.count <= PIPE_BUF && room < from.count) {
    return nonblocking ? -EAGAIN : { wait: pipe.wrWait, progress: 0 };
  }
  const needed = Math.min(pipe.used + from.count, pipe.capacity);
  if (needed > pipe.ring.length) resizeRing(pipe, Math.min(pipe.capacity, 2 ** Math.ceil(Math.log2(needed))));
  let done = 0;
  while (from.count > 0 && pipe.used < pipe.ring.length) {
    const tail = (pipe.head + pipe.used) % pipe.ring.length;
    const space = Math.min(pipe.ring.length - pipe.used, pipe.ring.length - tail);
    const want = Math.min(space, from.count);
    const bytes = copyFromIter(ctx, from, want);
    pipe.ring.set(bytes, tail);
    pipe.used += bytes.length;
    done += bytes.length;
    if (bytes.length < want) {
      if (done === 0) return -EFAULT;
      wakeUp(ctx, pipe.rdWait);
      return done;
    }
  }
  if (done > 0) wakeUp(ctx, pipe.rdWait);
  if (from.count === 0) return done;
  if (nonblocking) return done > 0 ? done : -EAGAIN;
  return { wait: pipe.wrWait, progress: done };
}

function pipeRelease(ctx: FsContext, file: File): void {
  const pipe = pipeOf(file);
  if ((file.fMode & FMODE_READ) !== 0) pipe.readers--;
  if ((file.fMode & FMODE_WRITE) !== 0) pipe.writers--;
  wakeUp(ctx, pipe.rdWait);
  wakeUp(ctx, pipe.wrWait);
}

function pipeOpen(_ctx: FsContext, file: File): 0 {
  const pipe = pipeOf(file);
  if ((file.fMode & FMODE_READ) !== 0) pipe.readers++;
  if ((file.fMode & FMODE_WRITE) !== 0) pipe.writers++;
  return 0;
}

function pipePoll(_ctx: FsContext, file: File): { mask: number; queues: WaitQueue[] } {
  const pipe = pipeOf(file);
  let mask = 0;
  const queues: WaitQueue[] = [];
  if ((file.fMode & FMODE_READ) !== 0) {
    queues.push(pipe.rdWait);
    if (pipe.used > 0) mask |= POLLIN | POLLRDNORM;
    if (pipe.writers === 0) mask |= POLLHUP;
  }
  if ((file.fMode & FMODE_WRITE) !== 0) {
    queues.push(pipe.wrWait);
    if (pipe.used < pipe.capacity) mask |= POLLOUT | POLLWRNORM;
    if (pipe.readers === 0) mask |= POLLERR;
  }
  return { mask, queues };
}

const FIONREAD = 0x541b;

/** pipefifo_fops. */
export const pipefifoFops: FileOperations = {
  name: 'pipefifo_fops',
  open: pipeOpen,
  release: pipeRelease,
  readIter: pipeRead,
  writeIter: pipeWrite,
  poll: pipePoll,
  queryIoctl: (file, cmd) => (cmd === FIONREAD ? pipeOf(file).used : null),
};

/** create_pipe_files() and the descriptors: [read end, write end], or EINVAL, EMFILE. */
export function doPipe2(ctx: FsContext, flags: number): readonly [number, number] | Errno {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0 || (flags & O_DIRECT) !== 0) return -EINVAL;
  // get_pipe_inode() and alloc_file_pseudo(): the inode with its pipe, the dentry and two files.
  if (!slabMay(ctx) || !slabMay(ctx)) return -ENFILE;
  if (!slabMay(ctx) || !kmemCacheAlloc(ctx, FILP_CACHEP)) return -ENOMEM;
  if (!kmemCacheAlloc(ctx, FILP_CACHEP)) {
    kmemCacheFree(ctx, FILP_CACHEP);
    return -ENOMEM;
  }
  const inode = new Inode(
    ctx.vfs.pipeMnt,
    S_IFIFO | 0o600,
    { name: 'pipefs_inode_operations' },
    pipefifoFops,
    ktimeGetRealTs(ctx),
  );
  inode.iUid = ctx.current.cred.fsuid;
  inode.iGid = ctx.current.cred.fsgid;
  inode.iNlink = 0;
  inode.iPrivate = new Pipe(inode.iIno);
  const dentry = new Dentry(`pipe:[${inode.iIno}]`, null, inode);
  const make = (fFlags: number, fMode: number): File => {
    ihold(inode);
    const file = new File(
      ctx.vfs.nextFileId++,
      dentry,
      inode,
      pipefifoFops,
      fFlags | (flags & O_NONBLOCK),
      fMode,
    );
    pipeOpen(ctx, file);
    return file;
  };
  const read = make(O_RDONLY, FMODE_READ);
  const write = make(O_WRONLY, FMODE_WRITE);
  const { files } = ctx.current;
  const cloexec = (flags & O_CLOEXEC) !== 0;
  const readFd = fdInstall(ctx, read, cloexec);
  const writeFd = readFd < 0 ? -EMFILE : fdInstall(ctx, write, cloexec);
  if (writeFd >= 0) return [readFd, writeFd];
  if (readFd >= 0 && files !== null) {
    files.fd[readFd] = null;
    files.setCloseOnExec(readFd, false);
    files.nextFd = Math.min(files.nextFd, readFd);
  }
  fput(ctx, read);
  fput(ctx, write);
  return -EMFILE;
}

/** F_GETPIPE_SZ; null when the file is no pipe. */
export function pipeCapacity(file: File): number | null {
  return file.fInode.iPrivate instanceof Pipe ? file.fInode.iPrivate.capacity : null;
}

/** F_SETPIPE_SZ: rounds up to a power of two of pages; the new capacity, EBUSY when the content does not fit, EPERM, EINVAL. */
export function setPipeCapacity(ctx: FsContext, file: File, bytes: number): number {
  const pipe = pipeOf(file);
  if (bytes <= 0 || bytes > 0x7fff_ffff) return -EINVAL;
  let size = PAGE_SIZE;
  while (size < bytes) size *= 2;
  // Linux lets CAP_SYS_RESOURCE go beyond; here the memory is the host's.
  if (size > PIPE_MAX_SIZE) return -EPERM;
  if (size < pipe.used) return -EBUSY;
  pipe.capacity = size;
  resizeRing(pipe, Math.min(size, 2 ** Math.ceil(Math.log2(Math.max(1, pipe.used)))));
  wakeUp(ctx, pipe.wrWait);
  return size;
}
