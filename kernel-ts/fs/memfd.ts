/**
 * memfd_create(2): mm/memfd.c. Missing: huge pages (ENOSYS, as a kernel without hugetlbfs answers), /proc/sys/vm/memfd_noexec (it
 * is 0: a memfd is executable unless MFD_NOEXEC_SEAL is given).
 */
import { EINVAL, ENOSYS } from '../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGE_SIZES,
  MFD_HUGETLB,
  MFD_NOEXEC_SEAL,
} from '../abi/fcntl.ts';
import { fput } from '../mm/fileRef.ts';
import type { FsContext } from './context.ts';
import { fdInstall } from './fdtable.ts';
import { shmemFileSetup } from './shmem.ts';

/** Longest name: NAME_MAX - "memfd:". */
const MFD_NAME_MAX = 249;

/** memfd_create(): the descriptor, EINVAL (flags, long name), ENOSYS (MFD_HUGETLB), ENOMEM, EMFILE. */
export function memfdCreate(ctx: FsContext, name: string, flags: number): number {
  const huge = (flags & MFD_HUGETLB) !== 0;
  const known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL;
  if ((flags & ~(huge ? known | MFD_HUGETLB | MFD_HUGE_SIZES : known)) !== 0) return -EINVAL;
  if ((flags & MFD_EXEC) !== 0 && (flags & MFD_NOEXEC_SEAL) !== 0) return -EINVAL;
  if (name.length > MFD_NAME_MAX) return -EINVAL;
  if (huge) return -ENOSYS;
  const file = shmemFileSetup(ctx, `/memfd:${name}`, 0, true);
  if (typeof file === 'number') return file;
  const inode = file.fInode;
  if ((flags & MFD_NOEXEC_SEAL) !== 0) {
    inode.iMode &= ~0o111;
    inode.seals = F_SEAL_EXEC;
  } else {
    inode.seals = (flags & MFD_ALLOW_SEALING) !== 0 ? 0 : F_SEAL_SEAL;
  }
  const fd = fdInstall(ctx, file, (flags & MFD_CLOEXEC) !== 0);
  if (fd < 0) fput(ctx, file);
  return fd;
}
