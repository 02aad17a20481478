import { describe, expect, test } from 'vitest';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM, EPERM } from '../../../kernel-ts/abi/errno.ts';
import {
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_WIPEONFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MLOCK_ONFAULT,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  TASK_SIZE,
} from '../../../kernel-ts/abi/mman.ts';
import { RLIMIT_AS, RLIMIT_STACK } from '../../../kernel-ts/abi/resource.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import { makeCred } from '../../../kernel-ts/mm/cred.ts';
import { doMadvise, doMincore, doMsync } from '../../../kernel-ts/mm/madvise.ts';
import { doMlock, doMlockall, doMunlock } from '../../../kernel-ts/mm/mlock.ts';
import { doBrk, doMmap, doMunmap, setupStackVma } from '../../../kernel-ts/mm/mmap.ts';
import { doMprotect } from '../../../kernel-ts/mm/mprotect.ts';
import { doMremap } from '../../../kernel-ts/mm/mremap.ts';
import { walkPte } from '../../../kernel-ts/mm/pgtable.ts';
import { vmaPerms } from '../../../kernel-ts/mm/vma.ts';
import { checkKernel, load, mmOf, store, TestKernel, translate, type TestTask } from './machine.ts';

const RW = PROT_READ | PROT_WRITE;
const ANON = MAP_PRIVATE | MAP_ANONYMOUS;
const SHARED = MAP_SHARED | MAP_ANONYMOUS;
const P = 4096;

function boot(ram = 2 << 20): { k: TestKernel; task: TestTask } {
  const k = new TestKernel(ram);
  return { k, task: k.spawn() };
}

function map(
  k: TestKernel,
  task: TestTask,
  addr: number,
  pages: number,
  prot: number,
  flags: number,
): number {
  k.current = task;
  return ksysMmapPgoff(k, addr, pages * P, prot, flags, -1, 0);
}

/** "start pages perms" of every VMA, in pages from `base`. */
function layout(task: TestTask, base: number): string[] {
  return [...mmOf(task).mmap].map(
    (v) => `${(v.vmStart - base) / P}+${(v.vmEnd - v.vmStart) / P} ${vmaPerms(v)}`,
  );
}

describe('mmap', () => {
  test('places top-down below mmap_base, hints and MAP_FIXED where asked', () => {
    const { k, task } = boot();
    const mm = mmOf(task);
    const a = map(k, task, 0, 2, RW, ANON);
    expect(a).toBe(mm.layout.mmapBase - 2 * P);
    const b = map(k, task, 0, 1, PROT_READ, ANON);
    expect(b).toBe(a - P);
    expect(map(k, task, 0x1000_0123, 1, RW, ANON)).toBe(0x1000_0000);
    expect(map(k, task, 0x1000_0000, 1, PROT_READ, ANON)).toBe(b - P);
    expect(map(k, task, 0x1000_0000, 1, RW, ANON | MAP_FIXED_NOREPLACE)).toBe(-EEXIST);
    expect(map(k, task, 0x1000_0001, 1, RW, ANON | MAP_FIXED)).toBe(-EINVAL);
    checkKernel(k);
  });

  test('answers impossible arguments as Linux does', () => {
    const { k, task } = boot();
    expect(map(k, task, 0, 0, RW, ANON)).toBe(-EINVAL);
    expect(map(k, task, 0, 1, RW, MAP_ANONYMOUS)).toBe(-EINVAL);
    expect(ksysMmapPgoff(k, 0, TASK_SIZE, RW, ANON, -1, 0)).toBe(-ENOMEM);
    expect(ksysMmapPgoff(k, 0, 0xffff_ffff, RW, ANON, -1, 0)).toBe(-ENOMEM);
    expect(map(k, task, TASK_SIZE - P, 2, RW, ANON | MAP_FIXED)).toBe(-ENOMEM);
    // More than RAM can never be honoured; address space alone can.
    expect(map(k, task, 0, 1024, RW, ANON)).toBe(-ENOMEM);
    expect(map(k, task, 0, 1024, PROT_NONE, ANON)).toBeGreaterThan(0);
    task.cred = makeCred(1000, 1000);
    expect(map(k, task, 0, 1, RW, ANON | MAP_FIXED)).toBe(-EPERM);
    task.cred = makeCred(0, 0);
    expect(map(k, task, 0, 1, RW, ANON | MAP_FIXED)).toBe(0);
    task.rlim[RLIMIT_AS] = { rlimCur: mmOf(task).totalVm * P, rlimMax: Infinity };
    expect(map(k, task, 0, 1, RW, ANON)).toBe(-ENOMEM);
    checkKernel(k);
  });

  test('merges neighbours that agree and splits on demand', () => {
    const { k, task } = boot();
    const base = 0x2000_0000;
    map(k, task, base, 2, RW, ANON | MAP_FIXED);
    map(k, task, base + 4 * P, 2, RW, ANON | MAP_FIXED);
    map(k, task, base + 2 * P, 2, RW, ANON | MAP_FIXED);
    expect(layout(task, base)).toEqual(['0+6 rw-p']);
    doMprotect(k, mmOf(task), base + 2 * P, 2 * P, PROT_READ);
    expect(layout(task, base)).toEqual(['0+2 rw-p', '2+2 r--p', '4+2 rw-p']);
    doMprotect(k, mmOf(task), base + 2 * P, 2 * P, RW);
    expect(layout(task, base)).toEqual(['0+6 rw-p']);
    doMunmap(k, mmOf(task), base + P, P);
    expect(layout(task, base)).toEqual(['0+1 rw-p', '2+4 rw-p']);
    expect(doMunmap(k, mmOf(task), base + 0x100, P)).toBe(-EINVAL);
    expect(doMunmap(k, mmOf(task), base, 0)).toBe(-EINVAL);
    expect(doMunmap(k, mmOf(task), 0x7000_0000, P)).toBe(0);
    checkKernel(k);
  });

  test('MAP_POPULATE makes pages present, and only then', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 3, RW, ANON | MAP_POPULATE);
    expect(mmOf(task).rssAnon).toBe(3);
    const b = map(k, task, 0x3000_0000, 3, RW, ANON);
    expect(mmOf(task).rssAnon).toBe(3);
    expect(walkPte(k, mmOf(task), a).pte0).not.toBe(0);
    expect(walkPte(k, mmOf(task), b).pte0).toBe(0);
  });

  test('vm.max_map_count bounds VMAs', () => {
    const { k, task } = boot();
    k.vm.maxMapCount = 4;
    const base = 0x2000_0000;
    map(k, task, base, 9, RW, ANON | MAP_FIXED);
    expect(doMunmap(k, mmOf(task), base + P, P)).toBe(0);
    expect(doMunmap(k, mmOf(task), base + 3 * P, P)).toBe(0);
    expect(doMunmap(k, mmOf(task), base + 5 * P, P)).toBe(0);
    expect(doMunmap(k, mmOf(task), base + 7 * P, P)).toBe(-ENOMEM);
    expect(doMprotect(k, mmOf(task), base + 7 * P, P, PROT_READ)).toBe(-ENOMEM);
    checkKernel(k);
  });
});

describe('page faults', () => {
  test('say exactly why an access is not possible', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 1, PROT_READ, ANON);
    expect(load(k, task, a)).toBe(0);
    expect(store(k, task, a, 1)).toBe('SegvAccerr');
    expect(load(k, task, a + P)).toBe('SegvMaperr');
    expect(load(k, task, TASK_SIZE)).toBe('SegvMaperr');
    expect(translate(k, task, a, 'exec')).toEqual({ fault: 2 });
    const none = map(k, task, 0, 1, PROT_NONE, ANON);
    expect(load(k, task, none)).toBe('SegvAccerr');
    // Writing implies reading, executing does not.
    const w = map(k, task, 0, 1, PROT_WRITE, ANON);
    expect(load(k, task, w)).toBe(0);
    const x = map(k, task, 0, 1, PROT_EXEC, ANON);
    expect(load(k, task, x)).toBe('SegvAccerr');
    checkKernel(k);
  });

  test('a shared file mapping beyond the end is SIGBUS', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 1, RW, SHARED);
    const grown = doMremap(k, mmOf(task), a, P, 2 * P, MREMAP_MAYMOVE, 0);
    expect(store(k, task, grown, 1)).toBe('ok');
    expect(store(k, task, grown + P, 1)).toBe('SigbusAdrerr');
  });

  test('arrays that are filled side by side get frames as their pages lie', () => {
    const { k, task } = boot();
    const at = map(k, task, 0x40_0000, 24, RW, ANON | MAP_FIXED);
    const pfn = (page: number): number =>
      Math.floor((translate(k, task, at + page * P, 'read') as number) / P);
    for (let page = 0; page < 8; page++)
      for (const array of [0, 8, 16]) store(k, task, at + (array + page) * P, 1);
    for (let page = 1; page < 24; page++) expect(pfn(page)).toBe(pfn(0) + page);
  });

  test('also across page tables', () => {
    const { k, task } = boot(32 << 20);
    const at = map(k, task, 0x80_0000 - 40 * P, 1100, RW, ANON | MAP_FIXED);
    const pfn = (page: number): number =>
      Math.floor((translate(k, task, at + page * P, 'read') as number) / P);
    // The last page comes first, as that of a program's data does.
    store(k, task, at + 1099 * P, 1);
    for (let page = 0; page < 1099; page++) store(k, task, at + page * P, 1);
    for (let page = 1; page < 1099; page++) expect([page, pfn(page)]).toEqual([page, pfn(0) + page]);
  });

  test('a large mapping behind a small one begins a long run', () => {
    const { k, task } = boot(16 << 20);
    const small = map(k, task, 0x40_0000, 1, RW, ANON | MAP_FIXED);
    const large = map(k, task, 0x40_1000, 300, PROT_READ | PROT_WRITE | PROT_EXEC, ANON | MAP_FIXED);
    const pfn = (va: number): number => Math.floor((translate(k, task, va, 'read') as number) / P);
    for (let page = -1; page < 300; page++) {
      store(k, task, large + page * P, 1);
      // Another process takes frames too.
      if (page % 50 === 0) map(k, k.spawn(), 0x40_0000, 1, RW, ANON | MAP_FIXED | MAP_POPULATE);
    }
    expect(pfn(small)).not.toBe(pfn(large) - 1);
    for (let page = 1; page < 300; page++) expect(pfn(large + page * P)).toBe(pfn(large) + page);
  });

  test('out of frames is OOM and leaks nothing', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 200, RW, ANON);
    k.memMap.failAfter = 0;
    expect(store(k, task, a, 1)).toBe('Oom');
    k.memMap.failAfter = 1;
    expect(store(k, task, a, 1)).toBe('Oom');
    k.memMap.failAfter = Infinity;
    expect(store(k, task, a, 1)).toBe('ok');
    checkKernel(k);
  });

  test('the stack grows down to its limit and keeps its guard gap', () => {
    const { k, task } = boot(32 << 20);
    const mm = mmOf(task);
    task.rlim[RLIMIT_STACK] = { rlimCur: 2 << 20, rlimMax: Infinity };
    const top = TASK_SIZE;
    setupStackVma(k, mm, top, 2 * P);
    expect(store(k, task, top - 100 * P, 7)).toBe('ok');
    expect(mm.stackVm).toBe(100);
    expect(store(k, task, top - (2 << 20), 7)).toBe('ok');
    expect(store(k, task, top - (2 << 20) - 1, 7)).toBe('SegvMaperr');
    const other = boot(32 << 20);
    setupStackVma(other.k, mmOf(other.task), top, P);
    map(other.k, other.task, top - 300 * P, 1, RW, ANON | MAP_FIXED);
    expect(store(other.k, other.task, top - 44 * P, 1)).toBe('SegvMaperr');
    expect(store(other.k, other.task, top - 43 * P, 1)).toBe('ok');
    checkKernel(other.k);
  });

  test('MAP_GROWSDOWN grows too', () => {
    const { k, task } = boot();
    const a = map(k, task, 0x4000_0000, 1, RW, ANON | MAP_GROWSDOWN | MAP_FIXED);
    expect(store(k, task, a - 3 * P, 1)).toBe('ok');
    checkKernel(k);
  });
});

describe('fork', () => {
  test('copies private memory on write and shares shared memory', () => {
    const { k, task } = boot();
    const p = map(k, task, 0, 1, RW, ANON);
    const s = map(k, task, 0, 1, RW, SHARED);
    store(k, task, p, 1);
    store(k, task, s, 1);
    const child = k.fork(task);
    if (child === null) throw new Error('fork failed');
    expect(load(k, child, p)).toBe(1);
    const frame = walkPte(k, mmOf(task), p).pte0 >>> 10;
    expect(walkPte(k, mmOf(child), p).pte0 >>> 10).toBe(frame);
    store(k, child, p, 2);
    store(k, child, s, 2);
    expect([load(k, task, p), load(k, task, s)]).toEqual([1, 2]);
    checkKernel(k);
    k.exit(task);
    // The last owner writes in place.
    const before = walkPte(k, mmOf(child), p).pte0 >>> 10;
    store(k, child, p, 3);
    expect(walkPte(k, mmOf(child), p).pte0 >>> 10).toBe(before);
    k.exit(child);
    checkKernel(k);
  });

  test('honours MADV_DONTFORK and MADV_WIPEONFORK', () => {
    const { k, task } = boot();
    const a = map(k, task, 0x2000_0000, 3, RW, ANON | MAP_FIXED);
    for (let i = 0; i < 3; i++) store(k, task, a + i * P, 9);
    doMadvise(k, mmOf(task), a, P, MADV_DONTFORK);
    doMadvise(k, mmOf(task), a + P, P, MADV_WIPEONFORK);
    const child = k.fork(task);
    if (child === null) throw new Error('fork failed');
    expect([load(k, child, a), load(k, child, a + P), load(k, child, a + 2 * P)]).toEqual([
      'SegvMaperr',
      0,
      9,
    ]);
    checkKernel(k);
  });

  test('gives everything back at whatever allocation it fails', () => {
    const { k, task } = boot();
    for (let i = 0; i < 4; i++) {
      const a = map(k, task, 0x1000_0000 + i * 0x40_0000, 2, RW, ANON | MAP_FIXED);
      store(k, task, a, i + 1);
    }
    const free = k.memMap.freeFrames;
    for (let n = 0; n < 5; n++) {
      k.memMap.failAfter = n;
      expect(k.fork(task)).toBeNull();
      k.memMap.failAfter = Infinity;
      expect(k.memMap.freeFrames).toBe(free);
      checkKernel(k);
    }
    expect(k.fork(task)).not.toBeNull();
    expect(store(k, task, 0x1000_0000, 5)).toBe('ok');
    checkKernel(k);
  });
});

describe('mprotect, mremap, brk, madvise, mlock', () => {
  test('mprotect takes rights away at once and gives none beyond VM_MAY*', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 3, RW, ANON);
    store(k, task, a, 1);
    expect(doMprotect(k, mmOf(task), a, P, PROT_NONE)).toBe(0);
    expect(load(k, task, a)).toBe('SegvAccerr');
    expect(doMprotect(k, mmOf(task), a, P, RW)).toBe(0);
    expect(load(k, task, a)).toBe(1);
    expect(doMprotect(k, mmOf(task), a + 1, P, RW)).toBe(-EINVAL);
    expect(doMprotect(k, mmOf(task), a, 0, RW)).toBe(0);
    expect(doMprotect(k, mmOf(task), a, P, 0x80)).toBe(-EINVAL);
    expect(doMprotect(k, mmOf(task), a + 2 * P, 2 * P, PROT_READ)).toBe(-ENOMEM);
    // What precedes the hole was changed.
    expect(store(k, task, a + 2 * P, 1)).toBe('SegvAccerr');
    expect(EACCES).toBe(13);
    checkKernel(k);
  });

  test('mremap shrinks, grows in place, moves with its frames, and to a fixed place', () => {
    const { k, task } = boot();
    const mm = mmOf(task);
    const a = map(k, task, 0x2000_0000, 4, RW, ANON | MAP_FIXED);
    for (let i = 0; i < 4; i++) store(k, task, a + i * P, i + 1);
    expect(doMremap(k, mm, a, 4 * P, 2 * P, 0, 0)).toBe(a);
    expect(load(k, task, a + 2 * P)).toBe('SegvMaperr');
    expect(doMremap(k, mm, a, 2 * P, 3 * P, 0, 0)).toBe(a);
    map(k, task, a + 3 * P, 1, PROT_READ, ANON | MAP_FIXED);
    expect(doMremap(k, mm, a, 3 * P, 4 * P, 0, 0)).toBe(-ENOMEM);
    const frame = walkPte(k, mm, a).pte0 >>> 10;
    const b = doMremap(k, mm, a, 3 * P, 4 * P, MREMAP_MAYMOVE, 0);
    expect(b).not.toBe(a);
    expect(walkPte(k, mm, b).pte0 >>> 10).toBe(frame);
    expect([load(k, task, b), load(k, task, b + P), load(k, task, b + 2 * P), load(k, task, a)]).toEqual([
      1,
      2,
      0,
      'SegvMaperr',
    ]);
    const c = doMremap(k, mm, b, 4 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, 0x5000_0000);
    expect(c).toBe(0x5000_0000);
    expect([load(k, task, c + P), load(k, task, b)]).toEqual([2, 'SegvMaperr']);
    checkKernel(k);
    expect(doMremap(k, mm, c + 1, P, P, 0, 0)).toBe(-EINVAL);
    expect(doMremap(k, mm, c, P, 0, 0, 0)).toBe(-EINVAL);
    expect(doMremap(k, mm, 0x6000_0000, P, 2 * P, MREMAP_MAYMOVE, 0)).toBe(-EFAULT);
    expect(doMremap(k, mm, c, 3 * P, 4 * P, MREMAP_MAYMOVE, 0)).toBe(-EFAULT);
    expect(doMremap(k, mm, c, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, c + P)).toBe(-EINVAL);
    expect(doMremap(k, mm, c, 2 * P, 2 * P, MREMAP_FIXED, 0x5100_0000)).toBe(-EINVAL);
    expect(doMremap(k, mm, c, 0, P, MREMAP_MAYMOVE, 0)).toBe(-EINVAL);
    k.memMap.failAfter = 0;
    expect(doMremap(k, mm, c, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, 0x6000_0000)).toBe(-ENOMEM);
    k.memMap.failAfter = Infinity;
    expect(load(k, task, c)).toBe(1);
    checkKernel(k);
  });

  test('mremap that leaves the old area unlocks it, as part of the one that it has become too', () => {
    const { k, task } = boot();
    const mm = mmOf(task);
    const a = map(k, task, 0x5000_0000, 3, RW, ANON);
    // Locked and not there: nobody has written, so each area's offset is its address and neighbours become one.
    expect(doMlock(k, mm, a, 3 * P, MLOCK_ONFAULT)).toBe(0);
    doMunmap(k, mm, a + P, P);
    expect(mm.lockedVm).toBe(2);
    expect(doMremap(k, mm, a + 2 * P, P, P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, a + P)).toBe(a + P);
    expect(layout(task, a)).toEqual(['0+3 rw-p']);
    expect(mm.lockedVm).toBe(0);
    checkKernel(k);
  });

  test('mremap with old size 0 maps shared memory a second time', () => {
    const { k, task } = boot();
    const a = map(k, task, 0, 2, RW, SHARED);
    store(k, task, a, 5);
    const b = doMremap(k, mmOf(task), a, 0, 2 * P, MREMAP_MAYMOVE, 0);
    expect(load(k, task, b)).toBe(5);
    store(k, task, b + P, 6);
    expect(load(k, task, a + P)).toBe(6);
    checkKernel(k);
  });

  test('brk grows and shrinks the heap and stops below what is in the way', () => {
    const { k, task } = boot();
    const mm = mmOf(task);
    mm.layout = { ...mm.layout, startBrk: 0x1_0000 };
    mm.brk = 0x1_0000;
    expect(doBrk(k, mm, 0)).toBe(0x1_0000);
    expect(doBrk(k, mm, 0x1_0010)).toBe(0x1_0010);
    expect(store(k, task, 0x1_0fff, 1)).toBe('ok');
    expect(doBrk(k, mm, 0x1_3000)).toBe(0x1_3000);
    expect(layout(task, 0x1_0000)).toEqual(['0+3 rw-p']);
    map(k, task, 0x1_6000, 1, RW, ANON | MAP_FIXED);
    expect(doBrk(k, mm, 0x1_6000)).toBe(0x1_3000);
    expect(doBrk(k, mm, 0x1_5000)).toBe(0x1_5000);
    expect(doBrk(k, mm, 0x1_1000)).toBe(0x1_1000);
    expect(load(k, task, 0x1_1000)).toBe('SegvMaperr');
    expect(doBrk(k, mm, 0xffff_ffff)).toBe(0x1_1000);
    checkKernel(k);
  });

  test('MADV_DONTNEED drops private pages and keeps shared data', () => {
    const { k, task } = boot();
    const p = map(k, task, 0, 1, RW, ANON);
    const s = map(k, task, 0, 1, RW, SHARED);
    store(k, task, p, 1);
    store(k, task, s, 1);
    expect(doMadvise(k, mmOf(task), p, P, MADV_DONTNEED)).toBe(0);
    expect(doMadvise(k, mmOf(task), s, P, MADV_DONTNEED)).toBe(0);
    expect([load(k, task, p), load(k, task, s)]).toEqual([0, 1]);
    expect(doMadvise(k, mmOf(task), p + 1, P, MADV_DONTNEED)).toBe(-EINVAL);
    expect(doMadvise(k, mmOf(task), p, P, 999)).toBe(-EINVAL);
    expect(doMadvise(k, mmOf(task), 0x1000_0000, P, MADV_DONTNEED)).toBe(-ENOMEM);
    expect(doMsync(mmOf(task), s, P, 4)).toBe(0);
    expect(doMsync(mmOf(task), s, P, 5)).toBe(-EINVAL);
    expect(doMincore(k, mmOf(task), s, P, () => true)).toEqual(Uint8Array.of(1));
    expect(doMincore(k, mmOf(task), 0x1000_0000, P, () => true)).toBe(-ENOMEM);
    checkKernel(k);
  });

  test('mlock populates, counts and is bounded', () => {
    const { k, task } = boot();
    const mm = mmOf(task);
    const a = map(k, task, 0, 4, RW, ANON);
    expect(doMlock(k, mm, a + 10, P)).toBe(0);
    expect([mm.lockedVm, mm.rssAnon]).toEqual([2, 2]);
    expect(doMlock(k, mm, a, P)).toBe(0);
    expect(mm.lockedVm).toBe(2);
    expect(doMadvise(k, mm, a, P, MADV_DONTNEED)).toBe(-EINVAL);
    expect(doMunlock(k, mm, a, P)).toBe(0);
    expect(mm.lockedVm).toBe(1);
    task.cred = makeCred(1000, 1000);
    task.rlim[8] = { rlimCur: 2 * P, rlimMax: Infinity };
    expect(doMlock(k, mm, a, 4 * P)).toBe(-ENOMEM);
    expect(doMlock(k, mm, a, 2 * P)).toBe(0);
    expect(map(k, task, 0, 1, RW, ANON | 0x2000)).toBe(-11);
    task.rlim[8] = { rlimCur: 0, rlimMax: Infinity };
    expect(doMlock(k, mm, a, P)).toBe(-EPERM);
    expect(doMlockall(k, mm, 1)).toBe(-EPERM);
    expect(doMunlock(k, mm, 0x1000_0000, P)).toBe(-ENOMEM);
    const child = k.fork(task);
    expect(child?.mm?.lockedVm).toBe(0);
    checkKernel(k);
  });

  test('a process that exits leaves nothing', () => {
    const k = new TestKernel(2 << 20);
    const free = k.memMap.freeFrames;
    const task = k.spawn();
    for (const flags of [ANON, SHARED]) store(k, task, map(k, task, 0, 8, RW, flags), 1);
    expect(doMmap(k, mmOf(task), null, 0, P, RW, ANON, 0)).toBeGreaterThan(0);
    k.exit(task);
    expect(k.memMap.freeFrames).toBe(free);
    checkKernel(k);
  });
});
