/** Reading a task's memory without touching it: no page is faulted in, no A bit set. For strace and inspection. */
import { PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import { PTE_V, ptePfn, walkPte } from '../mm/pgtable.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';

/** The bytes at a user address, or null when any of them is not present. */
export function peekUser(kernel: Kernel, task: Task, address: number, length: number): Uint8Array | null {
  const { mm } = task;
  if (mm === null || address < 0 || address + length > TASK_SIZE) return null;
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const va = address + done;
    const pte = walkPte(kernel, mm, va).pte0;
    if ((pte & PTE_V) === 0) return null;
    const offset = va % PAGE_SIZE;
    const chunk = Math.min(PAGE_SIZE - offset, length - done);
    out.set(kernel.ram.readBytes(ptePfn(pte) * PAGE_SIZE + offset, chunk), done);
    done += chunk;
  }
  return out;
}
