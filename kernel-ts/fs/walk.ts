/** Path walking: fs/namei.c (link_path_walk, follow_link, follow_dotdot), fs/d_path.c. */
import { EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, type Errno } from '../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, NAME_MAX, PATH_MAX } from '../abi/fcntl.ts';
import type { FsContext } from './context.ts';
import type { Dentry } from './inode.ts';
import { inodePermission, MAY_EXEC } from './permission.ts';
import { isDir, isLink, parentDir } from './tmpfs.ts';

/** MAXSYMLINKS. */
const MAX_SYMLINKS = 40;

/** The last step of a path, for those who make or remove names. */
export interface Parent {
  readonly dir: Dentry;
  /** '' for "/", '.' and '..' as they are. */
  readonly last: string;
  /** What the name leads to now (mounts crossed, links not followed), or null. */
  readonly child: Dentry | null;
  readonly trailingSlash: boolean;
}

/** struct nameidata, as far as it outlives a step. */
export interface Nameidata {
  links: number;
}

/** The directory where a relative path starts: the cwd or the directory behind `dfd`. */
export function startDir(ctx: FsContext, dfd: number, path: string): Dentry | Errno {
  if (path.startsWith('/') || dfd === AT_FDCWD) return ctx.current.fs.pwd;
  const file = ctx.current.files?.fd[dfd] ?? null;
  if (file === null) return -EBADF;
  if (path !== '' && !isDir(file.fInode)) return -ENOTDIR;
  return file.fPath;
}

/** Follows the mount on a dentry. */
function crossMount(dentry: Dentry): Dentry {
  let at = dentry;
  while (at.dMounted !== null) at = at.dMounted;
  return at;
}

/** One name in one directory: permission, '.', '..', mounts. null: there is no such name. */
function stepInto(ctx: FsContext, dir: Dentry, name: string): Dentry | null | Errno {
  if (!isDir(dir.dInode)) return -ENOTDIR;
  const error = inodePermission(ctx, dir.dInode, MAY_EXEC);
  if (error < 0) return error;
  if (name === '.') return dir;
  // The root of the process is its own parent.
  if (name === '..') return dir === ctx.current.fs.root ? dir : parentDir(dir);
  if (name.length > NAME_MAX && new TextEncoder().encode(name).length > NAME_MAX) return -ENAMETOOLONG;
  const child = dir.dInode.iOp.lookup?.(ctx, dir, name) ?? null;
  return child === null || typeof child === 'number' ? child : crossMount(child);
}

/** path_parentat(): walks all but the last component, then looks at that without following it. */
export function walkParent(ctx: FsContext, start: Dentry, path: string, nd: Nameidata): Parent | Errno {
  if (path === '') return -ENOENT;
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  let dir = path.startsWith('/') ? ctx.current.fs.root : start;
  // Components still to walk, the next one last.
  const names = path
    .split('/')
    .filter((name) => name !== '')
    .reverse();
  const trailingSlash = path.endsWith('/');
  for (let name = names.pop(); ; name = names.pop()) {
    if (name === undefined) return { dir, last: '', child: dir, trailingSlash: true };
    const child = stepInto(ctx, dir, name);
    if (typeof child === 'number') return child;
    if (names.length === 0) return { dir, last: name, child, trailingSlash };
    if (child === null) return -ENOENT;
    if (!isLink(child.dInode)) {
      dir = child;
      continue;
    }
    const target = readLinkTarget(ctx, child, nd);
    if (typeof target === 'number') return target;
    if (typeof target !== 'string') {
      dir = target;
      continue;
    }
    if (target === '') return -ENOENT;
    if (target.startsWith('/')) dir = ctx.current.fs.root;
    names.push(
      ...target
        .split('/')
        .filter((part) => part !== '')
        .reverse(),
    );
  }
}

/** Where a link leads, counting it against the limit. */
export function readLinkTarget(ctx: FsContext, link: Dentry, nd: Nameidata): string | Dentry | Errno {
  if (++nd.links > MAX_SYMLINKS) return -ELOOP;
  return link.dInode.iOp.getLink?.(ctx, link) ?? -ELOOP;
}

/** path_lookupat(): the dentry a path names. `follow`: a link in the last place too. */
export function walk(ctx: FsContext, start: Dentry, path: string, follow: boolean): Dentry | Errno {
  const nd: Nameidata = { links: 0 };
  let from = start;
  let text = path;
  let mustBeDir = false;
  for (;;) {
    const parent = walkParent(ctx, from, text, nd);
    if (typeof parent === 'number') return parent;
    const { child } = parent;
    mustBeDir ||= parent.trailingSlash;
    if (child === null) return -ENOENT;
    if (!isLink(child.dInode) || !(follow || mustBeDir)) {
      return mustBeDir && !isDir(child.dInode) ? -ENOTDIR : child;
    }
    const target = readLinkTarget(ctx, child, nd);
    if (typeof target === 'number') return target;
    if (typeof target !== 'string') return mustBeDir && !isDir(target.dInode) ? -ENOTDIR : target;
    from = parent.dir;
    text = target;
  }
}

/** user_path_at(): AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
export function userPathAt(ctx: FsContext, dfd: number, path: string, flags: number): Dentry | Errno {
  if (path === '' && (flags & AT_EMPTY_PATH) === 0) return -ENOENT;
  const start = startDir(ctx, dfd, path);
  if (typeof start === 'number' || path === '') return start;
  return walk(ctx, start, path, (flags & AT_SYMLINK_NOFOLLOW) === 0);
}

/** filename_parentat(): the last step of a path relative to `dfd`. */
export function parentAt(ctx: FsContext, dfd: number, path: string): Parent | Errno {
  if (path === '') return -ENOENT;
  const start = startDir(ctx, dfd, path);
  return typeof start === 'number' ? start : walkParent(ctx, start, path, { links: 0 });
}

/** d_path(): the name of a dentry, " (deleted)" added when it has lost it. */
export function dPath(dentry: Dentry): string {
  const parts: string[] = [];
  let at: Dentry = dentry;
  for (;;) {
    if (at.dParent !== null) {
      parts.push(at.dName);
      at = at.dParent;
      continue;
    }
    const { root, mountpoint } = at.dInode.iSb;
    if (root !== at) {
      // Files without a directory: segments, pipes. Their name is complete.
      parts.push(at.dName);
      return (parts.length === 1 ? at.dName : parts.reverse().join('/')) + (isPseudo(at) ? '' : ' (deleted)');
    }
    if (mountpoint === null) break;
    at = mountpoint;
  }
  return `/${parts.reverse().join('/')}${dentry.dHashed ? '' : ' (deleted)'}`;
}

/** "pipe:[7]": names that never were in a directory. */
function isPseudo(dentry: Dentry): boolean {
  return dentry.dName.endsWith(']');
}
