/**
 * Files of /proc that tell of tasks and of the kernel as a whole (Linux: fs/proc/array.c, kernel/sysctl.c; proc(5)).
 * Files about memory and descriptors are fs/procRows.ts's, those about shared memory ipc/procRows.ts's.
 */
import { RLIMIT_SIGPENDING, rlimit } from '../abi/resource.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { ProcRow } from '../fs/proc.ts';
import { maxFdsOf } from '../fs/fdtable.ts';
import { ptraceMayAccess } from '../fs/ptrace.ts';
import { CAP_FULL_SET, capWords } from '../mm/cred.ts';
import { getMmRss, type MmStruct } from '../mm/mm.ts';
import type { Kernel } from '../process/kernel.ts';
import { actionOf } from '../process/signalSend.ts';
import { addSignal, emptySet, NSIG, type SignalSet } from '../process/signalSet.ts';
import { queuedOf } from '../process/sigQueue.ts';
import { SIG_DFL, SIG_IGN, type Task } from '../process/task.ts';
import { processTime } from '../process/time.ts';

/** The context that fs hands to a row is the kernel that it was given. */
const kernelOf = (ctx: FsContext): Kernel => ctx as Kernel;
const taskOf = (task: FsTask | null): Task | null => task as Task | null;

const stateOf = (task: Task): string => task.state;

const ticks = (ns: number): number => Math.floor(ns / 10_000_000);

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** The lower 31 signals of a set, as collect_sigign_sigcatch() and do_task_stat() show them. */
const lowSignals = ({ lo }: SignalSet): number => lo & 0x7fff_ffff;

/**
 * The 52 fields of /proc/PID/stat; what this kernel does not keep is 0, and so are the addresses and the exit code for whoever may not
 * look into the task.
 */
function stat(kernel: Kernel, task: Task): string {
  const { group, mm } = task;
  const permitted = ptraceMayAccess(kernel.current, task, 'fs');
  const seen = permitted ? mm : null;
  const hidden = mm === null ? 0 : 1;
  const { ignored, caught } = dispositions(task);
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
    seen?.layout.startCode ?? hidden,
    seen?.layout.endCode ?? hidden,
    seen?.layout.startStack ?? 0,
    // kstkesp and kstkeip are shown of a dying task alone.
    0,
    0,
    lowSignals(task.pending),
    lowSignals(task.blocked),
    lowSignals(ignored),
    lowSignals(caught),
    ...zeros(3),
    task.exitSignal < 0 ? 17 : task.exitSignal,
    ...zeros(6),
    seen?.layout.startData ?? 0,
    seen?.layout.endData ?? 0,
    seen?.layout.startBrk ?? 0,
    seen?.layout.argStart ?? 0,
    seen?.layout.argEnd ?? 0,
    seen?.layout.envStart ?? 0,
    seen?.layout.envEnd ?? 0,
    permitted ? task.exitCode : 0,
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

/** The disposition of every signal as two sets: ignored, caught. */
function dispositions(task: Task): { readonly ignored: SignalSet; readonly caught: SignalSet } {
  const [ignored, caught] = [emptySet(), emptySet()];
  for (let signal = 1; signal < NSIG; signal++) {
    const { handler } = actionOf(task, signal);
    if (handler !== SIG_DFL) addSignal(handler === SIG_IGN ? ignored : caught, signal);
  }
  return { ignored, caught };
}

/** proc_task_name() with `escape`, as status alone has it: a newline in a name must not begin another line. */
const escapedName = ({ comm }: Task): string => comm.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const field = (name: string, value: number | string): string => `${name}:\t${value}`;

/** task_mem(). */
function memoryLines(mm: MmStruct): string[] {
  const kib = (name: string, pages: number): string => field(name, `${String(pages * 4).padStart(8)} kB`);
  const text = Math.ceil(mm.layout.endCode / 4096) - Math.floor(mm.layout.startCode / 4096);
  return [
    kib('VmPeak', Math.max(mm.hiwaterVm, mm.totalVm)),
    kib('VmSize', mm.totalVm),
    kib('VmLck', mm.lockedVm),
    kib('VmPin', 0),
    kib('VmHWM', Math.max(mm.hiwaterRss, getMmRss(mm))),
    kib('VmRSS', getMmRss(mm)),
    kib('RssAnon', mm.rssAnon),
    kib('RssFile', 0),
    kib('RssShmem', mm.rssShmem),
    kib('VmData', mm.dataVm),
    kib('VmStk', mm.stackVm),
    kib('VmExe', text),
    kib('VmLib', mm.execVm - text),
    kib('VmPTE', mm.pgtables),
    kib('VmSwap', 0),
    field('CoreDumping', 0),
  ];
}

/** proc_pid_status(). Missing: the lines of what this kernel has not (THP, seccomp, huge pages). */
function status(kernel: Kernel, task: Task): string {
  const { cred, mm, group } = task;
  const set = (name: string, { hi, lo }: SignalSet): string => field(name, hex16(hi, lo));
  const caps = (name: string, all: number): string => {
    const [low, high] = capWords(all);
    return field(name, hex16(high, low));
  };
  const { ignored, caught } = dispositions(task);
  const lines = [
    field('Name', escapedName(task)),
    field('Umask', task.fs.umask.toString(8).padStart(4, '0')),
    field('State', STATE_NAMES[stateOf(task)] ?? stateOf(task)),
    field('Tgid', task.tgid),
    field('Ngid', 0),
    field('Pid', task.pid),
    field('PPid', task.parent?.tgid ?? 1),
    field('TracerPid', 0),
    field('Uid', [cred.uid, cred.euid, cred.suid, cred.fsuid].join('\t')),
    field('Gid', [cred.gid, cred.egid, cred.sgid, cred.fsgid].join('\t')),
    field('FDSize', maxFdsOf(task.files?.fd.length ?? 0)),
    field('Groups', `${cred.groups.map((g) => `${g} `).join('')}`),
    field('NStgid', task.tgid),
    field('NSpid', task.pid),
    field('NSpgid', group.pgid),
    field('NSsid', group.sid),
    field('Kthread', 0),
    ...(mm === null ? [] : memoryLines(mm)),
    field('Threads', group.threads.length),
    field(
      'SigQ',
      `${queuedOf(kernel, cred.uid)}/${Math.min(0xffff_ffff, rlimit(task.rlim, RLIMIT_SIGPENDING))}`,
    ),
    set('SigPnd', task.pending),
    set('ShdPnd', group.pending),
    set('SigBlk', task.blocked),
    set('SigIgn', ignored),
    set('SigCgt', caught),
    caps('CapInh', cred.capInheritable),
    caps('CapPrm', cred.capPermitted),
    caps('CapEff', cred.capEffective),
    caps('CapBnd', CAP_FULL_SET),
    caps('CapAmb', 0),
    field('NoNewPrivs', task.noNewPrivs ? 1 : 0),
    field('Cpus_allowed', 1),
    field('Cpus_allowed_list', 0),
    field('Mems_allowed', 1),
    field('Mems_allowed_list', 0),
    field('voluntary_ctxt_switches', task.nvcsw),
    field('nonvoluntary_ctxt_switches', task.nivcsw),
  ];
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
  { path: '/[pid]/status', mode: 0o444, show: ofTask(status) },
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
