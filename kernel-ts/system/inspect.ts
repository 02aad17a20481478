/**
 * The picture: a pure function from the running system to JSON (the types and their promises are in picture.ts).
 * Reads structures and page tables; changes nothing, faults nothing in.
 */
import type { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { dPath } from '../fs/namei.ts';
import { vmaName } from '../fs/procRows.ts';
import { ipcNsOfVma, shmNamespaceOf, shmOfVma, type ShmidKernel } from '../ipc/shm.ts';
import type { IpcNamespace } from '../ipc/namespace.ts';
import { sortedPages } from '../mm/addressSpace.ts';
import { ktimeGet } from '../mm/context.ts';
import { getMmRss, mmSatp, type MmStruct } from '../mm/mm.ts';
import { pageCount, pageIndex, pageMapcount, pageToPhys } from '../mm/page.ts';
import { forEachPte, PTE_V, ptePfn, walkPte } from '../mm/pgtable.ts';
import { vmaPerms, type VmArea } from '../mm/vma.ts';
import type { Kernel } from '../process/kernel.ts';
import { taskPc } from '../process/sched.ts';
import type { Task } from '../process/task.ts';
import { describeWait } from '../process/waitQueue.ts';
import type { ShmRow, Walk } from './api.ts';
import { msgIdsPicture, semIdsPicture } from './ipcPicture.ts';
import { findSharedObjects, isSharedMemory, sharedObjectPicture } from './inspectShared.ts';
import type {
  FilePicture,
  InodePicture,
  IpcNamespacePicture,
  MmPicture,
  Picture,
  PtePicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from './picture.ts';

/** Everything, now. */
export function picture(kernel: Kernel): Picture {
  return { ...lazyPicture(kernel) };
}

/**
 * The same, each part made when it is first read: for a predicate that looks at one thing after every system call.
 * Not to be kept beyond the moment.
 */
export function lazyPicture(kernel: Kernel): Picture {
  const files = new Map<number, File>();
  let namespaces: IpcNamespacePicture[] | null = null;
  let tasks: TaskPicture[] | null = null;
  let referred: ReferredPictures | null = null;
  return {
    version: 1,
    instructions: kernel.hart.retired,
    time: ktimeGet(kernel),
    ram: {
      base: kernel.ram.base,
      size: kernel.ram.size,
      framesTotal: kernel.memMap.totalFrames,
      framesFree: kernel.memMap.freeFrames,
      zeroPfn: kernel.vm.zeroPage,
    },
    get namespaces() {
      return (namespaces ??= [...kernel.ipc.namespaces.values()].map((ns) =>
        namespacePicture(kernel, ns, files),
      ));
    },
    get files() {
      return (referred ??= referredPictures(kernel, files, [this.namespaces, this.tasks])).files;
    },
    get inodes() {
      return (referred ??= referredPictures(kernel, files, [this.namespaces, this.tasks])).inodes;
    },
    get sharedObjects() {
      return findSharedObjects(kernel)
        .map((object) => sharedObjectPicture(object, inodeNumber(kernel, object.inode)))
        .sort((a, b) => a.inode - b.inode);
    },
    get tasks() {
      return (tasks ??= [...kernel.tasks.values()]
        .sort((a, b) => a.pid - b.pid)
        .map((t) => taskPicture(kernel, t, files)));
    },
  };
}

interface ReferredPictures {
  readonly files: readonly FilePicture[];
  readonly inodes: readonly InodePicture[];
}

/** The files that segments and VMAs were found to refer to. `_found` makes sure that both have been looked at. */
function referredPictures(
  kernel: Kernel,
  files: Map<number, File>,
  _found: readonly unknown[],
): ReferredPictures {
  const inodes = new Map<number, Inode>();
  const filePictures: FilePicture[] = [...files.values()]
    .sort((a, b) => a.id - b.id)
    .map((file) => {
      const inode = inodeNumber(kernel, file.fInode, file);
      inodes.set(inode, file.fInode);
      return { file: file.id, path: dPath(file.fPath), fOp: file.fOp.name, count: file.count, inode };
    });
  for (const { inode } of findSharedObjects(kernel)) inodes.set(inodeNumber(kernel, inode), inode);
  const inodePictures = [...inodes]
    .sort((a, b) => a[0] - b[0])
    .map(([number, inode]) => inodePicture(kernel, number, inode));
  return { files: filePictures, inodes: inodePictures };
}

/**
 * A number for an inode that is unique over all file systems: segments and shared memory keep theirs (the shmid, as
 * /proc/PID/maps shows it), others carry their device in the bits above 32.
 */
function inodeNumber(kernel: Kernel, inode: Inode, file?: File): number {
  if (inode.iSb !== kernel.vfs.shmMnt) return inode.iSb.sDev * 2 ** 32 + inode.iIno;
  // Ids begin anew in every further namespace; the first keeps the plain number.
  const ns = file === undefined ? null : shmNamespaceOf(file);
  const serial = ns === null || ns === kernel.ipcNs ? 0 : ns.inum - 0xefff_ffff;
  return serial * 2 ** 40 + inode.iIno;
}

/** Pages of segments and shared memory all, of other files those that somebody maps: programs are large. */
function inodePicture(kernel: Kernel, number: number, inode: Inode): InodePicture {
  const { memMap } = kernel;
  const all = isSharedMemory(kernel, inode);
  const pages = sortedPages(inode.iMapping)
    .filter((pfn) => pageMapcount(memMap, pfn) > 0 || all)
    .map((pfn) => ({
      index: pageIndex(memMap, pfn),
      pfn,
      count: pageCount(memMap, pfn),
      mapcount: pageMapcount(memMap, pfn),
    }));
  return { inode: number, iSize: inode.iSize, iMapping: { nrpages: inode.iMapping.nrpages, pages } };
}

function namespacePicture(kernel: Kernel, ns: IpcNamespace, files: Map<number, File>): IpcNamespacePicture {
  const { shmIds } = ns;
  return {
    name: ns.name,
    shmCtlmax: ns.shmCtlmax,
    shmCtlall: ns.shmCtlall,
    shmCtlmni: ns.shmCtlmni,
    shmTot: ns.shmTot,
    shmRmidForced: ns.shmRmidForced,
    shmIds: {
      inUse: shmIds.inUse,
      seq: shmIds.seq,
      maxIdx: shmIds.maxIdx,
      entries: segments(ns).map((shp) => {
        files.set(shp.shmFile.id, shp.shmFile);
        return segmentPicture(shp);
      }),
    },
    semIds: semIdsPicture(ns, kernel.tasks.values()),
    msgIds: msgIdsPicture(ns),
  };
}

const segments = (ns: IpcNamespace): ShmidKernel[] =>
  [...ns.shmIds.entries.values()].sort((a, b) => (a.shmPerm.id & 0x7fff) - (b.shmPerm.id & 0x7fff));

function segmentPicture(shp: ShmidKernel): ShmidKernelPicture {
  const perm = shp.shmPerm;
  return {
    index: perm.id & 0x7fff,
    id: perm.id,
    seq: perm.seq,
    key: perm.key >>> 0,
    uid: perm.uid,
    gid: perm.gid,
    cuid: perm.cuid,
    cgid: perm.cgid,
    mode: perm.mode,
    shmSegsz: shp.shmSegsz,
    shmNattch: shp.shmNattch,
    shmCprid: shp.shmCprid,
    shmLprid: shp.shmLprid,
    shmAtim: shp.shmAtim,
    shmDtim: shp.shmDtim,
    shmCtim: shp.shmCtim,
    shmFile: shp.shmFile.id,
  };
}

function taskPicture(kernel: Kernel, task: Task, files: Map<number, File>): TaskPicture {
  return {
    pid: task.pid,
    ppid: task.parent?.tgid ?? 1,
    comm: task.comm,
    state: task.state,
    waiting: task.wait === null ? '' : describeWait(task.wait),
    uid: task.cred.uid,
    gid: task.cred.gid,
    ipcNs: task.mm === null ? null : task.ipcNs.name,
    pc: taskPc(kernel, task),
    exitCode: task.state === 'Z' ? task.exitCode : null,
    mm: task.mm === null ? null : mmPicture(kernel, task.mm, files),
  };
}

function mmPicture(kernel: Kernel, mm: MmStruct, files: Map<number, File>): MmPicture {
  for (const vma of mm.mmap) if (vma.vmFile !== null) files.set(vma.vmFile.id, vma.vmFile);
  return {
    id: mm.id,
    pgd: pageToPhys(mm.pgd) >>> 0,
    satp: mmSatp(mm) >>> 0,
    startBrk: mm.layout.startBrk,
    brk: mm.brk,
    startStack: mm.layout.startStack,
    totalVm: mm.totalVm,
    rss: getMmRss(mm),
    mmap: vmaPictures(kernel, mm),
  };
}

/** The VMAs of an address space with their present pages. */
export function vmaPictures(kernel: Kernel, mm: MmStruct): VmAreaPicture[] {
  return [...mm.mmap].map((vma) => vmaPicture(kernel, mm, vma));
}

function vmaPicture(kernel: Kernel, mm: MmStruct, vma: VmArea): VmAreaPicture {
  return {
    vmStart: vma.vmStart,
    vmEnd: vma.vmEnd,
    vmPgoff: vma.vmPgoff,
    vmFlags: vma.vmFlags,
    perms: vmaPerms(vma),
    vmFile: vma.vmFile?.id ?? null,
    vmOps: vma.vmOps?.name ?? '',
    name: vmaName(vma),
    shmid: shmOfVma(vma)?.shmPerm.id ?? null,
    ipcNs: ipcNsOfVma(vma)?.name ?? null,
    ptes: ptePictures(kernel, mm, vma.vmStart, vma.vmEnd),
  };
}

/** Present pages of [start, end), by address, each with both steps of its walk. */
export function ptePictures(kernel: Kernel, mm: MmStruct, start: number, end: number): PtePicture[] {
  const out: PtePicture[] = [];
  forEachPte(kernel, mm, start, end, (va, _address, pte0) => {
    if ((pte0 & PTE_V) === 0) return;
    const { pte1Address, pte1, pte0Address } = walkPte(kernel, mm, va);
    out.push({ va, pte1Address, pte1, pte0Address, pte0, pfn: ptePfn(pte0), flags: pteFlags(pte0) });
  });
  return out;
}

/** "DAGUXWRV" with '-' for clear bits. */
function pteFlags(pte: number): string {
  return [...'DAGUXWRV'].map((letter, i) => ((pte >>> (7 - i)) & 1 ? letter : '-')).join('');
}

/** The walk of one address, as far as it goes. */
export function walk(kernel: Kernel, mm: MmStruct, va: number): Walk {
  const { pte1Address, pte1, pte0Address, pte0 } = walkPte(kernel, mm, va);
  const steps: Walk['steps'][number][] = [
    { level: 1, address: pte1Address, pte: pte1, flags: pteFlags(pte1) },
  ];
  if ((pte1 & PTE_V) !== 0) steps.push({ level: 0, address: pte0Address, pte: pte0, flags: pteFlags(pte0) });
  const pfn = (pte1 & PTE_V) !== 0 && (pte0 & PTE_V) !== 0 ? ptePfn(pte0) : null;
  return {
    va,
    satp: mmSatp(mm) >>> 0,
    steps,
    pfn,
    physicalAddress: pfn === null ? null : pfn * 4096 + (va % 4096),
  };
}

const SHM_DEST = 0o1000;
const SHM_LOCKED = 0o2000;

/** The rows of `ipcs -m`, namespace by namespace. */
export function ipcsRows(kernel: Kernel): ShmRow[] {
  return [...kernel.ipc.namespaces.values()].flatMap((ns) => segments(ns).map((shp) => ipcsRow(ns, shp)));
}

function ipcsRow(ns: IpcNamespace, shp: ShmidKernel): ShmRow {
  const { mode } = shp.shmPerm;
  const status = [(mode & SHM_DEST) !== 0 ? 'dest' : '', (mode & SHM_LOCKED) !== 0 ? 'locked' : ''];
  return {
    namespace: ns.name,
    key: shp.shmPerm.key >>> 0,
    shmid: shp.shmPerm.id,
    owner: shp.shmPerm.uid,
    perms: mode & 0o777,
    bytes: shp.shmSegsz,
    nattch: shp.shmNattch,
    status: status.filter((s) => s !== '').join(' '),
  };
}
