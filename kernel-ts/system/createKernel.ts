/** Putting the kernel's data together before the first process (Linux: start_kernel, init/main.c). */
import type { Machine } from '../../emulator/index.ts';
import { initRlimits } from '../abi/resource.ts';
import { initIpcState } from '../ipc/ipcNs.ts';
import { initFsStruct, vfsInit, vfsPopulate, writeGuestFile } from '../fs/init.ts';
import { registerProc } from '../fs/proc.ts';
import { seedRandom } from '../fs/random.ts';
import type { HostIo } from '../fs/context.ts';
import { initVmSysctl } from '../mm/context.ts';
import { makeCred } from '../mm/cred.ts';
import { Idr } from '../mm/idr.ts';
import { memMapInit } from '../mm/page.ts';
import { newFutexTable } from '../process/futexQueue.ts';
import { initSlab } from '../mm/slab.ts';
import type { Kernel, KernelHart } from '../process/kernel.ts';
import { ROUND_ROBIN } from '../process/sched.ts';
import { newSigHand, newThreadGroup, Task } from '../process/task.ts';
import { TaskQueue } from '../process/taskQueue.ts';
import type { BootOptions } from './api.ts';
import { procFiles } from './procFiles.ts';
import { PROC_TASKS } from './procTasks.ts';

/** BootOptions.quantum. */
export const DEFAULT_QUANTUM = 100_000;
const DEFAULT_EPOCH = 1_000_000_000;
const DEFAULT_MAX_TASKS = 4096;
/** The first pid, as in the picture that this project brings to life. */
const FIRST_PID = 1001;
const PID_MAX = 32768;
const MAX_LOG_LINES = 10_000;
const MAX_QUEUED_SIGNALS = 65_536;

function optionInRange(name: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** The machine's part that the kernel needs: its RAM and its hart. */
export type KernelMachine = Pick<Machine, 'ram'> & { readonly hart: KernelHart };

/** A kernel with an empty file system and no task but the swapper. @throws RangeError for options out of range */
export function createKernel(machine: KernelMachine, streams: HostIo, options: BootOptions): Kernel {
  const clock = { epoch: optionInRange('epoch', options.epoch ?? DEFAULT_EPOCH, 0, 2 ** 40), idle: 0 };
  const now = { tvSec: clock.epoch, tvNsec: 0 };
  const vfs = vfsInit(now);
  const { ipc, ipcNs } = initIpcState();
  const swapper = new Task({
    pid: 0,
    tgid: 0,
    comm: 'swapper',
    parent: null,
    group: newThreadGroup(0, 0, initRlimits()),
    sighand: newSigHand(),
    cred: makeCred(0, 0),
    mm: null,
    files: null,
    fs: initFsStruct(vfs),
    ipcNs,
    exitSignal: 0,
  });
  const kernel: Kernel = {
    ram: machine.ram,
    hart: machine.hart,
    memMap: memMapInit(machine.ram),
    slab: initSlab(machine.ram.size),
    clock,
    vm: initVmSysctl(),
    vfs,
    random: seedRandom(optionInRange('seed', options.seed ?? 1, 0, 0xffff_ffff)),
    streams,
    wakeQueues: [],
    host: { log: options.log ?? ((): void => {}) },
    limits: {
      // Who asks for a quantum wants to see its effects.
      noHz: options.quantum === undefined,
      quantum: optionInRange('quantum', options.quantum ?? DEFAULT_QUANTUM, 1, Number.MAX_SAFE_INTEGER),
      maxTasks: optionInRange('maxTasks', options.maxTasks ?? DEFAULT_MAX_TASKS, 1, PID_MAX - 512),
      pidMax: PID_MAX,
      maxLogLines: MAX_LOG_LINES,
      maxQueuedSignals: MAX_QUEUED_SIGNALS,
    },
    stats: { syscalls: 0, contextSwitches: 0, pageFaults: 0, forks: 0, execs: 0, exits: 0, signals: 0 },
    ipc,
    ipcNs,
    hostname: options.hostname ?? 'sameframe',
    tasks: new Idr(),
    pids: new Idr(),
    threadCache: [],
    runQueue: new TaskQueue(),
    timers: [],
    futexes: newFutexTable(),
    sigpending: new Map(),
    exits: [],
    swapper,
    current: swapper,
    schedule: ROUND_ROBIN,
    scheduleState: null,
    needResched: false,
    tickStopped: false,
    sliceStart: machine.hart.retired,
    nextPid: FIRST_PID,
    logLines: 0,
    completed: null,
  };
  vfs.proc.tasks = PROC_TASKS;
  registerProc(vfs.proc, procFiles);
  vfsPopulate(kernel, now);
  for (const [path, content] of Object.entries(options.files ?? {})) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const failed = writeGuestFile(kernel, path, bytes, 0o644);
    if (failed < 0) throw new RangeError(`cannot place ${path} in the guest's file system`);
  }
  return kernel;
}
