/**
 * What ipc has in /proc: ipc/ipc_sysctl.c, /proc/sysvipc (ipc/util.c), /proc/PID/ns/ipc. An open file goes on showing the namespace
 * of the task that opened it.
 */
import { EACCES, ENOENT, type Errno } from '../abi/errno.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { File } from '../fs/file.ts';
import { keptOf, parseSysctl, type ProcRow } from '../fs/proc.ts';
import { mayReadTask } from '../fs/procRows.ts';
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

/** A sysctl of the namespace. An open one does not hold it: ENOENT once it is gone (sysctl_head_grab). */
export function ipcSysctl(
  name: string,
  mode: number,
  show: (ns: IpcNamespace) => number | string,
  write: (ctx: FsContext, ns: IpcNamespace, text: string) => 0 | Errno,
): ProcRow {
  return {
    path: `/sys/kernel/${name}`,
    mode,
    keep: (_ctx, task) => nsOf(task),
    show: (_ctx, _task, kept) => {
      const ns = kept as IpcNamespace;
      return ns.count === 0 ? -ENOENT : `${show(ns)}\n`;
    },
    write: (ctx, _task, text, kept) => {
      const ns = kept as IpcNamespace;
      return ns.count === 0 ? -ENOENT : write(ctx, ns, text);
    },
  };
}

/** proc_doulongvec_minmax(). */
function ulongRow(name: string, key: 'shmCtlmax' | 'shmCtlall'): ProcRow {
  return ipcSysctl(
    name,
    0o644,
    (ns) => ns[key],
    (_ctx, ns, text) => {
      const parsed = parseSysctl(text, 0, 0xffff_ffff);
      if (typeof parsed === 'number') return parsed;
      if (parsed !== 'unchanged') ns[key] = parsed.value;
      return 0;
    },
  );
}

function writeShmmni(_ctx: FsContext, ns: IpcNamespace, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, IPCMNI);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') ns.shmCtlmni = parsed.value;
  return 0;
}

/** proc_ipc_dointvec_minmax_orphans(). */
function writeRmidForced(ctx: FsContext, ns: IpcNamespace, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, 1);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') ns.shmRmidForced = parsed.value;
  if (ns.shmRmidForced !== 0) shmDestroyOrphaned(ctx, ns);
  return 0;
}

function writeNextId(_ctx: FsContext, ns: IpcNamespace, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, 0x7fff_ffff);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') ns.shmIds.nextId = parsed.value;
  return 0;
}

function writeMaxIpcNamespaces(ctx: FsContext, _task: FsTask, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, 0x7fff_ffff);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') ipcContext(ctx).ipc.maxIpcNamespaces = parsed.value;
  return 0;
}

/** What ipc has in /proc. */
export const IPC_PROC_ROWS: readonly ProcRow[] = [
  sysvipcRow('shm', sysvipcShmText),
  ulongRow('shmmax', 'shmCtlmax'),
  ulongRow('shmall', 'shmCtlall'),
  ipcSysctl('shmmni', 0o644, (ns) => ns.shmCtlmni, writeShmmni),
  ipcSysctl('shm_rmid_forced', 0o644, (ns) => ns.shmRmidForced, writeRmidForced),
  // ipc_permissions(): root's, by CAP_CHECKPOINT_RESTORE.
  ipcSysctl('shm_next_id', 0o444, (ns) => ns.shmIds.nextId, writeNextId),
  {
    path: '/sys/user/max_ipc_namespaces',
    mode: 0o644,
    show: (ctx) => `${ipcContext(ctx).ipc.maxIpcNamespaces}\n`,
    write: writeMaxIpcNamespaces,
  },
  { path: '/[pid]/ns', mode: 0o511 },
  {
    path: '/[pid]/ns/ipc',
    mode: 0o777,
    link: (ctx, task) => (mayReadTask(ctx, task) ? ipcNsLink(ctx, task) : -EACCES),
  },
];
