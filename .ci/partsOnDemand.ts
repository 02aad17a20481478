/**
 * Parts a bundle (bundle.ts): what most programs never come to goes into bundles of their own, dist/cli/emulator.cjs, jit.cjs and kernel.cjs, each
 * of which is loaded when somebody calls one of its functions. To make all of it ready takes V8 more than to run a short program.
 *
 * Modules of the kernel are in one of the bundles only: a part gets what it imports of the other's, its windows, when it is loaded. Others
 * that several import are there as often: they hold constants, and nothing that changes.
 */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

/** The parts, and what is imported from outside of each: its doors. Constants of theirs are copied. */
const PARTS = {
  // What makes code of the rows, the rows themselves, and what executes the rarer ones in TypeScript.
  emulator: [
    'emulator/commitLog.ts',
    'emulator/fp/helpers.ts',
    'emulator/isa/assemble.ts',
    'emulator/isa/decode.ts',
    'emulator/isa/disassemble.ts',
    'emulator/isa/document.ts',
    'emulator/isa/table.ts',
    'emulator/priv/csrTable.ts',
    'emulator/tier0/interpreterModule.ts',
    'emulator/tier0/step.ts',
  ],
  // What tier 1 compiles with, and rows of its own: most programs that are long enough for it have no use for the rest of the emulator.
  jit: [
    'emulator/jit/batch.ts',
    'emulator/jit/fusedHost.ts',
    'emulator/jit/inlineCalls.ts',
    'emulator/jit/region.ts',
  ],
  // The system calls beside those of every program, /proc, and what looks at a machine from outside.
  kernel: [
    'kernel-ts/syscalls/strace.ts',
    'kernel-ts/syscalls/table.ts',
    'kernel-ts/system/crash.ts',
    'kernel-ts/system/inspect.ts',
    'kernel-ts/system/invariants.ts',
    'kernel-ts/system/procFiles.ts',
  ],
} as const;

export type PartName = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as PartName[];

const OURS = /^\.{1,2}\/.*\.ts$/;
const LOADER = 'part-loader';
/** What a part's code asks `require` for instead of a window. */
const WINDOW = 'window:';

/** The entry of a part: its doors by their paths. */
function entryOf(part: PartName): string {
  return PARTS[part].map((door) => `export * as ${JSON.stringify(door)} from './${door}';`).join('\n');
}

/** Modules that are there once. */
const ONCE = /^kernel-ts\/(?!abi\/)/;

/** By a module of the other bundle: the names that a part imports of it. */
type Windows = ReadonlyMap<string, ReadonlySet<string>>;
const NO_WINDOWS: Windows = new Map();

/** Leaves out of a part the modules that the other bundle has. */
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

/** The part that one has copies of modules of, and does not load. */
const COPIES: { readonly [part in PartName]?: PartName } = { jit: 'emulator' };

/** How to build a part beside a bundle with these modules. The parts are loaded each by itself: what one wants of another is left out too. */
function outside(part: PartName, modules: ReadonlySet<string>): BuildOptions {
  const others = PART_NAMES.filter((other) => other !== part && other !== COPIES[part]);
  return {
    stdin: { contents: entryOf(part), resolveDir: root },
    bundle: true,
    plugins: [...others.map((other) => leftOutOf(other, NO_WINDOWS)), windowsTo(modules)],
  };
}

/** What a part imports of the modules of the other bundle, as esbuild writes it. */
async function windowsOf(part: PartName, modules: ReadonlySet<string>): Promise<Windows> {
  const { outputFiles } = await build({
    ...outside(part, modules),
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const text = outputFiles.map((file) => file.text).join('\n');
  const nameless = /^import \* as .*$/m.exec(text);
  if (nameless !== null) throw new Error(`a window has no names: ${nameless[0]}`);
  const windows = new Map<string, Set<string>>();
  for (const [, names = '', module = ''] of text.matchAll(
    new RegExp(`^import \\{([^}]*)\\} from "${WINDOW}([^"]*)";$`, 'gm'),
  )) {
    const found = windows.get(module) ?? new Set();
    for (const name of names.split(',')) found.add(name.trim().split(' as ')[0] as string);
    windows.set(module, found);
  }
  // Parts load the emulator's without opening windows for it.
  if (part !== 'kernel' && windows.size > 0) throw new Error(`${part} has a window to the kernel`);
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
function leftOutOf(part: PartName, windows: Windows): Plugin {
  const doors = new Map<string, string>(PARTS[part].map((door) => [join(root, door), door]));
  const names = [...windows].flatMap(([module, all], at) => {
    const list = Array.from(all, (name) => `${name} as w${String(at)}_${name}`);
    return `import { ${list.join(', ')} } from './${module}';`;
  });
  const values = [...windows].map(([module, all], at) => {
    const list = Array.from(all, (name) => `${name}: w${String(at)}_${name}`);
    return `${JSON.stringify(WINDOW + module)}: { ${list.join(', ')} }`;
  });
  const loader = `let loaded; export const part = () => (loaded ??= load('${part}', { ${values.join(', ')} }));`;
  const namespace = `${part}-part`;
  const loaderPath = `${LOADER}-${part}`;
  return {
    name: `${part}-left-out`,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: OURS }, ({ path, resolveDir }) => {
        const door = doors.get(join(resolveDir, path));
        return door === undefined ? undefined : { path: door, namespace };
      });
      onResolve({ filter: new RegExp(`^${loaderPath}$`) }, ({ path }) => ({ path, namespace: loaderPath }));
      onLoad({ filter: /.*/, namespace }, async ({ path }) => {
        const found = (await import(join(root, path))) as Readonly<Record<string, unknown>>;
        const lines = Object.entries(found).map(([name, value]) => standIn(path, name, value));
        const contents = [`import { part } from '${loaderPath}';`, ...lines.filter((line) => line !== null)];
        return { contents: contents.join('\n'), resolveDir: root };
      });
      onLoad({ filter: /.*/, namespace: loaderPath }, () => ({
        contents: [...names, loader].join('\n'),
        resolveDir: root,
      }));
    },
  };
}

export interface Parts {
  /** How to build each part. */
  readonly parts: ReadonlyMap<PartName, BuildOptions>;
  /** What leaves them out of the other bundles. */
  readonly leftOut: readonly Plugin[];
}

/** The parts of the bundles of these entries; `options` are those of the latter. */
export async function partsOnDemand(entries: readonly string[], options: BuildOptions): Promise<Parts> {
  const modules = new Set<string>();
  for (const [at, entry] of entries.entries()) {
    const plugins = [...(options.plugins ?? []), ...PART_NAMES.map((part) => leftOutOf(part, NO_WINDOWS))];
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
  const parts = new Map(PART_NAMES.map((part) => [part, outside(part, modules)]));
  const leftOut: Plugin[] = [];
  for (const part of PART_NAMES) leftOut.push(leftOutOf(part, await windowsOf(part, modules)));
  return { parts, leftOut };
}
