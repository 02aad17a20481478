/** process_vm_readv(2) and process_vm_writev(2): mm/process_vm_access.c. */
import { EFAULT, EPERM, ESRCH, type Errno } from '../abi/errno.ts';
import { copyFromIter, copyToIter, type Iovec, type IovIter } from '../fs/iovIter.ts';
import type { MmStruct } from '../mm/mm.ts';
import { copyFromUserPartial, copyToUserPartial } from '../mm/usercopy.ts';
import type { Kernel } from './kernel.ts';
import { ptraceMayAccess } from './ptrace.ts';
import type { Task } from './task.ts';

/** Bytes moved per step. */
const CHUNK = 65536;

/** mm_access(): another process's address space, or ESRCH (none such, a zombie), EPERM. */
function mmAccess(kernel: Kernel, task: Task, pid: number): MmStruct | Errno {
  const target = kernel.tasks.get(pid);
  if (target === undefined || target.mm === null) return -ESRCH;
  return ptraceMayAccess(task, target) ? target.mm : -EPERM;
}

/**
 * process_vm_rw_core(): copies between `local` and the ranges `remote` of process `pid`, into it when `write`. Mappings keep their
 * rights.
 *
 * @returns the bytes copied, fewer when a page cannot be used; EFAULT when it is the first.
 */
export function processVmRw(
  kernel: Kernel,
  task: Task,
  pid: number,
  local: IovIter,
  remote: readonly Iovec[],
  write: boolean,
): number {
  if (!remote.some(({ len }) => len > 0)) return 0;
  const mm = mmAccess(kernel, task, pid);
  if (typeof mm === 'number') return mm;
  let total = 0;
  for (const { base, len } of remote) {
    for (let done = 0; done < len && local.count > 0;) {
      const want = Math.min(CHUNK, len - done, local.count);
      const copied = write
        ? writeTo(kernel, mm, base + done, local, want)
        : copyToIter(kernel, copyFromUserPartial(kernel, mm, base + done, want), local);
      total += copied;
      done += copied;
      if (copied < want) return total > 0 ? total : -EFAULT;
    }
  }
  return total;
}

function writeTo(kernel: Kernel, mm: MmStruct, address: number, local: IovIter, want: number): number {
  return copyToUserPartial(kernel, mm, address, copyFromIter(kernel, local, want));
}
