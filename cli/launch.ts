/**
 * What the build installs as dist/cli/main.js (bundled, a CommonJS module): loads the command through V8's code cache, which the build
 * has filled by running a program once. Compiling the command's source costs more than running a short program.
 * A cache of another V8 is rejected by V8 itself, and the source is compiled as usual.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { setV8Flags } from './v8Flags.ts';

/** `run` without options, which is to start fast, needs little of the command (quick.ts). */
const [verb, first] = process.argv.slice(2);
const name = verb === 'run' && first !== undefined && !first.startsWith('-') ? 'quick' : 'sameframe';
const file = `${__dirname}/${name}.cjs`;
const cacheFile = `${__dirname}/${name}.cache`;

function cached(): Buffer | undefined {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

// First of all: V8 takes cached code only under the flags under which it was made, and collects garbage from here on.
setV8Flags();
const source = readFileSync(file, 'latin1');
const cachedData = cached();
const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
if (process.env['SAMEFRAME_FILL_CODE_CACHE'] === '1') {
  process.on('exit', () => {
    writeFileSync(cacheFile, script.createCachedData());
  });
}
/** A bundle is a function's expression (.ci/bundle.ts). */
const command = script.runInThisContext() as (...values: unknown[]) => void;
command(exports, require, module, file, __dirname, (path: string) => import(path));
