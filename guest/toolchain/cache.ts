/**
 * The cache of compiled programs: `<cache>/guest`.
 *
 * `<key>.json` lists, for a key made of sources, flags and compiler, the headers that the compilation read;
 * `<hash>.elf` is the executable, its hash made of the key and of those headers' content; `<hash>.txt` is what
 * the compiler printed, if anything. Every file appears by rename, so other processes see all or nothing;
 * two that compile the same thing write the same bytes.
 *
 * Missing: nothing is ever evicted. Delete the directory.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Changes when the layout of the cache or the meaning of a key does. */
const FORMAT = 1;

interface Manifest {
  readonly headers: readonly string[];
}

export interface CacheEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly output: string;
}

/** Where the cache is when the caller does not say; see CompileOptions.cacheDir. */
export function defaultCacheDir(): string {
  const fromEnvironment = process.env['SAMEFRAME_CACHE'];
  if (fromEnvironment) return fromEnvironment;
  const root = packageRoot();
  if (root !== null && !root.split(sep).includes('node_modules')) return join(root, '.cache');
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sameframe');
}

/** The nearest directory above this file that holds sameframe's package.json: guest/ and dist/guest/ differ in depth. */
function packageRoot(): string | null {
  let dir = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"name": "sameframe"')) return dir;
    const parent = dirname(dir);
    if (parent === dir) return null;
    dir = parent;
  }
}

/** Digest of any JSON value. */
export function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, value]))
    .digest('hex')
    .slice(0, 40);
}

/** Digest of a file's content, or null when it cannot be read. */
export async function digestOfFile(path: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch {
    return null;
  }
}

/** The executable for a key, if there is one and no header has changed since. */
export async function lookUp(cacheDir: string, key: string): Promise<CacheEntry | null> {
  const dir = join(cacheDir, 'guest');
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(dir, `${key}.json`), 'utf8')) as Manifest;
  } catch {
    return null;
  }
  return read(dir, await hashOf(key, manifest.headers));
}

/** Puts an executable into the cache, with the headers it depends on and what the compiler printed. */
export async function store(
  cacheDir: string,
  key: string,
  headers: readonly string[],
  executable: string,
  output: string,
): Promise<CacheEntry> {
  const dir = join(cacheDir, 'guest');
  await mkdir(dir, { recursive: true });
  const hash = await hashOf(key, headers);
  const manifest: Manifest = { headers };
  const part = join(dir, `.${randomUUID()}`);
  await copyFile(executable, part);
  await rename(part, join(dir, `${hash}.elf`));
  if (output !== '') await place(join(dir, `${hash}.txt`), output);
  // Last, because it is what a reader looks at first.
  await place(join(dir, `${key}.json`), JSON.stringify(manifest));
  const entry = await read(dir, hash);
  if (entry === null) throw new Error(`${dir} was deleted while a program was being put into it`);
  return entry;
}

async function hashOf(key: string, headers: readonly string[]): Promise<string> {
  return digest([key, await Promise.all(headers.map((path) => digestOfFile(path)))]);
}

async function place(path: string, text: string): Promise<void> {
  const part = join(dirname(path), `.${randomUUID()}`);
  await writeFile(part, text);
  await rename(part, path);
}

async function read(dir: string, hash: string): Promise<CacheEntry | null> {
  const path = join(dir, `${hash}.elf`);
  try {
    const content = await readFile(path);
    const output = await readFile(join(dir, `${hash}.txt`), 'utf8').catch(() => '');
    return { path, bytes: new Uint8Array(content.buffer, content.byteOffset, content.length), output };
  } catch {
    return null;
  }
}
