/** mm against a model that knows only pages: rights, contents, and who shares with whom. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../../kernel-ts/abi/mman.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import { doMadvise } from '../../../kernel-ts/mm/madvise.ts';
import { doMlock, doMunlock } from '../../../kernel-ts/mm/mlock.ts';
import { doMunmap } from '../../../kernel-ts/mm/mmap.ts';
import { doMprotect } from '../../../kernel-ts/mm/mprotect.ts';
import { doMremap } from '../../../kernel-ts/mm/mremap.ts';
import { checkKernel, load, mmOf, store, TestKernel, type TestTask } from './machine.ts';

const P = 4096;
/** The window crosses a level-1 boundary. */
const BASE = 0x2040_0000 - 8 * P;
const PAGES = 24;

/** One page of memory; shared memory is one cell in several places. */
interface Cell {
  value: number;
}
interface ModelPage {
  cell: Cell;
  shared: boolean;
  prot: number;
  locked: boolean;
}
type Model = (ModelPage | null)[];

const prot = fc.constantFrom(PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE);
const page = fc.integer({ min: 0, max: PAGES - 1 });
const pages = fc.integer({ min: 1, max: 8 });
const who = fc.integer({ min: 0, max: 2 });
const step = fc.oneof(
  fc.record({ op: fc.constant('mmap' as const), who, page, pages, prot, shared: fc.boolean() }),
  fc.record({ op: fc.constant('munmap' as const), who, page, pages }),
  fc.record({ op: fc.constant('mprotect' as const), who, page, pages, prot }),
  fc.record({ op: fc.constant('dontneed' as const), who, page, pages }),
  fc.record({ op: fc.constant('mlock' as const), who, page, pages, on: fc.boolean() }),
  fc.record({ op: fc.constant('mremap' as const), who, page, pages, to: page }),
  fc.record({ op: fc.constant('fork' as const), who }),
  fc.record({ op: fc.constant('exit' as const), who }),
  fc.record({ op: fc.constant('store' as const), who, page, value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ op: fc.constant('load' as const), who, page }),
);

class World {
  readonly k = new TestKernel(4 << 20);
  readonly tasks: { task: TestTask; model: Model }[] = [
    { task: this.k.spawn(), model: new Array<ModelPage | null>(PAGES).fill(null) },
  ];

  run(s: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    const entry = this.tasks[s.who % Math.max(1, this.tasks.length)];
    if (entry === undefined) return;
    const { k } = this;
    const { task, model } = entry;
    k.current = task;
    if (s.op === 'fork') return this.fork(task, model);
    if (s.op === 'exit') {
      if (this.tasks.length > 1) {
        k.exit(task);
        this.tasks.splice(this.tasks.indexOf(entry), 1);
      }
      return;
    }
    const mm = mmOf(task);
    const addr = BASE + s.page * P;
    if (s.op === 'store') {
      const at = model[s.page] ?? null;
      const expected = at === null ? 'SegvMaperr' : at.prot === (PROT_READ | PROT_WRITE) ? 'ok' : 'SegvAccerr';
      expect(store(k, task, addr + 5, s.value)).toBe(expected);
      if (expected === 'ok' && at !== null) at.cell.value = s.value;
      return;
    }
    if (s.op === 'load') {
      const at = model[s.page] ?? null;
      expect(load(k, task, addr + 5)).toBe(at === null ? 'SegvMaperr' : at.prot === PROT_NONE ? 'SegvAccerr' : at.cell.value);
      return;
    }
    const count = Math.min(s.pages, PAGES - s.page);
    const range = Array.from({ length: count }, (_, i) => s.page + i);
    const hole = range.some((i) => model[i] === null);
    if (s.op === 'mmap') {
      const flags = MAP_FIXED | MAP_ANONYMOUS | (s.shared ? MAP_SHARED : MAP_PRIVATE);
      expect(ksysMmapPgoff(k, addr, count * P, s.prot, flags, -1, 0)).toBe(addr);
      for (const i of range) model[i] = { cell: { value: 0 }, shared: s.shared, prot: s.prot, locked: false };
    } else if (s.op === 'munmap') {
      expect(doMunmap(k, mm, addr, count * P)).toBe(0);
      for (const i of range) model[i] = null;
    } else if (s.op === 'mprotect') {
      const result = doMprotect(k, mm, addr, count * P, s.prot);
      expect(result).toBe(hole ? -12 : 0);
      for (const i of range) {
        const at = model[i];
        if (at === null || at === undefined) break;
        at.prot = s.prot;
      }
    } else if (s.op === 'dontneed') {
      const result = doMadvise(k, mm, addr, count * P, MADV_DONTNEED);
      const locked = range.findIndex((i) => model[i]?.locked === true);
      if (locked >= 0) expect(result).toBe(-22);
      else expect(result).toBe(hole ? -12 : 0);
      for (const i of locked >= 0 ? range.slice(0, locked) : range) {
        const at = model[i];
        if (at !== null && at !== undefined && !at.shared) at.cell = { value: 0 };
      }
    } else if (s.op === 'mlock') {
      if (s.on) doMlock(k, mm, addr, count * P);
      else doMunlock(k, mm, addr, count * P);
      for (const i of range) {
        const at = model[i];
        if (at === null || at === undefined) break;
        at.locked = s.on;
      }
    } else {
      this.mremap(task, model, s.page, s.to, range);
    }
  }

  mremap(task: TestTask, model: Model, from: number, to: number, range: number[]): void {
    const { k } = this;
    const count = range.length;
    const overlap = from + count > to && to + count > from;
    const vma = mmOf(task).mmap.lookup(BASE + from * P);
    const inOne = vma !== null && vma.vmEnd >= BASE + (from + count) * P;
    const result = doMremap(k, mmOf(task), BASE + from * P, count * P, count * P, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + to * P);
    if (overlap) {
      expect(result).toBe(-22);
      return;
    }
    if (model[from] === null) {
      expect(result).toBe(-14);
      return;
    }
    // The target is unmapped before the source is looked at.
    for (let i = 0; i < count; i++) if (to + i < PAGES) model[to + i] = null;
    if (!inOne) {
      expect(result).toBe(-14);
      return;
    }
    expect(result).toBe(BASE + to * P);
    for (let i = 0; i < count; i++) {
      const moved = model[from + i] ?? null;
      if (to + i < PAGES) model[to + i] = moved;
      model[from + i] = null;
    }
    if (to + count > PAGES) doMunmap(k, mmOf(task), BASE + PAGES * P, (to + count - PAGES) * P);
  }

  fork(parent: TestTask, model: Model): void {
    if (this.tasks.length >= 3) return;
    const child = this.k.fork(parent);
    if (child === null) throw new Error('fork failed');
    const copy = model.map((at) =>
      at === null ? null : { ...at, locked: false, cell: at.shared ? at.cell : { ...at.cell } },
    );
    this.tasks.push({ task: child, model: copy });
  }

  check(): void {
    checkKernel(this.k);
    for (const { task, model } of this.tasks) {
      this.k.current = task;
      model.forEach((at, i) => {
        const vma = mmOf(task).mmap.lookup(BASE + i * P);
        expect(vma === null).toBe(at === null);
        if (vma === null || at === null) return;
        expect(vma.vmFlags & 7).toBe(at.prot);
        expect((vma.vmFlags & 0x2000) !== 0).toBe(at.locked);
      });
    }
  }
}

test('mappings, contents, sharing and counts follow a per-page model', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const s of steps) {
        world.run(s);
        world.check();
      }
      for (const { task, model } of world.tasks) {
        model.forEach((at, i) => {
          if (at !== null && at.prot !== PROT_NONE) expect(load(world.k, task, BASE + i * P + 5)).toBe(at.cell.value);
        });
        world.k.exit(task);
      }
      checkKernel(world.k);
      expect(world.k.memMap.freeFrames).toBe(world.k.memMap.totalFrames);
    }),
    { numRuns: 150 },
  );
});

test('running out of frames at any moment loses none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), page, fc.integer({ min: 0, max: 4 })), { maxLength: 40 }),
      (steps) => {
        const k = new TestKernel(4 << 20);
        const task = k.spawn();
        for (const [op, at, after] of steps) {
          k.current = task;
          const addr = BASE + at * P;
          k.memMap.failAfter = after;
          if (op === 0) ksysMmapPgoff(k, addr, 4 * P, 3, MAP_FIXED | MAP_ANONYMOUS | (at % 2 === 0 ? 1 : 2), -1, 0);
          else if (op === 1) store(k, task, addr, 1);
          else if (op === 2) doMremap(k, mmOf(task), addr, 2 * P, 3 * P, 3, BASE + 0x80_0000 + at * P);
          else {
            const child = k.fork(task);
            if (child !== null) {
              store(k, child, addr, 2);
              k.exit(child);
            }
          }
          k.memMap.failAfter = Infinity;
          checkKernel(k);
        }
        k.exit(task);
        expect(k.memMap.freeFrames).toBe(k.memMap.totalFrames);
      },
    ),
    { numRuns: 100 },
  );
});
