/** Shims of a thread's end: exit(2), exit_group(2), set_tid_address(2). */
import { doExit, groupExit } from '../process/exit.ts';
import { SYSCALL_NO_RESULT } from '../process/sched.ts';
import type { Handler } from './row.ts';

export const sysExit: Handler = (kernel, task, status) => {
  doExit(kernel, task, (status & 0xff) << 8);
  return SYSCALL_NO_RESULT;
};

export const sysExitGroup: Handler = (kernel, task, status) => {
  groupExit(kernel, task, (status & 0xff) << 8);
  return SYSCALL_NO_RESULT;
};

export const sysSetTidAddress: Handler = (_kernel, task, address) => {
  task.clearChildTid = address >>> 0;
  return task.pid;
};
