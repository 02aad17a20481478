/**
 * The rows of /proc that mm and fs answer: fs/proc/task_mmu.c, base.c, fd.c, meminfo.c, uptime.c. Formats are the kernel's, so
 * that programs that parse them work. smaps is in procSmaps.ts. Missing: pagemap, fdinfo.
 */
import { ENOENT, type Errno } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { RLIM_INFINITY } from '../abi/resource.ts';
import { devMajorMinor } from '../abi/stat.ts';
import { ktimeGet } from '../mm/context.ts';
import { getMmRss, type MmStruct } from '../mm/mm.ts';
import { copyFromUserPartial } from '../mm/usercopy.ts';
import { VM_GROWSDOWN, vmaPages, vmaPerms, type VmArea } from '../mm/vma.ts';
import type { FsContext, FsTask } from './context.ts';
import type { Dentry } from './inode.ts';
import type { ProcRow } from './proc.ts';
import { sysctlRow, type SysctlRange } from './sysctl.ts';
import { dPath } from './walk.ts';

/** The last column of /proc/PID/maps: the file, [vdso], [heap], [stack], or ''. */
export function vmaName(vma: VmArea): string {
  const mm = vma.vmMm;
  if (vma.vmFile !== null) return dPath(vma.vmFile.fPath);
  if (vma.vmOps?.mapsName !== undefined) return vma.vmOps.mapsName;
  if (vma.vmStart < mm.brk && vma.vmEnd > mm.layout.startBrk) return '[heap]';
  if (
    vma.vmStart <= mm.layout.startStack &&
    vma.vmEnd >= mm.layout.startStack &&
    (vma.vmFlags & VM_GROWSDOWN) !== 0
  )
    return '[stack]';
  return '';
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

/** show_vma_header_prefix(): what precedes the name. */
export function mapsHeader(
  start: number,
  end: number,
  perms: string,
  offset: number,
  dev: number,
  ino: number,
): string {
  const { major, minor } = devMajorMinor(dev);
  return `${hex(start, 8)}-${hex(end, 8)} ${perms} ${hex(offset, 8)} ${hex(major, 2)}:${hex(minor, 2)} ${ino} `;
}

/** show_map_vma(): one line of /proc/PID/maps. */
export function mapsLine(vma: VmArea): string {
  const inode = vma.vmFile?.fInode;
  const offset = vma.vmFile === null ? 0 : (vma.vmPgoff * PAGE_SIZE) % 0x1_0000_0000;
  const head = mapsHeader(
    vma.vmStart,
    vma.vmEnd,
    vmaPerms(vma),
    offset,
    inode?.iSb.sDev ?? 0,
    inode?.iIno ?? 0,
  );
  const name = vmaName(vma);
  // seq_pad(): the name stands in column 25 + 3 * 2 * sizeof(void *) of a 32-bit kernel.
  return name === '' ? `${head}\n` : `${head.padEnd(49)}${name.replaceAll('\n', '\\012')}\n`;
}

function showMaps(_ctx: FsContext, task: FsTask): string {
  let text = '';
  if (task.mm !== null) for (const vma of task.mm.mmap) text += mapsLine(vma);
  return text;
}

/** statm: size resident shared text lib data dt, in pages. */
function showStatm(_ctx: FsContext, task: FsTask): string {
  const { mm } = task;
  if (mm === null) return '0 0 0 0 0 0 0\n';
  const text = Math.ceil(mm.layout.endCode / PAGE_SIZE) - Math.floor(mm.layout.startCode / PAGE_SIZE);
  return `${mm.totalVm} ${getMmRss(mm)} ${mm.rssShmem} ${text} 0 ${mm.dataVm + mm.stackVm} 0\n`;
}

/** Bytes [start, end) of a process as text, NULs kept. */
function showRange(ctx: FsContext, mm: MmStruct | null, start: number, end: number): string {
  if (mm === null || end <= start) return '';
  return new TextDecoder().decode(copyFromUserPartial(ctx, mm, start, Math.min(end - start, 1 << 20)));
}

function exeLink(_ctx: FsContext, task: FsTask): Dentry | Errno {
  return task.mm?.exeFile?.fPath ?? -ENOENT;
}

function fdNames(_ctx: FsContext, task: FsTask): string[] {
  const names: string[] = [];
  task.files?.fd.forEach((file, fd) => {
    if (file !== null) names.push(String(fd));
  });
  return names;
}

function fdLink(_ctx: FsContext, task: FsTask, name: string): Dentry | Errno {
  return task.files?.fd[Number(name)]?.fPath ?? -ENOENT;
}

function kib(pages: number): string {
  return `${String((pages * PAGE_SIZE) / 1024).padStart(8)} kB`;
}

function showMeminfo(ctx: FsContext): string {
  const { totalFrames, freeFrames } = ctx.memMap;
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal:', totalFrames],
    ['MemFree:', freeFrames],
    ['MemAvailable:', freeFrames],
    ['Buffers:', 0],
    ['Cached:', 0],
    ['SwapCached:', 0],
    ['SwapTotal:', 0],
    ['SwapFree:', 0],
  ];
  return rows.map(([name, pages]) => `${name.padEnd(16)}${kib(pages)}\n`).join('');
}

function showUptime(ctx: FsContext): string {
  const seconds = (ktimeGet(ctx) / 1e9).toFixed(2);
  return `${seconds} ${(ctx.clock.idle / 1e9).toFixed(2)}\n`;
}

const KERNEL_VERSION = 'Linux version 6.12.0-sameframe (sameframe) #1 SMP';

/** A writable number of ctx.vm. */
function vmSysctl(
  name: string,
  key: 'maxMapCount' | 'mmapMinAddr' | 'overcommitMemory',
  range: SysctlRange,
): ProcRow {
  return sysctlRow(`vm/${name}`, 0o644, range, {
    get: (ctx) => ctx.vm[key],
    set: (ctx, _kept, value) => void (ctx.vm[key] = value),
  });
}

/** Names and units of /proc/PID/limits, by RLIMIT_*. */
const LIMIT_NAMES: readonly (readonly [string, string])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', ''],
  ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];

/** proc_pid_limits(). */
function showLimits(_ctx: FsContext, { rlim }: FsTask): string {
  const row = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit === '' ? '' : unit.padEnd(10)}\n`;
  const value = (limit: number | undefined): string =>
    limit === undefined || limit === RLIM_INFINITY ? 'unlimited' : String(limit);
  return (
    row('Limit', 'Soft Limit', 'Hard Limit', 'Units') +
    LIMIT_NAMES.map(([name, unit], i) =>
      row(name, value(rlim[i]?.rlimCur), value(rlim[i]?.rlimMax), unit),
    ).join('')
  );
}

/** What mm and fs have in /proc. */
export const FS_PROC_ROWS: readonly ProcRow[] = [
  { path: '/self', mode: 0o777, link: (ctx) => String(ctx.current.tgid) },
  { path: '/mounts', mode: 0o777, link: () => 'self/mounts' },
  { path: '/meminfo', mode: 0o444, show: showMeminfo },
  { path: '/uptime', mode: 0o444, show: showUptime },
  { path: '/version', mode: 0o444, show: () => `${KERNEL_VERSION}\n` },
  {
    path: '/cpuinfo',
    mode: 0o444,
    show: () => 'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv32imafdc_zicntr_zicsr_zifencei\nmmu\t\t: sv32\n',
  },
  { path: '/filesystems', mode: 0o444, show: () => 'nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\n' },
  vmSysctl('max_map_count', 'maxMapCount', { min: 0, max: 0x7fff_ffff }),
  vmSysctl('mmap_min_addr', 'mmapMinAddr', { min: 0, max: 0xffff_ffff, unsigned: true }),
  vmSysctl('overcommit_memory', 'overcommitMemory', { min: 0, max: 1 }),
  { path: '/[pid]/maps', mode: 0o444, guarded: true, show: showMaps },
  { path: '/[pid]/limits', mode: 0o444, show: showLimits },
  { path: '/[pid]/statm', mode: 0o444, show: showStatm },
  { path: '/[pid]/comm', mode: 0o644, show: (_ctx, task) => `${task.comm}\n` },
  {
    path: '/[pid]/cmdline',
    mode: 0o444,
    show: (ctx, task) => showRange(ctx, task.mm, task.mm?.layout.argStart ?? 0, task.mm?.layout.argEnd ?? 0),
  },
  {
    path: '/[pid]/environ',
    mode: 0o400,
    guarded: true,
    show: (ctx, task) => showRange(ctx, task.mm, task.mm?.layout.envStart ?? 0, task.mm?.layout.envEnd ?? 0),
  },
  { path: '/[pid]/exe', mode: 0o777, guarded: true, link: exeLink },
  { path: '/[pid]/cwd', mode: 0o777, guarded: true, link: (_ctx, task) => task.fs.pwd },
  { path: '/[pid]/root', mode: 0o777, guarded: true, link: (_ctx, task) => task.fs.root },
  { path: '/[pid]/fd', mode: 0o500, ownThreads: true },
  { path: '/[pid]/fd/[fd]', mode: 0o777, guarded: true, list: fdNames, link: fdLink },
  {
    path: '/[pid]/mounts',
    mode: 0o444,
    show: () =>
      'tmpfs / tmpfs rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nproc /proc proc rw 0 0\n',
  },
];

/** Pages mapped by a process, recounted; for the invariant checker. */
export function recountTotalVm(mm: MmStruct): number {
  let pages = 0;
  for (const vma of mm.mmap) pages += vmaPages(vma);
  return pages;
}
