/** A task without memory. */
import { initRlimits } from '../../../kernel-ts/abi/resource.ts';
import { FilesStruct } from '../../../kernel-ts/fs/file.ts';
import { initFsStruct } from '../../../kernel-ts/fs/init.ts';
import { getIpcNs } from '../../../kernel-ts/ipc/namespace.ts';
import { makeCred } from '../../../kernel-ts/mm/cred.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import { attachPids } from '../../../kernel-ts/process/pid.ts';
import { newSigHand, newThreadGroup, Task } from '../../../kernel-ts/process/task.ts';

/** Enough for a scheduler; `x`: the registers of a task that is gone. */
export function bareTask(kernel: Kernel, pid: number, x?: Int32Array): Task {
  const made = new Task({
    pid,
    tgid: pid,
    comm: `t${pid}`,
    parent: null,
    group: newThreadGroup(pid, 1, initRlimits()),
    sighand: newSigHand(),
    cred: makeCred(0, 0),
    mm: null,
    files: new FilesStruct(),
    fs: initFsStruct(kernel.vfs),
    ipcNs: getIpcNs(kernel.ipcNs),
    exitSignal: 17,
    ...(x === undefined ? {} : { x }),
  });
  made.group.threads.push(made);
  attachPids(kernel, made.group);
  kernel.tasks.set(pid, made);
  return made;
}
