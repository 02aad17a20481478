/** Shims of files, directories and descriptors: open(2), stat(2), fcntl(2), chmod(2), unlink(2) and their families. */
import { EBADF, EFAULT, EINVAL, ENAMETOOLONG, ERANGE } from '../abi/errno.ts';
import { AT_EACCESS, AT_FDCWD, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from '../abi/fcntl.ts';
import { decodeDev, encodeStatfs64, encodeStatx, STATX_RESERVED } from '../abi/stat.ts';
import { doFcntl } from '../fs/fcntl.ts';
import { closeFd, closeRange, fget, fgetRaw, ksysDup, ksysDup3 } from '../fs/fdtable.ts';
import { memfdCreate } from '../fs/memfd.ts';
import {
  doLinkat,
  doMkdirat,
  doMknodat,
  doReadlinkat,
  doRenameat2,
  doSymlinkat,
  doUnlinkat,
} from '../fs/namei.ts';
import {
  doChdir,
  doChroot,
  doFaccessat,
  doFallocate,
  doFchdir,
  doFchmod,
  doFchmodat,
  doFchown,
  doFchownat,
  doFtruncate,
  doTruncate,
  doUtimensat,
  getcwd,
} from '../fs/attr.ts';
import { doSysOpenat } from '../fs/open.ts';
import { doPipe2 } from '../fs/pipe.ts';
import { vfsGetdents64 } from '../fs/readWrite.ts';
import { vfsFstatfs, vfsStatfs, vfsStatx } from '../fs/stat.ts';
import type { Timespec } from '../mm/context.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import type { Handler } from './row.ts';
import { int64, readTimespec, userMm, userPath, userString, writeUser, writeWords } from './user.ts';

const S_IFMT = 0o170000;

export const sysOpenat: Handler = (kernel, task, dfd, pathname, flags, mode) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doSysOpenat(kernel, dfd, path, flags >>> 0, mode & 0xffff);
};

export const sysClose: Handler = (kernel, _task, fd) => closeFd(kernel, fd);

export const sysCloseRange: Handler = (kernel, _task, first, last, flags) =>
  closeRange(kernel, first >>> 0, last >>> 0, flags >>> 0);

export const sysDup: Handler = (kernel, _task, fd) => ksysDup(kernel, fd);

export const sysDup3: Handler = (kernel, _task, oldFd, newFd, flags) =>
  ksysDup3(kernel, oldFd, newFd, flags >>> 0);

export const sysPipe2: Handler = (kernel, task, fds, flags) => {
  const pair = doPipe2(kernel, flags >>> 0);
  if (typeof pair === 'number') return pair;
  if (writeWords(kernel, task, fds, pair) === 0) return 0;
  for (const fd of pair) closeFd(kernel, fd);
  return -EFAULT;
};

export const sysFcntl64: Handler = (kernel, _task, fd, cmd, arg) => doFcntl(kernel, fd, cmd, arg >>> 0);

export const sysStatx: Handler = (kernel, task, dfd, pathname, flags, mask, buf) => {
  if ((mask & STATX_RESERVED) !== 0 || (flags & 0x6000) === 0x6000) return -EINVAL;
  // A null path with AT_EMPTY_PATH means the descriptor itself, since 6.11.
  const path = pathname === 0 && (flags & AT_EMPTY_PATH) !== 0 ? '' : userPath(kernel, task, pathname);
  if (typeof path === 'number') return path;
  const stat = vfsStatx(kernel, dfd, path, flags >>> 0);
  return typeof stat === 'number' ? stat : writeUser(kernel, task, buf, encodeStatx(stat));
};

/** sizeof(struct statfs64): the caller passes it, and it must be right. */
const STATFS64_SIZE = 88;

export const sysStatfs64: Handler = (kernel, task, pathname, size, buf) => {
  const path = userPath(kernel, task, pathname);
  if (typeof path === 'number') return path;
  if (size !== STATFS64_SIZE) return -EINVAL;
  const stat = vfsStatfs(kernel, AT_FDCWD, path);
  return typeof stat === 'number' ? stat : writeUser(kernel, task, buf, encodeStatfs64(stat));
};

export const sysFstatfs64: Handler = (kernel, task, fd, size, buf) => {
  if (size !== STATFS64_SIZE) return -EINVAL;
  const file = fgetRaw(kernel, fd);
  return file === null ? -EBADF : writeUser(kernel, task, buf, encodeStatfs64(vfsFstatfs(kernel, file)));
};

export const sysReadlinkat: Handler = (kernel, task, dfd, pathname, buf, size) => {
  if (size <= 0) return -EINVAL;
  const path = userPath(kernel, task, pathname);
  if (typeof path === 'number') return path;
  const target = doReadlinkat(kernel, dfd, path);
  if (typeof target === 'number') return target;
  const bytes = new TextEncoder().encode(target).subarray(0, size);
  const failed = writeUser(kernel, task, buf, bytes);
  return failed < 0 ? failed : bytes.length;
};

export const sysGetdents64: Handler = (kernel, task, fd, dirent, count) => {
  const file = fget(kernel, fd);
  return file === null ? -EBADF : vfsGetdents64(kernel, file, userMm(task), dirent >>> 0, count >>> 0);
};

export const sysUnlinkat: Handler = (kernel, task, dfd, pathname, flags) => {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doUnlinkat(kernel, dfd, path, flags >>> 0);
};

export const sysMkdirat: Handler = (kernel, task, dfd, pathname, mode) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doMkdirat(kernel, dfd, path, mode & 0xffff);
};

export const sysMknodat: Handler = (kernel, task, dfd, pathname, mode, dev) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number'
    ? path
    : doMknodat(kernel, dfd, path, mode & (S_IFMT | 0o7777), decodeDev(dev));
};

export const sysSymlinkat: Handler = (kernel, task, target, dfd, linkpath) => {
  const to = userPath(kernel, task, target);
  if (typeof to === 'number') return to;
  const path = userPath(kernel, task, linkpath);
  return typeof path === 'number' ? path : doSymlinkat(kernel, to, dfd, path);
};

export const sysLinkat: Handler = (kernel, task, oldDfd, oldPath, newDfd, newPath, flags) => {
  const from = userPath(kernel, task, oldPath);
  if (typeof from === 'number') return from;
  const to = userPath(kernel, task, newPath);
  return typeof to === 'number' ? to : doLinkat(kernel, oldDfd, from, newDfd, to, flags >>> 0);
};

export const sysRenameat2: Handler = (kernel, task, oldDfd, oldPath, newDfd, newPath, flags) => {
  const from = userPath(kernel, task, oldPath);
  if (typeof from === 'number') return from;
  const to = userPath(kernel, task, newPath);
  return typeof to === 'number' ? to : doRenameat2(kernel, oldDfd, from, newDfd, to, flags >>> 0);
};

export const sysFaccessat2: Handler = (kernel, task, dfd, pathname, mode, flags) => {
  if ((mode & ~7) !== 0) return -EINVAL;
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doFaccessat(kernel, dfd, path, mode, flags >>> 0);
};

/** faccessat(2) as a system call has no flags. */
export const sysFaccessat: Handler = (kernel, task, dfd, pathname, mode) =>
  sysFaccessat2(kernel, task, dfd, pathname, mode, 0, 0, 0);

export const sysTruncate64: Handler = (kernel, task, pathname, low, high) => {
  const path = userPath(kernel, task, pathname);
  if (typeof path === 'number') return path;
  const length = int64(low, high);
  return length < 0 ? -EINVAL : doTruncate(kernel, path, length);
};

export const sysFtruncate64: Handler = (kernel, _task, fd, low, high) => {
  const length = int64(low, high);
  return length < 0 ? -EINVAL : doFtruncate(kernel, fd, length);
};

export const sysFallocate: Handler = (kernel, _task, fd, mode, offLow, offHigh, lenLow, lenHigh) =>
  doFallocate(kernel, fd, mode, int64(offLow, offHigh), int64(lenLow, lenHigh));

/** Everything is memory: there is nothing to write back. */
export const sysFsync: Handler = (kernel, _task, fd) => {
  const file = fget(kernel, fd);
  if (file === null) return -EBADF;
  return (file.fInode.iMode & S_IFMT) === 0o100000 || (file.fInode.iMode & S_IFMT) === 0o040000 ? 0 : -EINVAL;
};

export const sysSync: Handler = () => 0;

export const sysGetcwd: Handler = (kernel, task, buf, size) => {
  const cwd = getcwd(kernel);
  if (typeof cwd === 'number') return cwd;
  const bytes = new TextEncoder().encode(`${cwd}\0`);
  if (bytes.length > PATH_PAGE) return -ENAMETOOLONG;
  if (bytes.length > size >>> 0) return -ERANGE;
  const failed = writeUser(kernel, task, buf, bytes);
  return failed < 0 ? failed : bytes.length;
};

const PATH_PAGE = 4096;

export const sysChdir: Handler = (kernel, task, pathname) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doChdir(kernel, path);
};

export const sysFchdir: Handler = (kernel, _task, fd) => doFchdir(kernel, fd);

export const sysChroot: Handler = (kernel, task, pathname) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doChroot(kernel, path);
};

export const sysUmask: Handler = (_kernel, task, mask) => {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
};

export const sysFchmod: Handler = (kernel, _task, fd, mode) => doFchmod(kernel, fd, mode & 0o7777);

export const sysFchmodat: Handler = (kernel, task, dfd, pathname, mode) => {
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doFchmodat(kernel, dfd, path, mode & 0o7777, 0);
};

export const sysFchmodat2: Handler = (kernel, task, dfd, pathname, mode, flags) => {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doFchmodat(kernel, dfd, path, mode & 0o7777, flags >>> 0);
};

export const sysFchown: Handler = (kernel, _task, fd, uid, gid) => doFchown(kernel, fd, uid >>> 0, gid >>> 0);

export const sysFchownat: Handler = (kernel, task, dfd, pathname, uid, gid, flags) => {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = userPath(kernel, task, pathname);
  return typeof path === 'number' ? path : doFchownat(kernel, dfd, path, uid >>> 0, gid >>> 0, flags >>> 0);
};

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

function utime(kernel: Kernel, task: Task, address: number): Timespec | 'now' | 'omit' | number {
  const t = readTimespec(kernel, task, address);
  if (typeof t === 'number') return t;
  if (t.nsec === UTIME_NOW) return 'now';
  if (t.nsec === UTIME_OMIT) return 'omit';
  return t.nsec < 0 || t.nsec >= 1e9 ? -EINVAL : { tvSec: t.sec, tvNsec: t.nsec };
}

export const sysUtimensat: Handler = (kernel, task, dfd, pathname, times, flags) => {
  const path = pathname === 0 ? null : userPath(kernel, task, pathname);
  if (typeof path === 'number') return path;
  if (times === 0) return doUtimensat(kernel, dfd, path, null, flags >>> 0);
  const atime = utime(kernel, task, times);
  if (typeof atime === 'number') return atime;
  const mtime = utime(kernel, task, times + 16);
  if (typeof mtime === 'number') return mtime;
  if (atime === 'omit' && mtime === 'omit') return 0;
  return doUtimensat(kernel, dfd, path, [atime, mtime], flags >>> 0);
};

/** Longest name of a memfd: NAME_MAX less "memfd:". */
const MFD_NAME_MAX = 249;

export const sysMemfdCreate: Handler = (kernel, task, uname, flags) => {
  const name = userString(kernel, task, uname, MFD_NAME_MAX + 1);
  if (typeof name === 'number') return name === -ENAMETOOLONG ? -EINVAL : name;
  return memfdCreate(kernel, name, flags >>> 0);
};
