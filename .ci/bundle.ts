/**
 * Bundles the command, so that it starts fast (npm run build; measured in CONTRIBUTING.md):
 *
 *     dist/cli/quick.cjs          cli/quick.ts with all it imports: `run` with hardly any options
 *     dist/cli/sameframe.cjs      cli/main.ts with all it imports: everything
 *     dist/cli/emulator.cjs       what both load on demand, in three parts (partsOnDemand.ts)
 *     dist/cli/jit.cjs
 *     dist/cli/kernel.cjs
 *     dist/cli/main.js            cli/launch.ts, which loads these through V8's code cache
 *     dist/cli/*.cache            the code caches, filled by running a small program
 *     dist/cli/interpreter.cache  the interpreter's module made from its rows, with V8's code for it (cli/moduleCache.ts)
 *
 * Loading some two hundred files, compiling their source and emitting the interpreter cost more than running a short
 * program. The toolchain is loaded on demand, from dist/guest.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { interpreterModule } from '../emulator/tier0/interpreterModule.ts';
import { native, writeModule } from '../cli/moduleCache.ts';
import { setV8Flags } from '../cli/v8Flags.ts';
import { fillProgram } from './fillProgram.ts';
import { partsOnDemand } from './partsOnDemand.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const out = join(root, 'dist/cli');

/** Each bundle's entry, and what fills its code cache by running a program. */
const BUNDLES = { quick: 'cli/quick.ts', sameframe: 'cli/main.ts' } as const;
const FILLS = { quick: ['run'], sameframe: ['run', '--tier=auto'] } as const;

/** In the place of the hash of all code (cli/codeStore.ts). */
const NO_ID = '0'.repeat(64);

const prebuiltInterpreter: Plugin = {
  name: 'prebuilt-interpreter',
  setup({ onResolve }) {
    onResolve({ filter: /\/prebuilt\.ts$/ }, () => ({ path: join(root, 'cli/prebuiltInterpreter.ts') }));
  },
};

const toolchainOnDemand: Plugin = {
  name: 'toolchain-on-demand',
  setup({ onResolve }) {
    onResolve({ filter: /guest\/toolchain\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: '../guest/toolchain.js', external: true } : undefined,
    );
  },
};

/**
 * What takes a millisecond to load or several, and is rarely called: commander can start programs, which is never asked of it, and
 * picocolors opens the standard output, which loads node:net where that is a pipe. Functions or classes of each.
 */
const ON_DEMAND: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['spawn'],
  'node:module': ['SourceMap'],
  'node:tty': ['isatty'],
  'node:v8': ['deserialize', 'serialize'],
  'node:zlib': ['crc32'],
  picocolors: ['createColors'],
};

const onDemand: Plugin = {
  name: 'on-demand',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(ON_DEMAND).join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'on-demand' ? undefined : { path, namespace: 'on-demand' },
    );
    onLoad({ filter: /.*/, namespace: 'on-demand' }, ({ path }) => ({
      contents: (ON_DEMAND[path] ?? [])
        .map(
          (name) => `exports.${name} = function (...args) {
            const real = require('${path}').${name};
            return new.target ? new real(...args) : real(...args);
          };`,
        )
        .join('\n'),
      resolveDir: root,
    }));
  },
};

// launch.ts takes it for a function. Its one `import()` is the launcher's, since code from V8's cache has none; the name is as long, so that
// the source map stays true.
const LOAD_MODULE = 'loadES';
const PARAMETERS = `exports, require, module, __filename, __dirname, ${LOAD_MODULE}, load`;

const COMMON: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  define: { 'import.meta.dirname': '__dirname', BUILD_ID: JSON.stringify(NO_ID) },
  logLevel: 'warning',
};
const PLUGINS: Plugin[] = [prebuiltInterpreter, toolchainOnDemand, onDemand];

/** The code of a bundle, as launch.ts wants it, but for the hash. Beside it goes its source map, for stack traces (cli/stack.ts). */
async function bundled(name: string, options: BuildOptions): Promise<string> {
  const outfile = join(out, `${name}.cjs`);
  await build({
    ...COMMON,
    outfile,
    minify: true,
    sourcemap: 'external',
    sourcesContent: false,
    banner: { js: `(function (${PARAMETERS}) {` },
    footer: { js: '})' },
    ...options,
  });
  const code = readFileSync(outfile, 'utf8');
  const odd = /[^\0-\x7f].{0,20}/.exec(code);
  if (odd !== null) throw new Error(`launch.ts reads the bundle as Latin-1, and it has ${odd[0]}`);
  return code;
}

/** The code of a bundle of the command. */
async function commandOf(name: string, entry: string, leftOut: readonly Plugin[]): Promise<string> {
  const code = await bundled(name, { entryPoints: [entry], plugins: [...PLUGINS, ...leftOut] });
  const launched = code.replace(/\bimport\((?=["'`]\.\.\/guest\/toolchain\.js)/, `${LOAD_MODULE}(`);
  if (launched === code) throw new Error('the bundle does not load the toolchain on demand');
  if (!launched.includes(NO_ID)) throw new Error('the bundle has no place for the hash of all code');
  return launched;
}

const bundles = new Map<string, string>();
const { parts, leftOut } = await partsOnDemand(Object.values(BUNDLES), { ...COMMON, plugins: PLUGINS });
for (const [name, entry] of Object.entries(BUNDLES)) bundles.set(name, await commandOf(name, entry, leftOut));
for (const [name, options] of parts) bundles.set(name, await bundled(name, options));
const id = createHash('sha256')
  .update([...bundles.values()].join('\n'))
  .digest('hex');
for (const [name, code] of bundles) writeFileSync(join(out, `${name}.cjs`), code.replaceAll(NO_ID, id));
writeFileSync(join(out, 'package.json'), '{"type":"commonjs"}\n');
await build({
  absWorkingDir: root,
  entryPoints: ['cli/launch.ts'],
  outfile: join(out, 'main.js'),
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  supported: { 'dynamic-import': true },
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
chmodSync(join(out, 'main.js'), 0o755);

// V8 takes the code only under the flags that the command sets.
setV8Flags();
writeModule(
  join(out, 'interpreter.cache'),
  interpreterModule(true, native('SerializeWasmModule', 'module') !== null),
);
const scratch = mkdtempSync(join(tmpdir(), 'sameframe-'));
try {
  const program = join(scratch, 'fill');
  writeFileSync(program, fillProgram);
  // What Sparkplug has compiled is in V8's cache marked so, and compiled by it again at the first call: 0.8 ms of the shortest program.
  const hasSparkplug = ['x64', 'arm64'].includes(process.arch);
  const sparkplug = hasSparkplug ? ['--no-sparkplug'] : [];
  const fill = hasSparkplug ? 'without-sparkplug' : 'as-it-is';
  // What an older build left would be taken over.
  for (const name of bundles.keys()) rmSync(join(out, `${name}.cache`), { force: true });
  for (const [name, words] of Object.entries(FILLS)) {
    // Each compiles: V8 forgets by and by what a run has no use for.
    const env = { ...process.env, SAMEFRAME_FILL_CODE_CACHE: fill, XDG_CACHE_HOME: join(scratch, name) };
    execFileSync(process.execPath, [...sparkplug, join(out, 'main.js'), ...words, program], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
} finally {
  rmSync(scratch, { recursive: true });
}
