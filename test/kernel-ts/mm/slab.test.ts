import { expect, test } from 'vitest';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../../kernel-ts/abi/mman.ts';
import { IPC_PRIVATE } from '../../../kernel-ts/abi/ipc.ts';
import { doShmat, sysShmdt, sysShmget } from '../../../kernel-ts/ipc/shm.ts';
import { doMmap, doMunmap } from '../../../kernel-ts/mm/mmap.ts';
import { vmAreaInit, type VmArea } from '../../../kernel-ts/mm/vma.ts';
import { checkKernel, mmOf, TestKernel } from './machine.ts';

const RW = PROT_READ | PROT_WRITE;
const P = 4096;

/** Every area that is linked is none of the free ones, and those hold nothing. */
function checkFree(k: TestKernel): void {
  const { freeAreas, maxFreeAreas, mapleNodes } = k.slab;
  expect(freeAreas.length).toBeLessThanOrEqual(maxFreeAreas);
  expect(mapleNodes.free.length).toBeLessThanOrEqual(mapleNodes.limit);
  const free = new Set<VmArea>(freeAreas);
  expect(free.size).toBe(freeAreas.length);
  for (const task of k.tasks) for (const vma of task.mm?.mmap ?? []) expect(free.has(vma)).toBe(false);
  for (const vma of freeAreas) {
    const { vmMm, vmFile, vmOps, vmPrivateData, anonVma, mappingPrev, mappingNext } = vma;
    const held = [vmMm, vmFile, vmOps, vmPrivateData, anonVma, mappingPrev, mappingNext];
    expect(held.every((what) => what === null)).toBe(true);
  }
  for (const { parent, prev, next, count, slots } of mapleNodes.free) {
    expect([parent, prev, next, count]).toEqual([null, null, null, 0]);
    expect(new Set(slots)).toEqual(new Set([null]));
  }
}

test('an area that was freed is the next one, with nothing of what it was', () => {
  const k = new TestKernel(1 << 20);
  const task = k.spawn();
  const mm = mmOf(task);
  const id = sysShmget(k, IPC_PRIVATE, P, 0o600);
  const at = doShmat(k, id, 0, 0);
  const attach = mm.mmap.find(at);
  expect(sysShmdt(k, at)).toBe(0);
  expect(k.slab.freeAreas).toEqual([attach]);
  checkFree(k);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(k, mm, null, 0x9000_0000, 2 * P, RW, flags, 0)).toBe(0x9000_0000);
  const next = mm.mmap.find(0x9000_0000);
  expect(next).toBe(attach);
  expect(next).toMatchObject({ vmStart: 0x9000_0000, vmEnd: 0x9000_2000, vmFile: null, vmOps: null });
  expect(next).toMatchObject({ vmPgoff: 0x90000, vmPrivateData: null, anonVma: null, vmMm: mm });
  expect(k.slab.freeAreas).toEqual([]);
  checkKernel(k);
});

test('a program that maps and unmaps leaves no more free areas and nodes than their limits', () => {
  const k = new TestKernel(1 << 20);
  const mm = mmOf(k.spawn());
  const id = sysShmget(k, IPC_PRIVATE, P, 0o600);
  const count = k.slab.maxFreeAreas + 100;
  for (let round = 0; round < 2; round++) {
    const first = mm.mmap.size;
    for (let i = 0; i < count; i++) expect(doShmat(k, id, 0x1000_0000 + i * 2 * P, 0)).toBeGreaterThan(0);
    expect(mm.mmap.size).toBe(first + count);
    checkFree(k);
    if (round === 0) doMunmap(k, mm, 0x1000_0000, count * 2 * P);
    else for (let i = 0; i < count; i++) sysShmdt(k, 0x1000_0000 + i * 2 * P);
    expect(k.slab.freeAreas.length).toBe(k.slab.maxFreeAreas);
    checkFree(k);
    checkKernel(k);
  }
});

test('a new area is made when none is free', () => {
  const k = new TestKernel(1 << 20);
  const mm = mmOf(k.spawn());
  const vma = vmAreaInit(k, mm, 0x80000, 0x80001, 3, 7);
  expect(vma).toMatchObject({ vmStart: 0x8000_0000, vmEnd: 0x8000_1000, vmFlags: 3, vmPgoff: 7, vmMm: mm });
});
