import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { CodeStore, defaultFolder } from '../../cli/codeStore.ts';
import { inMemory } from '../../kernel-ts/index.ts';
import type { RememberedBatch } from '../../kernel-ts/index.ts';
import { scratchFolder } from './command/sameframe.ts';

const suite = scratchFolder();
const IMAGE = inMemory(Uint8Array.of(1, 2, 3));
/** (module (func (param i32 i32) (result i32) local.get 0)) */
const BYTES = Uint8Array.from(
  Buffer.from('0061736d0100000001070160027f7f017f030201000a0601040020000b', 'hex'),
);

const batch = (pc: number): RememberedBatch => ({
  pc,
  answers: Int32Array.of(0, pc, 5),
  regions: [],
  bytes: BYTES,
});
const folder = (name: string): string => join(suite.dir, name);

/** A run that compiles at those places. */
function run(dir: string, pcs: readonly number[], images = [IMAGE]): CodeStore {
  const store = new CodeStore(dir, images);
  for (const pc of pcs) store.used(batch(pc), new WebAssembly.Module(BYTES), []);
  store.save();
  return store;
}

const pcsOf = (dir: string, pcs: readonly number[], images = [IMAGE]): number[] => {
  const store = new CodeStore(dir, images);
  return pcs.filter((pc) => store.recall(pc).length > 0);
};

describe('the code store', () => {
  test('gives the next run what this one has made, and a module of it', () => {
    run(folder('a'), [0x10000, 0x20000]);
    const next = new CodeStore(folder('a'), [IMAGE]);
    const [found] = next.recall(0x10000);
    expect(found).toEqual(batch(0x10000));
    expect(next.module(found as RememberedBatch)).toBeInstanceOf(WebAssembly.Module);
    expect(next.recall(0x30000)).toEqual([]);
  });

  test('keeps what it has when more comes', () => {
    run(folder('b'), [0x10000]);
    const next = new CodeStore(folder('b'), [IMAGE]);
    next.recall(0x10000);
    next.used(batch(0x20000), new WebAssembly.Module(BYTES), []);
    next.save();
    expect(pcsOf(folder('b'), [0x10000, 0x20000, 0x30000])).toEqual([0x10000, 0x20000]);
  });

  test('is for one program, or for these programs in this order', () => {
    run(folder('c'), [0x10000]);
    expect(pcsOf(folder('c'), [0x10000], [inMemory(Uint8Array.of(1, 2, 4))])).toEqual([]);
    expect(
      pcsOf(folder('c'), [0x10000], [inMemory(Uint8Array.of(1, 2)), inMemory(Uint8Array.of(3))]),
    ).toEqual([]);
    expect(pcsOf(folder('c'), [0x10000])).toEqual([0x10000]);
  });

  test('makes no folder and no file for a program without hot code', () => {
    run(folder('none'), []);
    expect(readdirSync(suite.dir)).not.toContain('none');
  });

  test('makes none either where hot code was not worth compiling: nor will it be in the next run', () => {
    const store = new CodeStore(folder('short'), [IMAGE]);
    expect(store.recall(0x10000)).toEqual([]);
    expect(store.again).toBe(false);
    store.save();
    expect(readdirSync(suite.dir)).not.toContain('short');
  });

  test('knows that an earlier run has compiled, of the same programs and not of others as long', () => {
    run(folder('again'), [0x10000]);
    expect(new CodeStore(folder('again'), [IMAGE]).again).toBe(true);
    expect(new CodeStore(folder('again'), [inMemory(Uint8Array.of(9))]).again).toBe(false);
    expect(new CodeStore(folder('again'), [inMemory(Uint8Array.of(3, 2, 1))]).again).toBe(false);
  });

  test('is nobody else’s to read', () => {
    const { path } = run(folder('d'), [0x10000]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder('d')).mode & 0o777).toBe(0o700);
  });

  test('takes nothing from a damaged file, wherever the damage is', () => {
    const { path } = run(folder('e'), [0x10000]);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(path, damaged);
      expect(pcsOf(folder('e'), [0x10000])).toEqual([]);
    }
    for (const length of [0, 10, 32, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(pcsOf(folder('e'), [0x10000])).toEqual([]);
    }
    run(folder('e'), [0x10000]);
    expect(pcsOf(folder('e'), [0x10000])).toEqual([0x10000]);
  });

  test('does without where it cannot write or read', () => {
    writeFileSync(folder('file'), '');
    expect(() => run(folder('file'), [0x10000])).not.toThrow();
    mkdirSync(run(folder('f'), []).path, { recursive: true });
    expect(() => run(folder('f'), [0x10000])).not.toThrow();
    expect(readdirSync(folder('f')).length).toBe(1);
  });

  test('is bounded: in batches, and in files, of which the ones not used for longest go', () => {
    const many = Array.from({ length: 300 }, (_, i) => 0x10000 + 4 * i);
    run(folder('g'), many);
    expect(pcsOf(folder('g'), many).length).toBe(128);
    for (let i = 0; i < 70; i++) {
      const { path } = run(folder('h'), [0x10000], [inMemory(Uint8Array.of(i))]);
      utimesSync(path, 1000 + i, 1000 + i);
    }
    // A use makes the first one young again.
    pcsOf(folder('h'), [0x10000], [inMemory(Uint8Array.of(6))]);
    run(folder('h'), [0x10000], [inMemory(Uint8Array.of(70))]);
    expect(readdirSync(folder('h')).length).toBe(64);
    expect(pcsOf(folder('h'), [0x10000], [inMemory(Uint8Array.of(6))])).toEqual([0x10000]);
    expect(pcsOf(folder('h'), [0x10000], [inMemory(Uint8Array.of(7))])).toEqual([]);
  });

  test('stays away from source, where code may change between runs', () => {
    expect(CodeStore.open(folder('i'), [IMAGE])).toBeNull();
  });
});

test('the folder is where the XDG base directory specification wants it', () => {
  vi.stubEnv('HOME', '/home/me');
  vi.stubEnv('XDG_CACHE_HOME', '/somewhere');
  expect(defaultFolder()).toBe('/somewhere/sameframe');
  vi.stubEnv('XDG_CACHE_HOME', 'relative paths are to be ignored');
  expect(defaultFolder()).toBe('/home/me/.cache/sameframe');
  vi.stubEnv('XDG_CACHE_HOME', undefined);
  vi.stubEnv('HOME', undefined);
  expect(defaultFolder()).toBeNull();
  vi.unstubAllEnvs();
});
