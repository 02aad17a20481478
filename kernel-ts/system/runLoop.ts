/**
 * The run loop: deliver signals, schedule, run exactly one slice, look who ended (Linux: the idle loop, schedule() and
 * exit_to_user_mode_loop() around the hardware). All stopping conditions of `run` live here.
 */
import type { Hart } from '../../emulator/index.ts';
import type { Kernel } from '../process/kernel.ts';
import { checkCpuTimers, untilCpuTimer } from '../process/itimer.ts';
import {
  dequeueTask,
  loadTask,
  ROUND_ROBIN,
  saveCurrent,
  schedule,
  untilNextTimer,
} from '../process/sched.ts';
import { deliverSignals } from '../process/signal.ts';
import { isAlive } from '../process/signalSend.ts';
import type { Task } from '../process/task.ts';
import { expireTimers, idle } from '../process/timers.ts';
import { describeWait } from '../process/waitQueue.ts';
import type { Picture } from './picture.ts';
import type { RunLimits, RunResult, Until } from './api.ts';
import type { ImageCache } from './images.ts';
import type { KernelSupervisor, Observer } from './supervisor.ts';

/** The most instructions of a constrained LR/SC loop (unprivileged specification, "Eventual Success of SC"). */
const LR_SC_LENGTH = 16;

/** What the loop needs of the system around it. */
export interface LoopHost {
  /** Tells the host of processes that ended. */
  drainExits(): void;
  picture(): Picture;
  /** Somebody listens to system calls whatever `until` is. */
  readonly wantsSyscalls: boolean;
}

/** Stops for `until` conditions that are no breakpoints. */
class Watcher implements Observer {
  /** The pid that met the condition, or null. */
  hit: number | null = null;
  private readonly supervisor: KernelSupervisor;
  private readonly until: Until | undefined;
  private readonly picture: () => Picture;

  constructor(supervisor: KernelSupervisor, until: Until | undefined, picture: () => Picture) {
    this.supervisor = supervisor;
    this.until = until;
    this.picture = picture;
  }

  syscallDone(task: Task, name: string): void {
    if (this.until?.kind === 'syscall' && this.until.name === name) this.stop(task);
    else this.look(task);
  }

  faultDone(task: Task): void {
    this.look(task);
  }

  /** Evaluates a predicate on the picture. */
  look(task: Task): void {
    if (this.hit === null && this.until?.kind === 'picture' && this.until.predicate(this.picture()))
      this.stop(task);
  }

  private stop(task: Task): void {
    this.hit = task.pid;
    this.supervisor.leave = true;
  }
}

/** Breakpoints for `until`: at one pc, or at a symbol in every image that has it. */
class Breaks {
  private readonly hart: Hart;
  private readonly kernel: Kernel;
  private readonly images: ImageCache;
  private readonly until: Until | undefined;
  private readonly added = new Set<number>();
  private readonly seen = new Set<unknown>();

  constructor(hart: Hart, kernel: Kernel, images: ImageCache, until: Until | undefined) {
    this.hart = hart;
    this.kernel = kernel;
    this.images = images;
    this.until = until;
    if (until?.kind === 'pc') this.add(until.pc >>> 0);
  }

  private add(pc: number): void {
    if (this.added.has(pc) || this.hart.breakpoints.has(pc)) return;
    this.added.add(pc);
    this.hart.addBreakpoint(pc);
  }

  /** Before a task runs: its image may be one that we have not seen (spawn, execve). */
  prepare(task: Task): void {
    if (this.until?.kind !== 'symbol') return;
    const inode = task.mm?.exeFile?.fInode;
    if (inode === undefined || this.seen.has(inode)) return;
    this.seen.add(inode);
    const pc = this.images.addressOf(this.kernel, task, this.until.name);
    if (pc !== null) this.add(pc);
  }

  /** Whether the stop at `pc` is what was asked for: another image may have other code at a symbol's address. */
  wanted(task: Task, pc: number): boolean {
    if (this.until?.kind === 'pc') return pc === this.until.pc >>> 0;
    return this.until?.kind === 'symbol' && this.images.addressOf(this.kernel, task, this.until.name) === pc;
  }

  remove(): void {
    for (const pc of this.added) this.hart.removeBreakpoint(pc);
  }
}

/** What a run is to end at. */
interface Session {
  readonly watcher: Watcher;
  readonly breaks: Breaks;
  /** Retired counts. */
  readonly end: number;
  readonly untilCount: number;
}

/**
 * Turns beyond its own that a task gets at once while it is alone (NO_HZ_FULL, kernel/time/tick-sched.c). Each end of a turn leaves compiled
 * code in the midst of a loop, and what follows is interpreted until a region begins again.
 */
const TURNS_ALONE = 9;

export class RunLoop {
  private readonly kernel: Kernel;
  private readonly hart: Hart;
  private readonly supervisor: KernelSupervisor;
  private readonly images: ImageCache;
  private readonly host: LoopHost;
  /** The run under way, while `goOn` may be asked. */
  private session: Session | null = null;
  /** The retired count at which the current task's stretch began, and the instructions that it may retire from there. */
  private began = 0;
  private budget = 0;

  constructor(kernel: Kernel, hart: Hart, supervisor: KernelSupervisor, images: ImageCache, host: LoopHost) {
    this.kernel = kernel;
    this.hart = hart;
    this.supervisor = supervisor;
    this.images = images;
    this.host = host;
    supervisor.loop = this;
  }

  run(limits: RunLimits): RunResult {
    const { kernel, hart, supervisor } = this;
    const { until } = limits;
    const watcher = new Watcher(supervisor, until, () => this.host.picture());
    const breaks = new Breaks(hart, kernel, this.images, until);
    const end = hart.retired + (limits.instructions ?? Infinity);
    const untilCount = until?.kind === 'instructions' ? until.count : Infinity;
    const session = { watcher, breaks, end, untilCount };
    this.observe(watcher, until?.kind === 'syscall' || until?.kind === 'picture');
    this.session = session;
    try {
      for (;;) {
        const stopped = this.prepare(session, true);
        if (stopped !== null) return stopped;
        const stop = hart.run(this.budget);
        this.account();
        this.session = null;
        this.finishReservation(kernel.current, Math.min(end, untilCount));
        this.session = session;
        this.elapse();
        if (stop.kind === 'breakpoint' && breaks.wanted(kernel.current, stop.pc))
          return { reason: 'until', pid: kernel.current.pid };
      }
    } finally {
      this.session = null;
      breaks.remove();
      supervisor.observer = null;
      this.observe(null, false);
    }
  }

  /**
   * The same between two instructions of a run that goes on: at a system call after which another task is to run, or a signal to be
   * delivered, while the hart waits. False: `hart.run` must come back.
   */
  goOn(): boolean {
    const { session, kernel, hart } = this;
    // A run that begins at a breakpoint does not stop there: it must be another run.
    if (session === null || hart.breakpoints.size > 0) return false;
    this.account();
    if (kernel.current.quantumLeft <= 0 && hart.reserved) return false;
    this.elapse();
    if (this.prepare(session, false) !== null) return false;
    hart.setBudget(this.budget);
    return true;
  }

  /** Finds who runs next and for how long (`budget`); or why nobody does. `mayStopTick`: for more than a turn, if nobody else wants one. */
  private prepare(session: Session, mayStopTick: boolean): RunResult | null {
    const { kernel, hart } = this;
    const stopped = this.settle(session.watcher);
    if (stopped !== null) return stopped;
    const task = kernel.current;
    const { retired } = hart;
    if (retired >= session.untilCount) return { reason: 'until', pid: task.pid };
    if (retired >= session.end) return { reason: 'instructions' };
    session.breaks.prepare(task);
    this.began = retired;
    // Another policy wants to be asked at the end of each turn.
    const isAlone = kernel.runQueue.length === 0 && kernel.limits.noHz && kernel.schedule === ROUND_ROBIN;
    kernel.tickStopped = mayStopTick && isAlone;
    this.budget = Math.min(
      kernel.tickStopped ? task.quantumLeft + TURNS_ALONE * kernel.limits.quantum : task.quantumLeft,
      session.end - retired,
      session.untilCount - retired,
      Math.max(1, untilNextTimer(kernel)),
      untilCpuTimer(kernel, task),
    );
    return null;
  }

  /** The quantum of the task that has run: of several turns the last one, as if each had been given to it. */
  private account(): void {
    const { kernel } = this;
    const { retired } = this.hart;
    const task = kernel.current;
    task.quantumLeft -= retired - this.began;
    this.began = retired;
    if (!kernel.tickStopped) return;
    kernel.tickStopped = false;
    const { quantum } = kernel.limits;
    if (task.quantumLeft <= 0) task.quantumLeft = quantum - (-task.quantumLeft % quantum);
  }

  /** What the time brings that has passed. */
  private elapse(): void {
    checkCpuTimers(this.kernel, this.kernel.current);
    expireTimers(this.kernel);
  }

  /**
   * A preemption between LR and SC makes the SC fail. The specification lets a loop of up to 16 instructions succeed
   * eventually, so that many are granted beyond the quantum: with quanta of a few instructions no lock could be taken.
   */
  private finishReservation(task: Task, end: number): void {
    const { kernel, hart } = this;
    if (hart.breakpoints.size > 0) return; // a run that begins at a breakpoint does not stop there
    for (let i = 0; i < LR_SC_LENGTH && task.quantumLeft <= 0 && hart.reserved; i++) {
      if (kernel.current !== task || task.sigPending || hart.retired >= end) return;
      hart.run(1);
    }
  }

  /** One instruction, or one trap, of one task. A sleeper cannot be stepped: the answer says what it waits for. */
  step(task: Task): RunResult {
    const { kernel, hart } = this;
    if (task.state !== 'R') {
      return { reason: 'deadlock', tasks: [{ pid: task.pid, waiting: waitingFor(task) }] };
    }
    this.observe(null, false);
    const previous = kernel.current;
    if (previous !== task) {
      dequeueTask(kernel, task);
      saveCurrent(kernel);
      // The interrupted task keeps its turn.
      if (previous !== kernel.swapper && previous.state === 'R') kernel.runQueue.unshift(previous);
      loadTask(kernel, task);
      task.quantumLeft = Math.max(1, task.quantumLeft);
    }
    if (inSystemCall(task)) {
      this.supervisor.systemCall(hart, task);
    } else if (!mustDeliver(task)) {
      const before = hart.retired;
      hart.step();
      task.quantumLeft -= hart.retired - before;
      checkCpuTimers(kernel, task);
    }
    if (mustDeliver(task)) deliverSignals(kernel, task, this.supervisor);
    this.finishCompleted();
    this.host.drainExits();
    return kernel.tasks.size === 0 ? { reason: 'exited' } : { reason: 'instructions' };
  }

  private observe(observer: Observer | null, calls: boolean): void {
    this.supervisor.observer = observer;
    this.supervisor.leave = false;
    this.supervisor.observed = calls || this.host.wantsSyscalls;
    this.kernel.completed = this.supervisor.observed ? (this.kernel.completed ?? []) : null;
  }

  /**
   * Until a task is ready to run user code on the hart, or the run is over: signals, ended processes, scheduling, idle
   * time. Never retires an instruction.
   */
  private settle(watcher: Watcher): RunResult | null {
    const { kernel } = this;
    for (;;) {
      const task = kernel.current;
      if (task.restart !== null || task.sigPending || task.interrupted !== 0) this.attend(task);
      this.finishCompleted();
      if (kernel.exits.length > 0) {
        this.host.drainExits();
        watcher.look(task);
      }
      if (watcher.hit !== null) return { reason: 'until', pid: watcher.hit };
      if (!this.mustSchedule(task)) {
        // A call that no handler ended goes on.
        if (inSystemCall(task)) continue;
        return null;
      }
      expireTimers(kernel);
      schedule(kernel);
      if (kernel.current !== kernel.swapper) continue;
      if (!idle(kernel)) return this.nothingLeft();
    }
  }

  /** What the task has to do before it runs user code: the rest of a system call, signals. */
  private attend(task: Task): void {
    if (inSystemCall(task)) this.supervisor.systemCall(this.hart, task);
    if (!mustDeliver(task)) return;
    deliverSignals(this.kernel, task, this.supervisor);
    if (!isAlive(task)) this.supervisor.forget(task);
  }

  private mustSchedule(task: Task): boolean {
    const { kernel } = this;
    return kernel.needResched || task === kernel.swapper || task.state !== 'R' || task.quantumLeft <= 0;
  }

  /** Calls that timers or exits completed, for strace. */
  private finishCompleted(): void {
    const { completed } = this.kernel;
    if (completed !== null && completed.length > 0) this.tellCompleted(completed.splice(0));
  }

  private tellCompleted(calls: NonNullable<Kernel['completed']>): void {
    for (const { task, result } of calls) this.supervisor.completed(task, result);
  }

  private nothingLeft(): RunResult {
    const { kernel } = this;
    saveCurrent(kernel);
    if (kernel.tasks.size === 0) return { reason: 'exited' };
    const tasks = [...kernel.tasks.values()]
      .sort((a, b) => a.pid - b.pid)
      .map((t) => ({ pid: t.pid, waiting: waitingFor(t) }));
    return { reason: 'deadlock', tasks };
  }
}

/** Woken, or never asleep, in the middle of a system call that goes on before anything else; unless it is to die. */
function inSystemCall(task: Task): boolean {
  return (
    task.restart !== null && task.state === 'R' && task.interrupted === 0 && task.group.groupExit === null
  );
}

/** On the way to user mode, with something to do about signals before. */
function mustDeliver(task: Task): boolean {
  return task.state === 'R' && !inSystemCall(task) && (task.sigPending || task.interrupted !== 0);
}

function waitingFor(task: Task): string {
  if (task.state === 'T') return 'SIGCONT';
  return task.wait === null ? 'its parent to wait for it' : describeWait(task.wait);
}
