/** Changing what a file is: fs/open.c (chmod, chown, truncate, access, chdir), fs/attr.c, fs/utimes.c. */
import {
  EACCES,
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  EPERM,
  ESPIPE,
  ETXTBSY,
  type Errno,
} from '../abi/errno.ts';
import { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_SYS_CHROOT } from '../abi/capability.ts';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  F_SEAL_EXEC,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_ZERO_RANGE,
} from '../abi/fcntl.ts';
import { RLIMIT_FSIZE, rlimit } from '../abi/resource.ts';
import { S_IALLUGO, S_IFIFO, S_IFMT, S_IFREG, S_ISGID, S_ISUID } from '../abi/stat.ts';
import { ktimeGetRealTs, type Timespec } from '../mm/context.ts';
import { capable, inGroup, type Cred } from '../mm/cred.ts';
import type { FsContext } from './context.ts';
import { fget, fgetRaw } from './fdtable.ts';
import { FMODE_WRITE, type File } from './file.ts';
import { inodeSetAtime, type Dentry, type Inode } from './inode.ts';
import { inodePermission, MAY_EXEC, MAY_WRITE, ownerOrCapable } from './permission.ts';
import { isSealed } from './seals.ts';
import { MAX_LFS_FILESIZE } from './shmem.ts';
import { isDir, isLink } from './tmpfs.ts';
import { dPath, userPathAt } from './walk.ts';

/** The uid, gid of chown(2) that leaves it alone: -1 as an unsigned number. */
const UNCHANGED = 0xffff_ffff;

function chmodInode(ctx: FsContext, inode: Inode, mode: number): 0 | Errno {
  const { cred } = ctx.current;
  if (!ownerOrCapable(cred, inode)) return -EPERM;
  let bits = mode & S_IALLUGO;
  // shmem_setattr(): F_SEAL_EXEC freezes the x bits.
  if (isSealed(inode, F_SEAL_EXEC) && ((inode.iMode ^ bits) & 0o111) !== 0) return -EPERM;
  // Set-group-ID on a file of a foreign group needs CAP_FSETID.
  if (!isDir(inode) && !inGroup(cred, inode.iGid) && !capable(cred, CAP_FSETID)) bits &= ~S_ISGID;
  inode.iMode = (inode.iMode & S_IFMT) | bits;
  inode.iCtime = ktimeGetRealTs(ctx);
  return 0;
}

/** fchmodat2(2); links themselves answer EOPNOTSUPP. */
export function doFchmodat(ctx: FsContext, dfd: number, path: string, mode: number, flags = 0): 0 | Errno {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const dentry = userPathAt(ctx, dfd, path, flags);
  if (typeof dentry === 'number') return dentry;
  return isLink(dentry.dInode) ? -EOPNOTSUPP : chmodInode(ctx, dentry.dInode, mode);
}

/** fchmod(2). */
export function doFchmod(ctx: FsContext, fd: number, mode: number): 0 | Errno {
  const file = fget(ctx, fd);
  return file === null ? -EBADF : chmodInode(ctx, file.fInode, mode);
}

function chownInode(ctx: FsContext, inode: Inode, uid: number, gid: number): 0 | Errno {
  const { cred } = ctx.current;
  const owner = cred.fsuid === inode.iUid;
  const may = capable(cred, CAP_CHOWN);
  if (uid !== UNCHANGED && !may && !(owner && uid === inode.iUid)) return -EPERM;
  if (gid !== UNCHANGED && !may && !(owner && (inGroup(cred, gid) || gid === inode.iGid))) return -EPERM;
  if (uid !== UNCHANGED) inode.iUid = uid;
  if (gid !== UNCHANGED) inode.iGid = gid;
  // Privileges do not survive a change of hands.
  if (!isDir(inode)) inode.iMode &= ~(S_ISUID | ((inode.iMode & 0o010) !== 0 ? S_ISGID : 0));
  inode.iCtime = ktimeGetRealTs(ctx);
  return 0;
}

/** fchownat(2): ids of 0xffffffff stay. */
export function doFchownat(
  ctx: FsContext,
  dfd: number,
  path: string,
  uid: number,
  gid: number,
  flags: number,
): 0 | Errno {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const dentry = userPathAt(ctx, dfd, path, flags);
  return typeof dentry === 'number' ? dentry : chownInode(ctx, dentry.dInode, uid, gid);
}

/** fchown(2). */
export function doFchown(ctx: FsContext, fd: number, uid: number, gid: number): 0 | Errno {
  const file = fget(ctx, fd);
  return file === null ? -EBADF : chownInode(ctx, file.fInode, uid, gid);
}

/** faccessat2(2): by the real ids, or the effective ones with AT_EACCESS. `mode` is R_OK | W_OK | X_OK. */
export function doFaccessat(
  ctx: FsContext,
  dfd: number,
  path: string,
  mode: number,
  flags: number,
): 0 | Errno {
  if ((mode & ~7) !== 0 || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0)
    return -EINVAL;
  const dentry = userPathAt(ctx, dfd, path, flags);
  if (typeof dentry === 'number') return dentry;
  const { cred } = ctx.current;
  return inodePermission(ctx, dentry.dInode, mode, (flags & AT_EACCESS) !== 0 ? cred : realCred(cred));
}

/** access_override_creds(): what the real user could do. */
function realCred(cred: Cred): Cred {
  const capEffective = cred.uid === 0 ? cred.capPermitted : 0;
  return { ...cred, fsuid: cred.uid, fsgid: cred.gid, capEffective };
}

function truncateInode(ctx: FsContext, inode: Inode, length: number): 0 | Errno {
  if (length > rlimit(ctx.current.rlim, RLIMIT_FSIZE)) return -EFBIG;
  return inode.iOp.truncate?.(ctx, inode, length) ?? -EINVAL;
}

/** truncate64(2). */
export function doTruncate(ctx: FsContext, path: string, length: number): 0 | Errno {
  if (length < 0) return -EINVAL;
  const dentry = userPathAt(ctx, AT_FDCWD, path, 0);
  if (typeof dentry === 'number') return dentry;
  const inode = dentry.dInode;
  if (isDir(inode)) return -EISDIR;
  if ((inode.iMode & S_IFMT) !== S_IFREG) return -EINVAL;
  const error = inodePermission(ctx, inode, MAY_WRITE);
  if (error < 0) return error;
  if (inode.iWritecount < 0) return -ETXTBSY;
  return truncateInode(ctx, inode, length);
}

/** ftruncate64(2): EINVAL when it is not open for writing or no regular file. */
export function doFtruncate(ctx: FsContext, fd: number, length: number): 0 | Errno {
  if (length < 0) return -EINVAL;
  const file = fget(ctx, fd);
  if (file === null) return -EBADF;
  if ((file.fInode.iMode & S_IFMT) !== S_IFREG || (file.fMode & FMODE_WRITE) === 0) return -EINVAL;
  return truncateInode(ctx, file.fInode, length);
}

/** Whether vfs_fallocate() knows the mode: at most one operation, with FALLOC_FL_KEEP_SIZE where that makes sense. */
function isFallocMode(mode: number): boolean {
  const keep = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
    case FALLOC_FL_ZERO_RANGE:
    case FALLOC_FL_UNSHARE_RANGE:
      return true;
    case FALLOC_FL_PUNCH_HOLE:
      return keep;
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE:
      return !keep;
    default:
      return false;
  }
}

/** fallocate(2). */
export function doFallocate(
  ctx: FsContext,
  fd: number,
  mode: number,
  offset: number,
  len: number,
): 0 | Errno {
  const file = fget(ctx, fd);
  if (file === null) return -EBADF;
  if (offset < 0 || len <= 0) return -EINVAL;
  if (!isFallocMode(mode)) return -EOPNOTSUPP;
  if ((file.fMode & FMODE_WRITE) === 0) return -EBADF;
  const type = file.fInode.iMode & S_IFMT;
  if (type === S_IFIFO) return -ESPIPE;
  if (isDir(file.fInode)) return -EISDIR;
  if (type !== S_IFREG) return -ENODEV;
  if (offset + len > MAX_LFS_FILESIZE) return -EFBIG;
  return file.fOp.fallocate?.(ctx, file, mode, offset, len) ?? -EOPNOTSUPP;
}

/** One time of utimensat(2). */
export type TimeChange = Timespec | 'now' | 'omit';

/** utimensat(2): `path` null names the file behind `dfd`; `times` null sets both to now. */
export function doUtimensat(
  ctx: FsContext,
  dfd: number,
  path: string | null,
  times: readonly [atime: TimeChange, mtime: TimeChange] | null,
  flags: number,
): 0 | Errno {
  let inode: Inode;
  if (path === null) {
    if (flags !== 0) return -EINVAL;
    const file = fget(ctx, dfd);
    if (file === null) return -EBADF;
    inode = file.fInode;
  } else {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
    const dentry = userPathAt(ctx, dfd, path, flags);
    if (typeof dentry === 'number') return dentry;
    inode = dentry.dInode;
  }
  const [atime, mtime] = times ?? (['now', 'now'] as const);
  if (atime === 'omit' && mtime === 'omit') return 0;
  const { cred } = ctx.current;
  if (!ownerOrCapable(cred, inode)) {
    // Setting both to now is what writing does too.
    if (atime !== 'now' || mtime !== 'now') return -EPERM;
    if (!capable(cred, CAP_DAC_OVERRIDE) && inodePermission(ctx, inode, MAY_WRITE) < 0) return -EACCES;
  }
  const now = ktimeGetRealTs(ctx);
  if (atime !== 'omit') inodeSetAtime(inode, atime === 'now' ? now : atime);
  if (mtime !== 'omit') inode.iMtime = mtime === 'now' ? now : mtime;
  inode.iCtime = now;
  return 0;
}

function searchable(ctx: FsContext, dentry: Dentry): 0 | Errno {
  if (!isDir(dentry.dInode)) return -ENOTDIR;
  return inodePermission(ctx, dentry.dInode, MAY_EXEC);
}

/** chdir(2). */
export function doChdir(ctx: FsContext, path: string): 0 | Errno {
  const dentry = userPathAt(ctx, AT_FDCWD, path, 0);
  if (typeof dentry === 'number') return dentry;
  const error = searchable(ctx, dentry);
  if (error === 0) ctx.current.fs.pwd = dentry;
  return error;
}

/** fchdir(2). */
export function doFchdir(ctx: FsContext, fd: number): 0 | Errno {
  const file: File | null = fgetRaw(ctx, fd);
  if (file === null) return -EBADF;
  const error = searchable(ctx, file.fPath);
  if (error === 0) ctx.current.fs.pwd = file.fPath;
  return error;
}

/** chroot(2). */
export function doChroot(ctx: FsContext, path: string): 0 | Errno {
  const dentry = userPathAt(ctx, AT_FDCWD, path, 0);
  if (typeof dentry === 'number') return dentry;
  const error = searchable(ctx, dentry);
  if (error < 0) return error;
  if (!capable(ctx.current.cred, CAP_SYS_CHROOT)) return -EPERM;
  ctx.current.fs.root = dentry;
  return 0;
}

/** getcwd(2): ENOENT when the directory was removed. */
export function getcwd(ctx: FsContext): string | Errno {
  const { pwd, root } = ctx.current.fs;
  if (!pwd.dHashed) return -ENOENT;
  const path = dPath(pwd);
  if (root === ctx.vfs.root) return path;
  const base = dPath(root);
  if (pwd === root) return '/';
  return path.startsWith(`${base}/`) ? path.slice(base.length) : `(unreachable)${path}`;
}
