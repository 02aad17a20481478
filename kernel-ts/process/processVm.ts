/** process_vm_readv(2) and process_vm_writev(2): mm/process_vm_access.c. */
import { EFAULT, EPERM, ESRCH, type Errno } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { copyFromIter, copyToIter, type Iovec, type IovIter } from '../fs/iovIter.ts';
import type { MmStruct } from '../mm/mm.ts';
import { copyFromUserPartial, copyToUserPartial, userPhys } from '../mm/usercopy.ts';
import type { Kernel } from './kernel.ts';
import { ptraceMayAccess } from '../fs/ptrace.ts';
import type { Task } from './task.ts';

/** Bytes moved per step. */
const CHUNK = 65536;
/** Bytes whose pages are pinned at once: PVM_MAX_KMALLOC_PAGES of pointers. */
const BATCH = 2048 * PAGE_SIZE;

/** mm_access(): another process's address space, or ESRCH (none such, a zombie), EPERM. */
function mmAccess(kernel: Kernel, task: Task, pid: number): MmStruct | Errno {
  const target = kernel.tasks.get(pid);
  if (target === undefined || target.mm === null) return -ESRCH;
  return ptraceMayAccess(task, target, 'real') ? target.mm : -EPERM;
}

/** pin_user_pages_remote(): the bytes from `address` on, up to `len`, whose pages can be used so; all are faulted in first. */
function pinPages(kernel: Kernel, mm: MmStruct, address: number, len: number, write: boolean): number {
  const access = write ? 'write' : 'read';
  for (let done = 0; done < len; done += PAGE_SIZE - ((address + done) % PAGE_SIZE)) {
    if (userPhys(kernel, mm, address + done, access) === 0) return done;
  }
  return len;
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
      const at = base + done;
      const want = Math.min(BATCH - (at % PAGE_SIZE), len - done, local.count);
      const usable = pinPages(kernel, mm, at, want, write);
      const copied = copyRange(kernel, mm, at, local, usable, write);
      total += copied;
      done += copied;
      if (copied < want) return total > 0 ? total : -EFAULT;
    }
  }
  return total;
}

/** process_vm_rw_pages(): between a range that can be used and the caller's; fewer bytes when the caller's cannot. */
function copyRange(
  kernel: Kernel,
  mm: MmStruct,
  address: number,
  local: IovIter,
  len: number,
  write: boolean,
): number {
  let done = 0;
  while (done < len) {
    const step = Math.min(CHUNK, len - done);
    const copied = write
      ? writeTo(kernel, mm, address + done, local, step)
      : copyToIter(kernel, copyFromUserPartial(kernel, mm, address + done, step), local);
    done += copied;
    if (copied < step) break;
  }
  return done;
}

function writeTo(kernel: Kernel, mm: MmStruct, address: number, local: IovIter, want: number): number {
  return copyToUserPartial(kernel, mm, address, copyFromIter(kernel, local, want));
}
