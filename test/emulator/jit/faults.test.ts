/**
 * Every memory operation in a hot loop misses the TLB, or faults, at any of its executions: entries are flushed, and pages
 * unmapped or made read-only, between slices of any length. Tier 0 and tier 1 see the same faults at the same instructions.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble as a } from '../../../emulator/index.ts';
import { Pmp, writePmpaddr, writePmpcfg } from '../../../emulator/priv/pmp.ts';
import { R, U, V, W } from '../paging.ts';
import { Twins } from './twins.ts';
import {
  CODE_PAGES,
  CODE_VA,
  DATA_FLAGS,
  DATA_PAGES,
  DATA_VA,
  PAGES,
  Pager,
  physicalOf,
} from './userland.ts';

const BASE = 10;
const INDEX = 11;
const LIMIT = 12;
const STRIDE = 13;
const VALUE = 14;
const RESULT = 15;

/** Walks the data pages with the operation under test, over and over: in the loop itself, or in a small function that it calls. */
function loop(body: readonly number[], isCalled: boolean): number[] {
  const step = [
    a('add', { rd: INDEX, rs1: INDEX, rs2: STRIDE }),
    a('and', { rd: INDEX, rs1: INDEX, rs2: LIMIT }),
    a('lui', { rd: BASE, imm: DATA_VA }),
    a('add', { rd: BASE, rs1: BASE, rs2: INDEX }),
  ];
  const after = [
    a('add', { rd: VALUE, rs1: VALUE, rs2: RESULT }),
    a('addi', { rd: VALUE, rs1: VALUE, imm: 77 }),
  ];
  if (!isCalled) {
    const words = [...step, ...body, ...after];
    return [...words, a('jal', { rd: 0, imm: -4 * words.length })];
  }
  const call = a('jal', { rd: 1, imm: 4 * (after.length + 2) });
  const words = [...step, call, ...after];
  const back = a('jal', { rd: 0, imm: -4 * words.length });
  return [...words, back, ...body, a('jalr', { rd: 0, rs1: 1, imm: 0 })];
}

const integer = ['lb', 'lbu', 'lh', 'lhu', 'lw'].map((name) => [
  name,
  [a(name, { rd: RESULT, rs1: BASE, imm: 4 })],
]);
const stores = ['sb', 'sh', 'sw'].map((name) => [name, [a(name, { rs2: VALUE, rs1: BASE, imm: 8 })]]);
const atomics = ['amoswap.w', 'amoadd.w', 'amoxor.w', 'amomin.w', 'amomaxu.w'].map((name) => [
  name,
  [a(name, { rd: RESULT, rs1: BASE, rs2: VALUE })],
]);
const others: [string, number[]][] = [
  ['lr.w and sc.w', [a('lr.w', { rd: RESULT, rs1: BASE }), a('sc.w', { rd: 16, rs1: BASE, rs2: VALUE })]],
  ['sc.w alone', [a('sc.w', { rd: 16, rs1: BASE, rs2: VALUE })]],
  ['flw', [a('flw', { rd: 3, rs1: BASE, imm: 4 }), a('fmv.x.w', { rd: RESULT, rs1: 3 })]],
  ['fsw', [a('fmv.w.x', { rd: 4, rs1: VALUE }), a('fsw', { rs2: 4, rs1: BASE, imm: 4 })]],
  ['fld and fadd.d', [a('fld', { rd: 3, rs1: BASE }), a('fadd.d', { rd: 5, rs1: 5, rs2: 3 })]],
  ['fsd', [a('fcvt.d.w', { rd: 4, rs1: VALUE }), a('fsd', { rs2: 4, rs1: BASE, imm: 8 })]],
  ['the base is overwritten', [a('lw', { rd: BASE, rs1: BASE, imm: 0 })]],
  [
    'two bases, one of them late',
    [
      a('lw', { rd: RESULT, rs1: BASE, imm: 0 }),
      a('sw', { rs2: RESULT, rs1: BASE, imm: 64 }),
      a('mul', { rd: 17, rs1: RESULT, rs2: VALUE }),
      a('sb', { rs2: 17, rs1: BASE, imm: 3 }),
    ],
  ],
];
const BODIES = [...integer, ...stores, ...atomics, ...others] as [string, number[]][];
const LOOPS = BODIES.flatMap(([name, body]): [string, number[]][] => [
  [name, loop(body, false)],
  [`${name} in a function`, loop(body, true)],
]);

interface World {
  readonly twins: Twins;
  readonly pagers: Pager[];
}

function world(words: readonly number[], stride: number, ready: boolean): World {
  const pagers: Pager[] = [];
  const twins = new Twins((machine) => {
    const pager = new Pager(machine);
    pagers.push(pager);
    for (let page = 0; page < CODE_PAGES; page++) pager.give(CODE_VA + page * 4096);
    for (let page = 0; page < (ready ? DATA_PAGES : 0); page++) pager.give(DATA_VA + page * 4096);
    pager.code(CODE_VA, words);
    const { hart, ram } = machine;
    for (let at = 0; at < DATA_PAGES * 4096; at += 4) ram.write32(physicalOf(DATA_VA + at), at * 0x9e37);
    hart.x[LIMIT] = DATA_PAGES * 4096 - 32;
    hart.x[STRIDE] = stride;
    hart.pc = CODE_VA;
  }, PAGES);
  return { twins, pagers };
}

type Injection =
  | { readonly kind: 'all' | 'code' }
  | { readonly kind: 'flush' | 'unmap' | 'readOnly' | 'clean'; readonly page: number };

function inject({ twins, pagers }: World, injection: Injection): void {
  for (const [index, machine] of [twins.zero, twins.one].entries()) {
    const pager = pagers[index] as Pager;
    const { satp } = pager.tables;
    if (injection.kind === 'all') machine.hart.flushTlbAll(satp);
    if (injection.kind === 'code') pager.set(CODE_VA, 0);
    if ('page' in injection) {
      const va = DATA_VA + injection.page * 4096;
      if (injection.kind === 'flush') machine.hart.flushTlbPage(satp, va);
      else if (injection.kind === 'unmap') pager.set(va, 0);
      else if (injection.kind === 'readOnly') pager.set(va, DATA_FLAGS & ~W);
      else pager.set(va, V | R | W | U);
    }
  }
}

function runWith({ twins, pagers }: World, budget: number, where: string): void {
  twins.run(budget, where);
  expect(pagers[1]?.seen, where).toEqual(pagers[0]?.seen);
}

const page = fc.integer({ min: 0, max: DATA_PAGES - 1 });
const injections: fc.Arbitrary<Injection> = fc.oneof(
  fc.record({ kind: fc.constantFrom('all' as const, 'code' as const) }),
  fc.record({ kind: fc.constantFrom('flush', 'unmap', 'readOnly', 'clean'), page }),
);
const slices = fc.array(
  fc.tuple(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 700 })), injections),
  { minLength: 1, maxLength: 12 },
);

describe.each(LOOPS)('a loop of %s', (_name, words) => {
  test('entries flushed, pages unmapped, protected or cleaned between any two slices', () => {
    fc.assert(
      fc.property(fc.constantFrom(4, 68, 1028, 4100), slices, (stride, plan) => {
        const w = world(words, stride, true);
        runWith(w, 3000, 'warming up');
        expect(w.twins.regions).toBeGreaterThan(0);
        for (const [index, [budget, injection]] of plan.entries()) {
          inject(w, injection);
          runWith(w, budget, `slice ${index}`);
        }
      }),
      { numRuns: 4 },
    );
  });

  test('every page comes by a fault, one after the other, again and again', () => {
    const w = world(words, 1028, false);
    for (let round = 0; round < 20; round++) {
      runWith(w, 211, `round ${round}`);
      for (let n = 0; n < DATA_PAGES; n++) inject(w, { kind: 'unmap', page: n });
    }
    expect(w.pagers[1]?.seen.length).toBeGreaterThan(20);
  });

  test('every operation misses, always: the TLB never takes a page that is only partly open', () => {
    const w = world(words, 4, true);
    w.twins.run(500);
    w.twins.both(({ hart }) => {
      // The last word of each data page has an entry of its own; behind them one for everything.
      for (let n = 0; n < DATA_PAGES; n++) {
        writePmpaddr(hart.state, n, (physicalOf(DATA_VA + n * 4096) + 0xffc) >>> 2);
      }
      writePmpaddr(hart.state, DATA_PAGES, 0xffff_ffff);
      const word = Pmp.Na4 | Pmp.R | Pmp.W;
      for (const register of [0, 1]) writePmpcfg(hart.state, register, word * 0x0101_0101);
      writePmpcfg(hart.state, DATA_PAGES / 4, Pmp.Napot | Pmp.R | Pmp.W | Pmp.X);
      hart.mmu.pmpChanged();
    });
    for (let round = 0; round < 10; round++) runWith(w, 97, `round ${round}`);
    expect(w.pagers[1]?.seen).toEqual([]);
    const data = w.twins.one.hart.tlbEntries(w.pagers[1]?.tables.satp ?? 0).filter(({ va }) => va >= DATA_VA);
    expect(data).toEqual([]);
  });
});
