import { expect, test } from 'vitest';
import * as layout from '../../../emulator/layout.ts';
import { CACHE_SPANS, PageCaches } from '../../../emulator/mmu/pageCaches.ts';

function make(): { caches: PageCaches; words: Int32Array } {
  const memory = new WebAssembly.Memory({ initial: layout.memoryPages(0), maximum: layout.memoryPages(0) });
  return { caches: new PageCaches(memory), words: new Int32Array(memory.buffer) };
}

test('entries for reading and writing, and for each span, come from pools of their own', () => {
  const { caches } = make();
  const seen = new Set<number>();
  for (const write of [false, true]) {
    for (const size of CACHE_SPANS.keys()) {
      for (let n = 0; n < layout.PAGE_CACHE_POOL_SIZE; n++) seen.add(caches.reserve(write, size));
    }
  }
  expect(seen.size).toBe(layout.PAGE_CACHE_POOLS * layout.PAGE_CACHE_POOL_SIZE);
  expect(Math.min(...seen)).toBe(layout.PAGE_CACHES);
  expect(Math.max(...seen)).toBe(layout.PAGE_CACHE_COUNTS - layout.PAGE_CACHE_BYTES);
  // A pool that is used up is shared, within itself.
  expect(seen.has(caches.reserve(true, 1))).toBe(true);
});

test.each([
  ['those that are listed', 2],
  ['all, when there are more than the list has room for', layout.PAGES_LISTED + 1],
])('clear forgets the pages of %s, but not what was counted', (_name, cached) => {
  const { caches, words } = make();
  const entries = [caches.reserve(false, 0), caches.reserve(true, 3)];
  for (const [n, entry] of entries.entries()) {
    words.fill(7, entry >>> 2, (entry + layout.PAGE_CACHE_BYTES) >>> 2);
    words[(layout.PAGE_CACHE_COUNTS + (entry - layout.PAGE_CACHES) / 2) >>> 2] = 5 + n;
    if (cached === 2) words[(layout.PAGES_LIST >>> 2) + n] = entry;
  }
  words[layout.PAGES_CACHED >>> 2] = cached;
  caches.clear();
  expect(words[layout.PAGES_CACHED >>> 2]).toBe(0);
  for (const [n, entry] of entries.entries()) {
    // No group begins within no bytes of a page.
    expect(words[(entry + layout.CACHED_ROOM) >>> 2]).toBe(0);
    expect(caches.counts(entry)).toEqual({ misses: 5 + n, failures: 0 });
  }
  caches.resetCounts();
  expect(caches.counts(entries[0] as number)).toEqual({ misses: 0, failures: 0 });
});
