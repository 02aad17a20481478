/**
 * What the build installs as dist/cli/main.js (bundled, a CommonJS module): loads the command through V8's code cache, which the build
 * has filled by running a program once. Compiling the command's source costs more than running a short program.
 * A cache of another V8 is rejected by V8 itself, and the source is compiled as usual.
 */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { plainRun } from './plainRun.ts';
import { setV8Flag, setV8Flags } from './v8Flags.ts';

/** Larger than each of the files. Only what is read into it costs memory, and once: the first touch of a page is half of the reading. */
let room: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(1 << 20);

/** The bytes of a file, until the next is read. */
function read(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    let end = 0;
    for (let length; (length = readSync(fd, room, end, room.length - end, null)) > 0;) {
      end += length;
      if (end === room.length) room = Buffer.concat([room, Buffer.allocUnsafeSlow(end)]);
    }
    return room.subarray(0, end);
  } finally {
    closeSync(fd);
  }
}

function cached(file: string): Buffer | undefined {
  try {
    return read(file);
  } catch {
    return undefined;
  }
}

const loaded = new Map<string, unknown>();

/**
 * The exports of a bundle, which is a function's expression (.ci/bundle.ts). `windows`: what it imports of the bundle that loads it
 * (.ci/partsOnDemand.ts).
 */
function load(name: string, windows: Readonly<Record<string, unknown>> = {}): unknown {
  const before = loaded.get(name);
  if (before !== undefined) return before;
  const filename = `${__dirname}/${name}.cjs`;
  const cacheFile = `${__dirname}/${name}.cache`;
  const source = read(filename).toString('latin1');
  const cachedData = cached(cacheFile);
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  const fill = process.env['SAMEFRAME_FILL_CODE_CACHE'];
  if (fill !== undefined) {
    process.on('exit', () => {
      // V8 takes cached code only under the flags under which it was made.
      if (fill === 'without-sparkplug') setV8Flag('--sparkplug');
      writeFileSync(cacheFile, script.createCachedData());
    });
  }
  const bundle = script.runInThisContext() as (...values: unknown[]) => void;
  const itself = { exports: {} };
  const find = (path: string): unknown => windows[path] ?? require(path);
  bundle(itself.exports, find, itself, filename, __dirname, (path: string) => import(path), load);
  loaded.set(name, itself.exports);
  return itself.exports;
}

// First of all: V8 takes cached code only under the flags under which it was made, and collects garbage from here on.
setV8Flags();
load(plainRun(process.argv.slice(2)) === null ? 'sameframe' : 'quick');
