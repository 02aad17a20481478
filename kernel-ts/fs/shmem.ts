/**
 * shmem, the contents of tmpfs, of segments and of shared anonymous memory: mm/shmem.c. The data live in frames of the page
 * cache; read, write, truncate and mmap share them. Missing: swap, huge pages.
 */
import { EFAULT, EFBIG, EINVAL, ENOMEM, ENOSPC, ENXIO, EOPNOTSUPP, EPERM, type Errno } from '../abi/errno.ts';
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_RDWR,
  SEEK_DATA,
  SEEK_HOLE,
} from '../abi/fcntl.ts';
import { PAGE_SIZE, pageAlignUp } from '../abi/mman.ts';
import { RLIMIT_FSIZE, rlimit } from '../abi/resource.ts';
import { S_IFREG } from '../abi/stat.ts';
import { vmEnoughMemory } from '../mm/accounting.ts';
import { cachedPage } from '../mm/addressSpace.ts';
import { ktimeGetRealTs, type MmContext } from '../mm/context.ts';
import { ihold } from '../mm/fileRef.ts';
import { FILP_CACHEP, kmemCacheAlloc, slabMay } from '../mm/slab.ts';
import {
  clearPageFlag,
  getPage,
  pageFlags,
  pageToPhys,
  PG_DIRTY,
  PG_FALLOCATED,
  putPage,
  setPageFlag,
  type Page,
} from '../mm/page.ts';
import { FaultCode, type VmArea, type VmOperations } from '../mm/vma.ts';
import { unmapMappingRange } from '../mm/zap.ts';
import type { FsContext } from './context.ts';
import { File, FMODE_LSEEK, FMODE_READ, FMODE_WRITE, type FileOperations } from './file.ts';
import { Dentry, Inode, touchAtime, type InodeOperations } from './inode.ts';
import { copyFromIter, copyToIter, type IovIter } from './iovIter.ts';
import { llseekWithin } from './llseek.ts';
import { isSealed, UNSEALABLE } from './seals.ts';
import {
  removePage,
  removePages,
  shmemFillRest,
  shmemGetPage,
  unplacedFrom,
  zeroPartial,
} from './shmemPages.ts';

/** s_maxbytes of a 32-bit kernel: ULONG_MAX << PAGE_SHIFT. */
export const MAX_LFS_FILESIZE = 0xffff_ffff * PAGE_SIZE;

/** shmem_nopage() of 2.6, shmem_fault() today. Beyond the last page of the file, or on a full file system: SIGBUS. */
export function shmemNopage(ctx: MmContext, vma: VmArea, pgoff: number): Page {
  const inode = vma.vmFile?.fInode;
  if (inode === undefined || pgoff >= Math.ceil(inode.iSize / PAGE_SIZE)) return -FaultCode.SigbusAdrerr;
  const page = shmemGetPage(ctx, inode, pgoff);
  if (page >= 0) return page;
  return page === -ENOMEM ? -FaultCode.Oom : -FaultCode.SigbusAdrerr;
}

/** filemap_map_pages(): what fallocate has reserved is not up to date. */
function shmemMapPage(ctx: MmContext, vma: VmArea, pgoff: number): Page {
  const inode = vma.vmFile?.fInode;
  if (inode === undefined || pgoff >= Math.ceil(inode.iSize / PAGE_SIZE)) return 0;
  const page = cachedPage(ctx, inode.iMapping, pgoff);
  if (page === undefined || (pageFlags(ctx.memMap, page) & PG_FALLOCATED) !== 0) return 0;
  getPage(ctx, page);
  return page;
}

/** shmem_vm_ops. */
export const shmemVmOps: VmOperations = {
  name: 'shmem_vm_ops',
  nopage: shmemNopage,
  mapPage: shmemMapPage,
};

/** shmem_mmap(). Seals were looked at before (do_mmap). */
export function shmemMmap(ctx: FsContext, file: File, vma: VmArea): 0 {
  vma.vmOps = shmemVmOps;
  touchAtime(ctx, file.fInode);
  return 0;
}

function shmemReadIter(ctx: FsContext, file: File, to: IovIter, pos: number): number {
  const inode = file.fInode;
  if (Math.min(pos + to.count, inode.iSize) > unplacedFrom(inode) * PAGE_SIZE) {
    const failed = shmemFillRest(ctx, inode);
    if (failed < 0) return failed;
  }
  let done = 0;
  while (to.count > 0 && pos + done < inode.iSize) {
    const at = pos + done;
    const offset = at % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, to.count, inode.iSize - at);
    const page = cachedPage(ctx, inode.iMapping, Math.floor(at / PAGE_SIZE));
    // The pages of user memory that are faulted in meanwhile may be these, so take a copy.
    const bytes =
      page === undefined ? new Uint8Array(chunk) : ctx.ram.readBytes(pageToPhys(page) + offset, chunk);
    const copied = copyToIter(ctx, bytes, to);
    done += copied;
    if (copied < chunk) return done > 0 ? done : -EFAULT;
  }
  touchAtime(ctx, inode);
  return done;
}

function shmemWriteIter(ctx: FsContext, file: File, from: IovIter, pos: number): number {
  const inode = file.fInode;
  if (from.count === 0) return 0;
  if (isSealed(inode, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) return -EPERM;
  if (pos >= MAX_LFS_FILESIZE) return -EFBIG;
  const failed = shmemFillRest(ctx, inode);
  if (failed < 0) return failed;
  let done = 0;
  while (from.count > 0) {
    const at = pos + done;
    const offset = at % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, from.count);
    if (isSealed(inode, F_SEAL_GROW) && at + chunk > inode.iSize) return done > 0 ? done : -EPERM;
    const bytes = copyFromIter(ctx, from, chunk);
    if (bytes.length === 0) break;
    const page = shmemGetPage(ctx, inode, Math.floor(at / PAGE_SIZE), bytes.length < PAGE_SIZE);
    if (page < 0) return done > 0 ? done : page;
    ctx.ram.writeBytes(pageToPhys(page) + offset, bytes);
    setPageFlag(ctx.memMap, page, PG_DIRTY);
    putPage(ctx, page);
    done += bytes.length;
    if (at + bytes.length > inode.iSize) inode.iSize = at + bytes.length;
    if (bytes.length < chunk) break;
  }
  if (done === 0) return -EFAULT;
  inode.iMtime = ktimeGetRealTs(ctx);
  inode.iCtime = inode.iMtime;
  return done;
}

/** shmem_truncate_range() and i_size_write(): frees what lies beyond, in page cache and page tables. */
export function shmemTruncate(ctx: MmContext, inode: Inode, size: number): 0 | Errno {
  if (size > MAX_LFS_FILESIZE) return -EFBIG;
  if (isSealed(inode, F_SEAL_SHRINK) && size < inode.iSize) return -EPERM;
  if (isSealed(inode, F_SEAL_GROW) && size > inode.iSize) return -EPERM;
  const failed = shmemFillRest(ctx, inode);
  if (failed < 0) return failed;
  const old = inode.iSize;
  inode.iSize = size;
  // Also at the same size: fallocate may have kept pages beyond it.
  if (size <= old) {
    const first = Math.ceil(size / PAGE_SIZE);
    unmapMappingRange(ctx, inode.iMapping, first, Infinity, true);
    removePages(ctx, inode, first, Infinity);
    zeroPartial(ctx, inode, size, pageAlignUp(size));
  }
  inode.iMtime = ktimeGetRealTs(ctx);
  inode.iCtime = inode.iMtime;
  return 0;
}

/** shmem_evict_inode(): the file is gone, and so are its frames. */
export function shmemEvictInode(ctx: MmContext, inode: Inode): void {
  removePages(ctx, inode, 0, Infinity);
  inode.iMapping.contents = null;
  inode.iSize = 0;
  shmemFreeInode(ctx, inode);
}

/** shmem_free_inode(). */
export function shmemFreeInode(_ctx: MmContext, inode: Inode): void {
  inode.iSb.usedInodes--;
}

/** shmem_fallocate(): the mode is legal; of the legal ones tmpfs has allocation and holes (EOPNOTSUPP). */
function shmemFallocate(ctx: FsContext, file: File, mode: number, offset: number, len: number): 0 | Errno {
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
  const { fInode: inode } = file;
  const failed = shmemFillRest(ctx, inode);
  if (failed < 0) return failed;
  return (mode & FALLOC_FL_PUNCH_HOLE) !== 0
    ? punchHole(ctx, inode, offset, offset + len)
    : allocate(ctx, inode, offset, offset + len, (mode & FALLOC_FL_KEEP_SIZE) !== 0);
}

/** Zeroes the bytes [offset, end); whole pages leave the file. */
function punchHole(ctx: FsContext, inode: Inode, offset: number, end: number): 0 | Errno {
  if (isSealed(inode, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) return -EPERM;
  const first = Math.ceil(offset / PAGE_SIZE);
  const last = Math.floor(end / PAGE_SIZE);
  // A hole that ends within page 0 has its last whole page before all others: Linux takes -1 for a large number, and unmaps what follows.
  const unmapEnd = last === 0 ? Infinity : last;
  if (first < unmapEnd) unmapMappingRange(ctx, inode.iMapping, first, unmapEnd, false);
  if (first > last) {
    zeroPartial(ctx, inode, offset, end);
    return 0;
  }
  zeroPartial(ctx, inode, offset, first * PAGE_SIZE);
  zeroPartial(ctx, inode, last * PAGE_SIZE, end);
  removePages(ctx, inode, first, last);
  return 0;
}

/** Allocates the pages of [offset, end). What was allocated before an error is freed again. */
function allocate(ctx: FsContext, inode: Inode, offset: number, end: number, keepSize: boolean): 0 | Errno {
  if (end > rlimit(ctx.current.rlim, RLIMIT_FSIZE)) return -EFBIG;
  if (isSealed(inode, F_SEAL_GROW) && end > inode.iSize) return -EPERM;
  const first = Math.floor(offset / PAGE_SIZE);
  const last = Math.ceil(end / PAGE_SIZE);
  const { maxBlocks } = inode.iSb;
  if (maxBlocks > 0 && last - first > maxBlocks) return -ENOSPC;
  const made: Page[] = [];
  for (let index = first; index < last; index++) {
    const present = inode.iMapping.iPages.get(index);
    if (present !== undefined) {
      // Asked for once more, a page that was only reserved counts as used. Dirty, lest it be reclaimed.
      clearPageFlag(ctx.memMap, present, PG_FALLOCATED);
      setPageFlag(ctx.memMap, present, PG_DIRTY);
      continue;
    }
    const page = shmemGetPage(ctx, inode, index);
    if (page < 0) {
      for (const undo of made) removePage(ctx, inode, undo);
      return page as Errno;
    }
    setPageFlag(ctx.memMap, page, PG_FALLOCATED | PG_DIRTY);
    putPage(ctx, page);
    made.push(page);
  }
  if (!keepSize && end > inode.iSize) inode.iSize = end;
  inode.iCtime = ktimeGetRealTs(ctx);
  return 0;
}

function holdsData(ctx: MmContext, page: Page | undefined): boolean {
  return page !== undefined && (pageFlags(ctx.memMap, page) & PG_FALLOCATED) === 0;
}

/** The first page with data from `index` on, or Infinity. Looks at the pages that are there: a sparse file may be huge. */
function nextData(ctx: MmContext, inode: Inode, index: number): number {
  const { iPages } = inode.iMapping;
  if (holdsData(ctx, iPages.get(index))) return index;
  let found = Infinity;
  iPages.forRange(index, Infinity, (page, at) => {
    if (at < found && holdsData(ctx, page)) found = at;
  });
  return found;
}

/** The first page from `index` on that holds no data. */
function nextHole(ctx: MmContext, inode: Inode, index: number): number {
  let at = index;
  while (holdsData(ctx, inode.iMapping.iPages.get(at))) at++;
  return at;
}

/** shmem_file_llseek(): with SEEK_DATA and SEEK_HOLE by page. */
function shmemLlseek(ctx: FsContext, file: File, offset: number, whence: number): number {
  const inode = file.fInode;
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return llseekWithin(file, offset, whence, inode.iSize);
  if (offset < 0 || offset >= inode.iSize) return -ENXIO;
  const failed = shmemFillRest(ctx, inode);
  if (failed < 0) return failed;
  const index = Math.floor(offset / PAGE_SIZE);
  const found = whence === SEEK_DATA ? nextData(ctx, inode, index) : nextHole(ctx, inode, index);
  if (found * PAGE_SIZE >= inode.iSize && whence === SEEK_DATA) return -ENXIO;
  file.fPos = Math.min(Math.max(offset, found * PAGE_SIZE), inode.iSize);
  return file.fPos;
}

/** shmem_file_operations. */
export const shmemFileOperations: FileOperations = {
  name: 'shmem_file_operations',
  readIter: shmemReadIter,
  writeIter: shmemWriteIter,
  llseek: shmemLlseek,
  mmap: shmemMmap,
  fallocate: shmemFallocate,
};

/** shmem_inode_operations. */
export const shmemInodeOperations: InodeOperations = {
  name: 'shmem_inode_operations',
  truncate: shmemTruncate,
  releaseFolio: removePage,
  evictInode: shmemEvictInode,
};

/**
 * shmem_file_setup(): an unlinked file of `size` bytes on the kernel's own mount, with one reference. `fOp` is what its user calls
 * it by. Without `noreserve` the size is checked against RAM.
 *
 * @returns EINVAL for an impossible size, ENOMEM for one that can never fit.
 */
export function shmemFileSetup(
  ctx: FsContext,
  name: string,
  size: number,
  noreserve: boolean,
  fOp: FileOperations = shmemFileOperations,
): File | Errno {
  if (size < 0 || size > MAX_LFS_FILESIZE) return -EINVAL;
  if (!noreserve && !vmEnoughMemory(ctx, Math.ceil(size / PAGE_SIZE))) return -ENOMEM;
  const { cred } = ctx.current;
  // shmem_get_inode() has no other word for it. The dentry and the file are alloc_file_pseudo()'s.
  if (!slabMay(ctx)) return -ENOSPC;
  if (!slabMay(ctx) || !kmemCacheAlloc(ctx, FILP_CACHEP)) return -ENOMEM;
  const inode = new Inode(ctx.vfs.shmMnt, S_IFREG | 0o777, shmemInodeOperations, fOp, ktimeGetRealTs(ctx));
  inode.iUid = cred.fsuid;
  inode.iGid = cred.fsgid;
  inode.iSize = size;
  inode.seals = UNSEALABLE;
  inode.iSb.usedInodes++;
  // clear_nlink(): it has no name, so the last reference frees it.
  inode.iNlink = 0;
  ihold(inode);
  const dentry = new Dentry(name, null, inode);
  dentry.dHashed = false;
  return new File(ctx.vfs.nextFileId++, dentry, inode, fOp, O_RDWR, FMODE_READ | FMODE_WRITE | FMODE_LSEEK);
}
