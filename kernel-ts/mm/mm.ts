/**
 * struct mm_struct: include/linux/mm_types.h; the life of an address space is in mmLife.ts.
 */
import type { File } from '../fs/file.ts';
import type { MapleCache } from './mapleNode.ts';
import type { Page } from './page.ts';
import { VmaTree } from './vmaTree.ts';

/** Where execve put the program's parts: fields of mm_struct that nothing changes afterwards. Addresses. */
export interface MmLayout {
  /** Top-down placement starts here. */
  readonly mmapBase: number;
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
  readonly startBrk: number;
  readonly startStack: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
}

const NO_LAYOUT: MmLayout = {
  mmapBase: 0,
  startCode: 0,
  endCode: 0,
  startData: 0,
  endData: 0,
  startBrk: 0,
  startStack: 0,
  argStart: 0,
  argEnd: 0,
  envStart: 0,
  envEnd: 0,
};

/** struct mm_struct. Sizes are in pages unless said otherwise, addresses in bytes. In the order of use, as Task (process/task.ts). */
export class MmStruct {
  /** The frame of the level-1 table. */
  pgd: Page;
  /** The VMAs, by address: `for (const vma of mm.mmap)`, mm.mmap.find(addr), mm.mmap.size (map_count). */
  readonly mmap: VmaTree;
  /** Tasks that use it. 0: it is gone. */
  mmUsers = 1;
  /** Level-0 tables. */
  pgtables = 0;
  /** Resident pages by kind (mm_counter): anonymous, and of shmem, which every file here is. */
  rssAnon = 0;
  rssShmem = 0;
  /** hiwater_vm, hiwater_rss: the greatest totalVm and rss before they last shrank. */
  hiwaterVm = 0;
  hiwaterRss = 0;
  totalVm = 0;
  dataVm = 0;
  execVm = 0;
  stackVm = 0;
  lockedVm = 0;
  /** /proc/PID/exe. */
  exeFile: File | null = null;
  /** Flags that new mappings get: VM_LOCKED after mlockall(MCL_FUTURE). */
  defFlags = 0;
  /** Serial number, never reused. */
  readonly id: number;
  /** get_dumpable(): 1 when its user may look into it, 0 after a change of credentials. */
  dumpable = 1;
  /** Replaced, never changed, so that fork need not copy it. */
  layout: MmLayout = NO_LAYOUT;

  // Addresses come last: V8 makes all fields behind one anew when it first gets a number of 2^31 or more.
  /** The end of the heap. */
  brk = 0;
  /** context.vdso: where handlers return to. */
  vdso = 0;

  constructor(id: number, pgd: Page, nodes: MapleCache) {
    this.mmap = new VmaTree(nodes);
    this.id = id;
    this.pgd = pgd;
  }
}

/** The satp value of the address space, as an int32: Sv32, ASID 0, the root's physical page number. */
export function mmSatp(mm: MmStruct): number {
  return 0x8000_0000 | mm.pgd;
}

/** get_mm_rss(), in pages. */
export function getMmRss(mm: MmStruct): number {
  return mm.rssAnon + mm.rssShmem;
}

/** update_hiwater_rss(): before pages are taken away. */
export function updateHiwaterRss(mm: MmStruct): void {
  const rss = getMmRss(mm);
  if (rss > mm.hiwaterRss) mm.hiwaterRss = rss;
}
