/**
 * Files of /proc that tell of tasks and of the kernel as a whole (Linux: fs/proc/array.c, kernel/sysctl.c; proc(5)).
 * Files about memory and descriptors are fs/procRows.ts's, those about shared memory ipc/procRows.ts's.
 */
import type { FsContext, FsTask } from '../fs/context.ts';
import type { ProcRow, ProcTasks } from '../fs/proc.ts';
import { getMmRss } from '../mm/mm.ts';
import type { Kernel } from '../process/kernel.ts';
import { taskPc, taskRegisters } from '../process/sched.ts';
import type { Task } from '../process/task.ts';
import { processTime } from '../process/time.ts';

/** The context that fs hands to a row is the kernel that it was given. */
const kernelOf = (ctx: FsContext): Kernel => ctx as Kernel;
const taskOf = (task: FsTask | null): Task | null => task as Task | null;

/** How /proc finds processes. */
export const PROC_TASKS: ProcTasks = {
  pids: (ctx) =>
    [...kernelOf(ctx).tasks.values()]
      .filter((t) => t.isLeader)
      .map((t) => t.pid)
      .sort((a, b) => a - b),
  find: (ctx, pid) => kernelOf(ctx).tasks.get(pid) ?? null,
};

const stateOf = (task: Task): string => (task.group.stopped && task.state !== 'Z' ? 'T' : task.state);

const ticks = (ns: number): number => Math.floor(ns / 10_000_000);

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** The 52 fields of /proc/PID/stat; what this kernel does not keep is 0. */
function stat(kernel: Kernel, task: Task): string {
  const { group, mm } = task;
  const sp = (taskRegisters(kernel, task)[2] ?? 0) >>> 0;
  const fields: (number | string)[] = [
    task.tgid,
    `(${task.comm})`,
    stateOf(task),
    task.parent?.tgid ?? 1,
    group.pgid,
    group.sid,
    0,
    -1,
    0,
    group.minFlt,
    group.childMinFlt,
    0,
    0,
    ticks(processTime(kernel, task)),
    0,
    ticks(group.childTime),
    0,
    20,
    0,
    group.threads.length,
    0,
    ticks(task.startTime),
    (mm?.totalVm ?? 0) * 4096,
    mm === null ? 0 : getMmRss(mm),
    4294967295,
    mm?.startCode ?? 0,
    mm?.endCode ?? 0,
    mm?.startStack ?? 0,
    mm === null ? 0 : sp,
    mm === null ? 0 : taskPc(kernel, task),
    ...zeros(7),
    task.exitSignal < 0 ? 17 : task.exitSignal,
    ...zeros(6),
    mm?.startData ?? 0,
    mm?.endData ?? 0,
    mm?.startBrk ?? 0,
    mm?.argStart ?? 0,
    mm?.argEnd ?? 0,
    mm?.envStart ?? 0,
    mm?.envEnd ?? 0,
    task.exitCode,
  ];
  return `${fields.join(' ')}\n`;
}

const STATE_NAMES: Readonly<Record<string, string>> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  T: 'T (stopped)',
  Z: 'Z (zombie)',
};

const hex16 = (hi: number, lo: number): string =>
  (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');

function status(task: Task): string {
  const { cred, mm, group } = task;
  const kib = (pages: number): string => `${String(pages * 4).padStart(8)} kB`;
  const lines = [
    `Name:\t${task.comm}`,
    `Umask:\t${task.fs.umask.toString(8).padStart(4, '0')}`,
    `State:\t${STATE_NAMES[stateOf(task)] ?? stateOf(task)}`,
    `Tgid:\t${task.tgid}`,
    `Pid:\t${task.pid}`,
    `PPid:\t${task.parent?.tgid ?? 1}`,
    'TracerPid:\t0',
    `Uid:\t${cred.uid}\t${cred.euid}\t${cred.suid}\t${cred.fsuid}`,
    `Gid:\t${cred.gid}\t${cred.egid}\t${cred.sgid}\t${cred.fsgid}`,
    `Groups:\t${cred.groups.map((g) => `${g} `).join('')}`,
    `Threads:\t${group.threads.length}`,
    `ShdPnd:\t${hex16(group.pending.set.hi, group.pending.set.lo)}`,
    `SigPnd:\t${hex16(task.pending.set.hi, task.pending.set.lo)}`,
    `SigBlk:\t${hex16(task.blocked.hi, task.blocked.lo)}`,
    `CapPrm:\t${hex16(0, cred.capPermitted)}`,
    `CapEff:\t${hex16(0, cred.capEffective)}`,
  ];
  if (mm !== null) {
    lines.splice(
      10,
      0,
      `VmSize:\t${kib(mm.totalVm)}`,
      `VmLck:\t${kib(mm.lockedVm)}`,
      `VmRSS:\t${kib(getMmRss(mm))}`,
      `RssAnon:\t${kib(mm.rssAnon)}`,
      `RssShmem:\t${kib(mm.rssShmem)}`,
      `VmStk:\t${kib(mm.stackVm)}`,
      `VmPTE:\t${kib(mm.pgtables)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function ofTask(
  show: (kernel: Kernel, task: Task) => string,
): (ctx: FsContext, task: FsTask | null) => string {
  return (ctx, task) => {
    const found = taskOf(task);
    return found === null ? '' : show(kernelOf(ctx), found);
  };
}

export const TASK_PROC_ROWS: readonly ProcRow[] = [
  { path: '/[pid]/stat', mode: 0o444, show: ofTask(stat) },
  { path: '/[pid]/status', mode: 0o444, show: ofTask((_kernel, task) => status(task)) },
  { path: '/[pid]/comm', mode: 0o644, show: ofTask((_kernel, task) => `${task.comm}\n`) },
  { path: '/loadavg', mode: 0o444, show: (ctx) => loadavg(kernelOf(ctx)) },
  { path: '/sys/kernel/pid_max', mode: 0o644, show: (ctx) => `${kernelOf(ctx).limits.pidMax}\n` },
  { path: '/sys/kernel/hostname', mode: 0o644, show: (ctx) => `${kernelOf(ctx).hostname}\n` },
  { path: '/sys/kernel/ostype', mode: 0o444, show: () => 'Linux\n' },
];

function loadavg(kernel: Kernel): string {
  const tasks = [...kernel.tasks.values()];
  const running = tasks.filter((t) => t.state === 'R').length;
  return `0.00 0.00 0.00 ${running}/${tasks.length} ${kernel.nextPid - 1}\n`;
}
