import { beforeEach, describe, expect, test } from 'vitest';
import * as layout from '../../../emulator/layout.ts';
import { CACHE_SPANS } from '../../../emulator/mmu/pageCaches.ts';
import { Tlb } from '../../../emulator/mmu/tlb.ts';
import { askOf, LOOK_UP_TYPE, lookUpFunction } from '../../../emulator/tier0/lookUp.ts';
import { get } from '../../../emulator/codegen/emitter.ts';
import { byte, encodeModule } from '../../../emulator/wasm/encode.ts';
import { OP } from '../../../emulator/wasm/opcodes.ts';

const P = 4096;
const pages = layout.memoryPages(0);
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
const words = new Int32Array(memory.buffer);
const bytes = encodeModule({
  memory: { initial: pages, maximum: pages, shared: false },
  imports: [],
  functions: [
    lookUpFunction(),
    // No JavaScript can call that one.
    {
      name: 'look',
      type: { params: ['i32', 'i32'], results: LOOK_UP_TYPE.results },
      locals: ['v128'],
      code: get(0) + get(1) + get(2) + OP.call + byte(0),
      exported: true,
    },
  ],
});
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
const lookUp = exports['look'] as (va: number, ask: number) => number;

/** Sixteen bytes at most, as a group of the first pool. */
const SPAN = CACHE_SPANS[0];

let tlb: Tlb;
let view = 0;
let cache = 0;

beforeEach(() => {
  tlb = new Tlb(memory);
  tlb.flushEverything();
  view = tlb.select({ privilege: 0, satp: 0x8000_0001, sum: false, mxr: false }, -1);
  words[layout.TLB_READ >>> 2] = tlb.tableBase(view, 0);
  words[layout.TLB_WRITE >>> 2] = tlb.tableBase(view, 1);
  cache = tlb.caches.reserve(false, 0);
  tlb.caches.resetCounts();
  words.fill(0, cache >>> 2, (cache + layout.PAGE_CACHE_BYTES) >>> 2);
  for (let page = 0; page < 0x100; page++) tlb.flushPage(0x8000_0001, page * P);
});

/** Where a look lands, as an offset in RAM; -1: it gives up. */
function look(va: number, span = 4, entry = cache): number {
  const host = lookUp(va, askOf(entry, span));
  return host === 0 ? -1 : host - layout.RAM;
}

/** The run in a page cache, in pages from address zero, and how many. `most`: bytes that groups of its pool have. */
function run(entry = cache, most: number = SPAN): string {
  const first = (words[(entry + layout.CACHED_PAGE) >>> 2] as number) / P;
  const room = words[(entry + layout.CACHED_ROOM) >>> 2] as number;
  return `${first}+${(room + most - 1) / P}`;
}

const map = (page: number, frame: number): void => tlb.fillData(view, 0, page * P, frame * P);

describe('what a look finds is remembered', () => {
  test('with as many pages on either side as the entry has missed, while they lie side by side in RAM', () => {
    for (let page = 10; page < 30; page++) map(page, page + 100);
    expect([look(20 * P + 8), run()]).toEqual([120 * P + 8, '19+3']);
    expect([look(24 * P), run()]).toEqual([124 * P, '22+5']);
    expect([look(28 * P), run()]).toEqual([128 * P, '25+5']);
    expect([look(12 * P), run()]).toEqual([112 * P, '10+7']);
  });

  test('up to 4096 pages, and few again when that has been no help', () => {
    for (let page = 1000; page < 9000; page++) map(page, page + 100);
    const counts = layout.PAGE_CACHE_COUNTS + (cache - layout.PAGE_CACHES) / 2;
    for (const [missed, expected] of [
      [3000, '1999+6003'],
      [5000, '1000+8000'],
      [8192, '4936+129'],
    ] as const) {
      tlb.caches.clear();
      words[counts >>> 2] = missed;
      expect([look(5000 * P), run()]).toEqual([5100 * P, expected]);
    }
  });

  test('not over what is not there, what lies elsewhere, or what may not be written', () => {
    for (const page of [10, 11, 12, 14]) map(page, page + 100);
    map(13, 200);
    for (let n = 0; n < 5; n++) {
      expect([look(11 * P), run()]).toEqual([111 * P, '10+3']);
      tlb.caches.clear();
    }
    tlb.fillData(view, 1, 11 * P, 111 * P);
    const writing = tlb.caches.reserve(true, 0);
    expect([look(11 * P, 4, writing), run(writing)]).toEqual([111 * P, '11+1']);
    expect(look(12 * P, 4, writing)).toBe(-1);
  });

  test.each([
    [false, 10],
    [true, 11],
  ])('in the pools of each size; to write: %s', (write, page) => {
    map(10, 110);
    tlb.fillData(view, 1, 11 * P, 111 * P);
    for (const [size, most] of CACHE_SPANS.entries()) {
      const entry = tlb.caches.reserve(write, size);
      expect([look(page * P, most, entry), run(entry, most)]).toEqual([(page + 100) * P, `${page}+1`]);
      expect(look((21 - page) * P, most, entry)).toBe(-1);
    }
  });

  test('of a group that straddles two pages, both; where they lie apart it gives up', () => {
    map(10, 110);
    map(11, 111);
    map(12, 300);
    expect([look(11 * P - 2), run()]).toEqual([111 * P - 2, '10+2']);
    expect(look(12 * P - 2)).toBe(-1);
    expect(run()).toBe('10+2');
  });

  test('at the ends of the address space', () => {
    map(0, 50);
    map(0xf_ffff, 49);
    expect(look(0)).toBe(50 * P);
    const first = (words[(cache + layout.CACHED_PAGE) >>> 2] as number) >>> 0;
    const delta = words[(cache + layout.CACHED_DELTA) >>> 2] as number;
    // Addresses are modulo 2^32, of the host too: a run may go on there.
    expect(first).toBe(0xffff_f000);
    expect(((first + delta) >>> 0) - layout.RAM).toBe(49 * P);
    tlb.flushPage(0x8000_0001, 0xffff_f000);
  });
});

describe('the run before', () => {
  const before = (): void => {
    for (let page = 10; page < 13; page++) map(page, page + 100);
    map(40, 7);
    look(11 * P);
    look(40 * P);
  };

  test('is taken again, and the other stays for the next', () => {
    before();
    expect(run()).toBe('40+1');
    expect([look(12 * P + 4), run()]).toEqual([112 * P + 4, '10+3']);
    expect([look(40 * P + 4), run()]).toEqual([7 * P + 4, '40+1']);
    expect(tlb.caches.counts(cache).misses).toBe(4);
  });

  test('is not taken when both are parts of one, which is found then', () => {
    for (let page = 10; page < 20; page++) map(page, page + 100);
    look(10 * P);
    look(18 * P);
    expect([look(10 * P), run()]).toEqual([110 * P, '10+4']);
    look(18 * P);
    look(10 * P);
    look(18 * P);
    expect([look(10 * P), run()]).toEqual([110 * P, '10+8']);
    look(18 * P);
    expect(run()).toBe('10+10');
  });

  test('is forgotten with the entry when something in the TLB goes', () => {
    before();
    tlb.flushPage(0x8000_0001, 11 * P);
    map(40, 8);
    expect(look(11 * P)).toBe(-1);
    expect([look(40 * P), run()]).toEqual([8 * P, '40+1']);
    expect(look(11 * P)).toBe(-1);
    expect(look(10 * P)).toBe(110 * P);
  });
});

describe('a change in the TLB', () => {
  test.each([1, 10, layout.PAGES_LISTED, layout.PAGES_LISTED + 1, 200])(
    'empties all entries that hold the page: %i',
    (filled) => {
      const entries = Array.from({ length: filled }, (_, n) => tlb.caches.reserve(n % 2 === 1, 0));
      for (let round = 0; round < 2; round++) {
        for (let page = 10; page < 14; page++) map(page, page + 100);
        for (const entry of entries.filter((_, n) => n % 2 === 0)) {
          // One that holds something already is not counted again.
          expect([look(10 * P, 4, entry), look(13 * P, 4, entry)]).toEqual([110 * P, 113 * P]);
        }
        for (let page = 10; page < 14; page++) tlb.fillData(view, 1, page * P, (page + 100) * P);
        for (const entry of entries.filter((_, n) => n % 2 === 1))
          expect(look(12 * P, 4, entry)).toBe(112 * P);
        expect(words[layout.PAGES_CACHED >>> 2]).toBe(Math.min(filled, layout.PAGES_LISTED + 1));
        if (round === 0) tlb.flushAll(0x8000_0001);
        else for (let page = 10; page < 14; page++) tlb.flushPage(0x8000_0001, page * P);
        expect(words[layout.PAGES_CACHED >>> 2]).toBe(0);
        for (const entry of entries) expect(words[(entry + layout.CACHED_ROOM) >>> 2]).toBe(0);
      }
    },
  );

  test('leaves those alone that hold other pages', () => {
    for (const [page, frame] of [
      [10, 110],
      [11, 111],
      [12, 112],
      [0x9_0000, 50],
    ] as const)
      map(page, frame);
    const [low, high, both] = [0, 1, 2].map(() => tlb.caches.reserve(false, 0));
    if (low === undefined || high === undefined || both === undefined) throw new Error('no entries');
    const held = (): boolean[] =>
      [low, high, both].map((entry) => words[(entry + layout.CACHED_ROOM) >>> 2] !== 0);
    const fill = (): void => {
      look(11 * P, 4, low);
      look(11 * P, 4, low);
      look(0x9_0000 * P, 4, high);
      look(11 * P, 4, both);
      look(0x9_0000 * P, 4, both);
    };
    fill();
    tlb.flushPage(0x8000_0001, 0x9_0001 * P);
    expect(held()).toEqual([true, true, true]);
    // The run that an entry held before is tried too.
    tlb.flushPage(0x8000_0001, 11 * P);
    expect(held()).toEqual([false, true, false]);
    expect(look(11 * P, 4, low)).toBe(-1);
    map(11, 60);
    fill();
    expect(look(11 * P, 4, low)).toBe(60 * P);
    tlb.flushPage(0x8000_0001, 0x9_0000 * P);
    expect(held()).toEqual([true, false, false]);
    expect(words[layout.PAGES_CACHED >>> 2]).toBe(1);
  });
});
