/**
 * Parts a bundle (bundle.ts): what makes code of the rows, and the rows themselves, go into a bundle of their own, dist/cli/part.cjs, which
 * is loaded when somebody calls one of its functions. Most programs end before that, and V8 takes 4 ms to make all of it ready.
 *
 * Modules that both bundles import are there twice: they hold constants, and nothing that changes.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

/** What is imported from outside the part. Constants of theirs are copied. */
const DOORS: readonly string[] = [
  'emulator/isa/assemble.ts',
  'emulator/isa/decode.ts',
  'emulator/isa/disassemble.ts',
  'emulator/isa/document.ts',
  'emulator/isa/table.ts',
  'emulator/jit/batch.ts',
  'emulator/jit/region.ts',
  'emulator/tier0/interpreterModule.ts',
  'emulator/tier0/step.ts',
];

const paths = new Map(DOORS.map((door) => [join(root, door), door]));

const NAMESPACE = 'part';
const LOADER = 'part-loader';

/** The entry of the part: its doors by their paths. */
export const partEntry = DOORS.map((door) => `export * as ${JSON.stringify(door)} from './${door}';`).join(
  '\n',
);

/** What stands for an export in the other bundle; null: it cannot be had there, and esbuild says so when somebody wants it. */
function standIn(door: string, name: string, value: unknown): string | null {
  if (typeof value === 'function') {
    if (/^class\b/.test(String(value))) return null;
    return `export const ${name} = (...values) => part()[${JSON.stringify(door)}].${name}(...values);`;
  }
  const constant = JSON.stringify(value);
  const isPlain = typeof value !== 'object' || Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && constant !== undefined ? `export const ${name} = ${constant};` : null;
}

export const partOnDemand: Plugin = {
  name: 'part-on-demand',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const door = paths.get(join(resolveDir, path));
      return door === undefined ? undefined : { path: door, namespace: NAMESPACE };
    });
    onResolve({ filter: new RegExp(`^${LOADER}$`) }, ({ path }) => ({ path, namespace: LOADER }));
    onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => {
      const found = (await import(join(root, path))) as Readonly<Record<string, unknown>>;
      const lines = Object.entries(found).map(([name, value]) => standIn(path, name, value));
      const contents = [`import { part } from '${LOADER}';`, ...lines.filter((line) => line !== null)].join(
        '\n',
      );
      return { contents, resolveDir: root };
    });
    onLoad({ filter: /.*/, namespace: LOADER }, () => ({
      contents: "let loaded; export const part = () => (loaded ??= load('part'));",
    }));
  },
};
