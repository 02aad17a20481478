/**
 * Task and what hangs on it (Linux: struct task_struct, signal_struct, sighand_struct, cred; include/linux/sched.h).
 *
 * Plain data. Registers of the *running* task live in the hart; `x`, `pc`, `fstate`, `fcsr` hold those of every other
 * (`taskRegisters` in sched.ts knows the difference).
 *
 * Known to be missing: namespaces other than ipc, ptrace, CPU affinity (there is one hart), niceness has no effect.
 */
import type { Rlimit, Rlimits } from '../abi/resource.ts';
import { SS_DISABLE, type SigInfo } from '../abi/signal.ts';
import type { FilesStruct, FsStruct } from '../fs/file.ts';
import type { Cred } from '../mm/cred.ts';
import type { MmStruct } from '../mm/mm.ts';
import type { IpcNamespace, SysvSem, SysvShm } from '../ipc/namespace.ts';
import type { Sembuf, SemQueue, SemUndoList } from '../ipc/sem.ts';
import type { ShmidKernel } from '../ipc/shm.ts';
import type { CrashReport } from '../system/api.ts';
import type { PiState } from './futexQueue.ts';
import type { CpuTimer, RealTimer } from './itimer.ts';
import type { PosixTimer } from './posixTimer.ts';
import { emptySet, NSIG, type SignalSet } from './signalSet.ts';
import { TaskQueue } from './taskQueue.ts';
import type { Restart, Waiting, WaitQueue } from './waitQueue.ts';

/**
 * R running or runnable, S sleeping, T stopped by job control, Z zombie (every thread of the group gone, not waited for),
 * X gone.
 */
export type TaskState = 'R' | 'S' | 'T' | 'Z' | 'X';

/** struct sigaction as the guest gave it; handler 0 is SIG_DFL, 1 SIG_IGN. */
export interface SigAction {
  readonly handler: number;
  readonly flags: number;
  readonly mask: Readonly<SignalSet>;
}

/** Session of everything that the host starts: nobody in it is its leader, so setsid and setpgid work as from a shell. */
export const HOST_SESSION = 1;

/** x0 to x31. */
export const X_REGISTERS = 32;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

const NO_SIGNALS: Readonly<SignalSet> = emptySet();

export const DEFAULT_SIGACTION: SigAction = { handler: SIG_DFL, flags: 0, mask: emptySet() };

/** sighand_struct: shared by CLONE_SIGHAND. Index is the signal number; the array is replaced, never changed, so that fork need not copy it. */
export interface SigHand {
  action: readonly SigAction[];
}

/** Sets the action of one signal. */
export function setAction(hand: SigHand, sig: number, action: SigAction): void {
  const actions = hand.action.slice();
  actions[sig] = action;
  hand.action = actions;
}

/** struct sigqueue: one signal that waits, and whose RLIMIT_SIGPENDING it counts against. */
export interface QueuedSignal {
  readonly info: SigInfo;
  readonly uid: number;
}

/**
 * struct sigpending: the set, which it begins with, and what is queued of each signal, oldest first. A signal can be in the set with
 * nothing queued: its siginfo found no room. Replaced by sigQueue.ts, never changed: most tasks never have a signal, and share one.
 */
export interface PendingSignals extends Readonly<SignalSet> {
  /** Of one task or process. null until something is queued. */
  readonly queue: Map<number, QueuedSignal[]> | null;
}

export const NO_PENDING: PendingSignals = { lo: 0, hi: 0, queue: null };

/** sigaltstack(2): flags are SS_DISABLE, or 0 or SS_ONSTACK as they were given, and SS_AUTODISARM. */
export interface AltStack {
  readonly sp: number;
  readonly flags: number;
  readonly size: number;
}

export const NO_ALT_STACK: AltStack = { sp: 0, flags: SS_DISABLE, size: 0 };

/** signal_struct: what the threads of one process share. In the order of use, as Task. */
export interface ThreadGroup {
  /** In order of creation; the leader stays first until the group is reaped. */
  threads: Task[];
  /** wait(2) status of the group once exit_group or a fatal signal decided it, else null. */
  groupExit: number | null;
  pending: PendingSignals;
  /** ITIMER_REAL while it is set; ITIMER_VIRTUAL and ITIMER_PROF once one has been. */
  realTimer: RealTimer | null;
  cpuTimers: readonly [CpuTimer, CpuTimer] | null;
  /** timer_create's, by id; null before the first. */
  posixTimers: Map<number, PosixTimer> | null;
  /** What the fault that killed the process looked like; filled in by system/. */
  crash: CrashReport | null;
  /** group_stop_count: threads that have not yet come to the stop that one of them began. */
  stopCount: number;
  /** Accumulated over waited-for children and dead threads, in instructions. */
  childTime: number;
  deadThreadTime: number;
  minFlt: number;
  childMinFlt: number;
  pgid: number;
  sid: number;
  /** wait_chldexit; null until a parent first waits. */
  childWait: WaitQueue | null;
  /** Replaced by setRlimit(), never changed, so that fork need not copy it. */
  rlim: Rlimits;
  /** SIGNAL_STOP_STOPPED: every thread is held. */
  stopped: boolean;
  /** What waitid has not been told yet: stopped by this signal, or continued. */
  stopReport: number | null;
  continuedReport: boolean;
  nextTimerId: number;
  /** True after execve: setpgid by the parent answers EACCES. */
  didExec: boolean;
}

export function newThreadGroup(pgid: number, sid: number, rlim: Rlimits): ThreadGroup {
  return {
    threads: [],
    groupExit: null,
    pending: NO_PENDING,
    realTimer: null,
    cpuTimers: null,
    posixTimers: null,
    crash: null,
    stopCount: 0,
    childTime: 0,
    deadThreadTime: 0,
    minFlt: 0,
    childMinFlt: 0,
    pgid,
    sid,
    childWait: null,
    rlim,
    stopped: false,
    stopReport: null,
    continuedReport: false,
    nextTimerId: 0,
    didExec: false,
  };
}

/** Sets one limit of a process. */
export function setRlimit(group: ThreadGroup, resource: number, limit: Rlimit): void {
  const limits = group.rlim.slice();
  limits[resource] = limit;
  group.rlim = limits;
}

export function newSigHand(): SigHand {
  return { action: Array.from({ length: NSIG }, () => DEFAULT_SIGACTION) };
}

/**
 * struct task_struct. In the order of use, from what each context switch and wake-up touches to what hardly anything does: V8 lays the fields
 * out so, and with a thousand tasks each line of the processor's cache that has to be loaded costs 10 to 150 ns.
 */
export class Task implements SysvShm, SysvSem {
  /** x0 to x31. */
  readonly x: Int32Array;
  pc = 0;
  /** __riscv_d_ext_state, f0 to f31 as low and high words; null while FS is initial, when they are 0, and fcsr too (switchTo.ts). */
  fstate: Uint32Array | null = null;
  fcsr = 0;

  state: TaskState = 'R';
  /** Not null exactly while state is 'S'. */
  wait: Waiting | null = null;
  /** What it waited for last in sleepOnObject: the next sleep on the same object takes it again. */
  objectWait: Waiting | null = null;
  /**
   * Set from the moment a system call sleeps until it ends: what its repetition must know. A task in state R with it is
   * in the middle of that call, which goes on before its signals or its program do.
   */
  restart: Restart | null = null;
  /** -ERESTART*: the call found a signal pending and gave up; `deliverSignals` decides how it goes on. Else 0. */
  interrupted = 0;
  /** TIF_SIGPENDING: look at the signals before user code runs again. */
  sigPending = false;
  /** real_blocked of rt_sigtimedwait, which sleeps with the wanted signals unblocked; else null. */
  realBlocked: Readonly<SignalSet> | null = null;
  /** Instructions left of the quantum. */
  quantumLeft = 0;
  /** Instructions retired on behalf of this task, the running slice excluded. */
  utime = 0;
  syscalls = 0;
  /** Context switches: because it could not go on, or its turn was over. */
  nvcsw = 0;
  nivcsw = 0;
  /** null once given up. */
  mm: MmStruct | null;
  group: ThreadGroup;
  files: FilesStruct | null;

  pid: number;
  tgid: number;
  cred: Cred;
  sighand: SigHand;
  pending: PendingSignals = NO_PENDING;
  /** Replaced, never changed, so that fork need not copy it. */
  blocked: Readonly<SignalSet> = NO_SIGNALS;
  /** null: a child of the host (getppid answers 1). */
  parent: Task | null;
  /** null before the first. */
  children: TaskQueue | null = null;
  ipcNs: IpcNamespace;
  /** sysvshm and sysvsem (ipc/namespace.ts). */
  shmClist: ShmidKernel | null = null;
  shmClistLast: ShmidKernel | null = null;
  undoList: SemUndoList | null = null;
  fastSops: readonly [Sembuf] | null = null;
  semQueue: SemQueue | null = null;
  /** The signal the parent gets at exit: SIGCHLD, 0 for none; -1 for a thread that is not a leader. */
  exitSignal: number;
  /** wait(2) status word; valid in states Z and X. */
  exitCode = 0;
  /** Where to write 0 and wake a futex at exit (CLONE_CHILD_CLEARTID, set_tid_address), or 0. */
  clearChildTid = 0;
  robustList = 0;
  /** Locks (FUTEX_LOCK_PI) that it holds and others wait for; null before the first. */
  piStates: PiState[] | null = null;
  /** The task to release when this one execs or exits (it sleeps with reason 'vfork'), or null. */
  vforkParent: Task | null = null;

  fs: FsStruct;
  /** Virtual time of creation in ns. */
  startTime = 0;
  comm: string;
  /** saved_sigmask of rt_sigsuspend and ppoll: to be put back, or into the frame of a handler. */
  savedMask: Readonly<SignalSet> | null = null;
  /** JOBCTL_STOP_PENDING: takes part in the stop of its group before it runs user code again. */
  stopPending = false;
  altStack = NO_ALT_STACK;
  personality = 0;
  pdeathSignal = 0;
  noNewPrivs = false;

  constructor(init: {
    readonly pid: number;
    readonly tgid: number;
    readonly comm: string;
    readonly parent: Task | null;
    readonly group: ThreadGroup;
    readonly sighand: SigHand;
    readonly cred: Cred;
    readonly mm: MmStruct | null;
    readonly files: FilesStruct | null;
    readonly fs: FsStruct;
    readonly ipcNs: IpcNamespace;
    readonly exitSignal: number;
    /** Those of a task that is gone; whoever gives them sets all of them. */
    readonly x?: Int32Array;
  }) {
    this.x = init.x ?? new Int32Array(X_REGISTERS);
    this.pid = init.pid;
    this.tgid = init.tgid;
    this.comm = init.comm;
    this.parent = init.parent;
    this.group = init.group;
    this.sighand = init.sighand;
    this.cred = init.cred;
    this.mm = init.mm;
    this.files = init.files;
    this.fs = init.fs;
    this.ipcNs = init.ipcNs;
    this.exitSignal = init.exitSignal;
  }

  /** Resource limits belong to the process. */
  get rlim(): Rlimits {
    return this.group.rlim;
  }

  get isLeader(): boolean {
    return this.pid === this.tgid;
  }
}

/** The children of a task, in the order of their creation. */
export function childrenOf(task: Task): TaskQueue {
  return (task.children ??= new TaskQueue());
}

/** The leader of a task's thread group; it exists as long as any thread of the group does. */
export function groupLeader(task: Task): Task {
  return task.group.threads[0] ?? task;
}
