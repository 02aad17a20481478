/**
 * The guest's C compiler: the door of `sameframe/toolchain`.
 *
 * `compile` turns C sources into a static executable by calling a cross compiler that it finds (zig cc,
 * riscv64-unknown-elf-gcc, clang) and keeps the result in a cache keyed by content. It is the only part of
 * the package that needs a toolchain; whoever runs finished ELF files never imports it.
 *
 * Missing: compilers on Windows hosts are untested.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { execa } from 'execa';
import { defaultCacheDir, digest, digestOfFile, lookUp, store } from './toolchain/cache.ts';
import { headersOf } from './toolchain/dependencies.ts';
import { CompileError } from './toolchain/errors.ts';
import { findToolchain } from './toolchain/find.ts';
import type { Toolchain, ToolchainName } from './toolchain/find.ts';
import { commandLine, trailingFlags } from './toolchain/flags.ts';
import type { Flags, Target } from './toolchain/flags.ts';

export { CompileError, ToolchainError } from './toolchain/errors.ts';
export { findToolchain } from './toolchain/find.ts';
export type { Toolchain, ToolchainName } from './toolchain/find.ts';
export type { Flags, Optimization, Target } from './toolchain/flags.ts';

/**
 * A source given as text. `name` is what diagnostics and `__FILE__` show. A name that ends in .h makes a header
 * that the other texts can include; other quoted includes are looked up from `cwd`.
 */
export interface SourceText {
  /** A relative path that ends in the language's suffix, e.g. "writer.c". */
  readonly name: string;
  readonly text: string;
}

/** A path (absolute, or relative to `cwd`) of a C or assembler file, or the text of one. */
export type Source = string | SourceText;

export interface CompileOptions extends Partial<Flags> {
  /** Which compiler to use. Default 'auto': the first installed one that can make the target. */
  readonly toolchain?: ToolchainName | 'auto';
  /** Directory that relative paths start from. Default: the process's. */
  readonly cwd?: string;
  /**
   * Directory of the cache. Default: `SAMEFRAME_CACHE` of the environment, `.cache` in a checkout of
   * sameframe, else `sameframe` in the user's cache directory (XDG_CACHE_HOME or ~/.cache).
   */
  readonly cacheDir?: string;
}

export interface CompileResult {
  /** The executable. It lies in the cache: copy it, do not change it. */
  readonly path: string;
  /** The content of the executable, ready for `System.spawn`. */
  readonly bytes: Uint8Array;
  /** True when no compiler ran. */
  readonly cached: boolean;
  /** What made it, e.g. "zig 0.16.0". */
  readonly toolchain: string;
  /** What the compiler printed: warnings, or an empty string. Kept in the cache as well. */
  readonly output: string;
}

/**
 * Compiles and links C sources to one static executable.
 *
 * The result is cached by the content of the sources and of the headers they include (the compiler's own
 * headers are covered by its version), the flags and the compiler, so a second call costs a few
 * milliseconds. Processes may compile the same thing at the same time. The very first compile of a target
 * by zig also builds musl, about 40 s.
 *
 * @param sources one or more C files, or texts
 * @throws {CompileError} the C does not compile or link; `output` is what the compiler printed
 * @throws {ToolchainError} no compiler for the target is installed; the message says what to install
 * @throws {RangeError} no sources, or a SourceText whose name is not a relative path
 */
export async function compile(
  sources: Source | readonly Source[],
  options: CompileOptions = {},
): Promise<CompileResult> {
  const list = typeof sources === 'string' || 'text' in sources ? [sources] : sources;
  if (list.length === 0) throw new RangeError('compile: no sources');
  const cwd = resolve(options.cwd ?? '.');
  const target = options.target ?? 'riscv32-linux-musl';
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const toolchain = await findToolchain(target, options.toolchain ?? 'auto', cacheDir);
  const scratch = await mkdtemp(join(tmpdir(), 'sameframe-cc-'));
  try {
    return await compileIn({ list, cwd, target, cacheDir, toolchain, scratch, options });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Job {
  readonly list: readonly Source[];
  readonly cwd: string;
  readonly target: Target;
  readonly cacheDir: string;
  readonly toolchain: Toolchain;
  readonly scratch: string;
  readonly options: CompileOptions;
}

async function compileIn(job: Job): Promise<CompileResult> {
  const { cwd, toolchain, scratch, cacheDir } = job;
  const hasText = job.list.some((source) => typeof source !== 'string');
  const all: string[] = [];
  for (const source of job.list) {
    all.push(typeof source === 'string' ? source : await writeText(source, scratch));
  }
  const files = all.filter((file) => !file.endsWith('.h'));
  const flags = commandLine(toolchain.name, job.target, job.options);
  if (hasText) flags.push('-iquote', '.');
  // The scratch directory's name differs from call to call and must not reach the key.
  const shown = all.map((file) => (file.startsWith(scratch) ? file.slice(scratch.length) : file));
  const trailing = trailingFlags(toolchain.name, job.target, job.options);
  const named = await contentsOfNamed([...flags, ...trailing], cwd);
  const key = digest([toolchain.version, cwd, flags, shown, await contents(all, cwd), ...named]);

  const hit = await lookUp(cacheDir, key);
  if (hit) return { ...hit, cached: true, toolchain: toolchain.version };

  const run = (args: readonly string[]) =>
    execa(toolchain.command, [...toolchain.prefix, ...args], {
      cwd,
      env: toolchain.env,
      all: true,
      reject: false,
      stripFinalNewline: false,
      stdin: 'ignore',
    });
  // Headers are taken before the compiler reads them: an edit in between costs a recompile, never a stale hit.
  const headers = (await headersOf(files, flags, cwd, run)).filter((path) => !path.startsWith(scratch));
  const output = join(scratch, 'a.out');
  const result = await run([...flags, ...files, ...trailing, '-o', output]);
  if (result.failed) {
    throw new CompileError({
      command: result.escapedCommand,
      exitCode: result.exitCode ?? null,
      output: result.all ?? '',
      sources: job.list.map((source) => (typeof source === 'string' ? source : source.name)),
      reason: result.exitCode === undefined ? (result.originalMessage ?? 'the compiler did not run') : '',
    });
  }
  const stored = await store(cacheDir, key, headers, output, result.all ?? '');
  return { ...stored, cached: false, toolchain: toolchain.version };
}

/** Writes a text to a file that the compiler reads as `name`; a #line directive makes diagnostics say so. */
async function writeText(source: SourceText, scratch: string): Promise<string> {
  const name = normalize(source.name);
  if (isAbsolute(name) || name === '..' || name.startsWith(`..${sep}`) || /["\\\n]/.test(source.name)) {
    throw new RangeError(`compile: the name of a source text must be a relative path: ${source.name}`);
  }
  const file = join(scratch, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#line 1 "${source.name}"\n${source.text}`);
  return file;
}

/** Digests of the files that flags name: linker scripts (`-Tfile`, `-Wl,-T,file`), objects, files of flags (`@file`). */
async function contentsOfNamed(flags: readonly string[], cwd: string): Promise<readonly string[]> {
  const names = flags.flatMap((flag) => flag.split(/[=,]/)).map((part) => part.replace(/^(-T|@)/, ''));
  const digests = await Promise.all(names.map((name) => digestOfFile(resolve(cwd, name))));
  return digests.filter((found) => found !== null);
}

/** Digests of the sources; a missing file counts as empty, so that the compiler is the one to complain. */
async function contents(files: readonly string[], cwd: string): Promise<readonly string[]> {
  return Promise.all(files.map(async (file) => (await digestOfFile(resolve(cwd, file))) ?? 'missing'));
}
