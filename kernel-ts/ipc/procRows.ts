/**
 * What ipc has in /proc: ipc/ipc_sysctl.c, /proc/sysvipc (ipc/util.c), /proc/PID/ns/ipc. An open file goes on showing the namespace
 * of the task that opened it.
 */
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN } from '../abi/capability.ts';
import { ENOENT, ERANGE, type Errno } from '../abi/errno.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { File } from '../fs/file.ts';
import { keptOf, type ProcRow } from '../fs/proc.ts';
import { parseNumbers, sysctlRow, type SysctlRange } from '../fs/sysctl.ts';
import { capable, type Cred } from '../mm/cred.ts';
import { ipcNsLink } from './ipcNs.ts';
import { getIpcNs, ipcContext, putIpcNs, type IpcNamespace, type IpcTask } from './namespace.ts';
import { sysvipcMsgText } from './msgctl.ts';
import { sysvipcSemText } from './semctl.ts';
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

/** ipc_permissions() and checkpoint_restore_ns_capable(). */
function nextIdPermissions(cred: Cred): number {
  return capable(cred, CAP_CHECKPOINT_RESTORE) || capable(cred, CAP_SYS_ADMIN) ? 0o666 : 0o444;
}

/** The id that the next object of a kind shall have. */
function nextIdRow(name: string, key: 'shmIds' | 'semIds' | 'msgIds'): ProcRow {
  const row = ipcSysctl(
    name,
    0o444,
    INT,
    (ns) => ns[key].nextId,
    (ns, value) => void (ns[key].nextId = value),
  );
  return { ...row, permissions: nextIdPermissions };
}

function limitRow(
  name: string,
  key: 'shmCtlmni' | 'msgCtlmax' | 'msgCtlmnb' | 'msgCtlmni',
  range: SysctlRange,
): ProcRow {
  return ipcSysctl(
    name,
    0o644,
    range,
    (ns) => ns[key],
    (ns, value) => void (ns[key] = value),
  );
}

const SEM_CTLS = ['msl', 'mns', 'opm', 'mni'] as const;
const ANY_INT: SysctlRange = { min: -0x8000_0000, max: 0x7fff_ffff };

/** proc_ipc_sem_dointvec(): as many of the four numbers as are given; SEMMNI out of its range is ERANGE and stays. */
function writeSem(_ctx: FsContext, _task: FsTask, text: string, kept: unknown): number {
  const { semCtls, count } = kept as IpcNamespace;
  if (count === 0) return -ENOENT;
  const old = semCtls.mni;
  const { values, consumed, error } = parseNumbers(text, SEM_CTLS.length, ANY_INT);
  values.forEach((value, i) => (semCtls[SEM_CTLS[i] ?? 'mni'] = value));
  const refused: 0 | Errno = error < 0 || (semCtls.mni >= 0 && semCtls.mni <= IPCMNI) ? error : -ERANGE;
  if (refused === 0) return consumed;
  semCtls.mni = old;
  return refused;
}

const semRow: ProcRow = {
  path: '/sys/kernel/sem',
  mode: 0o644,
  whole: true,
  keep: (_ctx, task) => nsOf(task),
  show: (_ctx, _task, kept) => {
    const { semCtls, count } = kept as IpcNamespace;
    return count === 0 ? -ENOENT : `${SEM_CTLS.map((key) => semCtls[key]).join('\t')}\n`;
  },
  write: writeSem,
};

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
  limitRow('shmmni', 'shmCtlmni', { min: 0, max: IPCMNI }),
  ipcSysctl('shm_rmid_forced', 0o644, { min: 0, max: 1 }, (ns) => ns.shmRmidForced, setRmidForced),
  nextIdRow('shm_next_id', 'shmIds'),
  sysvipcRow('sem', sysvipcSemText),
  semRow,
  nextIdRow('sem_next_id', 'semIds'),
  sysvipcRow('msg', sysvipcMsgText),
  limitRow('msgmax', 'msgCtlmax', INT),
  limitRow('msgmnb', 'msgCtlmnb', INT),
  limitRow('msgmni', 'msgCtlmni', { min: 0, max: IPCMNI }),
  // Without effect since 3.19.
  ipcSysctl(
    'auto_msgmni',
    0o644,
    { min: 0, max: 1 },
    () => 0,
    () => undefined,
  ),
  nextIdRow('msg_next_id', 'msgIds'),
  sysctlRow('user/max_ipc_namespaces', 0o644, INT, {
    get: (ctx) => ipcContext(ctx).ipc.maxIpcNamespaces,
    set: (ctx, _kept, value) => void (ipcContext(ctx).ipc.maxIpcNamespaces = value),
  }),
  { path: '/[pid]/ns', mode: 0o511 },
  { path: '/[pid]/ns/ipc', mode: 0o777, guarded: true, link: ipcNsLink },
];
