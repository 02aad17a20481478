/**
 * What ipc has in /proc: ipc/ipc_sysctl.c, /proc/sysvipc (ipc/util.c), /proc/PID/ns/ipc. An open file goes on showing the namespace
 * of the task that opened it.
 */
import { EACCES } from '../abi/errno.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { File } from '../fs/file.ts';
import { keptOf, mayReadTask, type ProcRow } from '../fs/proc.ts';
import { sysctlRow, type SysctlRange } from '../fs/sysctl.ts';
import { ipcNsLink } from './ipcNs.ts';
import { getIpcNs, ipcContext, putIpcNs, type IpcNamespace, type IpcTask } from './namespace.ts';
import { shmDestroyOrphaned } from './shm.ts';
import { sysvipcShmText } from './shmctl.ts';
import { IPCMNI } from './util.ts';

/** Every task of this kernel is an IpcTask. */
function nsOf(task: FsTask): IpcNamespace {
  return (task as IpcTask).ipcNs;
}

function dropIpcNs(ctx: FsContext, kept: unknown): void {
  putIpcNs(ctx, kept as IpcNamespace);
}

/** A file of /proc/sysvipc: an open one holds the namespace (sysvipc_proc_open). */
export function sysvipcRow(name: string, text: (ns: IpcNamespace) => string): ProcRow {
  return {
    path: `/sysvipc/${name}`,
    mode: 0o444,
    keep: (_ctx, task) => getIpcNs(nsOf(task)),
    drop: dropIpcNs,
    show: (_ctx, _task, kept) => text(kept as IpcNamespace),
  };
}

/** The namespace that an open file of /proc/sysvipc holds, or null. */
export function ipcNsOfSysvipc(file: File): IpcNamespace | null {
  const kept = keptOf(file);
  return kept?.row.drop === dropIpcNs ? (kept.kept as IpcNamespace) : null;
}

/** Values of an int, of an unsigned long. */
const INT: SysctlRange = { min: 0, max: 0x7fff_ffff };
const ULONG: SysctlRange = { min: 0, max: 0xffff_ffff, unsigned: true };

/** A sysctl of the namespace. An open one does not hold it: ENOENT once it is gone (sysctl_head_grab). */
export function ipcSysctl(
  name: string,
  mode: number,
  range: SysctlRange,
  get: (ns: IpcNamespace) => number,
  set: (ns: IpcNamespace, value: number, ctx: FsContext) => void,
): ProcRow {
  return sysctlRow(`kernel/${name}`, mode, range, {
    keep: (_ctx, task) => nsOf(task),
    get: (_ctx, kept) => ((kept as IpcNamespace).count === 0 ? null : get(kept as IpcNamespace)),
    set: (ctx, kept, value) => set(kept as IpcNamespace, value, ctx),
  });
}

/** proc_ipc_dointvec_minmax_orphans(). */
function setRmidForced(ns: IpcNamespace, value: number, ctx: FsContext): void {
  ns.shmRmidForced = value;
  if (value !== 0) shmDestroyOrphaned(ctx, ns);
}

/** What ipc has in /proc. */
export const IPC_PROC_ROWS: readonly ProcRow[] = [
  sysvipcRow('shm', sysvipcShmText),
  ipcSysctl(
    'shmmax',
    0o644,
    ULONG,
    (ns) => ns.shmCtlmax,
    (ns, value) => void (ns.shmCtlmax = value),
  ),
  ipcSysctl(
    'shmall',
    0o644,
    ULONG,
    (ns) => ns.shmCtlall,
    (ns, value) => void (ns.shmCtlall = value),
  ),
  ipcSysctl(
    'shmmni',
    0o644,
    { min: 0, max: IPCMNI },
    (ns) => ns.shmCtlmni,
    (ns, value) => void (ns.shmCtlmni = value),
  ),
  ipcSysctl('shm_rmid_forced', 0o644, { min: 0, max: 1 }, (ns) => ns.shmRmidForced, setRmidForced),
  // ipc_permissions(): root writes it all the same, by CAP_CHECKPOINT_RESTORE.
  ipcSysctl(
    'shm_next_id',
    0o444,
    INT,
    (ns) => ns.shmIds.nextId,
    (ns, value) => void (ns.shmIds.nextId = value),
  ),
  sysctlRow('user/max_ipc_namespaces', 0o644, INT, {
    get: (ctx) => ipcContext(ctx).ipc.maxIpcNamespaces,
    set: (ctx, _kept, value) => void (ipcContext(ctx).ipc.maxIpcNamespaces = value),
  }),
  { path: '/[pid]/ns', mode: 0o511 },
  {
    path: '/[pid]/ns/ipc',
    mode: 0o777,
    link: (ctx, task) => (mayReadTask(ctx, task) ? ipcNsLink(ctx, task) : -EACCES),
  },
];
