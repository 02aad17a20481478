/** mmap(2) with its descriptor: mm/mmap.c (ksys_mmap_pgoff) and shmem_zero_setup(). */
import { EBADF, EINVAL } from '../abi/errno.ts';
import {
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_SHARED,
  MAP_TYPE,
  pageAlignUp,
  TASK_SIZE,
} from '../abi/mman.ts';
import { fput } from '../mm/fileRef.ts';
import { doMmap } from '../mm/mmap.ts';
import type { FsContext } from './context.ts';
import { fget } from './fdtable.ts';
import { shmemFileSetup } from './shmem.ts';

/** mmap2(2): `pgoff` in pages. Shared anonymous memory becomes an unnamed shmem file that only its VMAs hold. */
export function ksysMmapPgoff(
  ctx: FsContext,
  addr: number,
  len: number,
  prot: number,
  flags: number,
  fd: number,
  pgoff: number,
): number {
  const { mm } = ctx.current;
  if (mm === null) throw new Error('mmap without an address space');
  if ((flags & MAP_ANONYMOUS) === 0) {
    const file = fget(ctx, fd);
    if (file === null) return -EBADF;
    // Only files of hugetlbfs can be mapped so.
    if ((flags & MAP_HUGETLB) !== 0) return -EINVAL;
    return doMmap(ctx, mm, file, addr, len, prot, flags, pgoff);
  }
  if ((flags & MAP_TYPE) !== MAP_SHARED) return doMmap(ctx, mm, null, addr, len, prot, flags, pgoff);
  // do_mmap's own answers to impossible lengths come before the file's.
  if (len === 0 || pageAlignUp(len) > TASK_SIZE)
    return len === 0 ? -EINVAL : doMmap(ctx, mm, null, addr, len, prot, 0x22, 0);
  const file = shmemFileSetup(ctx, '/dev/zero', pageAlignUp(len), (flags & MAP_NORESERVE) !== 0);
  if (typeof file === 'number') return file;
  const result = doMmap(ctx, mm, file, addr, len, prot, flags, 0);
  // The VMA holds it now, or nobody does.
  fput(ctx, file);
  return result;
}
