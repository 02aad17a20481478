/**
 * A kernel without an emulator for the tests of mm, fs and ipc: RAM is a plain array, the TLB a map that caches as eagerly as the
 * architecture permits, so that a forgotten flush shows.
 */
import { expect } from 'vitest';
import {
  FMODE_READ,
  FMODE_WRITE,
  FilesStruct,
  type File,
  type FsStruct,
} from '../../../kernel-ts/fs/file.ts';
import { initFsStruct, vfsInit, vfsPopulate } from '../../../kernel-ts/fs/init.ts';
import { registerProc } from '../../../kernel-ts/fs/proc.ts';
import { FS_PROC_ROWS, recountTotalVm } from '../../../kernel-ts/fs/procRows.ts';
import { SMAPS_PROC_ROWS } from '../../../kernel-ts/fs/procSmaps.ts';
import { hostStreamFile } from '../../../kernel-ts/fs/devices.ts';
import { seedRandom } from '../../../kernel-ts/fs/random.ts';
import type { HostIo, VfsState } from '../../../kernel-ts/fs/context.ts';
import {
  type IpcContext,
  type IpcNamespace,
  type IpcState,
  type IpcTask,
} from '../../../kernel-ts/ipc/namespace.ts';
import { initIpcState } from '../../../kernel-ts/ipc/ipcNs.ts';
import { IPC_PROC_ROWS } from '../../../kernel-ts/ipc/procRows.ts';
import { shmOfVma } from '../../../kernel-ts/ipc/shm.ts';
import { initRlimits } from '../../../kernel-ts/abi/resource.ts';
import { initVmSysctl, type PhysicalMemory, type TlbControl } from '../../../kernel-ts/mm/context.ts';
import { makeCred, type Cred } from '../../../kernel-ts/mm/cred.ts';
import { doPageFault, ptePermits } from '../../../kernel-ts/mm/memory.ts';
import { getMmRss, mmSatp, type MmStruct } from '../../../kernel-ts/mm/mm.ts';
import { archPickMmapLayout, dupMm, mmAlloc, mmput } from '../../../kernel-ts/mm/mmLife.ts';
import { iMmapHas } from '../../../kernel-ts/mm/addressSpace.ts';
import {
  memMapInit,
  pageCount,
  pageFlags,
  pageIndex,
  pageMapcount,
  pageMapping,
  PG_ANON,
  PG_TABLE,
  type MemMap,
} from '../../../kernel-ts/mm/page.ts';
import {
  forEachPte,
  pgdOffset,
  PTE_A,
  PTE_D,
  PTE_G,
  PTE_U,
  PTE_V,
  PTE_W,
  ptePfn,
  pteOffset,
} from '../../../kernel-ts/mm/pgtable.ts';
import type { Sembuf, SemQueue, SemUndoList } from '../../../kernel-ts/ipc/sem.ts';
import type { ShmidKernel } from '../../../kernel-ts/ipc/shm.ts';
import { initSlab, type SlabState } from '../../../kernel-ts/mm/slab.ts';
import { recountLockedVm } from '../../../kernel-ts/mm/mlock.ts';
import { FaultCode, VM_SHARED, type Access } from '../../../kernel-ts/mm/vma.ts';
import type { WaitQueue } from '../../../kernel-ts/process/waitQueue.ts';

export const RAM_BASE = 0x8000_0000;

export class FlatMemory implements PhysicalMemory {
  readonly base = RAM_BASE;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.size = size;
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  contains(pa: number, len = 1): boolean {
    const address = pa >>> 0;
    return address >= this.base && address + len <= this.base + this.size;
  }

  #at(pa: number, len: number): number {
    if (!this.contains(pa, len)) throw new RangeError(`physical address 0x${pa.toString(16)}`);
    return (pa >>> 0) - this.base;
  }

  read8(pa: number): number {
    return this.#view.getUint8(this.#at(pa, 1));
  }
  read16(pa: number): number {
    return this.#view.getUint16(this.#at(pa, 2), true);
  }
  read32(pa: number): number {
    return this.#view.getUint32(this.#at(pa, 4), true);
  }
  gather32(addresses: Int32Array, count: number, words: Int32Array): void {
    for (let n = 0; n < count; n++) words[n] = this.read32(addresses[n] as number);
  }
  zeroWords(pa: number, count: number): number {
    let n = 0;
    while (n < count && this.read32(pa + 4 * n) === 0) n++;
    return n;
  }
  write8(pa: number, value: number): void {
    this.#view.setUint8(this.#at(pa, 1), value);
  }
  write16(pa: number, value: number): void {
    this.#view.setUint16(this.#at(pa, 2), value, true);
  }
  write32(pa: number, value: number): void {
    this.#view.setUint32(this.#at(pa, 4), value, true);
  }
  readInto(pa: number, len: number, target: Uint8Array, at: number): void {
    target.set(this.view(pa, len), at);
  }

  readBytes(pa: number, len: number): Uint8Array {
    return this.view(pa, len).slice();
  }
  view(pa: number, len: number): Uint8Array {
    const at = this.#at(pa, len);
    return this.bytes.subarray(at, at + len);
  }
  writeBytes(pa: number, src: Uint8Array): void {
    this.bytes.set(src, this.#at(pa, src.length));
  }
  zero(pa: number, len: number): void {
    const at = this.#at(pa, len);
    this.bytes.fill(0, at, at + len);
  }
  copy(dst: number, src: number, len: number): void {
    const from = this.#at(src, len);
    this.bytes.copyWithin(this.#at(dst, len), from, from + len);
  }
}

/** Caches every translation that was used, until it is told to forget. */
export class FakeTlb implements TlbControl {
  retired = 0;
  readonly cached = new Map<number, Map<number, number>>();

  of(satp: number): Map<number, number> {
    let map = this.cached.get(satp);
    if (map === undefined) this.cached.set(satp, (map = new Map()));
    return map;
  }
  flushTlbPage(satp: number, va: number): void {
    this.cached.get(satp)?.delete(va >>> 12);
  }
  flushTlbAll(satp: number): void {
    this.cached.delete(satp);
  }
  dropAddressSpace(satp: number): void {
    this.cached.delete(satp);
  }
}

/** The host's ends of the streams, by number. */
export class TestStreams implements HostIo {
  readonly written = new Map<number, number[]>();
  readonly input = new Map<number, number[]>();

  write(stream: number, bytes: Uint8Array): void {
    const list = this.written.get(stream) ?? [];
    list.push(...bytes);
    this.written.set(stream, list);
  }
  read(stream: number, max: number): Uint8Array | null {
    const list = this.input.get(stream) ?? [];
    return list.length === 0 ? null : Uint8Array.from(list.splice(0, max));
  }
  text(stream: number): string {
    return new TextDecoder().decode(Uint8Array.from(this.written.get(stream) ?? []));
  }
}

export class TestTask implements IpcTask {
  readonly pid: number;
  readonly tgid: number;
  readonly comm = 'test';
  cred: Cred;
  readonly rlim = initRlimits();
  mm: MmStruct | null = null;
  files: FilesStruct = new FilesStruct();
  fs: FsStruct;
  ipcNs: IpcNamespace;
  shmClist: ShmidKernel | null = null;
  shmClistLast: ShmidKernel | null = null;
  undoList: SemUndoList | null = null;
  fastSops: readonly [Sembuf] | null = null;
  semQueue: SemQueue | null = null;

  constructor(pid: number, cred: Cred, fs: FsStruct, ipcNs: IpcNamespace) {
    this.pid = pid;
    this.tgid = pid;
    this.cred = cred;
    this.fs = fs;
    this.ipcNs = ipcNs;
  }
}

export class TestKernel implements IpcContext {
  readonly ram: FlatMemory;
  readonly hart = new FakeTlb();
  readonly memMap: MemMap;
  readonly slab: SlabState;
  readonly clock = { epoch: 1_000_000_000, idle: 0 };
  readonly vm = initVmSysctl();
  readonly vfs: VfsState;
  readonly random = seedRandom(1);
  readonly streams = new TestStreams();
  readonly wakeQueues: WaitQueue[] = [];
  readonly ipc: IpcState;
  readonly ipcNs: IpcNamespace;
  readonly tasks: TestTask[] = [];
  current: TestTask;

  constructor(ramBytes: number) {
    this.ram = new FlatMemory(ramBytes);
    this.memMap = memMapInit(this.ram);
    this.slab = initSlab(ramBytes);
    const now = { tvSec: this.clock.epoch, tvNsec: 0 };
    ({ ipc: this.ipc, ipcNs: this.ipcNs } = initIpcState());
    this.vfs = vfsInit(now);
    this.current = new TestTask(1, makeCred(0, 0), initFsStruct(this.vfs), this.ipcNs);
    vfsPopulate(this, now);
    registerProc(this.vfs.proc, () => [...FS_PROC_ROWS, ...SMAPS_PROC_ROWS, ...IPC_PROC_ROWS]);
    this.vfs.proc.tasks = {
      pids: () => this.tasks.map((task) => task.pid),
      find: (_ctx, pid) => this.tasks.find((task) => task.pid === pid) ?? null,
    };
  }

  /** A process with an empty address space; becomes current. */
  spawn(uid = 0): TestTask {
    const task = new TestTask(
      1001 + this.tasks.length,
      makeCred(uid, uid),
      initFsStruct(this.vfs),
      this.ipcNs,
    );
    this.current = task;
    const mm = mmAlloc(this);
    if (typeof mm === 'number') throw new Error('no memory for a test task');
    task.mm = mm;
    archPickMmapLayout(this, mm);
    this.tasks.push(task);
    return task;
  }

  /** fork(2) of memory alone. Null: ENOMEM. */
  fork(parent: TestTask): TestTask | null {
    this.current = parent;
    const mm = dupMm(this, mmOf(parent));
    if (typeof mm === 'number') return null;
    const child = new TestTask(1001 + this.tasks.length, parent.cred, { ...parent.fs }, this.ipcNs);
    child.mm = mm;
    this.tasks.push(child);
    return child;
  }

  exit(task: TestTask): void {
    this.current = task;
    if (task.mm !== null) mmput(this, task.mm);
    task.mm = null;
  }

  stream(stream: number, write: boolean): File {
    return hostStreamFile(this, stream, write ? FMODE_WRITE : FMODE_READ);
  }
}

export function mmOf(task: TestTask): MmStruct {
  if (task.mm === null) throw new Error('the task has exited');
  return task.mm;
}

/** Physical address of a user byte through the TLB, faulting as a program would; or why not. */
export function translate(
  k: TestKernel,
  task: TestTask,
  va: number,
  access: Access,
): number | { fault: FaultCode } {
  const mm = mmOf(task);
  const tlb = k.hart.of(mmSatp(mm));
  const vpn = Math.floor(va / 4096);
  k.current = task;
  for (let round = 0; round < 4; round++) {
    const cached = tlb.get(vpn);
    if (
      cached !== undefined &&
      ptePermits(cached, access) &&
      (access !== 'write' || (cached & PTE_D) !== 0)
    ) {
      return ptePfn(cached) * 4096 + (va % 4096);
    }
    const address = pteOffset(k, mm, va);
    const pte = address === 0 ? 0 : k.ram.read32(address);
    if (ptePermits(pte, access)) {
      const used = (pte | PTE_A | (access === 'write' ? PTE_D : 0)) >>> 0;
      k.ram.write32(address, used);
      k.hart.of(mmSatp(mm)).set(vpn, used);
      return ptePfn(used) * 4096 + (va % 4096);
    }
    const fault = doPageFault(k, mm, va, access);
    if (fault !== FaultCode.Handled) return { fault };
  }
  throw new Error('the fault does not help');
}

/** lb: the byte, or the name of the fault. */
export function load(k: TestKernel, task: TestTask, va: number): number | string {
  const pa = translate(k, task, va, 'read');
  return typeof pa === 'number' ? k.ram.read8(pa) : faultName(pa.fault);
}

/** sb: 'ok', or the name of the fault. */
export function store(k: TestKernel, task: TestTask, va: number, value: number): string {
  const pa = translate(k, task, va, 'write');
  if (typeof pa !== 'number') return faultName(pa.fault);
  k.ram.write8(pa, value);
  return 'ok';
}

export function faultName(code: FaultCode): string {
  return Object.entries(FaultCode).find(([, value]) => value === code)?.[0] ?? '?';
}

/** Recounts what is counted. Extra references (open files of a test) are not looked at; page counts must be exact. */
export function checkKernel(k: TestKernel): void {
  const ptes = new Map<number, number>();
  const tables = new Map<number, number>();
  const attaches = new Map<unknown, number>();
  const count = (map: Map<number, number>, key: number): void => void map.set(key, (map.get(key) ?? 0) + 1);
  for (const task of k.tasks) {
    const { mm } = task;
    if (mm === null) continue;
    let rss = 0;
    let level0 = 0;
    count(tables, mm.pgd);
    for (let slot = 0; slot < 1024; slot++) {
      const pte1 = k.ram.read32(pgdOffset(mm, slot * 0x40_0000));
      if (pte1 === 0) continue;
      expect(pte1 & 0x3ff).toBe(PTE_V);
      count(tables, ptePfn(pte1));
      level0++;
    }
    expect(mm.pgtables).toBe(level0);
    forEachPte(k, mm, 0, 2 ** 32, (va, _address, pte) => {
      count(ptes, ptePfn(pte));
      if (ptePfn(pte) !== k.vm.zeroPage) rss++;
      const vma = mm.mmap.lookup(va);
      if (vma === null) throw new Error(`PTE of 0x${va.toString(16)} outside any VMA`);
      if ((pte & PTE_V) !== 0) expect(pte & (PTE_U | PTE_G)).toBe(PTE_U);
      const page = ptePfn(pte);
      if ((vma.vmFlags & VM_SHARED) !== 0)
        expect(pageMapping(k.memMap, page)).toBe(vma.vmFile?.fInode.iMapping);
      if ((pte & PTE_W) !== 0 && (pageFlags(k.memMap, page) & PG_ANON) !== 0)
        expect(pageCount(k.memMap, page)).toBe(1);
    });
    expect(getMmRss(mm)).toBe(rss);
    expect(mm.totalVm).toBe(recountTotalVm(mm));
    expect(mm.lockedVm).toBe(recountLockedVm(mm));
    let before = 0;
    let size = 0;
    for (const vma of mm.mmap) {
      expect(vma.vmStart).toBeGreaterThanOrEqual(before);
      expect(vma.vmEnd).toBeGreaterThan(vma.vmStart);
      before = vma.vmEnd;
      size++;
      const shp = shmOfVma(vma);
      if (shp !== null) attaches.set(shp, (attaches.get(shp) ?? 0) + 1);
      if (vma.vmFile !== null) expect(iMmapHas(vma.vmFile.fInode.iMapping, vma)).toBe(true);
    }
    expect(mm.mmap.size).toBe(size);
    checkTlb(k, mm);
  }
  let free = k.memMap.totalFrames;
  const { memMap } = k;
  for (let page = memMap.firstPfn; page < memMap.firstPfn + memMap.totalFrames; page++) {
    const mapped = ptes.get(page) ?? 0;
    const asTable = tables.get(page) ?? 0;
    const mapping = pageMapping(memMap, page);
    const held = mapping !== null || page === k.vm.zeroPage ? 1 : 0;
    const counts = [pageMapcount(memMap, page), pageCount(memMap, page)];
    if (counts[0] !== mapped || counts[1] !== mapped + asTable + held)
      expect([page, ...counts]).toEqual([page, mapped, mapped + asTable + held]);
    if (asTable > 0) expect([pageFlags(memMap, page), asTable, mapped]).toEqual([PG_TABLE, 1, 0]);
    if (mapping !== null) expect(mapping.iPages.get(pageIndex(memMap, page))).toBe(page);
    if (pageCount(memMap, page) > 0) free--;
  }
  expect(k.memMap.freeFrames).toBe(free);
  for (const shp of k.ipcNs.shmIds.entries.values()) expect(shp.shmNattch).toBe(attaches.get(shp) ?? 0);
}

/** What the TLB still believes must be in the tables. */
function checkTlb(k: TestKernel, mm: MmStruct): void {
  for (const [vpn, cached] of k.hart.cached.get(mmSatp(mm)) ?? []) {
    const address = pteOffset(k, mm, vpn * 4096);
    const pte = address === 0 ? 0 : k.ram.read32(address);
    expect(ptePfn(pte)).toBe(ptePfn(cached));
    // No right in the TLB that the table does not give.
    expect(cached & ~pte & (PTE_V | PTE_W)).toBe(0);
  }
}
