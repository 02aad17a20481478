/** The checker itself: each kind of damage is seen. The kernel's structures are reached through a private field on purpose. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fs } from '../../../emulator/index.ts';
import { boot, type PtePicture, type System } from '../../../kernel-ts/index.ts';
import { getPage } from '../../../kernel-ts/mm/page.ts';
import { PTE_W } from '../../../kernel-ts/mm/pgtable.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import type { Task } from '../../../kernel-ts/process/task.ts';
import { build } from './guest.ts';

let image: Uint8Array;
let system: System;
let kernel: Kernel;
let task: Task;

beforeAll(async () => {
  image = await build(`
    #include <sys/shm.h>
    #include <unistd.h>
    int main(void) {
      char *p = shmat(shmget(1, 4096, IPC_CREAT | 0600), 0, 0);
      *p = 1;
      fork();
      *p = 2;
      for (;;) pause();
    }`);
});

beforeEach(() => {
  system = boot();
  const { pid } = system.spawn(image);
  system.run();
  kernel = (system as unknown as { kernel: Kernel }).kernel;
  const found = kernel.tasks.get(pid);
  if (found === undefined) throw new Error('no task');
  task = found;
});

/** The attach of the task: address and physical address of its entry. */
function attach(): PtePicture {
  const pte = system.maps(task.pid).find((v) => v.shmid !== null)?.ptes[0];
  if (pte === undefined) throw new Error('not attached');
  return pte;
}

/** The value, which is there. */
function there<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('not there');
  return value;
}

function changePte(change: (pte: number) => number): void {
  const { pte0Address, pte0 } = attach();
  kernel.ram.write32(pte0Address, change(pte0) >>> 0);
}

test('a sound system has nothing to report', () => {
  expect(task.state).toBe('S');
  expect(system.checkInvariants()).toEqual([]);
});

describe('damage is reported', () => {
  test.each<[string, () => void, RegExp]>([
    [
      'nattch',
      () => [...kernel.ipcNs.shmIds.entries.values()].forEach((s) => s.shmNattch++),
      /shm_nattch 3, but 2 VMAs/,
    ],
    ['shm_tot', () => kernel.ipcNs.shmTot++, /shm_tot 2, but 1 pages/],
    ['a frame count', () => getPage(kernel, attach().pfn), /count 4, but 2 PTEs/],
    ['a lost PTE', () => changePte(() => 0), /mapcount 2, but 1 PTEs/],
    ['a PTE to another frame', () => changePte((pte) => pte + (1 << 10)), /is not page 0/],
    ['a stale TLB entry', () => changePte((pte) => pte & ~PTE_W), /TLB entry .* is writable/],
    ['the count of free frames', () => kernel.memMap.freeFrames--, /free_frames/],
    ['a sleeper on the run queue', () => kernel.runQueue.push(task), /is on the run queue/],
    ['a task asleep without a reason', () => (task.wait = null), /state S and wait do not agree/],
    ['a file count', () => there(there(task.files).fd[1]).count++, /f_count 3, but 2 holders/],
    [
      'an entry of a page table where none is looked for',
      () => kernel.ram.write32(attach().pte0Address ^ 0x800, attach().pte0),
      /entries, of which \d+ lie in lines that are marked/,
    ],
    ['rss', () => there(task.mm).rssAnon++, /rss \d+, but \d+ PTEs/],
    [
      'f registers that nobody has written to',
      () => [(kernel.hart.fs = Fs.Initial), (kernel.hart.f[5] = 1)],
      /FS is initial, and the f registers/,
    ],
    ['total_vm', () => there(task.mm).totalVm++, /totalVm/],
  ])('%s', (_name, damage, expected) => {
    damage();
    expect(system.checkInvariants().join('\n')).toMatch(expected);
  });
});
