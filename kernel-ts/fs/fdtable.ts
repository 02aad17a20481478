/** File descriptors: fs/file.c, fs/fcntl.c. Missing: record locks between processes, O_ASYNC owners. */
import { EBADF, EINVAL, EMFILE, type Errno } from '../abi/errno.ts';
import {
  CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE,
  F_ADD_SEALS,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFD,
  F_GETFL,
  F_GETOWN,
  F_SETFD,
  F_SETFL,
  F_SETOWN,
  FD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  FASYNC,
} from '../abi/fcntl.ts';
import { RLIMIT_NOFILE, rlimit } from '../abi/resource.ts';
import type { MmContext } from '../mm/context.ts';
import { fput, getFile } from '../mm/fileRef.ts';
import type { FsContext } from './context.ts';
import { FilesStruct, FMODE_PATH, type File } from './file.ts';
import { memfdAddSeals, memfdGetSeals } from './seals.ts';

function filesOf(ctx: FsContext): FilesStruct {
  const { files } = ctx.current;
  if (files === null) throw new Error('a task without descriptors made a system call');
  return files;
}

/** fdget_raw(): the open file, O_PATH included; null is EBADF. The caller takes no reference. */
export function fgetRaw(ctx: FsContext, fd: number): File | null {
  return filesOf(ctx).fd[fd] ?? null;
}

/** fdget(): the open file, unless it was opened with O_PATH; null is EBADF. */
export function fget(ctx: FsContext, fd: number): File | null {
  const file = fgetRaw(ctx, fd);
  return file === null || (file.fMode & FMODE_PATH) !== 0 ? null : file;
}

/** sysctl_nr_open: no limit goes beyond. */
const NR_OPEN = 1024 * 1024;

/** Descriptors are below this. */
export function maxFds(ctx: MmContext): number {
  return Math.min(rlimit(ctx.current.rlim, RLIMIT_NOFILE), NR_OPEN);
}

/** fdt->max_fds of a table in which so many are used: it begins with as many as a word has bits, and grows by kibibytes of pointers. */
export function maxFdsOf(used: number): number {
  return used <= 32 ? 32 : Math.max(256, 2 ** Math.ceil(Math.log2(used)));
}

function lowestFree(files: FilesStruct, from: number): number {
  let fd = Math.max(from, files.nextFd);
  while ((files.fd[fd] ?? null) !== null) fd++;
  return fd;
}

/** Puts a file at a descriptor that is free. */
function place(files: FilesStruct, fd: number, file: File, cloexec: boolean): void {
  while (files.fd.length < fd) files.fd.push(null);
  files.fd[fd] = file;
  files.setCloseOnExec(fd, cloexec);
  if (fd === files.nextFd) files.nextFd = fd + 1;
}

/** get_unused_fd_flags() and fd_install(): the lowest free descriptor from `from` on; EMFILE. Consumes the reference on success. */
export function fdInstall(ctx: FsContext, file: File, cloexec: boolean, from = 0): number {
  const files = filesOf(ctx);
  const fd = lowestFree(files, from);
  if (fd >= maxFds(ctx)) return -EMFILE;
  place(files, fd, file, cloexec);
  return fd;
}

/** Takes a descriptor away; its file reference is the caller's. */
function pickFile(files: FilesStruct, fd: number): File | null {
  const file = files.fd[fd] ?? null;
  if (file === null) return null;
  files.fd[fd] = null;
  files.setCloseOnExec(fd, false);
  if (fd < files.nextFd) files.nextFd = fd;
  return file;
}

/** close(2). */
export function closeFd(ctx: FsContext, fd: number): 0 | Errno {
  const file = pickFile(filesOf(ctx), fd);
  if (file === null) return -EBADF;
  fput(ctx, file);
  return 0;
}

/** close_range(2): CLOSE_RANGE_CLOEXEC; CLOSE_RANGE_UNSHARE answers EINVAL. */
export function closeRange(ctx: FsContext, first: number, last: number, flags: number): 0 | Errno {
  if ((flags & ~CLOSE_RANGE_CLOEXEC) !== 0 || first > last) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0) return -EINVAL;
  const files = filesOf(ctx);
  for (let fd = first; fd <= last && fd < files.fd.length; fd++) {
    if ((files.fd[fd] ?? null) === null) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) files.setCloseOnExec(fd, true);
    else closeFd(ctx, fd);
  }
  return 0;
}

/** dup(2). */
export function ksysDup(ctx: FsContext, fd: number): number {
  const file = fgetRaw(ctx, fd);
  if (file === null) return -EBADF;
  const copy = fdInstall(ctx, file, false);
  if (copy >= 0) getFile(file);
  return copy;
}

/** dup3(2): O_CLOEXEC; EINVAL when both are equal, EBADF beyond RLIMIT_NOFILE. */
export function ksysDup3(ctx: FsContext, oldFd: number, newFd: number, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0 || oldFd === newFd) return -EINVAL;
  if (newFd < 0 || newFd >= maxFds(ctx)) return -EBADF;
  const file = fgetRaw(ctx, oldFd);
  if (file === null) return -EBADF;
  const files = filesOf(ctx);
  const old = pickFile(files, newFd);
  place(files, newFd, getFile(file), (flags & O_CLOEXEC) !== 0);
  if (old !== null) fput(ctx, old);
  return newFd;
}

/** dup_fd(): fork's copy; every file gains a reference. */
export function dupFilesStruct(old: FilesStruct): FilesStruct {
  const files = new FilesStruct(old.fd.slice(), old.closeOnExec.slice());
  for (const file of files.fd) if (file !== null) getFile(file);
  files.nextFd = old.nextFd;
  return files;
}

/** put_files_struct(): the last user closes everything. */
export function putFilesStruct(ctx: MmContext, files: FilesStruct): void {
  files.count--;
  if (files.count > 0) return;
  const { fd, closeOnExec } = files;
  closeOnExec.length = 0;
  files.nextFd = 0;
  for (let at = 0; at < fd.length; at++) {
    const file = fd[at];
    if (file) fput(ctx, file);
  }
  fd.length = 0;
}

/** do_close_on_exec(). */
export function doCloseOnExec(ctx: MmContext, files: FilesStruct): void {
  for (let fd = 0; fd < files.fd.length; fd++) {
    const file = files.isCloseOnExec(fd) ? pickFile(files, fd) : null;
    if (file !== null) fput(ctx, file);
  }
}

/** Status flags that F_SETFL changes. */
const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC;

/** The commands of fcntl(2) that need no user memory; locks and pipe sizes are in fcntl.ts. null: not one of them. */
export function fcntlFd(ctx: FsContext, fd: number, file: File, cmd: number, arg: number): number | null {
  const files = filesOf(ctx);
  switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
      if (arg >= maxFds(ctx)) return -EINVAL;
      const copy = fdInstall(ctx, file, cmd === F_DUPFD_CLOEXEC, arg);
      if (copy >= 0) getFile(file);
      return copy;
    }
    case F_GETFD:
      return files.isCloseOnExec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
      files.setCloseOnExec(fd, (arg & FD_CLOEXEC) !== 0);
      return 0;
    case F_GETFL:
      return file.fFlags;
    case F_SETFL:
      file.fFlags = (file.fFlags & ~SETFL_MASK) | (arg & SETFL_MASK);
      return 0;
    case F_GETOWN:
    case F_SETOWN:
      return 0;
    case F_GET_SEALS:
      return memfdGetSeals(file);
    case F_ADD_SEALS:
      return memfdAddSeals(file, arg);
    default:
      return null;
  }
}
