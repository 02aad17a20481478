/**
 * The invariant checker: recounts everything that is counted, from what it counts, and says what does not hold, one
 * line each. Tests call it after every run; it changes nothing.
 */
import { SHM_DEST, SHM_LOCKED } from '../abi/shm.ts';
import type { File } from '../fs/file.ts';
import type { SuperBlock } from '../fs/inode.ts';
import { ipcNsOfFile } from '../ipc/ipcNs.ts';
import type { IpcNamespace } from '../ipc/namespace.ts';
import { ipcNsOfSysvipc } from '../ipc/procRows.ts';
import { ipcNsOfVma, shmOfVma } from '../ipc/shm.ts';
import { IPCMNI } from '../ipc/util.ts';
import { KMEM_CACHES } from '../mm/slab.ts';
import { recountLockedVm } from '../mm/mlock.ts';
import { getMmRss, mmSatp, type MmStruct } from '../mm/mm.ts';
import { iMmapHas } from '../mm/addressSpace.ts';
import {
  nextListed,
  pageCount,
  pageFlags,
  pageIndex,
  pageMapcount,
  pageMapping,
  pfnValid,
  PG_ANON,
  PG_TABLE,
  PG_UNREAD,
  PG_ZERO,
  type MemMap,
  type Page,
} from '../mm/page.ts';
import { forEachPte, PTE_D, PTE_U, PTE_V, PTE_W, ptePfn, PTRS_PER_PTE, walkPte } from '../mm/pgtable.ts';
import { VM_SHARED, vmaPages } from '../mm/vma.ts';
import type { Kernel } from '../process/kernel.ts';
import { checkFutexes } from './futexInvariants.ts';
import { checkSemMsg } from './ipcInvariants.ts';
import { checkTasks } from './taskInvariants.ts';

/** An entry of the machine's TLB, for comparing it with the tables. `pfn` is the frame that it leads to. */
export interface CachedTranslation {
  readonly va: number;
  readonly pfn: number;
  readonly writable: boolean;
}

export type TlbEntries = (satp: number) => Iterable<CachedTranslation>;

/** What the page tables and VMAs of all address spaces add up to. */
interface Recount {
  /** PTEs per frame. */
  readonly ptes: Map<number, number>;
  /** Frames with a writable PTE. */
  readonly writable: Set<number>;
  /** Uses as a page table per frame. */
  readonly tables: Map<number, number>;
  /** VMAs per shmid_kernel. */
  readonly attaches: Map<object, number>;
  /** Users per IPC namespace: living tasks, attaches, open files. */
  readonly namespaces: Map<IpcNamespace, number>;
  readonly files: Map<File, number>;
  readonly problems: string[];
}

const add = <K>(map: Map<K, number>, key: K): void => void map.set(key, (map.get(key) ?? 0) + 1);

const hex = (n: number): string => `0x${n.toString(16)}`;

/** Checks everything. An empty answer means that every invariant holds. */
export function checkInvariants(kernel: Kernel, tlbEntries: TlbEntries | null): string[] {
  const recount: Recount = {
    ptes: new Map(),
    writable: new Set(),
    tables: new Map(),
    attaches: new Map(),
    namespaces: new Map(),
    files: new Map(),
    problems: [],
  };
  const mms = new Set<MmStruct>();
  const users = new Map<MmStruct, number>();
  for (const task of kernel.tasks.values()) {
    if (task.mm === null) continue;
    mms.add(task.mm);
    add(users, task.mm);
  }
  for (const mm of mms) {
    if (mm.mmUsers !== users.get(mm)) {
      recount.problems.push(`mm ${mm.id}: mmUsers ${mm.mmUsers}, but ${users.get(mm) ?? 0} tasks use it`);
    }
    checkMm(kernel, mm, recount);
    if (tlbEntries !== null) checkTlb(kernel, mm, tlbEntries, recount.problems);
  }
  for (const ns of kernel.ipc.namespaces.values()) checkSegments(ns, recount);
  if (recount.attaches.size > 0) recount.problems.push('a VMA refers to a destroyed segment');
  checkLocked(kernel, recount.problems);
  checkFrames(kernel, recount);
  checkFiles(kernel, recount);
  checkNamespaces(kernel, recount);
  checkObjects(kernel, mms, recount);
  checkTasks(kernel, recount.problems);
  checkFutexes(kernel, recount.problems);
  checkSemMsg(kernel, recount.problems);
  return recount.problems;
}

function checkMm(kernel: Kernel, mm: MmStruct, recount: Recount): void {
  const { problems } = recount;
  add(recount.tables, mm.pgd);
  let end = 0;
  let total = 0;
  for (const vma of mm.mmap) {
    const name = `mm ${mm.id}: vma ${hex(vma.vmStart)}-${hex(vma.vmEnd)}`;
    if (vma.vmStart >= vma.vmEnd || vma.vmStart % 4096 !== 0 || vma.vmEnd % 4096 !== 0)
      problems.push(`${name} is no range of pages`);
    if (vma.vmStart < end) problems.push(`${name} overlaps its predecessor`);
    if (vma.vmMm !== mm) problems.push(`${name} belongs to mm ${vma.vmMm.id}`);
    end = vma.vmEnd;
    total += vmaPages(vma);
    if (vma.vmFile !== null) {
      add(recount.files, vma.vmFile);
      if (!iMmapHas(vma.vmFile.fInode.iMapping, vma))
        problems.push(`${name} is missing in i_mmap of its file`);
    }
    const shp = shmOfVma(vma);
    if (shp !== null) add(recount.attaches, shp);
    const ns = ipcNsOfVma(vma);
    if (ns !== null) add(recount.namespaces, ns);
  }
  if (mm.exeFile !== null) add(recount.files, mm.exeFile);
  if (recountLockedVm(mm) !== mm.lockedVm)
    problems.push(`mm ${mm.id}: lockedVm ${mm.lockedVm}, but ${recountLockedVm(mm)} locked pages`);
  if (total !== mm.totalVm)
    problems.push(`mm ${mm.id}: totalVm ${mm.totalVm}, but its VMAs have ${total} pages`);
  checkPtes(kernel, mm, recount);
}

function checkPtes(kernel: Kernel, mm: MmStruct, recount: Recount): void {
  const { problems } = recount;
  const { memMap } = kernel;
  let present = 0;
  let seen = 0;
  const tables = new Set<number>();
  forEachPte(kernel, mm, 0, 2 ** 32, (va, _address, pte) => {
    seen++;
    const pfn = ptePfn(pte);
    if (pfn !== kernel.vm.zeroPage) present++;
    add(recount.ptes, pfn);
    if ((pte & PTE_W) !== 0) recount.writable.add(pfn);
    const vma = mm.mmap.find(va);
    const at = `mm ${mm.id}: pte of ${hex(va)}`;
    if (vma === null || va < vma.vmStart) {
      problems.push(`${at} lies in no VMA`);
      return;
    }
    const isPage = pfnValid(memMap, pfn) && pageCount(memMap, pfn) > 0;
    if (!isPage) problems.push(`${at} names the free frame ${hex(pfn)}`);
    if ((vma.vmFlags & VM_SHARED) !== 0 && vma.vmFile !== null) {
      const index = vma.vmPgoff + (va - vma.vmStart) / 4096;
      const { iMapping } = vma.vmFile.fInode;
      if (!isPage || pageMapping(memMap, pfn) !== iMapping || pageIndex(memMap, pfn) !== index) {
        problems.push(`${at}: frame ${hex(pfn)} is not page ${index} of the shared file`);
      }
    }
  });
  for (let slot = 0; slot < 1024; slot++) {
    const { pte1 } = walkPte(kernel, mm, slot * 2 ** 22);
    if ((pte1 & PTE_V) === 0) continue;
    tables.add(ptePfn(pte1));
    add(recount.tables, ptePfn(pte1));
  }
  let filled = 0;
  for (const table of tables) filled += entriesOf(kernel, table);
  if (filled !== seen)
    problems.push(`mm ${mm.id}: ${filled} entries, of which ${seen} lie in lines that are marked`);
  if (tables.size !== mm.pgtables)
    problems.push(`mm ${mm.id}: pgtables ${mm.pgtables}, but ${tables.size} level-0 tables`);
  if (present !== getMmRss(mm)) problems.push(`mm ${mm.id}: rss ${getMmRss(mm)}, but ${present} PTEs`);
}

/** Entries of a table that are not empty, by a look at all of them. */
function entriesOf({ ram }: Kernel, table: number): number {
  let entries = 0;
  for (let at = 0; at < PTRS_PER_PTE; at++) {
    at += ram.zeroWords((table << 12) | (at << 2), PTRS_PER_PTE - at);
    if (at < PTRS_PER_PTE) entries++;
  }
  return entries;
}

/** Every translation that the machine has cached must still be in the tables, and no weaker there. */
function checkTlb(kernel: Kernel, mm: MmStruct, tlbEntries: TlbEntries, problems: string[]): void {
  for (const { va, pfn, writable } of tlbEntries(mmSatp(mm))) {
    const { pte0 } = walkPte(kernel, mm, va);
    const at = `mm ${mm.id}: TLB entry of ${hex(va)}`;
    if ((pte0 & PTE_V) === 0 || (pte0 & PTE_U) === 0)
      problems.push(`${at}, but the table has no user page there`);
    else if (ptePfn(pte0) !== pfn)
      problems.push(`${at} leads to frame ${hex(pfn)}, the table to ${hex(ptePfn(pte0))}`);
    else if (writable && (pte0 & PTE_W) === 0) problems.push(`${at} is writable, the table's is not`);
    else if (writable && (pte0 & PTE_D) === 0) problems.push(`${at} is writable, but D is clear`);
  }
}

function checkSegments(ns: IpcNamespace, recount: Recount): void {
  const { shmIds } = ns;
  const { problems } = recount;
  const keys = new Set<object>(shmIds.keys.values());
  let count = 0;
  let pages = 0;
  let highest = -1;
  for (const [index, shp] of shmIds.entries) {
    const { id, key, mode, deleted } = shp.shmPerm;
    count++;
    highest = Math.max(highest, index);
    pages += Math.ceil(shp.shmSegsz / 4096);
    add(recount.files, shp.shmFile);
    const attached = recount.attaches.get(shp) ?? 0;
    recount.attaches.delete(shp);
    const at = `${ns.name}: shmid ${id}`;
    if (attached !== shp.shmNattch) problems.push(`${at}: shm_nattch ${shp.shmNattch}, but ${attached} VMAs`);
    if (id % IPCMNI !== index || deleted) problems.push(`${at} is not at its index ${index}`);
    if ((key !== 0) !== keys.delete(shp))
      problems.push(`${at}: the key ${hex(key)} and its table do not agree`);
    if (attached === 0 && (mode & SHM_DEST) !== 0)
      problems.push(`${at} is marked for destruction and not attached`);
    if (((mode & SHM_LOCKED) !== 0) !== shp.shmFile.fInode.locked)
      problems.push(`${at}: SHM_LOCKED and its file do not agree`);
    if (shp.shmCreator !== null && (shp.shmClistPrev?.shmClistNext ?? shp.shmCreator.shmClist) !== shp)
      problems.push(`${at} is not on its creator's list`);
  }
  if (keys.size > 0) problems.push(`${ns.name}: a key leads to a segment that is gone or has another`);
  if (count !== shmIds.inUse)
    problems.push(`${ns.name}: ipc_ids.in_use ${shmIds.inUse}, but ${count} segments`);
  if (highest !== shmIds.maxIdx) problems.push(`${ns.name}: max_idx ${shmIds.maxIdx}, but ${highest}`);
  if (pages !== ns.shmTot) problems.push(`${ns.name}: shm_tot ${ns.shmTot}, but ${pages} pages`);
}

/** What SHM_LOCK has charged to each user, over all namespaces. */
function checkLocked(kernel: Kernel, problems: string[]): void {
  const pages = new Map<number, number>();
  for (const ns of kernel.ipc.namespaces.values()) {
    for (const shp of ns.shmIds.entries.values()) {
      if (shp.mlockUid < 0) continue;
      pages.set(shp.mlockUid, (pages.get(shp.mlockUid) ?? 0) + Math.ceil(shp.shmSegsz / 4096));
    }
  }
  for (const uid of new Set([...pages.keys(), ...kernel.ipc.lockedShm.keys()])) {
    const [counted, charged] = [pages.get(uid) ?? 0, kernel.ipc.lockedShm.get(uid) ?? 0];
    if (counted !== charged)
      problems.push(`uid ${uid}: ${charged} pages charged by SHM_LOCK, but ${counted} locked`);
  }
}

/** Kernel objects that were made and not freed are all reachable: else one has leaked, or was freed twice. */
function checkObjects(kernel: Kernel, mms: ReadonlySet<MmStruct>, recount: Recount): void {
  const namespaces = [...kernel.ipc.namespaces.values()];
  const sum = (counts: Iterable<number>): number => [...counts].reduce((a, b) => a + b, 0);
  const found: Readonly<Record<(typeof KMEM_CACHES)[number], number>> = {
    vm_area_struct: sum([...mms].map((mm) => mm.mmap.size)),
    mm_struct: mms.size,
    filp: recount.files.size,
    shmid_kernel: sum(namespaces.map((ns) => ns.shmIds.entries.size)),
    // init_ipc_ns is no object of a cache.
    ipc_namespace: namespaces.filter((ns) => ns !== kernel.ipcNs).length,
  };
  for (const [cache, name] of KMEM_CACHES.entries()) {
    const live = kernel.slab.live[cache];
    const count = found[name];
    if (live !== count) recount.problems.push(`${name}: ${live} objects are allocated, ${count} are in use`);
  }
}

/** ns.count of every namespace; tasks and attaches were seen by now. */
function checkNamespaces(kernel: Kernel, recount: Recount): void {
  const { problems, namespaces } = recount;
  const tasks = [kernel.swapper, ...kernel.tasks.values()];
  for (const task of tasks) {
    if (task === kernel.swapper || task.state === 'R' || task.state === 'S') add(namespaces, task.ipcNs);
    for (let shp = task.shmClist; shp !== null; shp = shp.shmClistNext)
      if (shp.shmCreator !== task) problems.push(`pid ${task.pid} lists a segment of another creator`);
  }
  for (const file of recount.files.keys()) {
    const ns = ipcNsOfFile(file) ?? ipcNsOfSysvipc(file);
    if (ns !== null) add(namespaces, ns);
  }
  for (const [number, ns] of kernel.ipc.namespaces) {
    const users = namespaces.get(ns) ?? 0;
    namespaces.delete(ns);
    if (ns.inum !== number || ns.count !== users)
      problems.push(`${ns.name}: count ${ns.count}, but ${users} users`);
  }
  for (const ns of namespaces.keys()) problems.push(`${ns.name} is dead and has users`);
}

function isZero(bytes: Uint8Array): boolean {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).every((word) => word === 0);
}

function checkFrames(kernel: Kernel, recount: Recount): void {
  const { memMap } = kernel;
  const { problems } = recount;
  const cached = new Map<SuperBlock, number>([[kernel.vfs.shmMnt, 0]]);
  let used = 0;
  for (let page = memMap.firstPfn; page < memMap.firstPfn + memMap.nextFresh; page++) {
    const isUsed = pageCount(memMap, page) > 0;
    if (isUsed) used++;
    const kernels = page === kernel.vm.vdsoPage || page === kernel.vm.zeroPage;
    checkFrame(memMap, page, kernels ? 1 : 0, recount);
    const mapping = pageMapping(memMap, page);
    if (isUsed && mapping !== null) add(cached, mapping.host.iSb);
  }
  for (const [sb, pages] of cached) {
    if (sb.usedBlocks !== pages)
      problems.push(
        `${sb.sType} on device ${sb.sDev}: ${sb.usedBlocks} blocks used, but ${pages} pages cached`,
      );
    if (sb.maxBlocks > 0 && pages > sb.maxBlocks) problems.push(`${sb.sType} is larger than its limit`);
  }
  if (memMap.totalFrames - used !== memMap.freeFrames) {
    problems.push(`free_frames ${memMap.freeFrames}, but ${memMap.totalFrames - used} frames are free`);
  }
  let listed = 0;
  for (const list of [memMap.freed, memMap.kept, memMap.tables]) {
    let count = 0;
    for (let frame = list.head; frame >= 0 && count <= list.count; frame = nextListed(memMap, frame)) {
      count++;
      const pfn = memMap.firstPfn + frame;
      if (pageCount(memMap, pfn) !== 0) problems.push(`frame ${hex(pfn)} is on a free list and in use`);
      if (list === memMap.tables && !isZero(kernel.ram.view(pfn * 4096, 4096)))
        problems.push(`the freed page table ${hex(pfn)} is not empty`);
    }
    if (count !== list.count) problems.push(`a list of ${list.count} free frames holds ${count}`);
    listed += count;
  }
  if (memMap.freeFrames !== listed + memMap.totalFrames - memMap.nextFresh)
    problems.push('a free frame is on no list');
}

function checkFrame(memMap: MemMap, page: Page, kernels: 0 | 1, recount: Recount): void {
  const { problems } = recount;
  const mapping = pageMapping(memMap, page);
  const flags = pageFlags(memMap, page);
  const count = pageCount(memMap, page);
  const mapcount = pageMapcount(memMap, page);
  const at = `frame ${hex(page)}`;
  const ptes = recount.ptes.get(page) ?? 0;
  const tables = recount.tables.get(page) ?? 0;
  const cached = mapping === null ? 0 : 1;
  if (mapping !== null) {
    const { host } = mapping;
    if (mapping.iPages.get(pageIndex(memMap, page)) !== page)
      problems.push(`${at} thinks it is cached, the cache has another`);
    if (host.iNlink === 0 && host.iCount === 0) problems.push(`${at} belongs to a dead inode`);
  }
  if (mapcount !== ptes) problems.push(`${at}: mapcount ${mapcount}, but ${ptes} PTEs`);
  const expected = ptes + tables + cached + kernels;
  if (count !== expected) {
    const parts = `${ptes} PTEs + ${tables} tables + ${cached} cache + ${kernels} kernel`;
    problems.push(`${at}: count ${count}, but ${parts}`);
  }
  if (tables > 0 && (ptes > 0 || cached > 0 || tables > 1))
    problems.push(`${at} is a page table and something else`);
  if ((flags & PG_UNREAD) !== 0 && (ptes > 0 || (mapping?.contents ?? null) === null))
    problems.push(`${at} is mapped, or holds nothing's contents, and has not been read`);
  if ((flags & PG_ZERO) !== 0 && recount.writable.has(page))
    problems.push(`${at} is the zero page and writable`);
  if (tables > 0 && (flags & PG_TABLE) === 0) problems.push(`${at} is used as a table without PG_TABLE`);
  if ((flags & PG_ANON) !== 0 && ptes > 1 && recount.writable.has(page)) {
    problems.push(`${at} is private to several address spaces and writable in one`);
  }
}

function checkFiles(kernel: Kernel, recount: Recount): void {
  const tables = new Set<object>();
  for (const task of kernel.tasks.values()) {
    const { files } = task;
    if (files === null || tables.has(files)) continue;
    tables.add(files);
    for (const file of files.fd) if (file !== null && file !== undefined) add(recount.files, file);
  }
  for (const [file, count] of recount.files) {
    if (file.count !== count) {
      recount.problems.push(
        `file ${file.id} (${file.fPath.dName}): f_count ${file.count}, but ${count} holders`,
      );
    }
  }
}
