/** Opening files: fs/open.c, fs/namei.c (do_filp_open). Missing: O_TMPFILE (EOPNOTSUPP), openat2's resolve flags. */
import {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ETXTBSY,
  type Errno,
} from '../abi/errno.ts';
import {
  AT_FDCWD,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  FASYNC,
} from '../abi/fcntl.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';
import { fput, ihold, iput } from '../mm/fileRef.ts';
import { FILP_CACHEP, kmemCacheAlloc, kmemCacheFree } from '../mm/slab.ts';
import type { FsContext } from './context.ts';
import { chrdevOperations } from './devices.ts';
import { fdInstall, maxFds } from './fdtable.ts';
import { File, FMODE_LSEEK, FMODE_PATH, FMODE_READ, FMODE_WRITE, type FileOperations } from './file.ts';
import type { Dentry, Inode } from './inode.ts';
import { inodePermission, MAY_EXEC, MAY_READ, MAY_WRITE, mayCreate, ownerOrCapable } from './permission.ts';
import { pipefifoFops } from './pipe.ts';
import { isDir, isLink } from './tmpfs.ts';
import { readLinkTarget, startDir, walkParent, type Nameidata } from './walk.ts';

export { fput } from '../mm/fileRef.ts';
export { hostStreamFile } from './devices.ts';

/** The flags that open(2) keeps; others are ignored (VALID_OPEN_FLAGS). */
const VALID_OPEN_FLAGS =
  O_ACCMODE |
  O_CREAT |
  O_EXCL |
  O_NOCTTY |
  O_TRUNC |
  O_APPEND |
  O_NONBLOCK |
  O_SYNC |
  FASYNC |
  O_DIRECT |
  O_LARGEFILE |
  O_DIRECTORY |
  O_NOFOLLOW |
  O_NOATIME |
  O_CLOEXEC |
  O_PATH |
  O_TMPFILE;

/** What each access mode asks of the permissions; mode 3 asks for both. */
function accessMask(flags: number): number {
  const mode = flags & O_ACCMODE;
  const mask = mode === O_RDONLY ? MAY_READ : mode === O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;
  return (flags & O_TRUNC) !== 0 ? mask | MAY_WRITE : mask;
}

/** build_open_flags(): the flags as the kernel understands them, or EINVAL, EOPNOTSUPP. */
function openFlags(raw: number): number {
  let flags = raw & VALID_OPEN_FLAGS;
  if ((flags & O_PATH) !== 0) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if ((flags & (O_DIRECTORY | O_CREAT)) === (O_DIRECTORY | O_CREAT)) return -EINVAL;
  if ((flags & O_TMPFILE) === O_TMPFILE) return (flags & O_ACCMODE) === O_RDONLY ? -EINVAL : -EOPNOTSUPP;
  return flags;
}

/** do_filp_open(): the open file with one reference, or an Errno. `mode` is for O_CREAT; the umask applies. */
export function doFilpOpen(
  ctx: FsContext,
  dfd: number,
  path: string,
  rawFlags: number,
  mode: number,
): File | Errno {
  const flags = openFlags(rawFlags);
  if (flags < 0) return flags;
  // alloc_empty_file() comes before the walk: without it nothing is created.
  if (!kmemCacheAlloc(ctx, FILP_CACHEP)) return -ENOMEM;
  const file = pathOpenat(ctx, dfd, path, flags, mode);
  if (typeof file === 'number') kmemCacheFree(ctx, FILP_CACHEP);
  return file;
}

/** path_openat(): the struct file is allocated. */
function pathOpenat(ctx: FsContext, dfd: number, path: string, flags: number, mode: number): File | Errno {
  const start = startDir(ctx, dfd, path);
  if (typeof start === 'number') return start;
  const nd: Nameidata = { links: 0 };
  let from = start;
  let text = path;
  let mustBeDir = (flags & O_DIRECTORY) !== 0;
  for (;;) {
    const parent = walkParent(ctx, from, text, nd);
    if (typeof parent === 'number') return parent;
    const { child, last } = parent;
    if (child === null) {
      if ((flags & O_CREAT) === 0) return -ENOENT;
      if (parent.trailingSlash) return -EISDIR;
      return createAndOpen(ctx, parent.dir, last, flags, mode);
    }
    if ((flags & O_CREAT) !== 0) {
      if (last === '' || last === '.' || last === '..' || parent.trailingSlash) return -EISDIR;
      if ((flags & O_EXCL) !== 0) return -EEXIST;
    }
    mustBeDir ||= parent.trailingSlash;
    if (!isLink(child.dInode)) return openDentry(ctx, child, flags, mustBeDir);
    if ((flags & O_NOFOLLOW) !== 0 && !parent.trailingSlash) {
      if ((flags & O_PATH) === 0) return -ELOOP;
      return openDentry(ctx, child, flags, mustBeDir);
    }
    const target = readLinkTarget(ctx, child, nd);
    if (typeof target === 'number') return target;
    if (typeof target !== 'string') return openDentry(ctx, target, flags, mustBeDir);
    from = parent.dir;
    text = target;
  }
}

/** lookup_open() of a name that is free. A fresh file may be opened whatever its mode. */
function createAndOpen(ctx: FsContext, dir: Dentry, name: string, flags: number, mode: number): File | Errno {
  const error = mayCreate(ctx.current.cred, dir);
  if (error < 0) return error;
  const { mknod } = dir.dInode.iOp;
  if (mknod === undefined) return -EACCES;
  const made = mknod(ctx, dir, name, S_IFREG | (mode & ~ctx.current.fs.umask & 0o7777), 0);
  return typeof made === 'number' ? made : dentryOpen(ctx, made, flags & ~O_TRUNC);
}

/** may_open() and vfs_open(). */
function openDentry(ctx: FsContext, dentry: Dentry, flags: number, mustBeDir: boolean): File | Errno {
  const inode = dentry.dInode;
  if (mustBeDir && !isDir(inode)) return -ENOTDIR;
  if ((flags & O_PATH) !== 0) return dentryOpen(ctx, dentry, flags);
  if (isLink(inode)) return -ELOOP;
  const mask = accessMask(flags);
  if (isDir(inode) && (mask & MAY_WRITE) !== 0) return -EISDIR;
  if (isDir(inode) && (flags & O_CREAT) !== 0) return -EISDIR;
  const error = inodePermission(ctx, inode, mask);
  if (error < 0) return error;
  // Only the owner may hide that it reads.
  if ((flags & O_NOATIME) !== 0 && !ownerOrCapable(ctx.current.cred, inode)) return -EPERM;
  // A program that runs cannot be written.
  const regular = (inode.iMode & S_IFMT) === S_IFREG;
  if (regular && (mask & MAY_WRITE) !== 0 && inode.iWritecount < 0) return -ETXTBSY;
  if (regular && (flags & O_TRUNC) !== 0) {
    const truncated = inode.iOp.truncate?.(ctx, inode, 0) ?? 0;
    if (truncated < 0) return truncated;
  }
  return dentryOpen(ctx, dentry, flags);
}

/** The operations of an open file, chosen by what it is; or ENXIO. */
function operationsOf(inode: Inode): FileOperations | Errno {
  switch (inode.iMode & S_IFMT) {
    case S_IFCHR:
      return chrdevOperations(inode.iRdev);
    case S_IFBLK:
    case S_IFSOCK:
      return -ENXIO;
    case S_IFIFO:
      return inode.iFop === pipefifoFops || inode.iPrivate !== null ? inode.iFop : -ENXIO;
    default:
      return inode.iFop;
  }
}

/** The operations of an O_PATH file. */
const emptyFops: FileOperations = { name: 'empty_fops' };

/** do_dentry_open(): fills in the struct file that is allocated. */
function dentryOpen(ctx: FsContext, dentry: Dentry, flags: number): File | Errno {
  const inode = dentry.dInode;
  const kept = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
  if ((flags & O_PATH) !== 0) {
    ihold(inode);
    return new File(ctx.vfs.nextFileId++, dentry, inode, emptyFops, kept, FMODE_PATH);
  }
  const fOp = operationsOf(inode);
  if (typeof fOp === 'number') return fOp;
  const mode = flags & O_ACCMODE;
  let fMode = mode === O_RDONLY ? FMODE_READ : mode === O_WRONLY ? FMODE_WRITE : mode === O_RDWR ? 3 : 0;
  if (fOp.llseek !== undefined) fMode |= FMODE_LSEEK;
  ihold(inode);
  const file = new File(ctx.vfs.nextFileId++, dentry, inode, fOp, kept, fMode);
  const error = fOp.open?.(ctx, file) ?? 0;
  if (error < 0) {
    iput(ctx, inode);
    return error;
  }
  if ((fMode & FMODE_WRITE) !== 0 && (inode.iMode & S_IFMT) === S_IFREG) {
    inode.iWritecount++;
    file.writeCounted = true;
  }
  return file;
}

/** filp_open(): relative to the caller's cwd. */
export function filpOpen(ctx: FsContext, path: string, flags: number, mode: number): File | Errno {
  return doFilpOpen(ctx, AT_FDCWD, path, flags, mode);
}

/** openat(2): the descriptor. */
export function doSysOpenat(ctx: FsContext, dfd: number, path: string, flags: number, mode: number): number {
  // As Linux takes the descriptor first, its limit answers first.
  const files = ctx.current.files;
  if (files === null || countBelow(files.fd, maxFds(ctx), files.nextFd)) return -EMFILE;
  const file = doFilpOpen(ctx, dfd, path, flags, mode);
  if (typeof file === 'number') return file;
  const fd = fdInstall(ctx, file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) fput(ctx, file);
  return fd;
}

/** True when no descriptor below `limit` is free. */
function countBelow(fds: readonly (File | null)[], limit: number, from: number): boolean {
  let fd = from;
  while ((fds[fd] ?? null) !== null) fd++;
  return fd >= limit;
}

/** do_open_execat() for a path: a regular file with x permission; not open for writing. */
export function openExec(ctx: FsContext, dfd: number, path: string): File | Errno {
  const file = doFilpOpen(ctx, dfd, path, O_RDONLY | O_LARGEFILE, 0);
  if (typeof file === 'number') return file;
  const inode = file.fInode;
  let error = 0;
  if ((inode.iMode & S_IFMT) !== S_IFREG) error = -EACCES;
  else error = inodePermission(ctx, inode, MAY_EXEC);
  if (error === 0 && inode.iWritecount > 0) error = -ETXTBSY;
  if (error === 0) return file;
  fput(ctx, file);
  return error;
}
