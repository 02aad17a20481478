/**
 * Making tasks (Linux: kernel/fork.c copy_process; clone(2), clone3(2), fork(2), vfork(2)). riscv32 has the clones alone; libc makes
 * fork, vfork, posix_spawn and threads of them.
 *
 * Known to be missing: CLONE_PIDFD, CLONE_PTRACE, new namespaces other than ipc (EINVAL and a line in the log), CLONE_PARENT with
 * CLONE_THREAD subtleties.
 */
import { EAGAIN, EINVAL, ENOMEM, type Errno } from '../abi/errno.ts';
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../abi/capability.ts';
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWNS,
  CLONE_NEWTIME,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_SETTLS,
  CLONE_SYSVSEM,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from '../abi/sched.ts';
import { RLIMIT_NPROC, rlimit } from '../abi/resource.ts';
import { dupFilesStruct } from '../fs/fdtable.ts';
import type { FilesStruct } from '../fs/file.ts';
import { copySemundo } from '../ipc/semUndo.ts';
import { ktimeGet } from '../mm/context.ts';
import { capable } from '../mm/cred.ts';
import { slabMay } from '../mm/slab.ts';
import { dupMm, mmget, mmput } from '../mm/mmLife.ts';
import { putUser32 } from '../mm/usercopy.ts';
import { log, type Kernel } from './kernel.ts';
import { allocPid, attachPids } from './pid.ts';
import { enqueueTask, sleepOn } from './sched.ts';
import { copyNamespaces } from './nsproxy.ts';
import { allocRegisters, saveRegisters } from './switchTo.ts';
import {
  childrenOf,
  DEFAULT_SIGACTION,
  groupLeader,
  newThreadGroup,
  SIG_IGN,
  Task,
  type SigHand,
} from './task.ts';

/** struct kernel_clone_args: what clone(2) has in registers and clone3(2) in memory. */
export interface CloneArgs {
  /** CLONE_*, without the signal. */
  readonly flags: number;
  /** 0 for none. */
  readonly exitSignal: number;
  /** CLONE_CLEAR_SIGHAND: handled signals get their default action. */
  readonly clearSighand: boolean;
  /** 0: the same stack pointer. */
  readonly stack: number;
  readonly parentTid: number;
  readonly tls: number;
  readonly childTid: number;
}

/** Why these flags cannot be; 0 when they can. */
function checkFlags(kernel: Kernel, task: Task, flags: number): 0 | Errno {
  // The child could leave the root that it shares.
  if ((flags & (CLONE_NEWNS | CLONE_FS)) === (CLONE_NEWNS | CLONE_FS)) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) return -EINVAL;
  const unsupported = flags & (CLONE_NEWTIME | CLONE_PIDFD | CLONE_PTRACE);
  if (unsupported !== 0) {
    log(
      kernel,
      `pid ${task.pid} (${task.comm}): clone flags 0x${(unsupported >>> 0).toString(16)} are not supported`,
    );
    return -EINVAL;
  }
  return 0;
}

/** RLIMIT_NPROC counts the tasks of a real uid; privileged ones are not bound by it. */
function tooManyTasks(kernel: Kernel, task: Task): boolean {
  if (kernel.tasks.size >= kernel.limits.maxTasks) return true;
  const { cred } = task;
  if (cred.uid === 0 || capable(cred, CAP_SYS_ADMIN) || capable(cred, CAP_SYS_RESOURCE)) return false;
  const limit = rlimit(task.rlim, RLIMIT_NPROC);
  if (kernel.tasks.size < limit) return false;
  let own = 0;
  for (const t of kernel.tasks.values()) if (t.cred.uid === cred.uid) own++;
  return own >= limit;
}

/**
 * kernel_clone(): makes a task like the current one. Returns its pid, SYSCALL_BLOCKED for vfork (completed with the pid
 * when the child execs or exits), EINVAL for impossible flags, EAGAIN at a limit, ENOMEM.
 */
export function doClone(kernel: Kernel, task: Task, args: CloneArgs): number {
  const { flags } = args;
  const refused = checkFlags(kernel, task, flags);
  if (refused < 0) return refused;
  if (tooManyTasks(kernel, task)) return -EAGAIN;
  const child = copyProcess(kernel, task, args);
  if (typeof child === 'number') return child;
  kernel.tasks.set(child.pid, child);
  if ((flags & CLONE_THREAD) !== 0) child.group.threads.push(child);
  else {
    child.group.threads = [child];
    attachPids(kernel, child.group);
  }
  kernel.stats.forks++;
  if ((flags & CLONE_THREAD) === 0 && child.parent !== null) childrenOf(child.parent).push(child);
  if ((flags & CLONE_PARENT_SETTID) !== 0 && task.mm !== null)
    putUser32(kernel, task.mm, args.parentTid, child.pid);
  if ((flags & CLONE_CHILD_SETTID) !== 0 && child.mm !== null)
    putUser32(kernel, child.mm, args.childTid, child.pid);
  enqueueTask(kernel, child);
  if ((flags & CLONE_VFORK) === 0) return child.pid;
  child.vforkParent = task;
  return sleepOn(kernel, task, { kind: 'vfork', child: child.pid });
}

function copyProcess(kernel: Kernel, task: Task, args: CloneArgs): Task | Errno {
  const { flags } = args;
  const isThread = (flags & CLONE_THREAD) !== 0;
  const { mm, files } = task;
  if (mm === null || files === null) return -EINVAL;
  const pid = allocPid(kernel);
  if (pid === null) return -EAGAIN;
  // task_struct, and what copy_files, copy_fs, copy_sighand and copy_signal make.
  if (!mayCopy(kernel, flags)) return -ENOMEM;
  const group = isThread ? task.group : newThreadGroup(task.group.pgid, task.group.sid, task.rlim);
  const childMm = (flags & CLONE_VM) !== 0 ? mm : dupMm(kernel, mm);
  if (typeof childMm === 'number') return childMm;
  if (childMm === mm) mmget(mm);
  const ipcNs = copyNamespaces(kernel, task, flags);
  if (typeof ipcNs === 'number') {
    mmput(kernel, childMm);
    return ipcNs;
  }
  const child = new Task({
    pid,
    tgid: isThread ? task.tgid : pid,
    comm: task.comm,
    parent: isThread || (flags & CLONE_PARENT) !== 0 ? groupLeader(task).parent : groupLeader(task),
    group,
    sighand: (flags & CLONE_SIGHAND) !== 0 ? task.sighand : copySigHand(task.sighand, args.clearSighand),
    cred: task.cred,
    mm: childMm,
    files: (flags & CLONE_FILES) !== 0 ? shareFiles(files) : dupFilesStruct(files),
    fs: (flags & CLONE_FS) !== 0 ? task.fs : { ...task.fs },
    ipcNs,
    x: allocRegisters(kernel),
    exitSignal: isThread ? -1 : (flags & CLONE_PARENT) !== 0 ? groupLeader(task).exitSignal : args.exitSignal,
  });
  if ((flags & CLONE_SYSVSEM) !== 0) copySemundo(task, child);
  copyThread(kernel, task, child, args);
  return child;
}

/** The objects of a task that are not counted one by one. */
function mayCopy(kernel: Kernel, flags: number): boolean {
  const shared = [CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD];
  return slabMay(kernel) && shared.every((flag) => (flags & flag) !== 0 || slabMay(kernel));
}

/** copy_thread(): the child returns 0 from the same ecall. */
function copyThread(kernel: Kernel, task: Task, child: Task, args: CloneArgs): void {
  const { hart } = kernel;
  saveRegisters(hart, child);
  child.pc = (hart.pc + 4) >>> 0;
  child.x[10] = 0;
  if (args.stack !== 0) child.x[2] = args.stack;
  if ((args.flags & CLONE_SETTLS) !== 0) child.x[4] = args.tls;
  if ((args.flags & CLONE_CHILD_CLEARTID) !== 0) child.clearChildTid = args.childTid;
  child.blocked = task.blocked;
  // A thread of the same memory begins without an alternate stack; vfork's child and a copy keep it.
  if ((args.flags & (CLONE_VM | CLONE_VFORK)) !== CLONE_VM) child.altStack = task.altStack;
  child.personality = task.personality;
  child.noNewPrivs = task.noNewPrivs;
  child.startTime = ktimeGet(kernel);
  child.group.didExec = (args.flags & CLONE_THREAD) !== 0 && task.group.didExec;
}

function copySigHand(hand: SigHand, clear: boolean): SigHand {
  if (!clear) return { action: hand.action };
  return { action: hand.action.map((a) => (a.handler === SIG_IGN ? a : DEFAULT_SIGACTION)) };
}

function shareFiles(files: FilesStruct): FilesStruct {
  files.count++;
  return files;
}
