/** Who may do what to an inode: fs/namei.c (generic_permission, may_delete), fs/attr.c. Missing: ACLs. */
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER } from '../abi/capability.ts';
import { EACCES, EISDIR, ENOTDIR, EPERM, type Errno } from '../abi/errno.ts';
import { S_ISVTX } from '../abi/stat.ts';
import { capable, inGroup, type Cred } from '../mm/cred.ts';
import type { FsContext } from './context.ts';
import type { Dentry, Inode } from './inode.ts';
import { isDir } from './tmpfs.ts';

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** generic_permission(): whether `cred`'s file-system ids grant every bit of `mask`; 0 or EACCES. */
export function genericPermission(cred: Cred, inode: Inode, mask: number): 0 | Errno {
  let granted = inode.iMode & 7;
  if (cred.fsuid === inode.iUid) granted = (inode.iMode >> 6) & 7;
  else if (inGroup(cred, inode.iGid)) granted = (inode.iMode >> 3) & 7;
  if ((mask & ~granted) === 0) return 0;
  if (isDir(inode)) {
    if ((mask & MAY_WRITE) === 0 && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
    return capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
  // Executing needs an x bit somewhere, even for root.
  if ((mask & MAY_EXEC) === 0 || (inode.iMode & 0o111) !== 0) {
    if (capable(cred, CAP_DAC_OVERRIDE)) return 0;
  }
  return -EACCES;
}

/** inode_permission(): by the file system's own rule where it has one; 0 or EACCES. */
export function inodePermission(
  ctx: FsContext,
  inode: Inode,
  mask: number,
  cred: Cred = ctx.current.cred,
): 0 | Errno {
  return inode.iOp.permission?.(ctx, inode, mask, cred) ?? genericPermission(cred, inode, mask);
}

/** inode_owner_or_capable(). */
export function ownerOrCapable(cred: Cred, inode: Inode): boolean {
  return cred.fsuid === inode.iUid || capable(cred, CAP_FOWNER);
}

/** can_do_mincore(), can_do_file_pageout(): whoever could write a file may know what is cached of it, and push it out. */
export function ownsOrMayWrite(cred: Cred, inode: Inode): boolean {
  return ownerOrCapable(cred, inode) || genericPermission(cred, inode, MAY_WRITE) === 0;
}

/** may_create(): write and search in the directory. */
export function mayCreate(cred: Cred, dir: Dentry): 0 | Errno {
  return genericPermission(cred, dir.dInode, MAY_WRITE | MAY_EXEC);
}

/** may_delete(): also the sticky bit, and whether the victim is the kind of thing the caller expects. */
export function mayDelete(cred: Cred, dir: Dentry, victim: Dentry, wantDir: boolean): 0 | Errno {
  const error = mayCreate(cred, dir);
  if (error < 0) return error;
  const sticky = (dir.dInode.iMode & S_ISVTX) !== 0;
  const owner = victim.dInode.iUid === cred.fsuid || dir.dInode.iUid === cred.fsuid;
  if (sticky && !owner && !capable(cred, CAP_FOWNER)) return -EPERM;
  if (wantDir) return isDir(victim.dInode) ? 0 : -ENOTDIR;
  return isDir(victim.dInode) ? -EISDIR : 0;
}
