/** All files of /proc. Its own module because most programs never ask for one: the built command loads them on demand. */
import type { ProcRow } from '../fs/proc.ts';
import { FS_PROC_ROWS } from '../fs/procRows.ts';
import { SMAPS_PROC_ROWS } from '../fs/procSmaps.ts';
import { IPC_PROC_ROWS } from '../ipc/procRows.ts';
import { TASK_PROC_ROWS } from './procRows.ts';

export function procFiles(): readonly ProcRow[] {
  return [...FS_PROC_ROWS, ...SMAPS_PROC_ROWS, ...IPC_PROC_ROWS, ...TASK_PROC_ROWS];
}
