/** mm against a model that knows only pages: rights, contents, and who shares with whom. */
import fc from 'fast-check';
import { expect } from 'vitest';
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

export const P = 4096;
/** The window crosses a level-1 boundary. */
export const BASE = 0x2040_0000 - 8 * P;
const PAGES = 24;

function same(actual: unknown, expected: unknown): void {
  expect(actual).toBe(expected);
}

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
export const page = fc.integer({ min: 0, max: PAGES - 1 });
const pages = fc.integer({ min: 1, max: 8 });
const who = fc.integer({ min: 0, max: 2 });
export const step = fc.oneof(
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

export class World {
  readonly k = new TestKernel(4 << 20);
  readonly tasks: { task: TestTask; model: Model }[] = [
    { task: this.k.spawn(), model: Array.from({ length: PAGES }, () => null) },
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
      const expected =
        at === null ? 'SegvMaperr' : at.prot === (PROT_READ | PROT_WRITE) ? 'ok' : 'SegvAccerr';
      same(store(k, task, addr + 5, s.value), expected);
      if (expected === 'ok' && at !== null) at.cell.value = s.value;
      return;
    }
    if (s.op === 'load') {
      const at = model[s.page] ?? null;
      same(
        load(k, task, addr + 5),
        at === null ? 'SegvMaperr' : at.prot === PROT_NONE ? 'SegvAccerr' : at.cell.value,
      );
      return;
    }
    const count = Math.min(s.pages, PAGES - s.page);
    const range = Array.from({ length: count }, (_, i) => s.page + i);
    const hole = range.some((i) => model[i] === null);
    if (s.op === 'mmap') {
      const flags = MAP_FIXED | MAP_ANONYMOUS | (s.shared ? MAP_SHARED : MAP_PRIVATE);
      same(ksysMmapPgoff(k, addr, count * P, s.prot, flags, -1, 0), addr);
      for (const i of range) model[i] = { cell: { value: 0 }, shared: s.shared, prot: s.prot, locked: false };
    } else if (s.op === 'munmap') {
      same(doMunmap(k, mm, addr, count * P), 0);
      for (const i of range) model[i] = null;
    } else if (s.op === 'mprotect') {
      const result = doMprotect(k, mm, addr, count * P, s.prot);
      same(result, hole ? -12 : 0);
      for (const i of range) {
        const at = model[i];
        if (at === null || at === undefined) break;
        at.prot = s.prot;
      }
    } else if (s.op === 'dontneed') {
      const result = doMadvise(k, mm, addr, count * P, MADV_DONTNEED);
      const locked = range.findIndex((i) => model[i]?.locked === true);
      if (locked >= 0) same(result, -22);
      else same(result, hole ? -12 : 0);
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
    const result = doMremap(
      k,
      mmOf(task),
      BASE + from * P,
      count * P,
      count * P,
      MREMAP_MAYMOVE | MREMAP_FIXED,
      BASE + to * P,
    );
    if (overlap) {
      same(result, -22);
      return;
    }
    if (model[from] === null) {
      same(result, -14);
      return;
    }
    // Every mapping of the range moves; what lies in the target of a gap stays.
    same(result, BASE + to * P);
    for (let i = 0; i < count; i++) {
      const moved = model[from + i] ?? null;
      if (to + i < PAGES && moved !== null) model[to + i] = moved;
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
        same(vma === null, at === null);
        if (vma === null || at === null) return;
        same(vma.vmFlags & 7, at.prot);
        same((vma.vmFlags & 0x2000) !== 0, at.locked);
      });
    }
  }
}
