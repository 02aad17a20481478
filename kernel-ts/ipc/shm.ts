/**
 * System V shared memory: ipc/shm.c of 6.x, with the structure linkage of 2.6.20: a VMA's vmFile is the segment's shmFile, so
 * every attach reaches the same inode, address_space and frames. shmctl(2) is in shmctl.ts.
 *
 * shmNattch changes in shmOpen, shmMmap and shmClose alone, and so counts VMAs.
 * Missing: SHM_HUGETLB (EINVAL, as without hugetlbfs).
 */
import { EACCES, EINVAL, ENOMEM, ENOSPC, type Errno } from '../abi/errno.ts';
import { S_IRUGO, S_IRWXUGO, S_IWUGO, S_IXUGO } from '../abi/ipc.ts';
import {
  MAP_FIXED,
  MAP_SHARED,
  offsetInPage,
  PAGE_SIZE,
  pageAlignDown,
  pageAlignUp,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../abi/mman.ts';
import {
  SHM_DEST,
  SHM_EXEC,
  SHM_HUGETLB,
  SHM_NORESERVE,
  SHM_RDONLY,
  SHM_REMAP,
  SHM_RND,
  SHMLBA,
  SHMMIN,
} from '../abi/shm.ts';
import type { FsContext } from '../fs/context.ts';
import { FMODE_READ, FMODE_WRITE, type File, type FileOperations } from '../fs/file.ts';
import { shmemFileOperations, shmemFileSetup, shmemMmap, shmemNopage } from '../fs/shmem.ts';
import { ktimeGetRealSeconds, type MmContext } from '../mm/context.ts';
import type { Cred } from '../mm/cred.ts';
import { fput } from '../mm/fileRef.ts';
import { SHM_CACHEP, kmemCacheAlloc, kmemCacheFree, slabMay } from '../mm/slab.ts';
import { doMmap, doMunmap } from '../mm/mmap.ts';
import type { Page } from '../mm/page.ts';
import { pagesFor } from '../mm/page.ts';
import type { VmArea, VmOperations } from '../mm/vma.ts';
import {
  getIpcNs,
  ipcContext,
  putIpcNs,
  type IpcContext,
  type IpcNamespace,
  type SysvShm,
} from './namespace.ts';
import {
  ipcAddid,
  ipcget,
  ipcObtainObjectCheck,
  ipcperms,
  ipcRmid,
  KernIpcPerm,
  type IpcOps,
} from './util.ts';

/** struct shmid_kernel. */
export class ShmidKernel extends KernIpcPerm {
  /** Bytes, as asked for. */
  readonly shmSegsz: number;
  /** Holds one reference until the segment is destroyed; then it stays as it was, for those who still look. */
  readonly shmFile: File;
  /** VMAs that attach it, in all processes. */
  shmNattch = 0;
  /** Calls of shmat that there have been: the serial number of the next attach. */
  shmAttaches = 0;
  /** Attaches in progress: a segment that is being attached is not destroyed below them. */
  shmPins = 0;
  /** Seconds since 1970; 0 is never. */
  shmAtim = 0;
  shmDtim = 0;
  shmLprid = 0;
  /** The namespace it lives in. */
  readonly ns: IpcNamespace;
  shmCtim: number;
  readonly shmCprid: number;
  /** The list of its creator that it is on; null once that task has exited. */
  shmCreator: SysvShm | null = null;
  /** shm_clist: its neighbours on that list. */
  shmClistPrev: ShmidKernel | null = null;
  shmClistNext: ShmidKernel | null = null;
  /** The real uid whose limit SHM_LOCK charged, or -1. */
  mlockUid = -1;

  constructor(
    ns: IpcNamespace,
    key: number,
    mode: number,
    cred: Cred,
    file: File,
    segsz: number,
    ctim: number,
    cprid: number,
  ) {
    super(key, mode, cred);
    this.ns = ns;
    this.shmFile = file;
    this.shmSegsz = segsz;
    this.shmCtim = ctim;
    this.shmCprid = cprid;
  }

  get shmPerm(): KernIpcPerm {
    return this;
  }
}

/**
 * The segment of a VMA that attaches one: its file's privateData, since no attach has a file and a struct shm_file_data of its own.
 * vma.vmPrivateData is the serial number of the attach, which Linux tells by its file.
 */
function segmentOf(vma: VmArea): ShmidKernel {
  return vma.vmFile?.privateData as ShmidKernel;
}

/** list_add_tail(&shp->shm_clist, &task->sysvshm.shm_clist). */
function shmClistAdd(list: SysvShm, shp: ShmidKernel): void {
  shp.shmCreator = list;
  shp.shmClistPrev = list.shmClistLast;
  if (list.shmClistLast === null) list.shmClist = shp;
  else list.shmClistLast.shmClistNext = shp;
  list.shmClistLast = shp;
}

/** list_del(&shp->shm_clist), if it is on a list. */
function shmClistDel(shp: ShmidKernel): void {
  const { shmCreator: list, shmClistPrev: prev, shmClistNext: next } = shp;
  if (list === null) return;
  if (prev === null) list.shmClist = next;
  else prev.shmClistNext = next;
  if (next === null) list.shmClistLast = prev;
  else next.shmClistPrev = prev;
  shp.shmCreator = null;
  shp.shmClistPrev = null;
  shp.shmClistNext = null;
}

/** Pages that a segment counts for in shmTot. */
function segmentPages(shp: ShmidKernel): number {
  return pagesFor(shp.shmSegsz);
}

/** __shm_open(): one more attach, by the current process. It holds the namespace, so that a task may leave what it has attached. */
function attachOne(ctx: MmContext, shp: ShmidKernel): void {
  getIpcNs(shp.ns);
  shp.shmAtim = ktimeGetRealSeconds(ctx);
  shp.shmLprid = ctx.current.tgid;
  shp.shmNattch++;
}

/** shm_open(): fork, split or mremap duplicated an attach. */
export function shmOpen(ctx: MmContext, vma: VmArea): void {
  attachOne(ctx, segmentOf(vma));
}

/** shm_close(): an attach is gone; the last one takes a segment along that is marked for destruction. */
export function shmClose(ctx: MmContext, vma: VmArea): void {
  const shp = segmentOf(vma);
  const { ns } = shp;
  shp.shmLprid = ctx.current.tgid;
  shp.shmDtim = ktimeGetRealSeconds(ctx);
  shp.shmNattch--;
  if (shmMayDestroy(ns, shp)) shmDestroy(ctx, ns, shp);
  putIpcNs(ctx, ns);
}

/** shm_may_destroy(). */
export function shmMayDestroy(ns: IpcNamespace, shp: ShmidKernel): boolean {
  if (shp.shmNattch > 0 || shp.shmPins > 0) return false;
  return ns.shmRmidForced !== 0 || (shp.shmPerm.mode & SHM_DEST) !== 0;
}

/** shm_destroy(): takes the segment out of the table and gives up its file; the frames go with the last reference. */
export function shmDestroy(ctx: MmContext, ns: IpcNamespace, shp: ShmidKernel): void {
  ns.shmTot -= segmentPages(shp);
  ipcRmid(ns.shmIds, shp);
  shmClistDel(shp);
  shmUncharge(ctx, shp);
  fput(ctx, shp.shmFile);
  kmemCacheFree(ctx, SHM_CACHEP);
}

/** user_shm_unlock(). */
export function shmUncharge(ctx: MmContext, shp: ShmidKernel): void {
  shp.shmFile.fInode.locked = false;
  if (shp.mlockUid < 0) return;
  const { lockedShm } = ipcContext(ctx).ipc;
  const left = (lockedShm.get(shp.mlockUid) ?? 0) - segmentPages(shp);
  if (left > 0) lockedShm.set(shp.mlockUid, left);
  else lockedShm.delete(shp.mlockUid);
  shp.mlockUid = -1;
}

/** shm_fault(): the page of the segment's file. */
function shmNopage(ctx: MmContext, vma: VmArea, pgoff: number): Page {
  return shmemNopage(ctx, vma, pgoff);
}

/** shm_vm_ops. */
export const shmVmOps: VmOperations = {
  name: 'shm_vm_ops',
  open: shmOpen,
  close: shmClose,
  nopage: shmNopage,
  // shm_get_unmapped_area() exists, and vma_is_shmem() does not know an attach.
  movesAlone: true,
};

/** shm_mmap(): the first VMA of an attach, or another. EINVAL: remap_file_pages took the last one away, and with it the segment. */
function shmMmap(ctx: FsContext, file: File, vma: VmArea): 0 | Errno {
  const shp = file.privateData as ShmidKernel;
  if (shp.shmPerm.deleted) return -EINVAL;
  const error = shmemMmap(ctx, file, vma);
  if (error < 0) return error;
  // Not an object: there may be a hundred thousand attaches. It is there where remap_file_pages moves a page of one.
  vma.vmPrivateData ??= shp.shmAttaches++;
  vma.vmOps = shmVmOps;
  attachOne(ctx, shp);
  return 0;
}

/** shm_file_operations. */
export const shmFileOperations: FileOperations = {
  ...shmemFileOperations,
  name: 'shm_file_operations',
  mmap: shmMmap,
};

/** The segment a VMA attaches, or null. */
export function shmOfVma(vma: VmArea): ShmidKernel | null {
  return vma.vmOps === shmVmOps ? segmentOf(vma) : null;
}

/** newseg(): makes a segment and its file; the id, EINVAL, ENOSPC, ENOMEM. */
export function newseg(ctx: IpcContext, ns: IpcNamespace, key: number, size: number, shmflg: number): number {
  // "A new segment was to be created and size is less than SHMMIN or greater than SHMMAX."
  if (size < SHMMIN || size > ns.shmCtlmax) return -EINVAL;
  const pages = pagesFor(size);
  // "... allocating a segment of the requested size would cause the system to exceed ... SHMALL."
  if (ns.shmTot + pages > ns.shmCtlall) return -ENOSPC;
  if ((shmflg & SHM_HUGETLB) !== 0) return -EINVAL;
  if (!kmemCacheAlloc(ctx, SHM_CACHEP)) return -ENOMEM;
  const shm = newsegFile(ctx, ns, key, size, shmflg);
  if (shm < 0) kmemCacheFree(ctx, SHM_CACHEP);
  return shm;
}

/** The rest of newseg(), the shmid_kernel being allocated: its file and its id. */
function newsegFile(ctx: IpcContext, ns: IpcNamespace, key: number, size: number, shmflg: number): number {
  const name = `/SYSV${(key >>> 0).toString(16).padStart(8, '0')}`;
  const file = shmemFileSetup(ctx, name, size, (shmflg & SHM_NORESERVE) !== 0, shmFileOperations);
  if (typeof file === 'number') return file;
  const { current } = ctx;
  const { cred, tgid } = current;
  const now = ktimeGetRealSeconds(ctx);
  const shp = new ShmidKernel(ns, key, shmflg & S_IRWXUGO, cred, file, size, now, tgid);
  file.privateData = shp;
  // The idr and the key's entry need memory of their own.
  const index = slabMay(ctx) ? ipcAddid(ns.shmIds, shp, ns.shmCtlmni) : -ENOMEM;
  if (index < 0) {
    fput(ctx, file);
    return index;
  }
  shmClistAdd(current, shp);
  // The id is reported as the inode number in /proc/PID/maps.
  file.fInode.iIno = shp.shmPerm.id;
  ns.shmTot += segmentPages(shp);
  return shp.shmPerm.id;
}

const SHM_OPS: IpcOps<ShmidKernel> = {
  getnew: newseg,
  // "A segment for the given key exists, but size is greater than the size of that segment."
  moreChecks: (shp, size) => (shp.shmSegsz < size ? -EINVAL : 0),
};

/** shmget(2): `key` as an unsigned number, `size` in bytes. */
export function sysShmget(ctx: IpcContext, key: number, size: number, shmflg: number): number {
  return ipcget(ctx, ctx.current.ipcNs.shmIds, SHM_OPS, key, size, shmflg);
}

/** Where the caller wants it: 0 for anywhere, or an Errno. */
function shmatAddress(shmaddr: number, shmflg: number): number {
  if (shmaddr === 0) return (shmflg & SHM_REMAP) !== 0 ? -EINVAL : 0;
  if (shmaddr % SHMLBA === 0) return shmaddr;
  if ((shmflg & SHM_RND) === 0) return -EINVAL;
  const rounded = pageAlignDown(shmaddr);
  return rounded === 0 && (shmflg & SHM_REMAP) !== 0 ? -EINVAL : rounded;
}

/**
 * do_shmat(): attaches the segment to current.mm. `shmid` signed, `shmaddr` unsigned.
 *
 * @returns the address; EINVAL (id, address, overlap), EACCES, ENOMEM, EPERM (a low address).
 */
export function doShmat(ctx: IpcContext, shmid: number, shmaddr: number, shmflg: number): number {
  const { current } = ctx;
  const { mm, ipcNs: ns } = current;
  if (mm === null) throw new Error('shmat without an address space');
  if (shmid < 0) return -EINVAL;
  const addr = shmatAddress(shmaddr, shmflg);
  if (addr < 0) return addr;
  const fixed = shmaddr !== 0;
  let prot = PROT_READ;
  let access = S_IRUGO;
  let fMode = FMODE_READ;
  if ((shmflg & SHM_RDONLY) === 0) {
    prot |= PROT_WRITE;
    access |= S_IWUGO;
    fMode |= FMODE_WRITE;
  }
  if ((shmflg & SHM_EXEC) !== 0) {
    prot |= PROT_EXEC;
    access |= S_IXUGO;
  }
  const shp = ipcObtainObjectCheck(ns.shmIds, shmid);
  if (typeof shp === 'number') return shp;
  if (ipcperms(current.cred, shp.shmPerm, access)) return -EACCES;
  // The shm_file_data and the file of this attach.
  if (!slabMay(ctx) || !slabMay(ctx)) return -ENOMEM;
  shp.shmPins++;
  const result = shmatMap(ctx, shp, addr, fixed, (shmflg & SHM_REMAP) !== 0, prot, fMode);
  shp.shmPins--;
  // SHM_REMAP over the last attach, or a failure under shm_rmid_forced.
  if (shmMayDestroy(ns, shp)) shmDestroy(ctx, ns, shp);
  return result;
}

function shmatMap(
  ctx: IpcContext,
  shp: ShmidKernel,
  addr: number,
  fixed: boolean,
  remap: boolean,
  prot: number,
  fMode: number,
): number {
  const { mm } = ctx.current;
  if (mm === null) return -EINVAL;
  const size = shp.shmFile.fInode.iSize;
  if (addr !== 0 && !remap) {
    // "Attaching at shmaddr ... a mapping already exists in the address range."
    if (addr + size > 0xffff_ffff) return -EINVAL;
    if (mm.mmap.intersection(addr, addr + size) !== null) return -EINVAL;
  }
  return doMmap(ctx, mm, shp.shmFile, addr, size, prot, MAP_SHARED | (fixed ? MAP_FIXED : 0), 0, fMode);
}

/** A piece of an attach lies as far behind its base as its offset in the segment says. */
function isPiece(vma: VmArea, base: number): boolean {
  return vma.vmOps === shmVmOps && vma.vmStart - base === vma.vmPgoff * PAGE_SIZE;
}

/**
 * shmdt(2): detaches the attach whose base is `shmaddr`, every remaining piece of it. EINVAL when there is none.
 */
export function sysShmdt(ctx: IpcContext, shmaddr: number): 0 | Errno {
  const { mm } = ctx.current;
  if (mm === null || offsetInPage(shmaddr) !== 0) return -EINVAL;
  let vma = mm.mmap.find(shmaddr);
  while (vma !== null && !isPiece(vma, shmaddr)) vma = mm.mmap.next(vma);
  if (vma === null) return -EINVAL;
  const { vmFile: file, vmPrivateData: attach } = vma;
  const end = shmaddr + pageAlignUp(segmentOf(vma).shmFile.fInode.iSize);
  let piece: VmArea | null = vma;
  for (let first = true; piece !== null && (first || piece.vmEnd <= end); first = false) {
    const next: VmArea | null = mm.mmap.next(piece);
    if (isPiece(piece, shmaddr) && piece.vmFile === file && piece.vmPrivateData === attach)
      doMunmap(ctx, mm, piece.vmStart, piece.vmEnd - piece.vmStart);
    piece = next;
  }
  return 0;
}

/** The namespace of a segment's file, or null when the file is none. */
export function shmNamespaceOf(file: File): IpcNamespace | null {
  return file.fOp === shmFileOperations ? (file.privateData as ShmidKernel).ns : null;
}

/** The namespace that a VMA's attach holds, or null. */
export function ipcNsOfVma(vma: VmArea): IpcNamespace | null {
  return vma.vmOps === shmVmOps ? segmentOf(vma).ns : null;
}

/**
 * exit_shm(): called when a task has given up its memory, or leaves its namespace by unshare(2). Under the shm_rmid_forced of
 * their namespaces its unattached segments go.
 */
export function exitShm(ctx: MmContext, task: SysvShm): void {
  for (let shp = task.shmClist; shp !== null; shp = task.shmClist) {
    shmClistDel(shp);
    const { ns } = shp;
    if (ns.shmRmidForced !== 0 && shmMayDestroy(ns, shp)) shmDestroy(ctx, ns, shp);
  }
}

/** shm_destroy_orphaned(): shm_rmid_forced was switched on; unattached segments of dead creators go. */
export function shmDestroyOrphaned(ctx: MmContext, ns: IpcNamespace): void {
  for (const shp of ns.shmIds.entries.values()) {
    if (shp.shmCreator === null && shmMayDestroy(ns, shp)) shmDestroy(ctx, ns, shp);
  }
}
