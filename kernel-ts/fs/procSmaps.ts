/**
 * /proc/PID/smaps and smaps_rollup: fs/proc/task_mmu.c (smap_gather_stats, smaps_account, __show_smap). What is young, dirty and shared
 * comes from the page tables and the frames' map counts. Missing: huge pages, KSM, swap, lazy free (their lines say 0).
 */
import { ESRCH, type Errno } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { pageFlags, pageMapcount, PG_ANON, PG_DIRTY, PG_ZERO } from '../mm/page.ts';
import { forEachPte, PTE_A, PTE_D } from '../mm/pgtable.ts';
import {
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
  VM_WRITE,
} from '../mm/vma.ts';
import type { VmArea } from '../mm/vma.ts';
import { pageOfPte } from '../mm/zap.ts';
import type { FsContext, FsTask } from './context.ts';
import type { ProcRow } from './proc.ts';
import { mapsHeader, mapsLine } from './procRows.ts';

/** struct mem_size_stats, in bytes; the proportional shares may be fractions. */
interface MemSizeStats {
  resident: number;
  pss: number;
  pssDirty: number;
  pssAnon: number;
  pssShmem: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  referenced: number;
  anonymous: number;
  locked: number;
}

const noStats = (): MemSizeStats => ({
  resident: 0,
  pss: 0,
  pssDirty: 0,
  pssAnon: 0,
  pssShmem: 0,
  sharedClean: 0,
  sharedDirty: 0,
  privateClean: 0,
  privateDirty: 0,
  referenced: 0,
  anonymous: 0,
  locked: 0,
});

/** smap_gather_stats(): adds one VMA. */
function gather(ctx: FsContext, vma: VmArea, stats: MemSizeStats): void {
  const before = stats.pss;
  forEachPte(ctx, vma.vmMm, vma.vmStart, vma.vmEnd, (_va, _address, pte) => {
    const page = pageOfPte(ctx, pte);
    const flags = pageFlags(ctx.memMap, page);
    // vm_normal_page(): the zero page is none.
    if ((flags & PG_ZERO) !== 0) return;
    const dirty = (pte & PTE_D) !== 0 || (flags & PG_DIRTY) !== 0;
    const mapcount = pageMapcount(ctx.memMap, page);
    const share = PAGE_SIZE / mapcount;
    stats.resident += PAGE_SIZE;
    if ((pte & PTE_A) !== 0) stats.referenced += PAGE_SIZE;
    stats.pss += share;
    if (dirty) stats.pssDirty += share;
    if ((flags & PG_ANON) !== 0) {
      stats.anonymous += PAGE_SIZE;
      stats.pssAnon += share;
    } else {
      stats.pssShmem += share;
    }
    if (mapcount > 1) stats[dirty ? 'sharedDirty' : 'sharedClean'] += PAGE_SIZE;
    else stats[dirty ? 'privateDirty' : 'privateClean'] += PAGE_SIZE;
  });
  if ((vma.vmFlags & VM_LOCKED) !== 0) stats.locked += stats.pss - before;
}

/** A line of 27 characters: "Rss:                   8 kB". */
function kib(name: string, bytes: number): string {
  const value = String(Math.floor(bytes / 1024));
  return `${name}:${value.padStart(23 - name.length)} kB\n`;
}

/** __show_smap(). */
function statsText(stats: MemSizeStats, rollup: boolean): string {
  const lines: readonly (readonly [string, number])[] = [
    ['Rss', stats.resident],
    ['Pss', stats.pss],
    ['Pss_Dirty', stats.pssDirty],
    ...(rollup
      ? ([
          ['Pss_Anon', stats.pssAnon],
          ['Pss_File', 0],
          ['Pss_Shmem', stats.pssShmem],
        ] as const)
      : []),
    ['Shared_Clean', stats.sharedClean],
    ['Shared_Dirty', stats.sharedDirty],
    ['Private_Clean', stats.privateClean],
    ['Private_Dirty', stats.privateDirty],
    ['Referenced', stats.referenced],
    ['Anonymous', stats.anonymous],
    ['KSM', 0],
    ['LazyFree', 0],
    ['AnonHugePages', 0],
    ['ShmemPmdMapped', 0],
    ['FilePmdMapped', 0],
    ['Shared_Hugetlb', 0],
    ['Private_Hugetlb', 0],
    ['Swap', 0],
    ['SwapPss', 0],
    ['Locked', stats.locked],
  ];
  return lines.map(([name, bytes]) => kib(name, bytes)).join('');
}

/** show_smap_vma_flags(): the mnemonics, by bit. */
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [VM_READ, 'rd'],
  [VM_WRITE, 'wr'],
  [VM_EXEC, 'ex'],
  [VM_SHARED, 'sh'],
  [VM_MAYREAD, 'mr'],
  [VM_MAYWRITE, 'mw'],
  [VM_MAYEXEC, 'me'],
  [VM_MAYSHARE, 'ms'],
  [VM_GROWSDOWN, 'gd'],
  [VM_LOCKED, 'lo'],
  [VM_SEQ_READ, 'sr'],
  [VM_RAND_READ, 'rr'],
  [VM_DONTCOPY, 'dc'],
  [VM_DONTEXPAND, 'de'],
  [VM_LOCKONFAULT, 'lf'],
  [VM_ACCOUNT, 'ac'],
  [VM_NORESERVE, 'nr'],
  [VM_WIPEONFORK, 'wf'],
  [VM_DONTDUMP, 'dd'],
];

function flagsText({ vmFlags }: VmArea): string {
  return FLAG_NAMES.map(([bit, name]) => ((vmFlags & bit) !== 0 ? `${name} ` : '')).join('');
}

/** show_smap(), every VMA. */
function showSmaps(ctx: FsContext, task: FsTask): string {
  let text = '';
  for (const vma of task.mm?.mmap ?? []) {
    const stats = noStats();
    gather(ctx, vma, stats);
    text += mapsLine(vma) + kib('Size', vma.vmEnd - vma.vmStart);
    text += kib('KernelPageSize', PAGE_SIZE) + kib('MMUPageSize', PAGE_SIZE);
    text += `${statsText(stats, false)}THPeligible:    ${'0'.padStart(8)}\nVmFlags: ${flagsText(vma)}\n`;
  }
  return text;
}

/** show_smaps_rollup(). ESRCH for a task without memory. */
function showSmapsRollup(ctx: FsContext, task: FsTask): string | Errno {
  const { mm } = task;
  if (mm === null) return -ESRCH;
  const stats = noStats();
  for (const vma of mm.mmap) gather(ctx, vma, stats);
  const header = mapsHeader(mm.mmap.first?.vmStart ?? 0, mm.mmap.last?.vmEnd ?? 0, '---p', 0, 0, 0);
  return `${header.padEnd(49)}[rollup]\n${statsText(stats, true)}`;
}

export const SMAPS_PROC_ROWS: readonly ProcRow[] = [
  { path: '/[pid]/smaps', mode: 0o444, guarded: true, show: showSmaps },
  { path: '/[pid]/smaps_rollup', mode: 0o444, guarded: true, show: showSmapsRollup },
];
