/**
 * Numbers of processes and threads (Linux: kernel/pid.c). One stays taken while a task, a process group or a session has it.
 *
 * Known to be missing: pid namespaces, pid file descriptors.
 */
import type { Kernel } from './kernel.ts';
import type { ThreadGroup } from './task.ts';

/** Lowest pid given again after a wrap (Linux: RESERVED_PIDS). */
const RESERVED_PIDS = 300;

/** struct pid, as far as groups and sessions go: how many processes are in one of that number. */
export interface PidUse {
  uses: number;
}

/** alloc_pid(): the next number not in use, cyclic; null when all are taken. */
export function allocPid(kernel: Kernel): number | null {
  const { tasks, pids, limits } = kernel;
  for (let tries = 0; tries < limits.pidMax; tries++) {
    const pid = kernel.nextPid;
    kernel.nextPid = pid + 1 >= limits.pidMax ? RESERVED_PIDS : pid + 1;
    if (!tasks.has(pid) && !pids.has(pid)) return pid;
  }
  return null;
}

function use({ pids }: Kernel, id: number): void {
  const known = pids.get(id);
  if (known === undefined) pids.set(id, { uses: 1 });
  else known.uses++;
}

function unuse({ pids }: Kernel, id: number): void {
  const known = pids.get(id);
  if (known !== undefined && --known.uses === 0) pids.delete(id);
}

/** attach_pid() for PIDTYPE_PGID and PIDTYPE_SID: of a new process. */
export function attachPids(kernel: Kernel, { pgid, sid }: ThreadGroup): void {
  use(kernel, pgid);
  use(kernel, sid);
}

/** detach_pid(): of a process whose last trace goes. */
export function detachPids(kernel: Kernel, { pgid, sid }: ThreadGroup): void {
  unuse(kernel, pgid);
  unuse(kernel, sid);
}

/** change_pid(): the process goes into another group, or another session too. */
export function changePids(kernel: Kernel, group: ThreadGroup, pgid: number, sid: number): void {
  detachPids(kernel, group);
  group.pgid = pgid;
  group.sid = sid;
  attachPids(kernel, group);
}
