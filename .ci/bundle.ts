/**
 * Bundles the command: dist/cli/main.js as one file, with the interpreter's module already made from its rows.
 * Loading some two hundred files, and emitting that module, cost more than running a short program.
 * What is loaded on demand (the toolchain), and packages, stay as they are.
 */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { interpreterModule } from '../emulator/tier0/interpreter.ts';

const root = new URL('../', import.meta.url).pathname;
const bytes = JSON.stringify(Buffer.from(interpreterModule()).toString('latin1'));

await build({
  absWorkingDir: root,
  entryPoints: ['cli/main.ts'],
  outdir: 'dist/cli',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  logLevel: 'warning',
  plugins: [
    {
      name: 'prebuilt-interpreter',
      setup({ onLoad }) {
        onLoad({ filter: /tier0\/prebuilt\.ts$/ }, ({ path }) => {
          const source = readFileSync(path, 'utf8');
          const contents = source.replace("BYTES = ''", () => `BYTES = ${bytes}`);
          if (contents === source) throw new Error(`${path} has no place for the module`);
          return { contents, loader: 'ts' };
        });
      },
    },
  ],
});
