/**
 * The Kernel: one object of data that every upper layer receives (Linux: the global variables of the kernel).
 *
 * It extends the context that mm, fs and ipc ask for. What is not copyable data is at the edge and marked: the hart
 * and RAM (the machine), `host` (the log), `streams`
 * (where guest output goes and input comes from) and `schedule` (a table of functions).
 *
 * Known to be missing: namespaces other than the initial one, more than one hart.
 */
import type { IpcContext, IpcNamespace } from '../ipc/namespace.ts';
import type { TlbControl } from '../mm/context.ts';
import type { Idr } from '../mm/idr.ts';
import type { CrashReport } from '../system/api.ts';
import type { FutexTable } from './futexQueue.ts';
import type { PidUse } from './pid.ts';
import type { Schedule, Timer } from './sched.ts';
import type { Task } from './task.ts';
import type { TaskQueue } from './taskQueue.ts';

/** The part of emulator's Hart that the kernel drives. Registers are those of `kernel.current`. */
export interface KernelHart extends TlbControl {
  /** x0 to x31. */
  readonly registers: Int32Array;
  readonly x: Int32Array;
  readonly f: Uint32Array;
  pc: number;
  fcsr: number;
  /** mstatus.FS. */
  fs: number;
  privilege: number;
  setAddressSpace(satp: number): void;
  setBudget(budget: number): void;
  clearReservation(): void;
  fenceI(): void;
}

/** The world outside, called synchronously. Not part of the kernel's state. */
export interface HostPort {
  log(line: string): void;
}

/** Bounds that keep a hostile guest from growing the host without limit. */
export interface KernelLimits {
  /** Instructions per turn of the round-robin scheduler. */
  quantum: number;
  /** CONFIG_NO_HZ_FULL: a task that is alone need not stop at the end of its turn. */
  noHz: boolean;
  /** Tasks alive at once, zombies included; fork answers EAGAIN beyond it. */
  maxTasks: number;
  /** pids wrap here (/proc/sys/kernel/pid_max). */
  pidMax: number;
  /** Lines the log takes before it falls silent. */
  maxLogLines: number;
  /** Signals that may wait for the processes of one uid, whatever RLIMIT_SIGPENDING says. */
  maxQueuedSignals: number;
}

/** How a process ended, for the host. */
export interface ExitRecord {
  readonly pid: number;
  /** wait(2) status word. */
  readonly status: number;
  readonly crash: CrashReport | null;
  readonly comm: string;
}

/** Counters for --stats; nothing depends on them. */
export interface KernelStats {
  syscalls: number;
  contextSwitches: number;
  pageFaults: number;
  forks: number;
  execs: number;
  exits: number;
  signals: number;
}

export interface Kernel extends IpcContext {
  readonly hart: KernelHart;
  readonly host: HostPort;
  readonly limits: KernelLimits;
  readonly stats: KernelStats;
  readonly ipcNs: IpcNamespace;
  /** uname's nodename. */
  hostname: string;
  /** The idr of Linux's pid namespace: tasks by pid (thread id), zombies included. */
  readonly tasks: Idr<Task>;
  /** Numbers that process groups and sessions have. */
  readonly pids: Idr<PidUse>;
  /** task_struct_cachep, as far as it pays: the registers of tasks that are gone, for the next ones. */
  readonly threadCache: Int32Array[];
  /** Runnable, waiting for the hart, in the order of the queue. */
  readonly runQueue: TaskQueue;
  readonly timers: Timer[];
  /** futex_queues: who sleeps on which futex. */
  readonly futexes: FutexTable;
  /** UCOUNT_RLIMIT_SIGPENDING: queued signals by real uid of their receivers. */
  readonly sigpending: Map<number, number>;
  /** Ended processes that the host has not been told of. */
  readonly exits: ExitRecord[];
  /** Stands for "no task": Linux's pid 0. Never runs. */
  readonly swapper: Task;
  current: Task;
  schedule: Schedule;
  /** Whatever a schedule policy keeps between decisions; plain data. */
  scheduleState: unknown;
  /** Leave user mode and look around: the current task sleeps, is dead or gives way. */
  needResched: boolean;
  /** tick_stopped of struct tick_sched: the current task runs beyond its turn, since nobody else could. A system call restarts the tick. */
  tickStopped: boolean;
  /** hart.retired when the current slice was last accounted. */
  sliceStart: number;
  nextPid: number;
  logLines: number;
  /** System calls of sleepers that a waker completed, while a listener wants them; else null. */
  completed: { readonly task: Task; readonly result: number }[] | null;
}

/** printk(): one line to the host's log; silent after limits.maxLogLines, so that a guest cannot flood the host. */
export function log(kernel: Kernel, line: string): void {
  if (kernel.logLines > kernel.limits.maxLogLines) return;
  kernel.logLines++;
  kernel.host.log(
    kernel.logLines > kernel.limits.maxLogLines ? 'log: too many lines, silent from here on' : line,
  );
}
