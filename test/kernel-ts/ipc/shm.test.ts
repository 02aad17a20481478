/** The four calls. Sequences marked [K] gave these very results on Linux 6.18 (x86_64, `unshare -i`). */
import { describe, expect, test } from 'vitest';
import {
  EACCES,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EPERM,
} from '../../../kernel-ts/abi/errno.ts';
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
} from '../../../kernel-ts/abi/ipc.ts';
import {
  MADV_DONTNEED,
  MADV_REMOVE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_READ,
} from '../../../kernel-ts/abi/mman.ts';
import { RLIMIT_MEMLOCK } from '../../../kernel-ts/abi/resource.ts';
import {
  SHM_EXEC,
  SHM_HUGETLB,
  SHM_INFO,
  SHM_LOCK,
  SHM_NORESERVE,
  SHM_RDONLY,
  SHM_REMAP,
  SHM_RND,
  SHM_STAT,
  SHM_STAT_ANY,
  SHM_UNLOCK,
  SHMMAX,
} from '../../../kernel-ts/abi/shm.ts';
import { readGuestFile, writeGuestFile } from '../../../kernel-ts/fs/init.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import { mapsLine } from '../../../kernel-ts/fs/procRows.ts';
import { doShmat, exitShm, shmOfVma, sysShmdt, sysShmget } from '../../../kernel-ts/ipc/shm.ts';
import { putIpcNs } from '../../../kernel-ts/ipc/namespace.ts';
import { sysShmctl } from '../../../kernel-ts/ipc/shmctl.ts';
import { doMadvise } from '../../../kernel-ts/mm/madvise.ts';
import { doMunmap } from '../../../kernel-ts/mm/mmap.ts';
import { doMprotect } from '../../../kernel-ts/mm/mprotect.ts';
import { doMremap } from '../../../kernel-ts/mm/mremap.ts';
import { pageCount, pageMapcount } from '../../../kernel-ts/mm/page.ts';
import { walkPte } from '../../../kernel-ts/mm/pgtable.ts';
import { copyFromUser, copyToUser } from '../../../kernel-ts/mm/usercopy.ts';
import { checkKernel, load, mmOf, store, TestKernel, type TestTask } from '../mm/machine.ts';

const P = 4096;
const B = 0x7000_0000;
const RW = 3;

/** A kernel and a process with a scratch page at 0x1000_0000 for shmctl. */
class Fixture {
  readonly k = new TestKernel(4 << 20);
  task = this.spawn(0);
  readonly buf = 0x1000_0000;

  spawn(uid: number): TestTask {
    const task = this.k.spawn(uid);
    ksysMmapPgoff(this.k, 0x1000_0000, P, RW, 0x32, -1, 0);
    return task;
  }
  as(task: TestTask): void {
    this.task = task;
    this.k.current = task;
  }
  get(key: number, size: number, flag: number): number {
    return sysShmget(this.k, key, size, flag);
  }
  at(id: number, addr: number, flag = 0): number {
    return doShmat(this.k, id, addr, flag);
  }
  dt(addr: number): number {
    return sysShmdt(this.k, addr);
  }
  ctl(id: number, cmd: number, buf = this.buf): number {
    return sysShmctl(this.k, id, cmd, buf);
  }
  view(): DataView {
    const bytes = copyFromUser(this.k, mmOf(this.task), this.buf, 128);
    if (typeof bytes === 'number') throw new Error('buf');
    return new DataView(bytes.buffer);
  }
  nattch(id: number): number {
    const result = this.ctl(id, IPC_STAT);
    return result < 0 ? result : this.view().getUint32(72, true);
  }
  write(path: string, text: string): number {
    return writeGuestFile(this.k, path, new TextEncoder().encode(text), 0o644);
  }
  read(path: string): string {
    const bytes = readGuestFile(this.k, path);
    return typeof bytes === 'number' ? String(bytes) : new TextDecoder().decode(bytes);
  }
  protect(addr: number, pages: number, prot: number): number {
    return doMprotect(this.k, mmOf(this.task), addr, pages * P, prot);
  }
  unmap(addr: number, pages: number): number {
    return doMunmap(this.k, mmOf(this.task), addr, pages * P);
  }
}

describe('shmget', () => {
  test('finds, creates and refuses in the order of Linux [K]', () => {
    const f = new Fixture();
    expect(f.get(0x77, 3 * P, 0)).toBe(-ENOENT);
    const id = f.get(0x77, P, IPC_CREAT | IPC_EXCL);
    expect(id).toBe(0);
    expect(f.get(0x77, 3 * P, IPC_CREAT | IPC_EXCL)).toBe(-EEXIST);
    f.as(f.spawn(1001));
    expect(f.get(0x77, 3 * P, 0o600)).toBe(-EINVAL);
    expect(f.get(0x77, P, 0o600)).toBe(-EACCES);
    expect(f.get(0x77, P, 0)).toBe(id);
    expect(f.get(0x77, 0, 0)).toBe(id);
    expect(f.get(0x77, P, 0o4)).toBe(-EACCES);
    expect(f.ctl(id, IPC_RMID)).toBe(-EPERM);
    expect(f.ctl(id, IPC_STAT)).toBe(-EACCES);
    expect(f.ctl(id, SHM_STAT)).toBe(-EACCES);
    expect(f.ctl(id, SHM_STAT_ANY)).toBe(id);
  });

  test('sizes and limits', () => {
    const f = new Fixture();
    expect(f.get(0x78, 0, IPC_CREAT)).toBe(-EINVAL);
    expect(f.get(0x78, SHMMAX + 1, IPC_CREAT)).toBe(-EINVAL);
    // Within SHMMAX but more than RAM.
    expect(f.get(0x78, SHMMAX, IPC_CREAT)).toBe(-ENOMEM);
    expect(f.get(0x78, SHMMAX, IPC_CREAT | SHM_NORESERVE)).toBe(0);
    expect(f.get(IPC_PRIVATE, P, SHM_HUGETLB)).toBe(-EINVAL);
    expect(f.write('/proc/sys/kernel/shmmni', '1')).toBe(0);
    expect(f.get(IPC_PRIVATE, P, 0)).toBe(-ENOSPC);
    expect(f.get(IPC_PRIVATE, 0, 0)).toBe(-EINVAL);
    expect(f.write('/proc/sys/kernel/shmmni', '4096')).toBe(0);
    expect(f.write('/proc/sys/kernel/shmall', String(Math.ceil(SHMMAX / P) + 2))).toBe(0);
    expect(f.get(IPC_PRIVATE, 2 * P, 0)).toBe(1);
    expect(f.get(IPC_PRIVATE, 1, 0)).toBe(-ENOSPC);
    expect(f.write('/proc/sys/kernel/shmmax', '100')).toBe(0);
    expect(f.get(IPC_PRIVATE, 101, 0)).toBe(-EINVAL);
    checkKernel(f.k);
  });

  test('a fresh segment is owned by the effective ids, not umasked, and zeroed', () => {
    const f = new Fixture();
    f.as(f.spawn(1000));
    f.k.clock.idle = 7e9;
    const id = f.get(0xdead_beef, 5000, IPC_CREAT | 0o777);
    expect(f.ctl(id, IPC_STAT)).toBe(0);
    const v = f.view();
    expect([
      v.getUint32(0, true),
      v.getUint32(4, true),
      v.getUint32(16, true),
      v.getUint32(20, true),
    ]).toEqual([0xdead_beef, 1000, 1000, 0o777]);
    // segsz, atime, dtime, ctime, cpid, lpid, nattch
    expect([36, 40, 48, 56, 64, 68, 72].map((at) => v.getUint32(at, true))).toEqual([
      5000,
      0,
      0,
      1_000_000_007,
      f.task.pid,
      0,
      0,
    ]);
    const a = f.at(id, 0);
    expect(load(f.k, f.task, a + 4999)).toBe(0);
    // Up to the end of the last page, no further.
    expect(store(f.k, f.task, a + 2 * P - 1, 1)).toBe('ok');
    expect(load(f.k, f.task, a + 2 * P)).toBe('SegvMaperr');
  });

  test('an allocation that fails leaves no segment', () => {
    const f = new Fixture();
    expect(f.get(IPC_PRIVATE, 8 << 20, 0)).toBe(-ENOMEM);
    expect([f.k.ipcNs.shmTot, f.k.ipcNs.shmIds.inUse]).toEqual([0, 0]);
  });
});

describe('shmat and shmdt', () => {
  test('two processes reach the same frame', () => {
    const f = new Fixture();
    const id = f.get(1, P, IPC_CREAT | 0o666);
    const a = f.at(id, 0);
    const one = f.task;
    f.as(f.spawn(1000));
    const b = f.at(id, 0x3000_0000);
    expect(b).toBe(0x3000_0000);
    expect(store(f.k, one, a, 42)).toBe('ok');
    expect(load(f.k, f.task, b)).toBe(42);
    const pfn = (task: TestTask, va: number): number => walkPte(f.k, mmOf(task), va).pte0 >>> 10;
    expect(pfn(one, a)).toBe(pfn(f.task, b));
    const [va, vb] = [mmOf(one).mmap.lookup(a), mmOf(f.task).mmap.lookup(b)];
    expect(va?.vmFile).toBe(vb?.vmFile);
    expect(va === null ? null : shmOfVma(va)?.shmPerm.id).toBe(id);
    expect(f.k.ipcNs.shmIds.entries.get(0)?.shmFile).toBe(va?.vmFile);
    checkKernel(f.k);
    f.k.exit(one);
    f.as(f.task);
    expect(f.nattch(id)).toBe(1);
    f.k.exit(f.task);
    checkKernel(f.k);
  });

  test('addresses: alignment, SHM_RND, SHM_REMAP, overlap [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    expect(f.at(id, 1, SHM_RND)).toBe(0);
    expect(f.nattch(id)).toBe(1);
    expect(f.dt(0)).toBe(0);
    expect(f.at(id, 1, SHM_RND | SHM_REMAP)).toBe(-EINVAL);
    expect(f.at(id, 1)).toBe(-EINVAL);
    expect(f.at(99999, 1)).toBe(-EINVAL);
    expect(f.at(99999, P)).toBe(-EINVAL);
    expect(f.at(-1, 0)).toBe(-EINVAL);
    expect(f.at(id, 0, SHM_REMAP)).toBe(-EINVAL);
    expect(f.at(id, 0xffff_f000)).toBe(-EINVAL);
    expect(f.at(id, 0xf000_0000)).toBe(-ENOMEM);
    expect(f.at(id, 0xf000_0000, SHM_REMAP)).toBe(-ENOMEM);
    expect(f.at(id, B + 123, SHM_RND)).toBe(B);
    expect(f.at(id, B)).toBe(-EINVAL);
    expect(f.at(id, B, SHM_REMAP)).toBe(B);
    expect(f.nattch(id)).toBe(1);
    ksysMmapPgoff(f.k, B - P, 3 * P, RW, 0x32, -1, 0);
    expect(f.nattch(id)).toBe(0);
    expect(f.at(id, B, SHM_REMAP | 0x40)).toBe(B);
    expect([...mmOf(f.task).mmap].filter((v) => v.vmStart >= B - P && v.vmEnd <= B + 2 * P).length).toBe(3);
    f.as(f.spawn(1000));
    const own = f.get(IPC_PRIVATE, P, 0o600);
    expect(f.at(id, 0)).toBe(-EACCES);
    expect(f.at(id, 1, SHM_RND)).toBe(-EACCES);
    expect(f.at(own, 1, SHM_RND)).toBe(-EPERM);
    expect(f.nattch(own)).toBe(0);
    checkKernel(f.k);
  });

  test('rights: r for SHM_RDONLY, r and w, x for SHM_EXEC', () => {
    const f = new Fixture();
    const ids = [0o400, 0o600, 0o500, 0o200].map((mode, i) => {
      return f.get(10 + i, P, IPC_CREAT | (mode >> 6));
    });
    f.as(f.spawn(1000));
    const tries = ids.map((id) => [
      f.at(id, 0, SHM_RDONLY) > 0,
      f.at(id, 0) > 0,
      f.at(id, 0, SHM_RDONLY | SHM_EXEC) > 0,
    ]);
    expect(tries).toEqual([
      [true, false, false],
      [true, true, false],
      [true, false, true],
      [false, false, false],
    ]);
    const r = f.at(ids[0] ?? 0, 0, SHM_RDONLY);
    expect(f.protect(r, 1, RW)).toBe(-EACCES);
    expect(store(f.k, f.task, r, 1)).toBe('SegvAccerr');
    expect(doMadvise(f.k, mmOf(f.task), r, P, MADV_REMOVE)).toBe(-EACCES);
    checkKernel(f.k);
  });

  test('shmdt wants the base, once', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, 2 * P, 0o600);
    f.at(id, B);
    expect([f.dt(B + 1), f.dt(B + P), f.dt(B - P), f.dt(B), f.dt(B)]).toEqual([
      -EINVAL,
      -EINVAL,
      -EINVAL,
      0,
      -EINVAL,
    ]);
    expect(f.nattch(id)).toBe(0);
  });

  test('nattch counts VMAs through mprotect [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, 4 * P, 0o600);
    f.at(id, B);
    f.protect(B + P, 1, PROT_READ);
    expect(f.nattch(id)).toBe(3);
    // A VMA with close() is never merged away.
    f.protect(B + P, 1, RW);
    expect(f.nattch(id)).toBe(3);
    f.protect(B, 1, PROT_READ);
    f.protect(B + P, 1, PROT_READ);
    f.protect(B + 2 * P, 1, PROT_READ);
    f.protect(B, 4, RW);
    expect(f.nattch(id)).toBe(3);
    expect(f.dt(B)).toBe(0);
    expect(f.nattch(id)).toBe(0);
    // But a neighbour may grow at the cost of another that stays.
    f.at(id, B);
    f.protect(B, 1, PROT_READ);
    f.protect(B + P, 1, PROT_READ);
    expect(f.nattch(id)).toBe(2);
    f.protect(B + P, 1, RW);
    expect(f.nattch(id)).toBe(2);
    checkKernel(f.k);
  });

  test('holes, and shmdt at the original base [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, 4 * P, 0o600);
    f.at(id, B);
    f.unmap(B + P, 1);
    expect(f.nattch(id)).toBe(2);
    expect(f.dt(B)).toBe(0);
    expect(f.nattch(id)).toBe(0);
    f.at(id, B);
    f.unmap(B, 1);
    expect(f.dt(B + P)).toBe(-EINVAL);
    expect(f.dt(B)).toBe(0);
    expect(f.nattch(id)).toBe(0);
    f.at(id, B);
    ksysMmapPgoff(f.k, B, 4 * P, RW, 0x32, -1, 0);
    expect(f.nattch(id)).toBe(0);
    checkKernel(f.k);
  });

  test('pieces of another attach of the same segment stay [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, 4 * P, 0o600);
    const C = B + 16 * P;
    const mm = mmOf(f.task);
    f.at(id, B);
    f.at(id, C);
    f.unmap(B + P, 1);
    expect(doMremap(f.k, mm, C + P, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, B + P)).toBe(B + P);
    expect(f.nattch(id)).toBe(5);
    expect([f.dt(B), f.nattch(id)]).toEqual([0, 3]);
    expect([f.dt(B), f.nattch(id)]).toEqual([0, 2]);
    expect([f.dt(C), f.nattch(id)]).toEqual([0, 0]);
    checkKernel(f.k);
  });

  test('mremap grows, moves and duplicates attaches [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, 4 * P, 0o600);
    const mm = mmOf(f.task);
    f.at(id, B);
    expect(doMremap(f.k, mm, B, 4 * P, 8 * P, 0, 0)).toBe(B);
    expect(f.nattch(id)).toBe(1);
    expect(load(f.k, f.task, B + 5 * P)).toBe('SigbusAdrerr');
    f.unmap(B, 1);
    expect([f.dt(B), f.nattch(id), f.dt(B + P)]).toEqual([0, 0, -EINVAL]);
    f.at(id, B);
    const d = doMremap(f.k, mm, B, 0, 4 * P, MREMAP_MAYMOVE, 0);
    expect(f.nattch(id)).toBe(2);
    expect([f.dt(d), f.nattch(id), f.dt(B), f.nattch(id)]).toEqual([0, 1, 0, 0]);
    f.at(id, B);
    const moved = doMremap(f.k, mm, B, 4 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_FIXED, B + 64 * P);
    expect([f.nattch(id), f.dt(B), f.dt(moved), f.nattch(id)]).toEqual([1, -EINVAL, 0, 0]);
    checkKernel(f.k);
  });

  test('MADV_DONTNEED keeps the data, MADV_REMOVE does not', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    const a = f.at(id, 0);
    store(f.k, f.task, a, 9);
    doMadvise(f.k, mmOf(f.task), a, P, MADV_DONTNEED);
    expect(load(f.k, f.task, a)).toBe(9);
    expect(doMadvise(f.k, mmOf(f.task), a, P, MADV_REMOVE)).toBe(0);
    expect(load(f.k, f.task, a)).toBe(0);
    checkKernel(f.k);
  });

  test('fork attaches for the parent, exit detaches for the one that exits', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    f.at(id, B);
    f.k.clock.idle = 3e9;
    const child = f.k.fork(f.task);
    if (child === null) throw new Error('fork failed');
    f.as(f.task);
    expect(f.nattch(id)).toBe(2);
    expect(f.view().getUint32(68, true)).toBe(f.task.pid);
    f.k.exit(child);
    f.as(f.task);
    expect(f.nattch(id)).toBe(1);
    expect([f.view().getUint32(68, true), f.view().getUint32(48, true)]).toEqual([child.pid, 1_000_000_003]);
    checkKernel(f.k);
  });

  test('a fork that runs out of memory gives its attaches back', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    f.at(id, B);
    const a = ksysMmapPgoff(f.k, 0, P, RW, 0x22, -1, 0);
    store(f.k, f.task, a, 1);
    for (let n = 0; n < 2; n++) {
      f.k.memMap.failAfter = n;
      expect(f.k.fork(f.task)).toBeNull();
      f.k.memMap.failAfter = Infinity;
      expect(f.nattch(id)).toBe(1);
      checkKernel(f.k);
    }
  });
});

describe('removal', () => {
  test('waits for the last detach; the key is free at once [K]', () => {
    const f = new Fixture();
    const id = f.get(5, P, IPC_CREAT | 0o600);
    f.at(id, B);
    expect([f.ctl(id, IPC_RMID, 1), f.ctl(id, IPC_RMID, 1)]).toEqual([0, 0]);
    expect(f.get(5, P, 0)).toBe(-ENOENT);
    f.ctl(id, IPC_STAT);
    expect([f.view().getUint32(0, true), f.view().getUint32(20, true)]).toEqual([0, 0o1600]);
    expect(f.get(5, P, IPC_CREAT | 0o600)).not.toBe(id);
    expect(f.at(id, 0)).toBeGreaterThan(0);
    expect(f.nattch(id)).toBe(2);
    // A failing attach changes nothing.
    expect(f.at(id, B)).toBe(-EINVAL);
    expect(f.at(id, B, SHM_REMAP)).toBe(B);
    f.dt(B);
    expect(f.nattch(id)).toBe(1);
    f.k.exit(f.task);
    f.as(f.spawn(0));
    expect(f.nattch(id)).toBe(-EINVAL);
    expect(f.at(id, 0)).toBe(-EINVAL);
    checkKernel(f.k);
  });

  test('SHM_REMAP over the only attach of a segment marked for destruction [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    f.at(id, B);
    f.ctl(id, IPC_RMID);
    expect([f.at(id, B, SHM_REMAP), f.nattch(id), f.dt(B), f.nattch(id)]).toEqual([B, 1, 0, -EINVAL]);
    expect(f.k.ipcNs.shmTot).toBe(0);
    checkKernel(f.k);
  });

  test('shm_rmid_forced [K]', () => {
    const f = new Fixture();
    expect(f.write('/proc/sys/kernel/shm_rmid_forced', '2')).toBe(-EINVAL);
    expect(f.write('/proc/sys/kernel/shm_rmid_forced', '1\n')).toBe(0);
    const a = f.get(IPC_PRIVATE, P, 0o600);
    expect(f.nattch(a)).toBe(0);
    ksysMmapPgoff(f.k, B, P, RW, 0x32, -1, 0);
    // A failing attach counts as the last detach.
    expect([f.at(a, B), f.nattch(a)]).toEqual([-EINVAL, -EINVAL]);
    const b = f.get(IPC_PRIVATE, P, 0o600);
    f.at(b, B + P);
    expect([f.dt(B + P), f.nattch(b)]).toEqual([0, -EINVAL]);
    const c = f.get(IPC_PRIVATE, P, 0o600);
    const creator = f.task;
    f.k.exit(creator);
    exitShm(f.k, creator);
    f.as(f.spawn(0));
    expect(f.nattch(c)).toBe(-EINVAL);
    // Orphans of the time before go when it is switched on.
    f.write('/proc/sys/kernel/shm_rmid_forced', '0');
    const d = f.get(IPC_PRIVATE, P, 0o600);
    exitShm(f.k, f.task);
    f.as(f.spawn(0));
    const kept = f.get(IPC_PRIVATE, P, 0o600);
    expect(f.nattch(d)).toBe(0);
    f.write('/proc/sys/kernel/shm_rmid_forced', '1');
    expect([f.nattch(d), f.nattch(kept)]).toEqual([-EINVAL, 0]);
    checkKernel(f.k);
  });

  test('an attach holds its namespace, and the last one takes all segments along', () => {
    const f = new Fixture();
    f.get(1, P, IPC_CREAT);
    f.at(f.get(2, P, IPC_CREAT), B);
    // Its only task leaves it.
    putIpcNs(f.k, f.k.ipcNs);
    expect([f.k.ipcNs.shmIds.inUse, f.k.ipc.namespaces.size]).toEqual([2, 1]);
    f.k.exit(f.task);
    expect([f.k.ipcNs.shmIds.inUse, f.k.ipc.namespaces.size, f.k.ipcNs.shmTot]).toEqual([0, 0, 0]);
    expect(f.k.memMap.freeFrames).toBe(f.k.memMap.totalFrames);
  });
});

describe('shmctl', () => {
  test('precedence of errors [K]', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    // musl's own constant, which its shmctl never lets through.
    expect(f.ctl(id, IPC_STAT | 0x100, 1)).toBe(-EFAULT);
    expect(f.ctl(id, IPC_RMID | 0x100, 1)).toBe(-EINVAL);
    expect(f.ctl(id, IPC_STAT, 1)).toBe(-EFAULT);
    expect(f.ctl(id, IPC_SET, 1)).toBe(-EFAULT);
    expect(f.ctl(99999, IPC_SET, 1)).toBe(-EFAULT);
    expect(f.ctl(99999, IPC_STAT, 1)).toBe(-EINVAL);
    expect(f.ctl(-1, IPC_INFO, 1)).toBe(-EINVAL);
    expect(f.ctl(0, IPC_INFO, 1)).toBe(-EFAULT);
    expect(f.ctl(0, SHM_INFO, 1)).toBe(-EFAULT);
    expect(f.ctl(0, -1, 1)).toBe(-EINVAL);
    expect(f.ctl(id, 77, 1)).toBe(-EINVAL);
    expect(f.ctl(5, SHM_STAT)).toBe(-EINVAL);
  });

  test('IPC_SET changes owner, mode and ctime alone', () => {
    const f = new Fixture();
    f.as(f.spawn(1000));
    const id = f.get(IPC_PRIVATE, P, 0o600);
    f.ctl(id, IPC_STAT);
    const bytes = copyFromUser(f.k, mmOf(f.task), f.buf, 84);
    if (typeof bytes === 'number') throw new Error('buf');
    const v = new DataView(bytes.buffer);
    v.setUint32(4, 2000, true);
    v.setUint32(12, 3000, true);
    v.setUint32(20, 0o7640, true);
    v.setUint32(36, 1, true);
    copyToUser(f.k, mmOf(f.task), f.buf, bytes);
    f.k.clock.idle = 5e9;
    expect(f.ctl(id, IPC_SET)).toBe(0);
    f.ctl(id, IPC_STAT);
    expect([4, 12, 20, 36, 56].map((at) => f.view().getUint32(at, true))).toEqual([
      2000,
      1000,
      0o640,
      P,
      1_000_000_005,
    ]);
    v.setUint32(4, 0xffff_ffff, true);
    copyToUser(f.k, mmOf(f.task), f.buf, bytes);
    expect(f.ctl(id, IPC_SET)).toBe(-EINVAL);
    f.as(f.spawn(3000));
    expect(f.ctl(id, IPC_SET)).toBe(-EPERM);
    expect(f.ctl(id, SHM_LOCK)).toBe(-EPERM);
    f.as(f.spawn(2000));
    expect(f.ctl(id, IPC_RMID)).toBe(0);
  });

  test('IPC_INFO and SHM_INFO [K]', () => {
    const f = new Fixture();
    expect([f.ctl(0, IPC_INFO), f.ctl(0, SHM_INFO)]).toEqual([0, 0]);
    for (let i = 0; i < 6; i++) f.get(IPC_PRIVATE, 5000, 0o600);
    store(f.k, f.task, f.at(3, 0), 1);
    f.as(f.spawn(1000));
    expect(f.ctl(0, IPC_INFO)).toBe(5);
    const info = f.view();
    expect([0, 4, 8, 12, 16].map((at) => info.getUint32(at, true))).toEqual([
      0xfeff_ffff, 1, 4096, 4096, 0xfeff_ffff,
    ]);
    expect(f.ctl(0, SHM_INFO)).toBe(5);
    const used = f.view();
    expect([0, 4, 8].map((at) => used.getUint32(at, true))).toEqual([6, 12, 1]);
  });

  test('SHM_STAT by index; a full id works by its index bits [K]', () => {
    const f = new Fixture();
    f.k.ipcNs.shmIds.nextId = 3 * 32768 + 6;
    const id = f.get(IPC_PRIVATE, P, 0o600);
    expect(id).toBe(98310);
    expect([f.ctl(6, SHM_STAT), f.ctl(id, SHM_STAT), f.ctl(6, SHM_STAT_ANY)]).toEqual([id, id, id]);
    expect(f.view().getUint16(24, true)).toBe(3);
    expect(f.write('/proc/sys/kernel/shm_next_id', '98310')).toBe(0);
    expect(f.get(IPC_PRIVATE, P, 0o600)).toBe(98311);
    expect(f.write('/proc/sys/kernel/shm_next_id', '-1')).toBe(-EINVAL);
    expect(f.write('/proc/sys/kernel/shm_next_id', 'x')).toBe(-EINVAL);
    expect(f.read('/proc/sys/kernel/shm_next_id')).toBe('-1\n');
    expect(f.get(IPC_PRIVATE, P, 0o600)).toBe(0);
  });

  test('SHM_LOCK is bounded per user [K]', () => {
    const f = new Fixture();
    const foreign = f.get(IPC_PRIVATE, P, 0o666);
    expect([f.ctl(foreign, SHM_UNLOCK), f.ctl(foreign, SHM_LOCK), f.ctl(foreign, SHM_LOCK)]).toEqual([
      0, 0, 0,
    ]);
    f.ctl(foreign, IPC_STAT);
    expect(f.view().getUint32(20, true)).toBe(0o2666);
    f.as(f.spawn(1000));
    const { rlim } = f.task;
    expect(f.ctl(foreign, SHM_UNLOCK)).toBe(-EPERM);
    rlim[RLIMIT_MEMLOCK] = { rlimCur: 0, rlimMax: 8 << 20 };
    const m = f.get(IPC_PRIVATE, 3 * P, 0o600);
    const n = f.get(IPC_PRIVATE, 2 * P, 0o600);
    expect([f.ctl(m, SHM_LOCK), f.ctl(m, SHM_UNLOCK)]).toEqual([-EPERM, 0]);
    rlim[RLIMIT_MEMLOCK] = { rlimCur: 4 * P, rlimMax: 8 << 20 };
    expect([f.ctl(m, SHM_LOCK), f.ctl(n, SHM_LOCK)]).toEqual([0, -ENOMEM]);
    expect([f.ctl(m, SHM_UNLOCK), f.ctl(n, SHM_LOCK), f.ctl(n, IPC_RMID)]).toEqual([0, 0, 0]);
    expect([f.ctl(m, SHM_LOCK), f.ctl(m, IPC_RMID)]).toEqual([0, 0]);
    expect(f.k.ipc.lockedShm.size).toBe(1);
  });
});

describe('/proc', () => {
  test('sysvipc/shm has the columns of a 32-bit kernel', () => {
    const f = new Fixture();
    const id = f.get(0x1234, 5000, IPC_CREAT | 0o640);
    store(f.k, f.task, f.at(id, 0), 1);
    const [head = '', line = ''] = f.read('/proc/sysvipc/shm').split('\n');
    expect(head).toBe(
      '       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime        rss       swap',
    );
    expect(line).toBe(
      `      4660          0   640       5000  ${f.task.pid}  ${f.task.pid}      1     0     0     0     0 1000000000          0 1000000000       4096          0`,
    );
  });

  test('limits are shown and set', () => {
    const f = new Fixture();
    expect(
      ['shmmax', 'shmall', 'shmmni', 'shm_rmid_forced', 'shm_next_id'].map((n) =>
        f.read(`/proc/sys/kernel/${n}`),
      ),
    ).toEqual(['4278190079\n', '4278190079\n', '4096\n', '0\n', '-1\n']);
    expect([f.write('/proc/sys/kernel/shmmax', '-5'), f.write('/proc/sys/kernel/shmmni', '40000')]).toEqual([
      -EINVAL,
      -EINVAL,
    ]);
    f.as(f.spawn(1000));
    expect(f.write('/proc/sys/kernel/shmmni', '1')).toBe(-EACCES);
  });

  test('maps shows the id as inode', () => {
    const f = new Fixture();
    f.k.ipcNs.shmIds.nextId = 65537;
    const a = f.at(f.get(0x1f, P, IPC_CREAT | 0o600), B, SHM_RDONLY);
    const vma = mmOf(f.task).mmap.lookup(a);
    expect(vma === null ? '' : mapsLine(vma)).toBe(
      '70000000-70001000 r--s 00000000 00:01 65537      /SYSV0000001f (deleted)\n',
    );
  });
});

describe('scale', () => {
  test('the cost of an attach does not depend on how many there are', () => {
    const f = new Fixture();
    f.k.vm.maxMapCount = 200_000;
    const id = f.get(IPC_PRIVATE, P, 0o600);
    const addresses: number[] = [];
    const batch = (n: number): number => {
      const start = performance.now();
      for (let i = 0; i < n; i++) addresses.push(f.at(id, 0));
      return (performance.now() - start) / n;
    };
    batch(2000);
    const few = batch(5000);
    batch(80_000);
    const many = batch(5000);
    expect(f.k.ipcNs.shmIds.entries.get(0)?.shmNattch).toBe(92_000);
    for (const address of addresses.slice(0, 5000)) expect(f.dt(address)).toBe(0);
    // A linear search would be a thousand times slower; noise is not.
    expect(many).toBeLessThan(few * 20 + 0.1);
    f.k.exit(f.task);
    expect(f.k.ipcNs.shmIds.entries.get(0)?.shmNattch).toBe(0);
  });

  test('hundreds of processes on one segment', () => {
    const f = new Fixture();
    const id = f.get(IPC_PRIVATE, P, 0o600);
    const a = f.at(id, B);
    store(f.k, f.task, a, 1);
    const parent = f.task;
    const children = Array.from({ length: 300 }, () => f.k.fork(parent));
    const page = f.k.ipcNs.shmIds.entries.get(0)?.shmFile.fInode.iMapping.iPages.get(0) ?? 0;
    for (const child of children) if (child !== null) expect(load(f.k, child, B)).toBe(1);
    expect([
      pageMapcount(f.k.memMap, page),
      pageCount(f.k.memMap, page),
      f.k.ipcNs.shmIds.entries.get(0)?.shmNattch,
    ]).toEqual([301, 302, 301]);
    for (const child of children) if (child !== null) f.k.exit(child);
    f.as(parent);
    expect(f.nattch(id)).toBe(1);
    checkKernel(f.k);
  });
});
