/**
 * shmem, the contents of tmpfs, of segments and of shared anonymous memory: mm/shmem.c. The data live in frames of the page
 * cache; read, write, truncate and mmap share them. Missing: swap, huge pages, size limits of a mount (RAM is the limit).
 */
import { EFAULT, EFBIG, EINVAL, ENOMEM, ENXIO, EOPNOTSUPP, EPERM, type Errno } from '../abi/errno.ts';
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
import { S_IFREG } from '../abi/stat.ts';
import { vmEnoughMemory } from '../mm/accounting.ts';
import { addToPageCache, deleteFromPageCache, findGetPage } from '../mm/addressSpace.ts';
import { ktimeGetRealTs, type MmContext } from '../mm/context.ts';
import { ihold } from '../mm/fileRef.ts';
import { allocPage, pageToPhys, putPage, type Page } from '../mm/page.ts';
import { FaultCode, VM_MAYWRITE, VM_SHARED, VM_WRITE, type VmArea, type VmOperations } from '../mm/vma.ts';
import { unmapMappingRange } from '../mm/zap.ts';
import type { FsContext } from './context.ts';
import { File, FMODE_LSEEK, FMODE_READ, FMODE_WRITE, type FileOperations } from './file.ts';
import { Dentry, Inode, type InodeOperations } from './inode.ts';
import { copyFromIter, copyToIter, type IovIter } from './iovIter.ts';
import { llseekWithin } from './llseek.ts';

/** s_maxbytes of a 32-bit kernel: ULONG_MAX << PAGE_SHIFT. */
export const MAX_LFS_FILESIZE = 0xffff_ffff * PAGE_SIZE;

/**
 * shmem_get_folio(): the page of the file at `index`, made when it is a hole; count raised. null: no memory.
 * A new page is zeroed unless the caller overwrites all of it.
 */
export function shmemGetPage(ctx: MmContext, inode: Inode, index: number, zero = true): Page | null {
  const cached = findGetPage(inode.iMapping, index);
  if (cached !== null) return cached;
  const page = allocPage(ctx, 0, zero);
  if (page === null) return null;
  addToPageCache(inode.iMapping, page, index);
  return page;
}

/** shmem_nopage() of 2.6, shmem_fault() today. Beyond the last page of the file: SIGBUS. */
export function shmemNopage(ctx: MmContext, vma: VmArea, pgoff: number): Page | FaultCode {
  const inode = vma.vmFile?.fInode;
  if (inode === undefined || pgoff >= Math.ceil(inode.iSize / PAGE_SIZE)) return FaultCode.SigbusAdrerr;
  return shmemGetPage(ctx, inode, pgoff) ?? FaultCode.Oom;
}

/** shmem_vm_ops. */
export const shmemVmOps: VmOperations = { name: 'shmem_vm_ops', nopage: shmemNopage };

/** shmem_mmap(). A sealed file cannot be mapped writable and shared. */
export function shmemMmap(ctx: FsContext, file: File, vma: VmArea): 0 | Errno {
  const { fInode: inode } = file;
  if ((inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0 && (vma.vmFlags & VM_SHARED) !== 0) {
    if ((vma.vmFlags & VM_WRITE) !== 0) return -EPERM;
    vma.vmFlags &= ~VM_MAYWRITE;
  }
  vma.vmOps = shmemVmOps;
  inode.iAtime = ktimeGetRealTs(ctx);
  return 0;
}

function shmemReadIter(ctx: FsContext, file: File, to: IovIter, pos: number): number {
  const inode = file.fInode;
  let done = 0;
  while (to.count > 0 && pos + done < inode.iSize) {
    const at = pos + done;
    const offset = at % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, to.count, inode.iSize - at);
    const page = inode.iMapping.iPages.get(Math.floor(at / PAGE_SIZE));
    // The pages of user memory that are faulted in meanwhile may be these, so take a copy.
    const bytes =
      page === undefined ? new Uint8Array(chunk) : ctx.ram.readBytes(pageToPhys(page) + offset, chunk);
    const copied = copyToIter(ctx, bytes, to);
    done += copied;
    if (copied < chunk) return done > 0 ? done : -EFAULT;
  }
  inode.iAtime = ktimeGetRealTs(ctx);
  return done;
}

function shmemWriteIter(ctx: FsContext, file: File, from: IovIter, pos: number): number {
  const inode = file.fInode;
  if (from.count === 0) return 0;
  if ((inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
  if ((inode.seals & F_SEAL_GROW) !== 0 && pos + from.count > inode.iSize) return -EPERM;
  if (pos >= MAX_LFS_FILESIZE) return -EFBIG;
  let done = 0;
  while (from.count > 0) {
    const at = pos + done;
    const offset = at % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, from.count);
    const bytes = copyFromIter(ctx, from, chunk);
    if (bytes.length === 0) break;
    const page = shmemGetPage(ctx, inode, Math.floor(at / PAGE_SIZE), bytes.length < PAGE_SIZE);
    if (page === null) return done > 0 ? done : -ENOMEM;
    ctx.ram.writeBytes(pageToPhys(page) + offset, bytes);
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
  if ((inode.seals & F_SEAL_SHRINK) !== 0 && size < inode.iSize) return -EPERM;
  if ((inode.seals & F_SEAL_GROW) !== 0 && size > inode.iSize) return -EPERM;
  const old = inode.iSize;
  inode.iSize = size;
  if (size < old) {
    const first = Math.ceil(size / PAGE_SIZE);
    unmapMappingRange(ctx, inode.iMapping, first, Infinity, true);
    removePages(ctx, inode, first, Infinity);
    zeroPartial(ctx, inode, size, pageAlignUp(size));
  }
  inode.iMtime = ktimeGetRealTs(ctx);
  inode.iCtime = inode.iMtime;
  return 0;
}

/** Takes the pages [first, end) out of the page cache; they are mapped nowhere. */
function removePages(ctx: MmContext, inode: Inode, first: number, end: number): void {
  for (const [index, page] of inode.iMapping.iPages) {
    if (index >= first && index < end) deleteFromPageCache(ctx, page);
  }
}

/** Zeroes the bytes [from, to) of one page, if it is there. */
function zeroPartial(ctx: MmContext, inode: Inode, from: number, to: number): void {
  if (from >= to) return;
  const page = inode.iMapping.iPages.get(Math.floor(from / PAGE_SIZE));
  if (page !== undefined) ctx.ram.zero(pageToPhys(page) + (from % PAGE_SIZE), to - from);
}

/** shmem_evict_inode(): the file is gone, and so are its frames. */
export function shmemEvictInode(ctx: MmContext, inode: Inode): void {
  removePages(ctx, inode, 0, Infinity);
  inode.iSize = 0;
}

/** shmem_fallocate(): 0 (allocate), KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE. What was allocated before ENOMEM is freed again. */
function shmemFallocate(ctx: FsContext, file: File, mode: number, offset: number, len: number): 0 | Errno {
  const inode = file.fInode;
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
  const end = offset + len;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
    if ((inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    const first = Math.ceil(offset / PAGE_SIZE);
    const last = Math.floor(end / PAGE_SIZE);
    if (first > last) {
      zeroPartial(ctx, inode, offset, end);
    } else {
      zeroPartial(ctx, inode, offset, first * PAGE_SIZE);
      zeroPartial(ctx, inode, last * PAGE_SIZE, end);
      unmapMappingRange(ctx, inode.iMapping, first, last, false);
      removePages(ctx, inode, first, last);
    }
    return 0;
  }
  if (end > MAX_LFS_FILESIZE) return -EFBIG;
  const grows = (mode & FALLOC_FL_KEEP_SIZE) === 0 && end > inode.iSize;
  if (grows && (inode.seals & F_SEAL_GROW) !== 0) return -EPERM;
  const made: Page[] = [];
  for (let index = Math.floor(offset / PAGE_SIZE); index < Math.ceil(end / PAGE_SIZE); index++) {
    const fresh = !inode.iMapping.iPages.has(index);
    const page = shmemGetPage(ctx, inode, index);
    if (page === null) {
      for (const undo of made) deleteFromPageCache(ctx, undo);
      return -ENOMEM;
    }
    putPage(ctx, page);
    if (fresh) made.push(page);
  }
  if (grows) inode.iSize = end;
  inode.iCtime = ktimeGetRealTs(ctx);
  return 0;
}

/** The first cached page from `index` on, or Infinity. Looks at the pages that are there: a sparse file may be huge. */
function nextData(inode: Inode, index: number): number {
  const { iPages } = inode.iMapping;
  if (iPages.has(index)) return index;
  let found = Infinity;
  for (const at of iPages.keys()) if (at >= index && at < found) found = at;
  return found;
}

/** The first page from `index` on that is not cached. */
function nextHole(inode: Inode, index: number): number {
  let at = index;
  while (inode.iMapping.iPages.has(at)) at++;
  return at;
}

/** shmem_file_llseek(): with SEEK_DATA and SEEK_HOLE by page. */
function shmemLlseek(_ctx: FsContext, file: File, offset: number, whence: number): number {
  const inode = file.fInode;
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return llseekWithin(file, offset, whence, inode.iSize);
  if (offset < 0 || offset >= inode.iSize) return -ENXIO;
  const index = Math.floor(offset / PAGE_SIZE);
  const found = whence === SEEK_DATA ? nextData(inode, index) : nextHole(inode, index);
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
  const inode = new Inode(ctx.vfs.shmMnt, S_IFREG | 0o777, shmemInodeOperations, fOp, ktimeGetRealTs(ctx));
  inode.iUid = cred.fsuid;
  inode.iGid = cred.fsgid;
  inode.iSize = size;
  // clear_nlink(): it has no name, so the last reference frees it.
  inode.iNlink = 0;
  ihold(inode);
  const dentry = new Dentry(name, null, inode);
  dentry.dHashed = false;
  return new File(ctx.vfs.nextFileId++, dentry, inode, fOp, O_RDWR, FMODE_READ | FMODE_WRITE | FMODE_LSEEK);
}
