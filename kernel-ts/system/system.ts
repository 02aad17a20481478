/**
 * The system: a machine, a kernel on it, and the methods that `boot` promises (types in api.ts).
 *
 * Everything that happens on behalf of a task happens with that task as `kernel.current`, also when the host asks for it
 * between two runs; `asCurrent` takes care of it and puts the interrupted task back.
 */
import type { HostBytes } from '../mm/addressSpace.ts';
import { commitLine, Machine } from '../../emulator/index.ts';
import { copyFromUser, copyToUser } from '../mm/usercopy.ts';
import { ktimeGet } from '../mm/context.ts';
import { readFolio } from '../mm/addressSpace.ts';
import { frameWritten, pfnValid } from '../mm/page.ts';
import { readGuestFile } from '../fs/init.ts';
import type { Kernel } from '../process/kernel.ts';
import { dequeueTask, loadTask, saveCurrent, taskPc, taskRegisters } from '../process/sched.ts';
import { deliverSignals } from '../process/signal.ts';
import { hostKill } from '../process/signalSend.ts';
import { NSIG } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import type {
  BootOptions,
  ExitStatus,
  Hooks,
  Process,
  RunLimits,
  RunResult,
  ShmRow,
  SpawnOptions,
  System,
  Walk,
} from './api.ts';
import { createKernel } from './createKernel.ts';
import { exitStatus } from './exitStatus.ts';
import { Capture, HostStreams } from './hostStreams.ts';
import { ImageCache } from './images.ts';
import { ipcsRows, lazyPicture, picture, ptePictures, vmaPictures, walk } from './inspect.ts';
import { checkInvariants, type CachedTranslation } from './invariants.ts';
import type { Picture, PtePicture, VmAreaPicture } from './picture.ts';
import { RunLoop } from './runLoop.ts';
import { Spawner } from './spawn.ts';
import { KernelSupervisor } from './supervisor.ts';

const PAGE_SIZE = 4096;

/** A spawned process as the host sees it. */
class HostProcess implements Process {
  readonly pid: number;
  readonly name: string;
  exit: ExitStatus | null = null;
  private readonly out: Capture;
  private readonly err: Capture;

  constructor(pid: number, name: string, out: Capture, err: Capture) {
    this.pid = pid;
    this.name = name;
    this.out = out;
    this.err = err;
  }

  get stdout(): string {
    return this.out.text;
  }

  get stderr(): string {
    return this.err.text;
  }
}

class HostedSystem implements System {
  private readonly machine: Machine;
  private readonly kernel: Kernel;
  private readonly hooks: Hooks;
  private readonly hostStreams = new HostStreams();
  private readonly images = new ImageCache();
  private readonly supervisor: KernelSupervisor;
  private readonly loop: RunLoop;
  private readonly spawner: Spawner;
  private readonly spawned: HostProcess[] = [];
  private readonly byPid = new Map<number, HostProcess>();
  private failNth: NonNullable<BootOptions['failNth']>;

  /** @throws RangeError for a RAM size or quantum that is not possible */
  constructor(options: BootOptions) {
    this.machine = new Machine({
      ...(options.ram === undefined ? {} : { ramBytes: options.ram }),
      ...(options.compileAfter === undefined ? {} : { compileAfter: options.compileAfter }),
      ...(options.sharedMemory === undefined ? {} : { sharedMemory: options.sharedMemory }),
      ...(options.tier === undefined ? {} : { tier: options.tier }),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
    this.machine.hart.tier1.codeMemory = options.codeMemory ?? null;
    this.hooks = options.hooks ?? {};
    this.failNth = options.failNth ?? {};
    this.kernel = createKernel(this.machine, this.hostStreams, options);
    this.supervisor = new KernelSupervisor(this.kernel, this.hooks, this.images);
    this.machine.hart.enterHostedUserMode(this.supervisor);
    this.loop = new RunLoop(this.kernel, this.machine.hart, this.supervisor, this.images, {
      drainExits: () => this.drainExits(),
      picture: () => lazyPicture(this.kernel),
      wantsSyscalls: this.hooks.onSyscall !== undefined,
    });
    this.spawner = new Spawner(this.kernel);
  }

  // Running

  spawn(image: Uint8Array | HostBytes, options: SpawnOptions = {}): Process {
    const out = new Capture();
    const err = new Capture();
    const streams = [
      this.hostStreams.addSource(options.stdin),
      this.hostStreams.addSink(options.stdout ?? ((bytes) => out.add(bytes))),
      this.hostStreams.addSink(options.stderr ?? ((bytes) => err.add(bytes))),
    ] as const;
    const path = this.asCurrent(this.kernel.swapper, () => this.spawner.place(image, options));
    const task = this.spawner.makeTask(options, streams);
    this.asCurrent(task, () => this.spawner.load(task, path, options));
    this.spawner.start(task);
    const process = new HostProcess(task.pid, task.comm, out, err);
    this.spawned.push(process);
    this.byPid.set(task.pid, process);
    return process;
  }

  run(limits: RunLimits = {}): RunResult {
    this.armFaults();
    return this.loop.run(limits);
  }

  /** What is to fail is counted from the first instruction on, so that it is the guest's doing. */
  private armFaults(): void {
    const { frame = 0, object = 0 } = this.failNth;
    this.failNth = {};
    if (frame > 0) this.kernel.memMap.fault.nth = frame;
    if (object > 0) this.kernel.slab.fault.nth = object;
  }

  step(pid: number): RunResult {
    this.armFaults();
    return this.loop.step(this.task(pid));
  }

  kill(pid: number, signal: number): void {
    if (!Number.isInteger(signal) || signal < 1 || signal >= NSIG)
      throw new RangeError(`no such signal: ${signal}`);
    const task = this.task(pid);
    hostKill(this.kernel, task, signal);
    for (const thread of task.group.threads.slice()) {
      // Only a death comes at once; everything else when the task runs, in the middle of its call or its program.
      if (thread.group.groupExit === null) break;
      // Who is current is on no queue.
      dequeueTask(this.kernel, thread);
      this.asCurrent(thread, () => deliverSignals(this.kernel, thread, this.supervisor));
    }
    this.drainExits();
  }

  /**
   * Runs `work` with `task` as the current task, and puts back who was. Looking (as the swapper, which has no registers)
   * leaves the hart alone, down to its LR/SC reservation: a system looked at runs like one left alone.
   */
  private asCurrent<T>(task: Task, work: () => T): T {
    const { kernel } = this;
    const { current: previous, needResched, swapper } = kernel;
    if (previous === task) return work();
    saveCurrent(kernel);
    if (task === swapper) kernel.current = task;
    else loadTask(kernel, task);
    try {
      return work();
    } finally {
      if (task === swapper) {
        kernel.current = previous;
      } else {
        saveCurrent(kernel);
        loadTask(kernel, previous);
      }
      // Nothing that happened concerns the task that was interrupted.
      kernel.needResched = needResched;
    }
  }

  private drainExits(): void {
    const { exits, stats } = this.kernel;
    // One by one off the same array, which V8 would make anew for each exit otherwise.
    for (let record = exits.shift(); record !== undefined; record = exits.shift()) {
      stats.exits++;
      const { pid } = record;
      const process = this.byPid.get(pid);
      if (process === undefined && this.hooks.onExit === undefined) continue;
      const exit = exitStatus(record.status, record.crash);
      if (process !== undefined) process.exit = exit;
      this.byPid.delete(pid);
      this.hooks.onExit?.({ pid, exit });
    }
  }

  /** @throws RangeError when there is no such task */
  private task(pid: number): Task {
    const task = this.kernel.tasks.get(pid);
    if (task === undefined) throw new RangeError(`there is no task with pid ${pid}`);
    return task;
  }

  // Looking

  get processes(): readonly Process[] {
    return this.spawned;
  }

  get instructions(): number {
    return this.machine.hart.retired;
  }

  get time(): number {
    return ktimeGet(this.kernel);
  }

  get stats(): Readonly<Record<string, number>> {
    const { memMap, slab, stats } = this.kernel;
    const { tier1, hostTime } = this.machine.hart;
    tier1.count();
    return {
      instructions: this.instructions,
      time: this.time,
      ...stats,
      faultsInjected: memMap.fault.injected + slab.fault.injected,
      instructionsInTier1: tier1.stats.retired,
      regions: tier1.stats.regions,
      regionInstructions: tier1.stats.instructions,
      regionsRecalled: tier1.stats.recalled,
      regionModules: tier1.stats.modules,
      regionBytes: tier1.stats.bytes,
      regionsDropped: tier1.stats.dropped,
      entriesRefused: tier1.stats.refused,
      entriesPostponed: tier1.stats.postponed,
      pagesOfCodeDropped: this.machine.hart.invalidations,
      compileMilliseconds: Math.round(hostTime.compiling),
      tier0Milliseconds: Math.round(hostTime.interpreter),
      tier1Milliseconds: Math.round(hostTime.regions),
      kernelMilliseconds: Math.round(hostTime.supervisor),
    };
  }

  readMemory(pid: number, va: number, length: number): Uint8Array {
    const { mm } = this.task(pid);
    const bytes = mm === null ? -1 : copyFromUser(this.kernel, mm, va, length);
    if (typeof bytes === 'number') throw new RangeError(unmapped(pid, va, length));
    return bytes;
  }

  writeMemory(pid: number, va: number, bytes: Uint8Array): void {
    const { mm } = this.task(pid);
    if (mm === null || copyToUser(this.kernel, mm, va, bytes) < 0)
      throw new RangeError(unmapped(pid, va, bytes.length));
  }

  readFrame(pfn: number, offset = 0, length: number = PAGE_SIZE - offset): Uint8Array {
    const at = this.frameAddress(pfn, offset, length);
    this.fillFrame(pfn);
    return this.machine.ram.readBytes(at, length);
  }

  writeFrame(pfn: number, bytes: Uint8Array, offset = 0): void {
    const at = this.frameAddress(pfn, offset, bytes.length);
    this.fillFrame(pfn);
    frameWritten(this.kernel.memMap, pfn);
    this.machine.ram.writeBytes(at, bytes);
  }

  /** What the frame is to hold, if nobody has wanted it yet. */
  private fillFrame(pfn: number): void {
    if (pfnValid(this.kernel.memMap, pfn)) readFolio(this.kernel, pfn);
  }

  private frameAddress(pfn: number, offset: number, length: number): number {
    const pa = pfn * PAGE_SIZE + offset;
    if (offset < 0 || length < 0 || offset + length > PAGE_SIZE || !this.machine.ram.contains(pa, length)) {
      throw new RangeError(
        `frame 0x${pfn.toString(16)}, offset ${offset}, ${length} bytes: not in one frame of RAM`,
      );
    }
    return pa;
  }

  registers(pid: number): { readonly pc: number; readonly x: readonly number[] } {
    const task = this.task(pid);
    const x = [...taskRegisters(this.kernel, task).subarray(0, 32)].map((v) => v >>> 0);
    return { pc: taskPc(this.kernel, task), x };
  }

  symbol(pid: number, name: string): number | null {
    return this.images.addressOf(this.kernel, this.task(pid), name);
  }

  symbolAt(pid: number, pc: number): string {
    return this.images.nameAt(this.kernel, this.task(pid), pc);
  }

  picture(): Picture {
    return picture(this.kernel);
  }

  ipcs(): readonly ShmRow[] {
    return ipcsRows(this.kernel);
  }

  maps(pid: number): readonly VmAreaPicture[] {
    const { mm } = this.task(pid);
    return mm === null ? [] : vmaPictures(this.kernel, mm);
  }

  ptes(pid: number, start: number, end: number): readonly PtePicture[] {
    const { mm } = this.task(pid);
    return mm === null ? [] : ptePictures(this.kernel, mm, start, end);
  }

  walk(pid: number, va: number): Walk {
    const { mm } = this.task(pid);
    if (mm === null) throw new RangeError(`pid ${pid} has no address space any more`);
    return walk(this.kernel, mm, va >>> 0);
  }

  readFile(path: string): Uint8Array {
    const { vfs, swapper } = this.kernel;
    const { nextFileId } = vfs;
    const bytes = this.asCurrent(swapper, () => readGuestFile(this.kernel, path));
    // Looking must not change what happens later.
    vfs.nextFileId = nextFileId;
    if (typeof bytes === 'number') throw new RangeError(`the guest has no file ${path}`);
    return bytes;
  }

  checkInvariants(): readonly string[] {
    return checkInvariants(this.kernel, (satp) => this.cachedTranslations(satp));
  }

  private cachedTranslations(satp: number): CachedTranslation[] {
    const { hart, ram } = this.machine;
    return hart.tlbEntries(satp).map(({ va, ramOffset, writable }) => ({
      va,
      pfn: Math.floor((ram.base + ramOffset) / PAGE_SIZE),
      writable,
    }));
  }

  trace(listener: ((line: string) => void) | null): void {
    const { hart, ram } = this.machine;
    hart.onRetire = listener === null ? null : (retired) => listener(commitLine(hart, ram, retired));
  }
}

const unmapped = (pid: number, va: number, length: number): string =>
  `pid ${pid}: ${length} bytes at 0x${va.toString(16)} are not mapped`;

/**
 * Boots a system: a machine with RAM, an empty root file system with /tmp, /dev, /dev/shm and /proc, no process.
 *
 * @throws RangeError when the RAM size or another option is out of its range
 */
export function boot(options: BootOptions = {}): System {
  return new HostedSystem(options);
}
