import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import { beforeAll, describe, expect, test } from 'vitest';
import { KEEPS_CODE, native, readModule, writeModule } from '../../cli/moduleCache.ts';
import { scratchFolder } from './command/sameframe.ts';

const suite = scratchFolder();

/** (module (func (export "f") (param i32) (result i32) local.get 0 i32.const 42 i32.add)) */
const BYTES = Uint8Array.from(
  Buffer.from('0061736d0100000001060160017f017f03020100070501016600000a090107002000412a6a0b', 'hex'),
);
const optimised = KEEPS_CODE;

const path = (name: string): string => join(suite.dir, name);

function call(module: WebAssembly.Module): unknown {
  const { f } = new WebAssembly.Instance(module).exports as { f: (x: number) => number };
  return f(100);
}

/** A copy of the whole file, changed. */
function changed(name: string, change: (file: Buffer) => Uint8Array): string {
  writeFileSync(path(name), change(readFileSync(path('whole'))));
  return path(name);
}

beforeAll(() => {
  writeModule(path('whole'), BYTES);
});

describe('files with modules and their code', () => {
  test('give a module that works, with its code where this V8 has it', () => {
    const read = readModule(path('whole'));
    expect(read?.optimised).toBe(optimised);
    expect(call(read?.module as WebAssembly.Module)).toBe(142);
  });

  test('have code where V8 has functions for it', () => {
    expect(native('SerializeWasmModule', 'module') !== null).toBe(KEEPS_CODE);
    expect(native('DeserializeWasmModule', 'code', 'bytes') !== null).toBe(KEEPS_CODE);
  });

  test('leave the flags of V8 as they were', () => {
    const before = cachedDataVersionTag();
    writeModule(path('again'), BYTES);
    readModule(path('again'));
    expect(cachedDataVersionTag()).toBe(before);
    const alone = changed('alone', (file) => {
      file.writeUInt32LE(0, 4);
      return file.subarray(0, 8 + BYTES.length);
    });
    expect(readModule(alone)?.optimised).toBe(false);
    expect(cachedDataVersionTag()).toBe(before);
    expect(readFileSync(path('again'))).toEqual(readFileSync(path('whole')));
  });

  test('give the module alone where V8 refuses the code', () => {
    setFlagsFromString('--no-wasm-bounds-checks');
    const otherFlags = readModule(path('whole'));
    setFlagsFromString('--wasm-bounds-checks');
    const otherVersion = readModule(
      changed('version', (file) => {
        // The first words of V8's code, if there is any, are its own magic number and version.
        file.subarray(8 + BYTES.length, 8 + BYTES.length + 8).fill(0xff);
        return file;
      }),
    );
    for (const read of [otherFlags, otherVersion]) {
      expect(read?.optimised).toBe(false);
      expect(call(read?.module as WebAssembly.Module)).toBe(142);
    }
  });

  test('are of no use when they are missing, truncated, too long, or no such files', () => {
    expect(readModule(path('missing'))).toBeNull();
    const { length } = readFileSync(path('whole'));
    for (const left of [0, 7, 8, 8 + BYTES.length - 1, length - 1])
      expect(readModule(changed('truncated', (file) => file.subarray(0, left)))).toBeNull();
    expect(readModule(changed('longer', (file) => Buffer.concat([file, file])))).toBeNull();
    expect(readModule(changed('text', () => Buffer.from('no module at all')))).toBeNull();
  });

  test('are of no use when the module in them is none', () => {
    const file = Buffer.concat([Buffer.from([5, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('wrong')]);
    expect(readModule(changed('wrong', () => file))).toBeNull();
  });
});
