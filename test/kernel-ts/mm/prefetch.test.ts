import { expect, test, vi } from 'vitest';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../../kernel-ts/abi/mman.ts';
import { IPC_PRIVATE } from '../../../kernel-ts/abi/ipc.ts';
import { doShmat, sysShmget } from '../../../kernel-ts/ipc/shm.ts';
import { doMmap } from '../../../kernel-ts/mm/mmap.ts';
import { doMprotect } from '../../../kernel-ts/mm/mprotect.ts';
import { walkPte } from '../../../kernel-ts/mm/pgtable.ts';
import {
  manyMms,
  prefetchAreas,
  prefetchDup,
  prefetchEntries,
  prefetchFrames,
  prefetchWords,
  wantWord,
} from '../../../kernel-ts/mm/prefetch.ts';
import { checkKernel, mmOf, store, TestKernel, type TestTask } from './machine.ts';

const P = 4096;
const RW = PROT_READ | PROT_WRITE;

function map(k: TestKernel, task: TestTask, at: number, pages: number): void {
  k.current = task;
  expect(doMmap(k, mmOf(task), null, at, pages * P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0)).toBe(at);
}

/** Ten processes: with an attach and private pages, with pages that may not be touched, with more areas than a node has, without memory. */
function processes(): { k: TestKernel; tasks: TestTask[] } {
  const k = new TestKernel(4 << 20);
  const id = sysShmget(k, IPC_PRIVATE, P, 0o600);
  const tasks = Array.from({ length: 10 }, (_, n) => {
    const task = k.spawn();
    map(k, task, 0x1000_0000, 100);
    store(k, task, 0x1000_0000 + 99 * P, n);
    map(k, task, 0x7000_0000, 2);
    store(k, task, 0x7000_1000, n);
    store(k, task, doShmat(k, id, 0, 0), n);
    return task;
  });
  const [, hidden, wide, gone] = tasks;
  if (hidden === undefined || wide === undefined || gone === undefined) throw new Error('no tasks');
  doMprotect(k, mmOf(hidden), 0x1000_0000, 100 * P, PROT_NONE);
  for (let n = 0; n < 40; n++) map(k, wide, 0x2000_0000 + 2 * n * P, 1);
  k.exit(gone);
  return { k, tasks };
}

/** The physical addresses that are read meanwhile. */
function readsOf(k: TestKernel, action: () => void): Set<number> {
  const spy = vi.spyOn(k.ram, 'read32');
  action();
  const addresses = new Set(spy.mock.calls.map(([pa]) => pa >>> 0));
  spy.mockRestore();
  return addresses;
}

test('looks at the entries of the last page of each area, and changes nothing', () => {
  const { k, tasks } = processes();
  const before = k.ram.readBytes(k.ram.base, k.ram.size);
  const reads = readsOf(k, () => {
    const count = prefetchAreas(tasks);
    prefetchEntries(k, count);
    prefetchFrames(k, count);
  });
  for (const task of tasks.slice(0, 8)) {
    if (task.mm === null || task.mm.mmap.size > 16) continue;
    for (const vma of task.mm.mmap) {
      const { pte1Address, pte0Address } = walkPte(k, task.mm, vma.vmEnd - P);
      expect(reads.has(pte1Address)).toBe(true);
      if (pte0Address !== 0) expect(reads.has(pte0Address)).toBe(true);
    }
  }
  expect(Buffer.compare(k.ram.readBytes(k.ram.base, k.ram.size), before)).toBe(0);
  checkKernel(k);
  // Fewer than it can take.
  prefetchEntries(k, prefetchAreas(tasks.slice(0, 3)));
  checkKernel(k);
});

test('looks at the entries of pages that are asked for, and into the page', () => {
  const { k, tasks } = processes();
  const [task] = tasks;
  if (task === undefined) throw new Error('no task');
  const mm = mmOf(task);
  const { pte0Address, pte0 } = walkPte(k, mm, 0x7000_1000);
  const reads = readsOf(k, () => {
    const count = wantWord(wantWord(0, mm, 0x7000_1fff), mm, 0x3000_0000);
    prefetchEntries(k, count);
    prefetchWords(k, 0, count);
  });
  expect(reads.has(pte0Address)).toBe(true);
  expect(reads.has((pte0 >>> 10) * P + 0xffc)).toBe(true);
  checkKernel(k);
});

test('looks at the tables that a fork will get, and where it will write', () => {
  const { k, tasks } = processes();
  const [first, , , , last] = tasks;
  if (first === undefined || last === undefined) throw new Error('no tasks');
  // Frees some tables and areas.
  k.exit(last);
  const reads = readsOf(k, () => {
    prefetchDup(k, mmOf(first));
  });
  const child = k.fork(first);
  if (child === null) throw new Error('no memory');
  for (const va of [0x1000_0000 + 99 * P, 0x7000_1000]) {
    const { pte1Address, pte0Address, pte0 } = walkPte(k, mmOf(child), va);
    expect(pte0).not.toBe(0);
    expect(reads.has(pte1Address) && reads.has(pte0Address)).toBe(true);
  }
  checkKernel(k);
  // With nothing on the lists.
  const fresh = new TestKernel(1 << 20);
  prefetchDup(fresh, mmOf(fresh.spawn()));
  checkKernel(fresh);
});

test('pays with many processes alone', () => {
  const k = new TestKernel(2 << 20);
  for (let n = 0; n < 127; n++) k.spawn();
  expect(manyMms(k)).toBe(false);
  k.spawn();
  expect(manyMms(k)).toBe(true);
});
