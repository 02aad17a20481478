/**
 * tmpfs directories: mm/shmem.c (shmem_dir_inode_operations), fs/libfs.c (simple_*). The dentry tree is the file system; file
 * contents are in shmem.ts. Missing: quotas, extended attributes, whiteouts, RENAME_EXCHANGE.
 */
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  type Errno,
} from '../abi/errno.ts';
import { RENAME_NOREPLACE } from '../abi/fcntl.ts';
import { dtypeOfMode } from '../abi/dirent.ts';
import { S_IFCHR, S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_ISGID } from '../abi/stat.ts';
import { ktimeGetRealTs, type MmContext, type Timespec } from '../mm/context.ts';
import { iput, ihold } from '../mm/fileRef.ts';
import { slabMay } from '../mm/slab.ts';
import type { FsContext } from './context.ts';
import type { DirActor, File, FileOperations } from './file.ts';
import { Dentry, Inode, SuperBlock, touchAtime, type InodeOperations } from './inode.ts';
import { llseekWithin } from './llseek.ts';
import { UNSEALABLE } from './seals.ts';
import { shmemFileOperations, shmemFreeInode, shmemInodeOperations } from './shmem.ts';

/** True for a directory. */
export function isDir(inode: Inode): boolean {
  return (inode.iMode & S_IFMT) === S_IFDIR;
}

/** True for a symbolic link. */
export function isLink(inode: Inode): boolean {
  return (inode.iMode & S_IFMT) === S_IFLNK;
}

/** Device nodes and fifos get their operations when they are opened. */
const specialFileOperations: FileOperations = { name: 'special_file_operations' };

const shmemSpecialInodeOperations: InodeOperations = {
  name: 'shmem_special_inode_operations',
  evictInode: shmemFreeInode,
};

const shmemSymlinkInodeOperations: InodeOperations = {
  name: 'shmem_symlink_inode_operations',
  getLink: (_ctx, link) => (typeof link.dInode.iPrivate === 'string' ? link.dInode.iPrivate : -EINVAL),
  evictInode: shmemFreeInode,
};

function touch(ctx: MmContext, ...inodes: readonly Inode[]): void {
  const now = ktimeGetRealTs(ctx);
  for (const inode of inodes) {
    inode.iCtime = now;
    if (isDir(inode)) inode.iMtime = now;
  }
}

/** shmem_reserve_inode(): counts one more inode, or one more name of one; ENOSPC when the file system has no more. */
function shmemReserveInode(sb: SuperBlock): 0 | Errno {
  if (sb.maxInodes > 0 && sb.usedInodes >= sb.maxInodes) return -ENOSPC;
  sb.usedInodes++;
  return 0;
}

/** shmem_get_inode(): a fresh inode owned by the caller, or ENOSPC. */
function newInode(
  ctx: FsContext,
  dir: Dentry,
  mode: number,
  iOp: InodeOperations,
  iFop: FileOperations,
): Inode | Errno {
  // The name's dentry, which the lookup makes, and the inode.
  if (!slabMay(ctx)) return -ENOMEM;
  if (!slabMay(ctx)) return -ENOSPC;
  const error = shmemReserveInode(dir.dInode.iSb);
  if (error < 0) return error;
  const inode = new Inode(dir.dInode.iSb, mode, iOp, iFop, ktimeGetRealTs(ctx));
  const parent = dir.dInode;
  inode.iUid = ctx.current.cred.fsuid;
  inode.iGid = ctx.current.cred.fsgid;
  // inode_init_owner(): set-group-ID directories hand down their group, and the bit to directories.
  if ((parent.iMode & S_ISGID) !== 0) {
    inode.iGid = parent.iGid;
    if (isDir(inode)) inode.iMode |= S_ISGID;
  }
  return inode;
}

/** d_instantiate() under `dir`. */
function addChild(dir: Dentry, name: string, inode: Inode): Dentry {
  const dentry = new Dentry(name, dir, inode);
  if (isDir(inode)) dentry.dChildren = new Map();
  attach(dentry, dir, name);
  ihold(inode);
  return dentry;
}

function attach(dentry: Dentry, dir: Dentry, name: string): void {
  dentry.dName = name;
  dentry.dParent = dir;
  dentry.dOffset = dir.nextOffset++;
  dentry.dHashed = true;
  dir.dChildren?.set(name, dentry);
}

function detach(victim: Dentry): void {
  victim.dParent?.dChildren?.delete(victim.dName);
  victim.dHashed = false;
}

function tmpfsMknod(ctx: FsContext, dir: Dentry, name: string, mode: number, rdev: number): Dentry | Errno {
  const type = mode & S_IFMT;
  const regular = type === S_IFREG;
  const iOp = regular ? shmemInodeOperations : shmemSpecialInodeOperations;
  const inode = newInode(ctx, dir, mode, iOp, regular ? shmemFileOperations : specialFileOperations);
  if (typeof inode === 'number') return inode;
  if (regular) inode.seals = UNSEALABLE;
  if (type === S_IFCHR || type === S_IFBLK) inode.iRdev = rdev;
  else if (type === S_IFIFO) inode.iRdev = 0;
  touch(ctx, dir.dInode);
  return addChild(dir, name, inode);
}

function tmpfsMkdir(ctx: FsContext, dir: Dentry, name: string, mode: number): Dentry | Errno {
  const inode = newInode(ctx, dir, S_IFDIR | mode, tmpfsDirInodeOperations, simpleDirOperations);
  if (typeof inode === 'number') return inode;
  inode.iNlink = 2;
  dir.dInode.iNlink++;
  touch(ctx, dir.dInode);
  return addChild(dir, name, inode);
}

function tmpfsSymlink(ctx: FsContext, dir: Dentry, name: string, target: string): Dentry | Errno {
  const inode = newInode(ctx, dir, S_IFLNK | 0o777, shmemSymlinkInodeOperations, specialFileOperations);
  if (typeof inode === 'number') return inode;
  inode.iPrivate = target;
  inode.iSize = new TextEncoder().encode(target).length;
  touch(ctx, dir.dInode);
  return addChild(dir, name, inode);
}

function tmpfsLink(ctx: FsContext, old: Dentry, dir: Dentry, name: string): Dentry | Errno {
  // Directories have one name.
  if (isDir(old.dInode)) return -EPERM;
  // A name cannot be taken back from memory as those of a disk can: each counts as an inode.
  const error = shmemReserveInode(dir.dInode.iSb);
  if (error < 0) return error;
  old.dInode.iNlink++;
  touch(ctx, dir.dInode, old.dInode);
  return addChild(dir, name, old.dInode);
}

function tmpfsUnlink(ctx: FsContext, victim: Dentry): 0 | Errno {
  if (isDir(victim.dInode)) return -EISDIR;
  removeName(ctx, victim);
  return 0;
}

/** Takes a name away; the inode goes with the last one, unless it is open. */
function removeName(ctx: FsContext, victim: Dentry): void {
  const inode = victim.dInode;
  if (victim.dParent !== null) touch(ctx, victim.dParent.dInode);
  touch(ctx, inode);
  detach(victim);
  if (isDir(inode)) {
    inode.iNlink = 0;
    if (victim.dParent !== null) victim.dParent.dInode.iNlink--;
  } else {
    if (inode.iNlink > 1) inode.iSb.usedInodes--;
    inode.iNlink--;
  }
  iput(ctx, inode);
}

function tmpfsRmdir(ctx: FsContext, victim: Dentry): 0 | Errno {
  if (!isDir(victim.dInode)) return -ENOTDIR;
  if ((victim.dChildren?.size ?? 0) > 0) return -ENOTEMPTY;
  removeName(ctx, victim);
  return 0;
}

function tmpfsRename(ctx: FsContext, old: Dentry, dir: Dentry, name: string, flags: number): 0 | Errno {
  const target = dir.dChildren?.get(name) ?? null;
  if (target !== null && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  // Two names of one inode: nothing happens (rename(2)).
  if (target?.dInode === old.dInode) return 0;
  if (target !== null) {
    if (isDir(old.dInode) && !isDir(target.dInode)) return -ENOTDIR;
    if (!isDir(old.dInode) && isDir(target.dInode)) return -EISDIR;
    if ((target.dChildren?.size ?? 0) > 0) return -ENOTEMPTY;
    removeName(ctx, target);
  }
  const oldDir = old.dParent;
  detach(old);
  attach(old, dir, name);
  if (isDir(old.dInode) && oldDir !== null && oldDir !== dir) {
    oldDir.dInode.iNlink--;
    dir.dInode.iNlink++;
  }
  if (oldDir !== null) touch(ctx, oldDir.dInode);
  touch(ctx, dir.dInode, old.dInode);
  return 0;
}

/** shmem_dir_inode_operations. */
export const tmpfsDirInodeOperations: InodeOperations = {
  name: 'shmem_dir_inode_operations',
  lookup: (_ctx, dir, name) => dir.dChildren?.get(name) ?? null,
  mknod: tmpfsMknod,
  mkdir: tmpfsMkdir,
  symlink: tmpfsSymlink,
  link: tmpfsLink,
  unlink: tmpfsUnlink,
  rmdir: tmpfsRmdir,
  rename: tmpfsRename,
  evictInode: shmemFreeInode,
};

/** offset_iterate_dir(): ".", "..", then the children in the order of their creation. */
function iterateTree(ctx: FsContext, file: File, actor: DirActor): 0 | Errno {
  const dir = file.fPath;
  touchAtime(ctx, dir.dInode);
  if (file.fPos === 0) {
    if (!actor('.', 1, dir.dInode.iIno, dtypeOfMode(dir.dInode.iMode))) return 0;
    file.fPos = 1;
  }
  if (file.fPos === 1) {
    const parent = parentDir(dir).dInode;
    if (!actor('..', 3, parent.iIno, dtypeOfMode(parent.iMode))) return 0;
    file.fPos = 3;
  }
  // Offsets grow in the order of insertion, which is the order of the map.
  for (const child of dir.dChildren?.values() ?? []) {
    if (child.dOffset < file.fPos) continue;
    const inode = (child.dMounted ?? child).dInode;
    if (!actor(child.dName, child.dOffset + 1, inode.iIno, dtypeOfMode(inode.iMode))) return 0;
    file.fPos = child.dOffset + 1;
  }
  return 0;
}

/** follow_dotdot(): the directory above, across a mount; the root is its own. */
export function parentDir(dir: Dentry): Dentry {
  let at = dir;
  while (at.dParent === null) {
    const mountpoint: Dentry | null = at.dInode.iSb.mountpoint;
    if (at.dInode.iSb.root !== at || mountpoint === null) return at;
    at = mountpoint;
  }
  return at.dParent;
}

/** simple_offset_dir_operations. */
export const simpleDirOperations: FileOperations = {
  name: 'simple_offset_dir_operations',
  iterateShared: iterateTree,
  llseek: (_ctx, file, offset, whence) => llseekWithin(file, offset, whence, 0),
};

/**
 * shmem_fill_super(): an empty tmpfs; `type` names it in /proc/mounts. `limit` is its size in pages and the number of its inodes
 * (0: none), as Linux mounts it: half of RAM.
 */
export function newTmpfs(
  type: string,
  magic: number,
  dev: number,
  mode: number,
  limit: number,
  now: Timespec,
): SuperBlock {
  const sb = new SuperBlock(type, magic, dev);
  sb.maxBlocks = limit;
  sb.maxInodes = limit;
  sb.usedInodes = 1;
  const inode = new Inode(sb, S_IFDIR | mode, tmpfsDirInodeOperations, simpleDirOperations, now);
  inode.iNlink = 2;
  ihold(inode);
  const root = new Dentry('', null, inode);
  root.dChildren = new Map();
  sb.root = root;
  return sb;
}
