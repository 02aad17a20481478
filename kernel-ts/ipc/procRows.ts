/** /proc/sysvipc/shm and /proc/sys/kernel/shm*: ipc/ipc_sysctl.c. The ipc namespace is that of the reader. */
import type { Errno } from '../abi/errno.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import { parseSysctl, type ProcRow } from '../fs/proc.ts';
import type { IpcNamespace, IpcTask } from './namespace.ts';
import { shmDestroyOrphaned } from './shm.ts';
import { sysvipcShmText } from './shmctl.ts';
import { IPCMNI } from './util.ts';

/** Every task of this kernel is an IpcTask. */
function nsOf(task: FsTask): IpcNamespace {
  return (task as IpcTask).ipcNs;
}

/** proc_doulongvec_minmax(). */
function ulongRow(path: string, key: 'shmCtlmax' | 'shmCtlall'): ProcRow {
  return {
    path,
    mode: 0o644,
    show: (_ctx, task) => `${nsOf(task)[key]}\n`,
    write: (_ctx, task, text) => {
      const parsed = parseSysctl(text, 0, 0xffff_ffff);
      if (typeof parsed === 'number') return parsed;
      if (parsed !== 'unchanged') nsOf(task)[key] = parsed.value;
      return 0;
    },
  };
}

function writeShmmni(_ctx: FsContext, task: FsTask, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, IPCMNI);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') nsOf(task).shmCtlmni = parsed.value;
  return 0;
}

/** proc_ipc_dointvec_minmax_orphans(). */
function writeRmidForced(ctx: FsContext, task: FsTask, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, 1);
  if (typeof parsed === 'number') return parsed;
  const ns = nsOf(task);
  if (parsed !== 'unchanged') ns.shmRmidForced = parsed.value;
  if (ns.shmRmidForced !== 0) shmDestroyOrphaned(ctx, ns);
  return 0;
}

function writeNextId(_ctx: FsContext, task: FsTask, text: string): 0 | Errno {
  const parsed = parseSysctl(text, 0, 0x7fff_ffff);
  if (typeof parsed === 'number') return parsed;
  if (parsed !== 'unchanged') nsOf(task).shmIds.nextId = parsed.value;
  return 0;
}

/** What ipc has in /proc. */
export const IPC_PROC_ROWS: readonly ProcRow[] = [
  { path: '/sysvipc/shm', mode: 0o444, show: (_ctx, task) => sysvipcShmText(nsOf(task)) },
  ulongRow('/sys/kernel/shmmax', 'shmCtlmax'),
  ulongRow('/sys/kernel/shmall', 'shmCtlall'),
  {
    path: '/sys/kernel/shmmni',
    mode: 0o644,
    show: (_ctx, task) => `${nsOf(task).shmCtlmni}\n`,
    write: writeShmmni,
  },
  {
    path: '/sys/kernel/shm_rmid_forced',
    mode: 0o644,
    show: (_ctx, task) => `${nsOf(task).shmRmidForced}\n`,
    write: writeRmidForced,
  },
  {
    path: '/sys/kernel/shm_next_id',
    mode: 0o644,
    show: (_ctx, task) => `${nsOf(task).shmIds.nextId}\n`,
    write: writeNextId,
  },
];
