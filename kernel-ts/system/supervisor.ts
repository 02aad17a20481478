/**
 * Every trap that would enter S mode from user code (Linux: arch/riscv/kernel/traps.c, mm/fault.c do_page_fault).
 *
 * `trap` is the hot path of the whole system: a system call without an observer allocates nothing. Returning false makes
 * hart.run come back to the run loop, which delivers signals and schedules.
 */
import { Cause, type Hart, type Supervisor } from '../../emulator/index.ts';
import { SYSCALL_BLOCKED, SYSCALL_NO_RESULT, drainWakeQueues } from '../process/sched.ts';
import { log, type Kernel } from '../process/kernel.ts';
import { forceSignal } from '../process/signalSend.ts';
import { SIGBUS, SIGILL, SIGKILL, SIGSEGV, SIGTRAP } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import { doPageFault } from '../mm/memory.ts';
import { FaultCode, type Access } from '../mm/vma.ts';
import { formatCall, formatEntry } from '../syscalls/strace.ts';
import { SYSCALL_TABLE, UNKNOWN_ROW } from '../syscalls/table.ts';
import type { SyscallRow } from '../syscalls/row.ts';
import type { Hooks } from './api.ts';
import { crashReport, type Fault } from './crash.ts';
import type { ImageCache } from './images.ts';

/** A system call under way, for whoever watches: kept from its beginning to its end, over any sleep. */
interface OpenCall {
  readonly row: SyscallRow;
  readonly args: readonly number[];
  readonly entry: readonly (string | null)[];
}

/** What the run loop wants to know besides what hooks are told. */
export interface Observer {
  /** A system call ended, slept or does not return. */
  syscallDone(task: Task, name: string): void;
  /** A page fault was handled or refused. */
  faultDone(task: Task): void;
}

const ACCESS: Readonly<Record<number, Access>> = {
  [Cause.InstructionPageFault]: 'exec',
  [Cause.LoadPageFault]: 'read',
  [Cause.StorePageFault]: 'write',
};

export class KernelSupervisor implements Supervisor {
  /** Somebody watches system calls: the slow path. */
  observed = false;
  observer: Observer | null = null;
  /** Come back to the run loop after this trap, although nothing is to be scheduled. */
  leave = false;
  private readonly kernel: Kernel;
  private readonly hooks: Hooks;
  private readonly images: ImageCache;
  private readonly openCalls = new Map<Task, OpenCall>();

  constructor(kernel: Kernel, hooks: Hooks, images: ImageCache) {
    this.kernel = kernel;
    this.hooks = hooks;
    this.images = images;
  }

  trap(hart: Hart, cause: number, tval: number): boolean {
    const { kernel } = this;
    const task = kernel.current;
    if (this.hooks.onTrap !== undefined) this.hooks.onTrap({ pid: task.pid, cause, tval, pc: hart.pc });
    if (cause === Cause.EcallFromU) {
      if (this.observed) this.observedCall(hart, task);
      else this.call(hart, task);
    } else {
      const access = ACCESS[cause];
      if (access !== undefined) this.pageFault(task, tval, access);
      else this.exception(task, cause, tval);
    }
    return !(kernel.needResched || task.sigPending || this.leave);
  }

  /** A system call. Its result goes to a0 and the pc behind the ecall, unless it slept, execed or exited. */
  private call(hart: Hart, task: Task): number {
    const { kernel } = this;
    const { x } = hart;
    const row = SYSCALL_TABLE[(x[17] as number) >>> 0] ?? UNKNOWN_ROW;
    const result = row.handler(
      kernel,
      task,
      x[10] as number,
      x[11] as number,
      x[12] as number,
      x[13] as number,
      x[14] as number,
      x[15] as number,
    );
    kernel.stats.syscalls++;
    task.syscalls++;
    if (result > SYSCALL_BLOCKED) {
      x[10] = result;
      hart.pc += 4;
      task.restart = null;
    } else if (result === SYSCALL_NO_RESULT) {
      task.restart = null;
    }
    if (kernel.wakeQueues.size > 0) drainWakeQueues(kernel);
    return result;
  }

  private observedCall(hart: Hart, task: Task): void {
    const { kernel, hooks } = this;
    const { onSyscall } = hooks;
    let open = this.openCalls.get(task);
    if (open === undefined) {
      const number = (hart.x[17] as number) >>> 0;
      const row = SYSCALL_TABLE[number] ?? UNKNOWN_ROW;
      const args = [...hart.x.subarray(10, 16)];
      const entry = onSyscall === undefined ? [] : formatEntry(kernel, task, row, args);
      open = { row, args, entry };
      this.openCalls.set(task, open);
      onSyscall?.({ pid: task.pid, number, name: row.name, args, phase: 'enter', result: null, text: null });
    }
    const { pid } = task;
    const result = this.call(hart, task);
    if (result === SYSCALL_BLOCKED) {
      const { row, args } = open;
      onSyscall?.({
        pid,
        number: row.number,
        name: row.name,
        args,
        phase: 'restart',
        result: null,
        text: null,
      });
    } else {
      this.finishCall(task, pid, open, result === SYSCALL_NO_RESULT ? null : result);
    }
    for (const done of kernel.completed?.splice(0) ?? []) this.completed(done.task, done.result);
    this.observer?.syscallDone(task, open.row.name);
  }

  /** A sleeper's call was ended by somebody else. */
  completed(task: Task, result: number): void {
    const open = this.openCalls.get(task);
    if (open !== undefined) this.finishCall(task, task.pid, open, result);
  }

  private finishCall(task: Task, pid: number, open: OpenCall, result: number | null): void {
    this.openCalls.delete(task);
    const { onSyscall } = this.hooks;
    if (onSyscall === undefined) return;
    const { row, args, entry } = open;
    // execve that succeeded returns 0 to strace; exit does not return.
    const shown = result === null && task.state === 'R' ? 0 : result;
    const text = formatCall(this.kernel, task, row, args, entry, shown);
    onSyscall({ pid, number: row.number, name: row.name, args, phase: 'exit', result: shown, text });
  }

  /** A task ended inside a call: nothing will finish it. */
  forget(task: Task): void {
    this.openCalls.delete(task);
  }

  private pageFault(task: Task, va: number, access: Access): void {
    const { kernel } = this;
    const { mm } = task;
    const outcome = mm === null ? FaultCode.SegvMaperr : doPageFault(kernel, mm, va, access);
    const handled = outcome === FaultCode.Handled;
    kernel.stats.pageFaults++;
    if (handled) {
      task.group.minFlt++;
    } else if (outcome === FaultCode.Oom) {
      log(kernel, `pid ${task.pid} (${task.comm}): out of memory, killed`);
      this.kill(task, { signal: SIGKILL, code: 'SI_KERNEL', address: va, access, text: 'out of memory' });
    } else {
      const bus = outcome === FaultCode.SigbusAdrerr;
      const code = bus ? 'BUS_ADRERR' : outcome === FaultCode.SegvAccerr ? 'SEGV_ACCERR' : 'SEGV_MAPERR';
      this.kill(task, { signal: bus ? SIGBUS : SIGSEGV, code, address: va, access });
    }
    this.hooks.onFault?.({ pid: task.pid, va, access, handled });
    if (this.observed) this.observer?.faultDone(task);
  }

  /** do_trap(): exceptions that are signals. */
  private exception(task: Task, cause: number, tval: number): void {
    const { kernel } = this;
    const address = tval >>> 0;
    switch (cause) {
      case Cause.IllegalInstruction: {
        const text = `illegal instruction 0x${address.toString(16)}`;
        this.kill(task, { signal: SIGILL, code: 'ILL_ILLOPC', address: kernel.hart.pc, access: null, text });
        return;
      }
      case Cause.Breakpoint:
        this.kill(task, {
          signal: SIGTRAP,
          code: 'TRAP_BRKPT',
          address: kernel.hart.pc,
          access: null,
          text: 'ebreak',
        });
        return;
      case Cause.InstructionAddressMisaligned:
      case Cause.LoadAddressMisaligned:
      case Cause.StoreAddressMisaligned:
        this.kill(task, {
          signal: SIGBUS,
          code: 'BUS_ADRALN',
          address,
          access: null,
          text: 'misaligned address',
        });
        return;
      default:
        // Access faults: the page tables never name an address outside RAM, so this is a frame that cannot be used so.
        this.kill(task, {
          signal: SIGSEGV,
          code: 'SEGV_ACCERR',
          address,
          access: null,
          text: `access fault (cause ${cause})`,
        });
    }
  }

  private kill(task: Task, fault: Fault): void {
    task.group.crash ??= crashReport(this.kernel, task, fault, this.images);
    forceSignal(task, fault.signal);
  }
}
