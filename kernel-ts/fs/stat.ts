/** File status: fs/stat.c, fs/statfs.c. */
import { EINVAL, type Errno } from '../abi/errno.ts';
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW } from '../abi/fcntl.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { TMPFS_MAGIC, type Kstat, type Kstatfs } from '../abi/stat.ts';
import type { MmContext } from '../mm/context.ts';
import type { FsContext } from './context.ts';
import type { File } from './file.ts';
import { inodeGetAtime, type Dentry, type Inode } from './inode.ts';
import { shmemPages } from './shmemPages.ts';
import { userPathAt } from './walk.ts';

/** generic_fillattr(). */
export function kstatOf(inode: Inode): Kstat {
  return {
    dev: inode.iSb.sDev,
    ino: inode.iIno,
    mode: inode.iMode,
    nlink: inode.iNlink,
    uid: inode.iUid,
    gid: inode.iGid,
    rdev: inode.iRdev,
    size: inode.iSize,
    blksize: PAGE_SIZE,
    blocks: shmemPages(inode) * (PAGE_SIZE / 512),
    atime: inodeGetAtime(inode),
    mtime: inode.iMtime,
    ctime: inode.iCtime,
    btime: inode.iBtime,
  };
}

/** vfs_fstat(). */
export function vfsFstat(file: File): Kstat {
  return kstatOf(file.fInode);
}

/** vfs_statx(): AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH; the sync flags mean nothing here. */
export function vfsStatx(ctx: FsContext, dfd: number, path: string, flags: number): Kstat | Errno {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0)
    return -EINVAL;
  const dentry = userPathAt(ctx, dfd, path, flags);
  return typeof dentry === 'number' ? dentry : kstatOf(dentry.dInode);
}

/** simple_statfs(), shmem_statfs(): the space is the mount's, or RAM where it has no limit. */
function statfsOf(ctx: MmContext, dentry: Dentry): Kstatfs {
  const sb = dentry.dInode.iSb;
  const inRam = sb.sMagic === TMPFS_MAGIC;
  return {
    type: sb.sMagic,
    bsize: PAGE_SIZE,
    blocks: sb.maxBlocks > 0 ? sb.maxBlocks : inRam ? ctx.memMap.totalFrames : 0,
    bfree: sb.maxBlocks > 0 ? sb.maxBlocks - sb.usedBlocks : inRam ? ctx.memMap.freeFrames : 0,
    files: sb.maxInodes,
    ffree: sb.maxInodes > 0 ? sb.maxInodes - sb.usedInodes : 0,
    fsid: sb.sDev,
    namelen: 255,
  };
}

/** statfs64(2). */
export function vfsStatfs(ctx: FsContext, dfd: number, path: string): Kstatfs | Errno {
  const dentry = userPathAt(ctx, dfd, path, 0);
  return typeof dentry === 'number' ? dentry : statfsOf(ctx, dentry);
}

/** fstatfs64(2). */
export function vfsFstatfs(ctx: FsContext, file: File): Kstatfs {
  return statfsOf(ctx, file.fPath);
}
