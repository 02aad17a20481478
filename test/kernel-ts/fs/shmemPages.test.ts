/** A file whose pages get their bytes when somebody wants them is told by nothing from one that was written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENOMEM } from '../../../kernel-ts/abi/errno.ts';
import {
  AT_FDCWD,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_RDWR,
  SEEK_DATA,
  SEEK_HOLE,
  SEEK_SET,
} from '../../../kernel-ts/abi/fcntl.ts';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../kernel-ts/abi/mman.ts';
import { doFallocate, doFtruncate } from '../../../kernel-ts/fs/attr.ts';
import { fget } from '../../../kernel-ts/fs/fdtable.ts';
import type { File } from '../../../kernel-ts/fs/file.ts';
import { placeGuestFile, readGuestFile, writeGuestFile } from '../../../kernel-ts/fs/init.ts';
import { kernelIter } from '../../../kernel-ts/fs/iovIter.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import { doUnlinkat } from '../../../kernel-ts/fs/namei.ts';
import { doSysOpenat } from '../../../kernel-ts/fs/open.ts';
import { vfsLlseek, vfsRead, vfsWrite } from '../../../kernel-ts/fs/readWrite.ts';
import { vfsFstat } from '../../../kernel-ts/fs/stat.ts';
import { inMemory, sortedPages } from '../../../kernel-ts/mm/addressSpace.ts';
import { pageFlags, pageIndex, PG_UNREAD } from '../../../kernel-ts/mm/page.ts';
import { checkKernel, load, store, TestKernel } from '../mm/machine.ts';

const P = 4096;
const PATH = '/bin/program';

/** No two pages are alike, and none holds zeros only. */
const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_byte, at) => (at * 7 + (at >>> 12) * 31 + 1) & 0xff);

/** Bytes as what is compared fast. */
const text = (bytes: Uint8Array | number): string => Buffer.from(bytes as Uint8Array).toString('latin1');

type Put = typeof writeGuestFile;

/** A file put there by placeGuestFile; all of its frames at once if nothing else is said. */
const placed =
  (atOnce?: number): Put =>
  (ctx, path, bytes, mode) =>
    placeGuestFile(ctx, path, inMemory(bytes), mode, atOnce);

/** A guest with the file, open as descriptor 3. */
class Guest {
  readonly k = new TestKernel(4 << 20);
  readonly task = this.k.spawn();
  readonly fd: number;

  constructor(put: Put, length: number) {
    // Frames that somebody had before do not hold zeros.
    const results = [
      writeGuestFile(this.k, '/old', bytesOf(40 * P).fill(0xee), 0o644),
      doUnlinkat(this.k, AT_FDCWD, '/old', 0),
      put(this.k, PATH, bytesOf(length), 0o755),
    ];
    if (results.some((result) => result !== 0)) throw new Error(results.join());
    this.fd = doSysOpenat(this.k, AT_FDCWD, PATH, O_RDWR, 0);
  }

  get file(): File {
    return fget(this.k, this.fd) as File;
  }

  unread(): number {
    const { memMap } = this.k;
    const isUnread = (page: number): boolean => (pageFlags(memMap, page) & PG_UNREAD) !== 0;
    return sortedPages(this.file.fInode.iMapping).filter(isUnread).length;
  }

  /** What anybody can see of the file but its bytes: they are not wanted by that. */
  seen(): unknown {
    return [
      vfsFstat(this.file),
      vfsLlseek(this.k, this.file, 0, SEEK_HOLE),
      vfsLlseek(this.k, this.file, P, SEEK_DATA),
    ];
  }

  /** What it has taken of the machine's memory. */
  frames(): unknown {
    const { fInode: inode } = this.file;
    const pages = sortedPages(inode.iMapping).map((pfn) => `${pageIndex(this.k.memMap, pfn)}:${pfn}`);
    return [inode.iSb.usedBlocks, this.k.memMap.freeFrames, pages.join()];
  }

  read(at: number, length: number): unknown {
    const buffer = new Uint8Array(length);
    vfsLlseek(this.k, this.file, at, SEEK_SET);
    return [vfsRead(this.k, this.file, kernelIter(buffer)), text(buffer)];
  }

  write(at: number, length: number): unknown {
    vfsLlseek(this.k, this.file, at, SEEK_SET);
    return vfsWrite(this.k, this.file, kernelIter(new Uint8Array(length).fill(0x55)));
  }

  /** A byte through a mapping, and then another in its place, if `value` is one. */
  map(at: number, flags: number, value: number | null): unknown {
    const va = ksysMmapPgoff(this.k, 0, P, PROT_READ | PROT_WRITE, flags, this.fd, Math.floor(at / P));
    if (va < 0) return va;
    const found = load(this.k, this.task, va + (at % P));
    return [found, value === null ? '' : store(this.k, this.task, va + (at % P), value)];
  }
}

const place = fc.integer({ min: 0, max: 9 * P });
const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 3 * P }), fc.constant(P));
type Step = (guest: Guest) => unknown;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(place, size).map(
    ([at, n]): Step =>
      (g) =>
        g.read(at, n),
  ),
  fc.tuple(place, size).map(
    ([at, n]): Step =>
      (g) =>
        g.write(at, n),
  ),
  place.map(
    (at): Step =>
      (g) =>
        doFtruncate(g.k, g.fd, at),
  ),
  fc.tuple(place, size).map(
    ([at, n]): Step =>
      (g) =>
        doFallocate(g.k, g.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n),
  ),
  fc.tuple(place, size).map(
    ([at, n]): Step =>
      (g) =>
        doFallocate(g.k, g.fd, 0, at, n),
  ),
  fc.tuple(place, fc.constantFrom(MAP_SHARED, MAP_PRIVATE), fc.option(fc.integer({ min: 0, max: 255 }))).map(
    ([at, flags, value]): Step =>
      (g) =>
        g.map(at, flags, value),
  ),
);

describe('a placed file', () => {
  test('is read a page at a time, and nothing else of it is', () => {
    const guest = new Guest(placed(), 5 * P + 100);
    expect(guest.unread()).toBe(6);
    guest.seen();
    expect(guest.unread()).toBe(6);
    guest.read(P + 5, 10);
    expect(guest.unread()).toBe(5);
    guest.map(3 * P, MAP_PRIVATE, null);
    expect(guest.unread()).toBe(4);
    expect(text(readGuestFile(guest.k, PATH))).toBe(text(bytesOf(5 * P + 100)));
    expect(guest.unread()).toBe(0);
    checkKernel(guest.k);
  });

  test('gets frames for what lies behind its beginning when somebody looks there', () => {
    const guest = new Guest(placed(2 * P - 1), 5 * P + 100);
    const before = guest.k.memMap.freeFrames;
    expect(guest.unread()).toBe(2);
    guest.read(P, P);
    guest.map(0, MAP_PRIVATE, null);
    expect(vfsFstat(guest.file).blocks).toBe((6 * P) / 512);
    expect(sortedPages(guest.file.fInode.iMapping).length).toBe(2);
    guest.read(2 * P - 1, 2);
    expect(sortedPages(guest.file.fInode.iMapping).length).toBe(6);
    expect(guest.k.memMap.freeFrames).toBeLessThanOrEqual(before - 4);
    expect(text(readGuestFile(guest.k, PATH))).toBe(text(bytesOf(5 * P + 100)));
    checkKernel(guest.k);
  });

  test('whatever is done to it, it is as if it had been written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 * P }),
        fc.integer({ min: 0, max: 6 * P }),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        (length, atOnce, steps) => {
          const [lazy, written] = [
            new Guest(placed(Math.min(atOnce, length)), length),
            new Guest(writeGuestFile, length),
          ];
          for (const does of steps) {
            expect(does(lazy)).toEqual(does(written));
            expect(vfsFstat(lazy.file)).toEqual(vfsFstat(written.file));
            if (atOnce >= length) expect(lazy.frames()).toEqual(written.frames());
          }
          expect(lazy.seen()).toEqual(written.seen());
          checkKernel(lazy.k);
          expect(text(readGuestFile(lazy.k, PATH))).toBe(text(readGuestFile(written.k, PATH)));
          checkKernel(lazy.k);
        },
      ),
      { numRuns: 250, seed: 1 },
    );
  });

  test.each([5 << 20, 3 * P])(
    'that does not fit ends where there was no room (%i bytes at once)',
    (atOnce) => {
      const k = new TestKernel(4 << 20);
      k.spawn();
      const bytes = bytesOf(5 << 20);
      const failed = placed(atOnce)(k, PATH, bytes, 0o755);
      expect(failed).toBeLessThan(0);
      expect([failed, -ENOMEM]).toContain(failed);
      const found = readGuestFile(k, PATH) as Uint8Array;
      expect(found.length).toBeGreaterThan(0);
      expect(found.every((byte, at) => byte === bytes[at])).toBe(true);
      expect(doUnlinkat(k, AT_FDCWD, PATH, 0)).toBe(0);
      checkKernel(k);
    },
  );
});
