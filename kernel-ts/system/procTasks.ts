/** How /proc finds processes. */
import type { FsContext } from '../fs/context.ts';
import type { ProcTasks } from '../fs/proc.ts';
import type { Kernel } from '../process/kernel.ts';

/** The context that fs hands on is the kernel that it was given. */
const kernelOf = (ctx: FsContext): Kernel => ctx as Kernel;

export const PROC_TASKS: ProcTasks = {
  pids: (ctx) =>
    [...kernelOf(ctx).tasks.values()]
      .filter((t) => t.isLeader)
      .map((t) => t.pid)
      .sort((a, b) => a - b),
  find: (ctx, pid) => kernelOf(ctx).tasks.get(pid) ?? null,
};
