/** remap_file_pages(2), as Linux emulates it since 4.0: mm/mmap.c. Each call makes a mapping, of the same attach where it is one. */
import { EINVAL, type Errno } from '../abi/errno.ts';
import {
  MAP_FIXED,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_POPULATE,
  MAP_SHARED,
  PAGE_SIZE,
  pageAlignDown,
  TASK_SIZE,
} from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import { fput, getFile } from './fileRef.ts';
import { doMmap } from './mmap.ts';
import type { MmStruct } from './mm.ts';
import { VM_ACCESS_FLAGS, VM_LOCKED, VM_SHARED, type VmArea } from './vma.ts';

/**
 * Whether [start, end) is one gapless run of mappings like the first, of the same file: each attach of a segment has one of its own in Linux,
 * and here a number (vmPrivateData).
 */
function isUniform(mm: MmStruct, first: VmArea, end: number): boolean {
  let vma = first;
  while (vma.vmEnd < end) {
    const next: VmArea | null = mm.mmap.next(vma);
    if (next === null || next.vmStart !== vma.vmEnd) return false;
    if (next.vmFile !== first.vmFile || next.vmPrivateData !== first.vmPrivateData) return false;
    if (next.vmFlags !== first.vmFlags) return false;
    vma = next;
  }
  return true;
}

/** Maps [start, start + size) of a shared file mapping to the pages from `pgoff` on. EINVAL: arguments, no such mapping. */
export function doRemapFilePages(
  ctx: MmContext,
  mm: MmStruct,
  address: number,
  length: number,
  prot: number,
  pgoff: number,
  flags: number,
): 0 | Errno {
  if (prot !== 0) return -EINVAL;
  const start = pageAlignDown(address);
  const size = pageAlignDown(length);
  if (size === 0 || start + size > TASK_SIZE) return -EINVAL;
  if (pgoff + size / PAGE_SIZE > 0xffff_ffff) return -EINVAL;
  const vma = mm.mmap.lookup(start);
  if (vma === null || (vma.vmFlags & VM_SHARED) === 0 || vma.vmFile === null) return -EINVAL;
  if (!isUniform(mm, vma, start + size)) return -EINVAL;
  let mapFlags = (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE;
  if ((vma.vmFlags & VM_LOCKED) !== 0) mapFlags |= MAP_LOCKED;
  // The old mapping may be the file's last holder.
  const file = getFile(vma.vmFile);
  const prots = vma.vmFlags & VM_ACCESS_FLAGS;
  const { vmPrivateData } = vma;
  const result = doMmap(ctx, mm, file, start, size, prots, mapFlags, pgoff, file.fMode, vmPrivateData);
  fput(ctx, file);
  return result < 0 ? result : 0;
}
