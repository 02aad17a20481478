/**
 * Every trap that would enter S mode from user code (Linux: arch/riscv/kernel/traps.c, mm/fault.c do_page_fault).
 *
 * `trap` is the hot path of the whole system: a system call without an observer allocates nothing. Returning false makes
 * hart.run come back to the run loop, which delivers signals and schedules; after a system call it can do so from here.
 */
import { Cause, type Hart, type Supervisor } from '../../emulator/index.ts';
import { SYSCALL_BLOCKED, SYSCALL_NO_RESULT, drainWakeQueues } from '../process/sched.ts';
import { log, type Kernel } from '../process/kernel.ts';
import {
  BUS_ADRALN,
  BUS_ADRERR,
  ILL_ILLOPC,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SI_KERNEL,
  TRAP_BRKPT,
  type SigInfo,
} from '../abi/signal.ts';
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from '../abi/errno.ts';
import type { SignalObserver } from '../process/signal.ts';
import { decideGroupExit, forceSignal } from '../process/signalSend.ts';
import { SIGBUS, SIGILL, SIGKILL, signalName, SIGSEGV, SIGTRAP } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import { doPageFault } from '../mm/memory.ts';
import type { MemMap } from '../mm/page.ts';
import { FaultCode, type Access } from '../mm/vma.ts';
import { formatCall, formatEntry } from '../syscalls/strace.ts';
import { formatSigInfo } from '../syscalls/straceSignal.ts';
import { syscallRow } from '../syscalls/lookUp.ts';
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

/** Whether frames are left, so that only an injected failure can have been the reason. */
function mayRetry({ freeFrames, failAfter }: MemMap): boolean {
  return freeFrames > 0 && failAfter > 0;
}

export class KernelSupervisor implements Supervisor, SignalObserver {
  /** Somebody watches system calls: the slow path. */
  observed = false;
  observer: Observer | null = null;
  /** Come back to the run loop after this trap, although nothing is to be scheduled. */
  leave = false;
  /** Goes on after a system call that changes who runs. */
  loop: { goOn(): boolean } | null = null;
  private readonly kernel: Kernel;
  private readonly hooks: Hooks;
  private readonly images: ImageCache;
  private readonly openCalls = new Map<Task, OpenCall>();
  /** The last fault that became a signal: what the report of a death by it tells. */
  private lastFault: { readonly task: Task; readonly fault: Fault } | null = null;

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
      this.systemCall(hart, task);
      const isOver = kernel.needResched || task.sigPending || this.leave || kernel.tickStopped;
      return !isOver || (this.loop?.goOn() ?? false);
    }
    const access = ACCESS[cause];
    if (access !== undefined) this.pageFault(task, tval, access);
    else this.exception(task, cause, tval);
    return !(kernel.needResched || task.sigPending || this.leave);
  }

  /** The system call that the registers ask for: by an ecall, or once more for a task that slept in it. */
  systemCall(hart: Hart, task: Task): void {
    if (this.observed) this.observedCall(hart, task);
    else this.call(hart, task);
  }

  /**
   * A system call. Its result goes to a0 and the pc behind the ecall, unless it slept, execed, exited, or gave up because
   * of a signal: then the registers stay as they are, for a repetition.
   */
  private call(hart: Hart, task: Task): number {
    const { kernel } = this;
    const { x } = hart;
    const row = syscallRow((x[17] as number) >>> 0);
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
    if (result > -ERESTARTSYS) {
      x[10] = result;
      hart.pc += 4;
      task.restart = null;
    } else if (result >= -ERESTART_RESTARTBLOCK) {
      task.interrupted = result;
    } else if (result === SYSCALL_NO_RESULT) {
      task.restart = null;
    }
    if (kernel.wakeQueues.length > 0) drainWakeQueues(kernel);
    return result;
  }

  private observedCall(hart: Hart, task: Task): void {
    const { kernel, hooks } = this;
    const { onSyscall } = hooks;
    let open = this.openCalls.get(task);
    if (open === undefined) {
      const number = (hart.x[17] as number) >>> 0;
      const row = syscallRow(number);
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
    // execve and rt_sigreturn leave their result in a0; exit does not return.
    const shown = result === null && task.state === 'R' ? (this.kernel.hart.x[10] ?? 0) : result;
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
    } else if (outcome === FaultCode.Oom && mayRetry(kernel.memMap)) {
      // "VM_FAULT_OOM leaked out to the #PF handler. Retrying PF": an injected failure, the next try may work.
    } else if (outcome === FaultCode.Oom) {
      log(kernel, `pid ${task.pid} (${task.comm}): out of memory, killed`);
      const text = 'out of memory';
      const fault = { signal: SIGKILL, code: 'SI_KERNEL', address: va, access, text };
      task.group.crash ??= crashReport(kernel, task, fault, this.images);
      decideGroupExit(kernel, task, SIGKILL);
    } else if (outcome === FaultCode.SigbusAdrerr) {
      this.raise(task, { signal: SIGBUS, code: 'BUS_ADRERR', address: va, access }, BUS_ADRERR, va);
    } else if (outcome === FaultCode.SegvAccerr) {
      this.raise(task, { signal: SIGSEGV, code: 'SEGV_ACCERR', address: va, access }, SEGV_ACCERR, va);
    } else {
      this.raise(task, { signal: SIGSEGV, code: 'SEGV_MAPERR', address: va, access }, SEGV_MAPERR, va);
    }
    this.hooks.onFault?.({ pid: task.pid, va, access, handled });
    if (this.observed) this.observer?.faultDone(task);
  }

  /** do_trap_error(): exceptions that are signals. si_addr is the pc for all of them (regs->epc in Linux, too). */
  private exception(task: Task, cause: number, tval: number): void {
    const address = tval >>> 0;
    const { pc } = this.kernel.hart;
    const fault = (signal: number, code: string, at: number, text: string): Fault => ({
      signal,
      code,
      address: at,
      access: null,
      text,
    });
    switch (cause) {
      case Cause.IllegalInstruction: {
        const text = `illegal instruction 0x${address.toString(16)}`;
        this.raise(task, fault(SIGILL, 'ILL_ILLOPC', pc, text), ILL_ILLOPC, pc);
        return;
      }
      case Cause.Breakpoint:
        this.raise(task, fault(SIGTRAP, 'TRAP_BRKPT', pc, 'ebreak'), TRAP_BRKPT, pc);
        return;
      case Cause.InstructionAddressMisaligned:
      case Cause.LoadAddressMisaligned:
      case Cause.StoreAddressMisaligned:
        this.raise(task, fault(SIGBUS, 'BUS_ADRALN', address, 'misaligned address'), BUS_ADRALN, pc);
        return;
      default: {
        // Access faults: the page tables never name an address outside RAM, so this is a frame that cannot be used so.
        const text = `access fault (cause ${cause})`;
        this.raise(task, fault(SIGSEGV, 'SEGV_ACCERR', address, text), SEGV_ACCERR, pc);
      }
    }
  }

  /** force_sig_fault(): the task gets the signal, for its handler or its end. */
  private raise(task: Task, fault: Fault, code: number, siAddr: number): void {
    this.lastFault = { task, fault };
    forceSignal(this.kernel, task, { signo: fault.signal, errno: 0, code, fields: [siAddr] });
  }

  /** SignalObserver */
  delivered(task: Task, info: SigInfo): void {
    const { onSignal } = this.hooks;
    const signal = info.signo;
    onSignal?.({ pid: task.pid, signal, name: signalName(signal), text: formatSigInfo(info) });
  }

  /** SignalObserver: a process that dies of a fault leaves a report. */
  fatal(task: Task, info: SigInfo | null): void {
    if (info === null || info.code <= 0) return;
    const last = this.lastFault;
    this.lastFault = null;
    let fault = last !== null && last.task === task && last.fault.signal === info.signo ? last.fault : null;
    if (info.code === SI_KERNEL && info.signo === SIGSEGV) {
      const address = (this.kernel.hart.x[2] ?? 0) >>> 0;
      const text = 'the frame of a signal handler cannot be written there, or read from there';
      fault = { signal: SIGSEGV, code: 'SI_KERNEL', address, access: null, text };
    }
    if (fault !== null) task.group.crash ??= crashReport(this.kernel, task, fault, this.images);
  }
}
