/** File seals: mm/memfd.c (memfd_add_seals, memfd_get_seals). Every file of shmem has them; only memfds can be given any. */
import { EBUSY, EINVAL, EPERM, type Errno } from '../abi/errno.ts';
import {
  F_ALL_SEALS,
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from '../abi/fcntl.ts';
import { VM_MAYWRITE, VM_SHARED } from '../mm/vma.ts';
import { FMODE_WRITE, type File } from './file.ts';
import type { Inode } from './inode.ts';

/** What a file of shmem has that nobody may seal. */
export const UNSEALABLE = F_SEAL_SEAL;

/** Whether one of these seals is on the file. */
export function isSealed(inode: Inode, seals: number): boolean {
  return inode.seals !== null && (inode.seals & seals) !== 0;
}

/** mapping_deny_writable(): fails when a shared mapping may write the file, now or after an mprotect. */
function isMappedWritable(inode: Inode): boolean {
  for (let vma = inode.iMapping.iMmapFirst; vma !== null; vma = vma.mappingNext) {
    if ((vma.vmFlags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE)) return true;
  }
  return false;
}

/**
 * memfd_add_seals(): EPERM (not open for writing, sealed against seals), EINVAL (unknown seals, not of shmem), EBUSY
 * (F_SEAL_WRITE while a shared mapping may write). F_SEAL_EXEC of an executable file brings the seals of its content and size.
 */
export function memfdAddSeals(file: File, seals: number): 0 | Errno {
  const inode = file.fInode;
  if ((file.fMode & FMODE_WRITE) === 0) return -EPERM;
  if ((seals & ~F_ALL_SEALS) !== 0 || inode.seals === null) return -EINVAL;
  if (isSealed(inode, F_SEAL_SEAL)) return -EPERM;
  let wanted = seals;
  if ((seals & F_SEAL_EXEC) !== 0 && (inode.iMode & 0o111) !== 0)
    wanted |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
  if ((wanted & F_SEAL_WRITE) !== 0 && !isSealed(inode, F_SEAL_WRITE) && isMappedWritable(inode))
    return -EBUSY;
  inode.seals |= wanted;
  return 0;
}

/** memfd_get_seals(): F_SEAL_*, or EINVAL for a file that is not of shmem. */
export function memfdGetSeals(file: File): number {
  return file.fInode.seals ?? -EINVAL;
}
