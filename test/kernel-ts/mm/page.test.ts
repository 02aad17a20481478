import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  addMapcount,
  allocPage,
  ENTRIES_IN_LINE,
  frameWritten,
  getPage,
  isFree,
  markEntry,
  nextMarked,
  pageCount,
  pageMapcount,
  pageToPhys,
  PG_ANON,
  PG_TABLE,
  putPage,
} from '../../../kernel-ts/mm/page.ts';
import { RAM_BASE, TestKernel } from './machine.ts';

describe('the page allocator', () => {
  test('takes fresh frames from low to high and reuses freed ones last in, first out', () => {
    const k = new TestKernel(1 << 20);
    const pages = [0, 1, 2].map(() => allocPage(k, 0));
    const pfns = pages.map((page) => page ?? 0);
    expect(pfns).toEqual([0, 1, 2].map((i) => (pfns[0] ?? 0) + i));
    for (const page of pages) if (page !== null) putPage(k, page);
    expect(allocPage(k, 0)).toBe(pfns[2]);
    expect(allocPage(k, 0)).toBe(pfns[1]);
  });

  test('zeroes on request and gives every frame of RAM exactly once', () => {
    const k = new TestKernel(1 << 20);
    const used = Array.from({ length: 256 }, () => allocPage(k, PG_ANON, false));
    k.ram.bytes.fill(0xaa);
    for (const page of used) if (page !== null) putPage(k, page);
    const seen = new Set<number>();
    for (let page = allocPage(k, PG_ANON); page !== null; page = allocPage(k, PG_ANON)) {
      seen.add(page);
      expect(k.ram.read32(pageToPhys(page) + 4092)).toBe(0);
    }
    expect(seen.size).toBe(256);
    expect(Math.min(...seen)).toBe(RAM_BASE / 4096);
    expect(k.memMap.freeFrames).toBe(0);
  });

  test('leaves a frame alone that was never used, since RAM holds zeros at the start', () => {
    const k = new TestKernel(1 << 20);
    const zero = vi.spyOn(k.ram, 'zero');
    const page = allocPage(k, PG_ANON);
    expect(zero).not.toHaveBeenCalled();
    if (page !== null) putPage(k, page);
    expect(allocPage(k, PG_ANON)).toBe(page);
    expect(zero).toHaveBeenCalledWith(pageToPhys(page ?? 0), 4096);
  });

  test('zeroes a frame that the host has written to', () => {
    const k = new TestKernel(1 << 20);
    const next = new TestKernel(1 << 20);
    const pfn = allocPage(next, PG_ANON) ?? 0;
    frameWritten(k.memMap, pfn);
    k.ram.bytes.fill(0xaa);
    const page = allocPage(k, PG_ANON);
    expect(page).toBe(pfn);
    expect(k.ram.read32(pfn * 4096)).toBe(0);
  });

  test('gives pages side by side frames side by side, downwards too, whatever is allocated between', () => {
    const k = new TestKernel(1 << 20);
    const first = allocPage(k, PG_ANON, true, { pfn: 0, index: 0x12, pages: 8 }) ?? 0;
    allocPage(k, 0);
    expect(allocPage(k, PG_ANON, true, { pfn: first + 1, index: 0x13, pages: 8 })).toBe(first + 1);
    expect(allocPage(k, PG_ANON, true, { pfn: first - 1, index: 0x11, pages: 8 })).toBe(first - 1);
  });

  test('gives large mappings long runs, and what has no neighbours runs of its own', () => {
    const k = new TestKernel(16 << 20);
    const alone = [0, 1].map(() => allocPage(k, 0) ?? 0);
    const first = allocPage(k, PG_ANON, true, { pfn: 0, index: 0, pages: 1500 }) ?? 0;
    const next = allocPage(k, PG_ANON, true, { pfn: 0, index: 0, pages: 3 }) ?? 0;
    alone.push(allocPage(k, 0) ?? 0);
    expect(alone).toEqual([0, 1, 2].map((n) => (alone[0] ?? 0) + n));
    expect(next).toBeGreaterThanOrEqual(first + 1024);
    for (let index = 1; index < 1024; index++)
      expect(allocPage(k, PG_ANON, false, { pfn: first + index, index, pages: 1500 })).toBe(first + index);
    expect(k.memMap.freeFrames).toBe(4096 - 1028);
  });

  test('gives frames that were kept for neighbours to anybody when no others are left', () => {
    const k = new TestKernel(1 << 20);
    const seen = new Set<number>();
    for (let index = 3; ; index += 64) {
      const page = allocPage(k, PG_ANON, true, { pfn: 0, index, pages: 8 });
      if (page === null) break;
      seen.add(page);
    }
    expect(seen.size).toBe(256);
    expect(k.memMap.freeFrames).toBe(0);
  });

  test('gives a page table a freed one, which holds zeros, and anybody when no other frames are left', () => {
    const k = new TestKernel(1 << 20);
    const table = allocPage(k, PG_TABLE);
    const other = allocPage(k, 0);
    if (table === null || other === null) throw new Error('no page');
    putPage(k, table);
    putPage(k, other);
    expect(allocPage(k, 0)).toBe(other);
    const zero = vi.spyOn(k.ram, 'zero');
    expect(allocPage(k, PG_TABLE)).toBe(table);
    expect(zero).not.toHaveBeenCalled();
    putPage(k, table);
    for (let left = 254; left > 0; left--) expect(allocPage(k, PG_ANON)).not.toBe(table);
    expect(allocPage(k, PG_ANON)).toBe(table);
    expect(allocPage(k, PG_TABLE)).toBeNull();
  });

  test('takes a freed page table for empty no longer when the host has written to it', () => {
    const k = new TestKernel(1 << 20);
    const table = allocPage(k, PG_TABLE);
    if (table === null) throw new Error('no page');
    putPage(k, table);
    frameWritten(k.memMap, table);
    k.ram.bytes.fill(0xaa);
    expect(allocPage(k, PG_TABLE)).toBe(table);
    expect(k.ram.read32(pageToPhys(table))).toBe(0);
  });

  test('uses what was freed again before it goes on into frames that have never been used', () => {
    const k = new TestKernel(4 << 20);
    const fill = (): number[] => {
      const pages = [];
      for (let index = 0, pfn = 0; index < 256; index++) {
        const page = allocPage(k, PG_ANON, true, { pfn, index, pages: 256 });
        if (page === null) throw new Error('no page');
        pages.push(page);
        pfn = page + 1;
      }
      for (const page of pages) putPage(k, page);
      return pages.map((page) => page);
    };
    const first = new Set(fill());
    for (let round = 0; round < 5; round++) expect(fill().filter((pfn) => !first.has(pfn))).toEqual([]);
  });

  test('knows the frames that are free', () => {
    const k = new TestKernel(1 << 20);
    const pfn = allocPage(k, PG_ANON, true, { pfn: 0, index: 3, pages: 8 }) ?? 0;
    expect([pfn - 1, pfn, pfn + 1, pfn + 64, pfn + 256].map((at) => isFree(k.memMap, at))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  test('failAfter makes allocations fail', () => {
    const k = new TestKernel(1 << 20);
    k.memMap.failAfter = 1;
    expect(allocPage(k, 0)).not.toBeNull();
    expect(allocPage(k, 0)).toBeNull();
  });

  test('counts references and refuses what would corrupt them', () => {
    const k = new TestKernel(1 << 20);
    const page = allocPage(k, 0);
    if (page === null) throw new Error('no page');
    getPage(k, page);
    putPage(k, page);
    expect(pageCount(k.memMap, page)).toBe(1);
    addMapcount(k.memMap, page, 1);
    expect(pageMapcount(k.memMap, page)).toBe(1);
    expect(() => putPage(k, page)).toThrow('while mapped');
    addMapcount(k.memMap, page, -1);
    putPage(k, page);
    expect(() => putPage(k, page)).toThrow('free frame');
  });
});

describe('the lines of a page table', () => {
  /** The indices at which nextMarked() stops, from the front on. */
  function marked(k: TestKernel, table: number): number[] {
    const found = [];
    for (let index = nextMarked(k.memMap, table, 0); index < 1024; index = nextMarked(k.memMap, table, index))
      found.push(index++);
    return found;
  }

  test('are those that have had an entry', () => {
    const index = fc.integer({ min: 0, max: 1023 });
    fc.assert(
      fc.property(fc.uniqueArray(index, { maxLength: 20 }), (indices) => {
        const k = new TestKernel(1 << 20);
        const [before, table, behind] = [0, 1, 2].map(() => allocPage(k, PG_TABLE) ?? 0);
        if (table === undefined || before === undefined || behind === undefined) throw new Error('no pages');
        for (const entry of indices) markEntry(k.memMap, pageToPhys(table) | (entry << 2));
        const lines = new Set(indices.map((entry) => Math.floor(entry / ENTRIES_IN_LINE)));
        const expected = Array.from({ length: 1024 }, (_, n) => n).filter((n) =>
          lines.has(Math.floor(n / ENTRIES_IN_LINE)),
        );
        expect(marked(k, table)).toEqual(expected);
        expect([marked(k, before), marked(k, behind)]).toEqual([[], []]);
      }),
    );
  });

  test('are none of the next table that gets the frame', () => {
    const k = new TestKernel(1 << 20);
    const table = allocPage(k, PG_TABLE);
    if (table === null) throw new Error('no page');
    for (let entry = 0; entry < 1024; entry++) markEntry(k.memMap, pageToPhys(table) | (entry << 2));
    putPage(k, table);
    expect(allocPage(k, PG_TABLE)).toBe(table);
    expect(marked(k, table)).toEqual([]);
  });
});
