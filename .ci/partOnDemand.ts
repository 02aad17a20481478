/**
 * Parts a bundle (bundle.ts): what most programs never come to goes into a bundle of its own, dist/cli/part.cjs, which is loaded when
 * somebody calls one of its functions: what makes code of the rows, the rows themselves, and what looks at a machine from outside. To make
 * all of it ready takes V8 more than to run a short program.
 *
 * Modules of the kernel are in one of the bundles only: the part gets what it imports of the other's, its windows, when it is loaded. Others
 * that both import are there twice: they hold constants, and nothing that changes.
 */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

/** What is imported from outside the part. Constants of theirs are copied. */
const DOORS: readonly string[] = [
  'emulator/commitLog.ts',
  'emulator/isa/assemble.ts',
  'emulator/isa/decode.ts',
  'emulator/isa/disassemble.ts',
  'emulator/isa/document.ts',
  'emulator/isa/table.ts',
  'emulator/jit/batch.ts',
  'emulator/jit/region.ts',
  'emulator/tier0/interpreterModule.ts',
  'emulator/tier0/step.ts',
  'kernel-ts/syscalls/strace.ts',
  'kernel-ts/system/crash.ts',
  'kernel-ts/system/inspect.ts',
  'kernel-ts/system/invariants.ts',
];

const doors = new Map(DOORS.map((door) => [join(root, door), door]));

const OURS = /^\.{1,2}\/.*\.ts$/;
const NAMESPACE = 'part';
const LOADER = 'part-loader';
/** What the part's code asks `require` for instead of a window. */
const WINDOW = 'window:';

/** The entry of the part: its doors by their paths. */
const partEntry = DOORS.map((door) => `export * as ${JSON.stringify(door)} from './${door}';`).join('\n');

/** Modules that are there once. */
const ONCE = /^kernel-ts\/(?!abi\/)/;

/** By a module of the other bundle: the names that the part imports of it. */
type Windows = ReadonlyMap<string, ReadonlySet<string>>;

/** Leaves out of the part the modules that the other bundle has. */
function windowsTo(modules: ReadonlySet<string>): Plugin {
  return {
    name: 'windows',
    setup({ onResolve }) {
      onResolve({ filter: OURS }, ({ path, resolveDir }) => {
        const module = relative(root, join(resolveDir, path));
        return ONCE.test(module) && modules.has(module)
          ? { path: WINDOW + module, external: true }
          : undefined;
      });
    },
  };
}

const outside = (modules: ReadonlySet<string>): BuildOptions => ({
  stdin: { contents: partEntry, resolveDir: root },
  bundle: true,
  plugins: [windowsTo(modules)],
});

/** What the part imports of the modules of the other bundle, as esbuild writes it. */
async function windowsOf(modules: ReadonlySet<string>): Promise<Windows> {
  const { outputFiles } = await build({ ...outside(modules), format: 'esm', platform: 'node', write: false });
  const text = outputFiles.map((file) => file.text).join('\n');
  if (text.includes(`import * as`)) throw new Error('a window has no names');
  const windows = new Map<string, Set<string>>();
  for (const [, names = '', module = ''] of text.matchAll(
    new RegExp(`^import \\{([^}]*)\\} from "${WINDOW}([^"]*)";$`, 'gm'),
  )) {
    const found = windows.get(module) ?? new Set();
    for (const name of names.split(',')) found.add(name.trim().split(' as ')[0] as string);
    windows.set(module, found);
  }
  return windows;
}

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

/** The other bundle's side: stand-ins for the doors, and what opens the windows when the part is loaded. */
function partLeftOut(windows: Windows): Plugin {
  const names = [...windows].flatMap(([module, all], at) => {
    const list = Array.from(all, (name) => `${name} as w${String(at)}_${name}`);
    return `import { ${list.join(', ')} } from './${module}';`;
  });
  const values = [...windows].map(([module, all], at) => {
    const list = Array.from(all, (name) => `${name}: w${String(at)}_${name}`);
    return `${JSON.stringify(WINDOW + module)}: { ${list.join(', ')} }`;
  });
  const loader = `let loaded; export const part = () => (loaded ??= load('part', { ${values.join(', ')} }));`;
  return {
    name: 'part-left-out',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: OURS }, ({ path, resolveDir }) => {
        const door = doors.get(join(resolveDir, path));
        return door === undefined ? undefined : { path: door, namespace: NAMESPACE };
      });
      onResolve({ filter: new RegExp(`^${LOADER}$`) }, ({ path }) => ({ path, namespace: LOADER }));
      onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => {
        const found = (await import(join(root, path))) as Readonly<Record<string, unknown>>;
        const lines = Object.entries(found).map(([name, value]) => standIn(path, name, value));
        const contents = [`import { part } from '${LOADER}';`, ...lines.filter((line) => line !== null)];
        return { contents: contents.join('\n'), resolveDir: root };
      });
      onLoad({ filter: /.*/, namespace: LOADER }, () => ({
        contents: [...names, loader].join('\n'),
        resolveDir: root,
      }));
    },
  };
}

/** How to build the part, and what leaves it out of the bundles of these entries; `options` are those of the latter. */
export async function partOnDemand(
  entries: readonly string[],
  options: BuildOptions,
): Promise<{ readonly part: BuildOptions; readonly leftOut: Plugin }> {
  const modules = new Set<string>();
  for (const [at, entry] of entries.entries()) {
    const plugins = [...(options.plugins ?? []), partLeftOut(new Map())];
    const { metafile } = await build({
      ...options,
      entryPoints: [entry],
      plugins,
      write: false,
      metafile: true,
    });
    const found = Object.keys(metafile.inputs);
    // Windows look at what all of them have.
    if (at === 0) for (const module of found) modules.add(module);
    else for (const module of modules) if (!found.includes(module)) modules.delete(module);
  }
  return { part: outside(modules), leftOut: partLeftOut(await windowsOf(modules)) };
}
