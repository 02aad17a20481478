import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  forEachPte,
  freePgtables,
  mkPte,
  nextPte,
  PGDIR_SIZE,
  PTE_PROT_NONE,
  PTE_R,
  PTE_V,
  PTE_W,
  PTE_X,
  pteAfter,
  pteAlloc,
  pteClear,
  ptePfn,
  pteOffset,
  setPte,
  vmPageProt,
  USER_PGTABLES_CEILING,
  walkPte,
} from '../../../kernel-ts/mm/pgtable.ts';
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../../../kernel-ts/mm/vma.ts';
import { mmOf, TestKernel } from './machine.ts';

const page = fc.integer({ min: 0, max: 0x9dbff }).map((vpn) => vpn * 4096);

describe('Sv32 tables', () => {
  test('hold what was put in, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(page, { maxLength: 30 }), fc.nat(), (pages, salt) => {
        const k = new TestKernel(1 << 20);
        const mm = mmOf(k.spawn());
        const free = k.memMap.freeFrames;
        const model = new Map<number, number>();
        pages.forEach((va, i) => {
          const pte = mkPte(0x8_0000 + ((salt + i) & 0xff), PTE_V | PTE_R);
          setPte(k, pteAlloc(k, mm, va), pte);
          model.set(va, pte);
        });
        const slots = new Set(pages.map((va) => Math.floor(va / PGDIR_SIZE)));
        expect(mm.pgtables).toBe(slots.size);
        const seen = new Map<number, number>();
        forEachPte(k, mm, 0, 2 ** 32, (va, address, pte) => {
          seen.set(va, pte);
          expect(address).toBe(pteOffset(k, mm, va));
        });
        expect(seen).toEqual(model);
        // By address, as the MMU walks: level 1 by bits 31..22, level 0 by bits 21..12.
        expect([...seen.keys()]).toEqual([...model.keys()].sort((a, b) => a - b));
        for (const [va, pte] of model) {
          const walk = walkPte(k, mm, va);
          expect(walk.pte1Address).toBe(mm.pgd * 4096 + Math.floor(va / 2 ** 22) * 4);
          expect(walk.pte0Address).toBe(ptePfn(walk.pte1) * 4096 + (Math.floor(va / 4096) % 1024) * 4);
          expect(walk.pte0).toBe(pte);
          pteClear(k, walk.pte0Address);
        }
        freePgtables(k, mm, 0, USER_PGTABLES_CEILING, 0, USER_PGTABLES_CEILING);
        expect([mm.pgtables, k.memMap.freeFrames]).toEqual([0, free]);
      }),
      { numRuns: 60 },
    );
  });

  test('entries are found one after the other within any part of a table', () => {
    const index = fc.integer({ min: 0, max: 1024 });
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 24 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(runs, index, index, (filled, from, end) => {
        const k = new TestKernel(1 << 20);
        const table = pteAlloc(k, mmOf(k.spawn()), 0x1000_0000);
        const present = new Set<number>();
        for (const [first, length] of filled) for (let n = 0; n < length; n++) present.add(first + n);
        for (const n of present) setPte(k, table | (n << 2), mkPte(0x8_0000 + n, PTE_V | PTE_R));
        // Every other one goes again: its line stays one that is looked at.
        for (const n of present) if (n % 2 === 1 && n % 3 === 0) pteClear(k, table | (n << 2));
        const expected = [...present].filter((n) => n >= from && n < end && !(n % 2 === 1 && n % 3 === 0));
        const found = [];
        let at = nextPte(k, table, from, end);
        for (; at < end; at = pteAfter(k, table, at, end)) found.push(at);
        expect(found).toEqual(expected.sort((a, b) => a - b));
      }),
    );
  });

  test('a table shared with a neighbour stays', () => {
    const k = new TestKernel(1 << 20);
    const mm = mmOf(k.spawn());
    pteAlloc(k, mm, 0x1000_0000);
    pteAlloc(k, mm, 0x1040_0000);
    freePgtables(k, mm, 0x1_0001, 0x1_0800, 0x1_0001, 0x1_0800);
    expect([walkPte(k, mm, 0x1000_0000).pte1 !== 0, walkPte(k, mm, 0x1040_0000).pte1]).toEqual([true, 0]);
  });

  test('no frame for a table is 0', () => {
    const k = new TestKernel(1 << 20);
    const mm = mmOf(k.spawn());
    k.memMap.failAfter = 0;
    expect([pteAlloc(k, mm, 0x1000), mm.pgtables]).toEqual([0, 0]);
  });

  test('rights follow the protection map of riscv', () => {
    const rights = (flags: number): string =>
      [PTE_R, PTE_W, PTE_X].map((bit, i) => ((vmPageProt(flags) & bit) !== 0 ? 'rwx'[i] : '-')).join('');
    expect(rights(VM_READ)).toBe('r--');
    expect(rights(VM_WRITE)).toBe('r--');
    expect(rights(VM_WRITE | VM_SHARED)).toBe('rw-');
    expect(rights(VM_EXEC)).toBe('--x');
    expect(rights(VM_READ | VM_EXEC)).toBe('r-x');
    expect(rights(VM_READ | VM_WRITE | VM_EXEC | VM_SHARED)).toBe('rwx');
    expect(vmPageProt(0) & (PTE_V | PTE_PROT_NONE)).toBe(PTE_PROT_NONE);
  });
});
