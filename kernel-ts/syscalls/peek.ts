/**
 * Reading a task's memory without touching it: no page is faulted in, no A bit set. What a fault would bring is read
 * where it lies (page cache), or is zero. For strace and traces.
 */
import { PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import { cachedPage } from '../mm/addressSpace.ts';
import type { MmStruct } from '../mm/mm.ts';
import { PTE_V, ptePfn, walkPte } from '../mm/pgtable.ts';
import { VM_READ } from '../mm/vma.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';

/** The frame that holds a user page, 0 for a page of zeros that is not there yet, null for no readable memory. */
function frameOf(kernel: Kernel, mm: MmStruct, va: number): number | null {
  const pte = walkPte(kernel, mm, va).pte0;
  if ((pte & PTE_V) !== 0) return ptePfn(pte);
  const vma = mm.mmap.find(va);
  if (vma === null || va < vma.vmStart || (vma.vmFlags & VM_READ) === 0) return null;
  if (vma.vmFile === null) return 0;
  const index = vma.vmPgoff + Math.floor((va - vma.vmStart) / PAGE_SIZE);
  return cachedPage(kernel, vma.vmFile.fInode.iMapping, index) ?? 0;
}

/** The bytes at a user address, or null when any of them cannot be read. */
export function peekUser(kernel: Kernel, task: Task, address: number, length: number): Uint8Array | null {
  const { mm } = task;
  if (mm === null || address < 0 || address + length > TASK_SIZE) return null;
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const va = address + done;
    const pfn = frameOf(kernel, mm, va);
    if (pfn === null) return null;
    const offset = va % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, length - done);
    if (pfn !== 0) out.set(kernel.ram.readBytes(pfn * PAGE_SIZE + offset, chunk), done);
    done += chunk;
  }
  return out;
}
