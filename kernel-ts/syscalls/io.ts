/** Shims of reading and writing: read(2), readv(2), pread(2), lseek(2), ioctl(2), sendfile(2). */
import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE, ESPIPE } from '../abi/errno.ts';
import { O_NONBLOCK } from '../abi/fcntl.ts';
import { vfsCopyFileRange } from '../fs/copyFileRange.ts';
import { fget } from '../fs/fdtable.ts';
import type { File } from '../fs/file.ts';
import { importIovec, userIter, type IovIter } from '../fs/iovIter.ts';
import {
  doSendfile,
  ksysPread,
  ksysPwrite,
  vfsIoctl,
  vfsLlseek,
  vfsRead,
  vfsWrite,
} from '../fs/readWrite.ts';
import { isWait, type WaitReason } from '../fs/wait.ts';
import type { Kernel } from '../process/kernel.ts';
import { sleepOnIo } from '../process/sched.ts';
import { sendSignal, userInfo } from '../process/signalSend.ts';
import { SIGPIPE } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import type { Handler } from './row.ts';
import { int64, readUser, userMm, writeWords } from './user.ts';

/** Turns "not now" into sleep (or EAGAIN), and EPIPE into SIGPIPE. */
function finish(kernel: Kernel, task: Task, file: File, result: number | WaitReason): number {
  if (!isWait(result)) {
    if (result === -EPIPE) sendSignal(kernel, task, userInfo(task, SIGPIPE), false);
    return result;
  }
  if ((file.fFlags & O_NONBLOCK) !== 0) return result.progress > 0 ? result.progress : -EAGAIN;
  const { wait, progress } = result;
  return sleepOnIo(kernel, task, wait, progress);
}

const progressOf = (task: Task): number => task.restart?.progress ?? 0;

export const sysRead: Handler = (kernel, task, fd, buf, count) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  return finish(
    kernel,
    task,
    file,
    vfsRead(kernel, file, userIter(userMm(task), buf, count >>> 0), progressOf(task)),
  );
};

export const sysWrite: Handler = (kernel, task, fd, buf, count) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  return finish(
    kernel,
    task,
    file,
    vfsWrite(kernel, file, userIter(userMm(task), buf, count >>> 0), progressOf(task)),
  );
};

export const sysReadv: Handler = (kernel, task, fd, vec, vlen) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  const iter = importIovec(kernel, userMm(task), vec >>> 0, vlen >>> 0);
  return typeof iter === 'number'
    ? iter
    : finish(kernel, task, file, vfsRead(kernel, file, iter, progressOf(task)));
};

export const sysWritev: Handler = (kernel, task, fd, vec, vlen) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  const iter = importIovec(kernel, userMm(task), vec >>> 0, vlen >>> 0);
  return typeof iter === 'number'
    ? iter
    : finish(kernel, task, file, vfsWrite(kernel, file, iter, progressOf(task)));
};

type Positional = (kernel: Kernel, file: File, iter: IovIter, pos: number) => number | WaitReason;

/** A positional transfer never waits: what can wait has no position. */
function transferAt(
  kernel: Kernel,
  task: Task,
  fd: number,
  iter: IovIter | number,
  pos: number,
  op: Positional,
): number {
  if (pos < 0) return -EINVAL;
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  if (typeof iter === 'number') return iter;
  const result = op(kernel, file, iter, pos);
  return isWait(result) ? -ESPIPE : finish(kernel, task, file, result);
}

export const sysPread64: Handler = (kernel, task, fd, buf, count, low, high) =>
  transferAt(kernel, task, fd, userIter(userMm(task), buf, count >>> 0), int64(low, high), ksysPread);

export const sysPwrite64: Handler = (kernel, task, fd, buf, count, low, high) =>
  transferAt(kernel, task, fd, userIter(userMm(task), buf, count >>> 0), int64(low, high), ksysPwrite);

export const sysPreadv: Handler = (kernel, task, fd, vec, vlen, low, high) =>
  transferAt(
    kernel,
    task,
    fd,
    importIovec(kernel, userMm(task), vec >>> 0, vlen >>> 0),
    int64(low, high),
    ksysPread,
  );

export const sysPwritev: Handler = (kernel, task, fd, vec, vlen, low, high) =>
  transferAt(
    kernel,
    task,
    fd,
    importIovec(kernel, userMm(task), vec >>> 0, vlen >>> 0),
    int64(low, high),
    ksysPwrite,
  );

export const sysLlseek: Handler = (kernel, task, fd, high, low, result, whence) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  const pos = vfsLlseek(kernel, file, int64(low, high), whence);
  return pos < 0 ? pos : writeWords(kernel, task, result, [pos, Math.floor(pos / 2 ** 32)]);
};

export const sysSendfile64: Handler = (kernel, task, outFd, inFd, offset, count) => {
  const out = fget(kernel, outFd);
  const from = fget(kernel, inFd);
  if (out === null || from === null) return -EBADF;
  let pos: number | null = null;
  if (offset !== 0) {
    const raw = readUser(kernel, task, offset, 8);
    if (typeof raw === 'number') return raw;
    pos = int64(raw.getUint32(0, true), raw.getInt32(4, true));
  }
  const sent = doSendfile(kernel, out, from, pos, count >>> 0);
  if ('wait' in sent) return finish(kernel, task, out, sent);
  if (offset !== 0 && sent.result >= 0) {
    const failed = writeWords(kernel, task, offset, [sent.next, Math.floor(sent.next / 2 ** 32)]);
    if (failed < 0) return failed;
  }
  return finish(kernel, task, out, sent.result);
};

/** A loff_t that is read through `address`, or the file's own position when that is NULL; null is EFAULT. */
function readOffset(kernel: Kernel, task: Task, address: number, file: File): number | null {
  if (address === 0) return file.fPos;
  const raw = readUser(kernel, task, address, 8);
  return typeof raw === 'number' ? null : int64(raw.getUint32(0, true), raw.getInt32(4, true));
}

export const sysCopyFileRange: Handler = (kernel, task, inFd, inOffset, outFd, outOffset, len, flags) => {
  const input = fget(kernel, inFd);
  const output = fget(kernel, outFd);
  if (input === null || output === null) return -EBADF;
  const from = readOffset(kernel, task, inOffset, input);
  const to = readOffset(kernel, task, outOffset, output);
  if (from === null || to === null) return -EFAULT;
  if (flags !== 0) return -EINVAL;
  const copied = vfsCopyFileRange(kernel, input, from, output, to, len >>> 0);
  if (copied <= 0) return copied;
  if (inOffset === 0) input.fPos = from + copied;
  else if (writeOffset(kernel, task, inOffset, from + copied) < 0) return -EFAULT;
  if (outOffset === 0) output.fPos = to + copied;
  else if (writeOffset(kernel, task, outOffset, to + copied) < 0) return -EFAULT;
  return copied;
};

function writeOffset(kernel: Kernel, task: Task, address: number, offset: number): number {
  return writeWords(kernel, task, address, [offset, Math.floor(offset / 2 ** 32)]);
}

export const sysIoctl: Handler = (kernel, _task, fd, cmd, arg) => {
  const file = fget(kernel, fd);
  return file === null ? -EBADF : vfsIoctl(kernel, fd, file, cmd >>> 0, arg >>> 0);
};
