/** Making, removing and reading names: fs/namei.c (do_mkdirat, do_unlinkat, do_renameat2 ...). */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EXDEV,
  type Errno,
} from '../abi/errno.ts';
import { CAP_MKNOD } from '../abi/capability.ts';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from '../abi/fcntl.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISVTX } from '../abi/stat.ts';
import { capable } from '../mm/cred.ts';
import type { FsContext } from './context.ts';
import type { Dentry } from './inode.ts';
import { mayCreate, mayDelete } from './permission.ts';
import { isDir, isLink, parentDir } from './tmpfs.ts';
import { parentAt, userPathAt, type Parent } from './walk.ts';

export { dPath, userPathAt } from './walk.ts';

/** filename_create(): where a new name goes; EEXIST when it is taken. */
function createAt(ctx: FsContext, dfd: number, path: string, wantDir: boolean): Parent | Errno {
  const parent = parentAt(ctx, dfd, path);
  if (typeof parent === 'number') return parent;
  if (parent.last === '' || parent.last === '.' || parent.last === '..') return -EEXIST;
  if (parent.child !== null) return -EEXIST;
  // A trailing slash promises a directory.
  if (parent.trailingSlash && !wantDir) return -ENOENT;
  return parent;
}

/** mkdirat(2). */
export function doMkdirat(ctx: FsContext, dfd: number, path: string, mode: number): 0 | Errno {
  const parent = createAt(ctx, dfd, path, true);
  if (typeof parent === 'number') return parent;
  const error = mayCreate(ctx.current.cred, parent.dir);
  if (error < 0) return error;
  const { mkdir } = parent.dir.dInode.iOp;
  if (mkdir === undefined) return -EPERM;
  const made = mkdir(ctx, parent.dir, parent.last, mode & ~ctx.current.fs.umask & (0o777 | S_ISVTX));
  return typeof made === 'number' ? made : 0;
}

/** mknodat(2): regular files, device nodes (CAP_MKNOD), fifos and sockets as names only. */
export function doMknodat(ctx: FsContext, dfd: number, path: string, mode: number, rdev: number): 0 | Errno {
  const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type))
    return type === 0o040000 ? -EPERM : -EINVAL;
  const parent = createAt(ctx, dfd, path, false);
  if (typeof parent === 'number') return parent;
  const error = mayCreate(ctx.current.cred, parent.dir);
  if (error < 0) return error;
  if ((type === S_IFCHR || type === S_IFBLK) && !capable(ctx.current.cred, CAP_MKNOD)) return -EPERM;
  const { mknod } = parent.dir.dInode.iOp;
  if (mknod === undefined) return -EPERM;
  const made = mknod(ctx, parent.dir, parent.last, type | (mode & ~ctx.current.fs.umask & 0o7777), rdev);
  return typeof made === 'number' ? made : 0;
}

/** symlinkat(2). */
export function doSymlinkat(ctx: FsContext, target: string, dfd: number, path: string): 0 | Errno {
  if (target === '') return -ENOENT;
  const parent = createAt(ctx, dfd, path, false);
  if (typeof parent === 'number') return parent;
  const error = mayCreate(ctx.current.cred, parent.dir);
  if (error < 0) return error;
  const made = parent.dir.dInode.iOp.symlink?.(ctx, parent.dir, parent.last, target) ?? -EPERM;
  return typeof made === 'number' ? made : 0;
}

/** linkat(2): AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
export function doLinkat(
  ctx: FsContext,
  oldDfd: number,
  oldPath: string,
  newDfd: number,
  newPath: string,
  flags: number,
): 0 | Errno {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const follow = (flags & AT_SYMLINK_FOLLOW) !== 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  const old = userPathAt(ctx, oldDfd, oldPath, follow | (flags & AT_EMPTY_PATH));
  if (typeof old === 'number') return old;
  const parent = createAt(ctx, newDfd, newPath, false);
  if (typeof parent === 'number') return parent;
  if (old.dInode.iSb !== parent.dir.dInode.iSb) return -EXDEV;
  const error = mayCreate(ctx.current.cred, parent.dir);
  if (error < 0) return error;
  // A file without a name stays without one.
  if (old.dInode.iNlink === 0) return -ENOENT;
  const made = parent.dir.dInode.iOp.link?.(ctx, old, parent.dir, parent.last) ?? -EPERM;
  return typeof made === 'number' ? made : 0;
}

/** unlinkat(2), with AT_REMOVEDIR rmdir(2). */
export function doUnlinkat(ctx: FsContext, dfd: number, path: string, flags: number): 0 | Errno {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  const parent = parentAt(ctx, dfd, path);
  if (typeof parent === 'number') return parent;
  const wantDir = (flags & AT_REMOVEDIR) !== 0;
  if (wantDir) {
    if (parent.last === '..') return -ENOTEMPTY;
    if (parent.last === '.') return -EINVAL;
    if (parent.last === '') return -EBUSY;
  } else if (parent.last === '' || parent.last === '.' || parent.last === '..') {
    return -EISDIR;
  }
  const victim = parent.child;
  if (victim === null) return -ENOENT;
  if (!wantDir && parent.trailingSlash) return isDir(victim.dInode) ? -EISDIR : -ENOTDIR;
  const error = mayDelete(ctx.current.cred, parent.dir, victim, wantDir);
  if (error < 0) return error;
  // Something is mounted on it.
  if (victim.dParent !== parent.dir) return -EBUSY;
  const { iOp } = parent.dir.dInode;
  return (wantDir ? iOp.rmdir : iOp.unlink)?.(ctx, victim) ?? -EPERM;
}

/** renameat2(2): RENAME_NOREPLACE; EXCHANGE and WHITEOUT answer EINVAL. */
export function doRenameat2(
  ctx: FsContext,
  oldDfd: number,
  oldPath: string,
  newDfd: number,
  newPath: string,
  flags: number,
): 0 | Errno {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  if ((flags & (RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  const from = parentAt(ctx, oldDfd, oldPath);
  if (typeof from === 'number') return from;
  const to = parentAt(ctx, newDfd, newPath);
  if (typeof to === 'number') return to;
  if (from.dir.dInode.iSb !== to.dir.dInode.iSb) return -EXDEV;
  if (['', '.', '..'].includes(from.last)) return -EBUSY;
  if (['', '.', '..'].includes(to.last)) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  const old = from.child;
  if (old === null) return -ENOENT;
  if (to.child !== null && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  const directory = isDir(old.dInode);
  if (!directory && (from.trailingSlash || to.trailingSlash)) return -ENOTDIR;
  // A directory cannot go below itself, nor replace one it is in.
  if (isAbove(old, to.dir)) return -EINVAL;
  if (to.child !== null && isAbove(to.child, from.dir)) return -ENOTEMPTY;
  let error = mayDelete(ctx.current.cred, from.dir, old, directory);
  if (error < 0) return error;
  if (to.child === null) error = mayCreate(ctx.current.cred, to.dir);
  else if (to.child !== old) error = mayDelete(ctx.current.cred, to.dir, to.child, directory);
  if (error < 0) return error;
  if (old.dParent !== from.dir || (to.child !== null && to.child.dParent !== to.dir)) return -EBUSY;
  return from.dir.dInode.iOp.rename?.(ctx, old, to.dir, to.last, flags) ?? -EPERM;
}

/** True when `dir` is `above` or lies below it. */
function isAbove(above: Dentry, dir: Dentry): boolean {
  for (let at = dir; ;) {
    if (at === above) return true;
    const parent = parentDir(at);
    if (parent === at) return false;
    at = parent;
  }
}

/** readlinkat(2): the text of a link, or EINVAL when it is none. An empty path names the link behind `dfd`. */
export function doReadlinkat(ctx: FsContext, dfd: number, path: string): string | Errno {
  const link = userPathAt(ctx, dfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
  if (typeof link === 'number') return link;
  if (!isLink(link.dInode)) return path === '' ? -ENOENT : -EINVAL;
  const { readlink, getLink } = link.dInode.iOp;
  const text = readlink !== undefined ? readlink(ctx, link) : (getLink?.(ctx, link) ?? -EINVAL);
  return typeof text === 'object' ? -EINVAL : text;
}
