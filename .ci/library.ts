/**
 * Bundles the library (npm run build): what `sameframe` and `sameframe/emulator` import, as one function.
 *
 *     dist/library.js            kernel-ts/ and emulator/ with all they import
 *     dist/kernel-ts/index.js    the names of the first
 *     dist/emulator/index.js     the names of the second
 *
 * The two hundred modules would work as they are, but slower: V8 makes better code of functions that call others of the same function's
 * scope than of another module's, or even of the same module's. By that a first touch of a page takes 0.7 of the time and a semop 0.8.
 * Declarations are the compiler's.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const out = join(root, 'dist');

const DOORS: Readonly<Record<string, string>> = { kernel: 'kernel-ts/index', emulator: 'emulator/index' };

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  logLevel: 'warning',
} as const;

/** The names that a module exports, types apart. */
async function namesOf(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...common,
    entryPoints: [entry],
    format: 'esm',
    write: false,
    metafile: true,
    outdir: out,
  });
  return Object.values(metafile.outputs).flatMap(({ exports }) => exports);
}

await build({
  ...common,
  stdin: {
    contents: Object.entries(DOORS)
      .map(([name, path]) => `export * as ${name} from './${path}.ts';`)
      .join('\n'),
    resolveDir: root,
  },
  outfile: join(out, 'library.js'),
  format: 'iife',
  globalName: 'library',
  footer: { js: `export const { ${Object.keys(DOORS).join(', ')} } = library;` },
});
for (const [name, path] of Object.entries(DOORS)) {
  const file = join(out, `${path}.js`);
  mkdirSync(dirname(file), { recursive: true });
  const names = await namesOf(`${path}.ts`);
  writeFileSync(
    file,
    `import { ${name} } from '../library.js';\nexport const { ${names.join(', ')} } = ${name};\n`,
  );
}
