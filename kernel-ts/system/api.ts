/**
 * The types of the library: what `boot` takes and gives. system.ts implements them.
 */
import type { HostBytes } from '../mm/addressSpace.ts';
import type { CodeMemory } from '../../emulator/index.ts';
import type { Picture, VmAreaPicture, PtePicture } from './picture.ts';

export interface BootOptions {
  /** Who executes: the interpreter (0), compiled code wherever it can (1), or compiled code where it is hot. Default 'auto'. */
  readonly tier?: 0 | 1 | 'auto';
  /** Milliseconds of the host, for those of `stats`; nothing else asks it. Default: none, and they stay 0. */
  readonly clock?: () => number;
  /** Where compiled code outlives the run. Nothing but the speed depends on it. Default: nowhere. */
  readonly codeMemory?: CodeMemory;
  /** Guest RAM in bytes: 16 MiB to 2 GiB, a multiple of 64 KiB. Default 256 MiB. */
  readonly ram?: number;
  /**
   * Instructions that must have been retired before tier 'auto' compiles what is hot. Nothing that the guest does depends on it. Default:
   * 10.5 million, which take the interpreter less time than compiling.
   */
  readonly compileAfter?: number;
  /**
   * RAM is in a SharedArrayBuffer: other threads may look at it while the system runs, and V8 does not count it when it decides whether to
   * collect garbage, which is worth 8 ms at the start. Who boots many systems wants them counted. Default false.
   */
  readonly sharedMemory?: boolean;
  /**
   * Instructions a task may run before the scheduler looks for another, at least 1. Default 100 000, and a task that is alone runs on: nobody
   * but the clock of the host can tell.
   */
  readonly quantum?: number;
  /** Seed of the kernel's random source (getrandom, /dev/urandom, AT_RANDOM). Default 1. */
  readonly seed?: number;
  /** Seconds since 1970 that CLOCK_REALTIME shows at boot. Default 1 000 000 000. */
  readonly epoch?: number;
  readonly hostname?: string;
  /** Limit on tasks alive at once (fork answers EAGAIN beyond it). Default 4096. */
  readonly maxTasks?: number;
  /** Files to place in the guest's file system before anything runs. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  /**
   * Fault injection: the n-th allocation of a frame, of a kernel object, counted from the first `run`, fails, and no other. Default:
   * none does.
   */
  readonly failNth?: { readonly frame?: number; readonly object?: number };
  /** Receives what goes to a log: unsupported system calls, programs that execve refused, lack of memory. Default: dropped. */
  readonly log?: (line: string) => void;
  readonly hooks?: Hooks;
}

export interface SpawnOptions {
  /** argv; argv[0] is the name. Default: [name]. */
  readonly args?: readonly string[];
  /** "NAME=value" strings. Default: none. */
  readonly env?: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** File name of the image in the guest and comm. Default "/bin/prog". */
  readonly name?: string;
  readonly cwd?: string;
  /** Bytes the guest reads from fd 0, or a source asked synchronously for more (null: end of file). Default: empty. */
  readonly stdin?: Uint8Array | string | ((max: number) => Uint8Array | null);
  /** Called with each write to fd 1. Default: captured in `process.stdout`. */
  readonly stdout?: (bytes: Uint8Array) => void;
  readonly stderr?: (bytes: Uint8Array) => void;
}

/** A process as the host sees it; stays valid after the process is gone. */
export interface Process {
  readonly pid: number;
  readonly name: string;
  /** Captured output (empty when streamed to a callback). */
  readonly stdout: string;
  readonly stderr: string;
  /** null while it lives; otherwise how it ended. */
  readonly exit: ExitStatus | null;
}

export interface ExitStatus {
  /** exit(2) code, or null when killed. */
  readonly code: number | null;
  /** Number and name ("SIGSEGV") of the killing signal, or null. */
  readonly signal: number | null;
  readonly signalName: string | null;
  /** As a shell reports it: code, or 128 + signal. */
  readonly status: number;
  /** Present when a fault of its own killed it. */
  readonly crash: CrashReport | null;
}

export interface CrashReport {
  readonly pid: number;
  readonly comm: string;
  readonly signal: number;
  readonly signalName: string;
  /** SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR, ILL_ILLOPC ... */
  readonly code: string;
  readonly pc: number;
  /** "main+0x1c", or "" without symbols. */
  readonly symbol: string;
  readonly address: number;
  /** What the address misses: "below the heap, no mapping", "read-only attach of shmid 3: rw needed". */
  readonly explanation: string;
  /** x0..x31. */
  readonly registers: readonly number[];
}

export type Until =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'pc'; readonly pc: number }
  | { readonly kind: 'instructions'; readonly count: number }
  /** Stops after the call has returned (or blocked), so its effect is in the picture. */
  | { readonly kind: 'syscall'; readonly name: string }
  /** Asked after every system call, fault and exit. */
  | { readonly kind: 'picture'; readonly predicate: (picture: Picture) => boolean };

export interface RunLimits {
  /** At most this many further instructions. Default: no limit. */
  readonly instructions?: number;
  readonly until?: Until;
}

export type RunResult =
  /** Every process has ended. */
  | { readonly reason: 'exited' }
  | { readonly reason: 'instructions' }
  | { readonly reason: 'until'; readonly pid: number }
  /** No task can ever run again: each waits for another. `tasks` says what each waits for. */
  | {
      readonly reason: 'deadlock';
      readonly tasks: readonly { readonly pid: number; readonly waiting: string }[];
    };

export interface Hooks {
  readonly onTrap?: (event: {
    readonly pid: number;
    readonly cause: number;
    readonly tval: number;
    readonly pc: number;
  }) => void;
  readonly onSyscall?: (event: SyscallEvent) => void;
  readonly onFault?: (event: {
    readonly pid: number;
    readonly va: number;
    readonly access: 'read' | 'write' | 'exec';
    readonly handled: boolean;
  }) => void;
  /** A signal is about to act on a task: its handler or its default action, after this, unless it is ignored. */
  readonly onSignal?: (event: SignalEvent) => void;
  readonly onExit?: (event: { readonly pid: number; readonly exit: ExitStatus }) => void;
}

export interface SyscallEvent {
  readonly pid: number;
  readonly number: number;
  readonly name: string;
  /** Raw a0..a5. */
  readonly args: readonly number[];
  /** 'enter' before the call, 'exit' with the result, 'restart' when the task went to sleep in it. */
  readonly phase: 'enter' | 'exit' | 'restart';
  /** a0 after the call; negative errno on failure. Only in 'exit'. */
  readonly result: number | null;
  /** One line as strace(1) prints it, symbolic flags and errno included, without the pid. Only in 'exit'. */
  readonly text: string | null;
}

export interface SignalEvent {
  readonly pid: number;
  readonly signal: number;
  /** "SIGSEGV" */
  readonly name: string;
  /** The siginfo as strace(1) prints it: "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8}". */
  readonly text: string;
}

export interface TaskView {
  readonly pid: number;
  readonly comm: string;
  readonly maps: readonly VmAreaPicture[];
}

/** The steps of an Sv32 walk of one address, as far as it goes. */
export interface Walk {
  readonly va: number;
  readonly satp: number;
  readonly steps: readonly {
    readonly level: 1 | 0;
    readonly address: number;
    readonly pte: number;
    readonly flags: string;
  }[];
  /** null when the walk ends in an invalid entry. */
  readonly pfn: number | null;
  readonly physicalAddress: number | null;
}

/** One row of ipcs -m. */
export interface ShmRow {
  /** "init_ipc_ns", or the name of a namespace that unshare or clone made. */
  readonly namespace: string;
  readonly key: number;
  readonly shmid: number;
  readonly owner: number;
  readonly perms: number;
  readonly bytes: number;
  readonly nattch: number;
  readonly status: string;
}

export interface System {
  /**
   * Throws BootError with one clear line when the image cannot be run. The guest reads its bytes when it first wants them, so they must not
   * be changed afterwards; an image may be given as something that reads them then.
   */
  spawn(image: Uint8Array | HostBytes, options?: SpawnOptions): Process;
  run(limits?: RunLimits): RunResult;
  /** Runs the given task for one instruction (or one trap). */
  step(pid: number): RunResult;
  kill(pid: number, signal: number): void;
  readonly processes: readonly Process[];
  /** Guest virtual memory of a task. Faults pages in as usercopy does. Throws RangeError on an unmapped address. */
  readMemory(pid: number, va: number, length: number): Uint8Array;
  writeMemory(pid: number, va: number, bytes: Uint8Array): void;
  /** Guest physical memory by frame. */
  readFrame(pfn: number, offset?: number, length?: number): Uint8Array;
  writeFrame(pfn: number, bytes: Uint8Array, offset?: number): void;
  registers(pid: number): { readonly pc: number; readonly x: readonly number[] };
  /** Address of a symbol of the image a task runs; null when unknown. */
  symbol(pid: number, name: string): number | null;
  symbolAt(pid: number, pc: number): string;
  picture(): Picture;
  ipcs(): readonly ShmRow[];
  maps(pid: number): readonly VmAreaPicture[];
  ptes(pid: number, start: number, end: number): readonly PtePicture[];
  walk(pid: number, va: number): Walk;
  /** Reads a file of the guest, e.g. /proc/sysvipc/shm. Throws RangeError when there is none. */
  readFile(path: string): Uint8Array;
  /** Checks every invariant; returns what does not hold, one line each. */
  checkInvariants(): readonly string[];
  /** Instructions retired since power-on. */
  readonly instructions: number;
  /** Virtual nanoseconds since boot. */
  readonly time: number;
  /** Calls `listener` for every retired instruction from now on, in Spike's commit-log format. null ends it. */
  trace(listener: ((line: string) => void) | null): void;
  readonly stats: Readonly<Record<string, number>>;
}
