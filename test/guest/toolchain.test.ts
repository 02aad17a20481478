import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, CompileError, findToolchain, ToolchainError } from '../../guest/toolchain.ts';
import { parseRule } from '../../guest/toolchain/dependencies.ts';
import { commandLine } from '../../guest/toolchain/flags.ts';
import { defaultCacheDir } from '../../guest/toolchain/cache.ts';

/** The first compile of a flavour builds musl. */
const slow = 300_000;
const answer = 'int answer(void) { return 42; }\n';
let dir = '';

/** Options of a test with a cache of its own, but with the repository's zig cache. */
function fresh(name: string): { cwd: string; cacheDir: string } {
  return { cwd: dir, cacheDir: join(dir, name) };
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sameframe-test-'));
  process.env['ZIG_GLOBAL_CACHE_DIR'] ??= join(defaultCacheDir(), 'zig');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('compile', () => {
  test(
    'makes a static RV32GC executable with the double-float ABI',
    async () => {
      const text = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n';
      const { bytes, path, toolchain } = await compile({ name: 'hello.c', text });
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect(view.getUint32(0)).toBe(0x7f454c46);
      expect(bytes[4]).toBe(1); // ELFCLASS32
      expect(view.getUint16(16, true)).toBe(2); // ET_EXEC
      expect(view.getUint16(18, true)).toBe(243); // EM_RISCV
      expect(view.getUint32(36, true)).toBe(5); // RVC, double-float ABI
      expect(path).toMatch(/\.cache[/\\]guest[/\\][0-9a-f]{40}\.elf$/);
      expect(toolchain).toMatch(/^zig \d/);
    },
    slow,
  );

  test('answers from the cache until a source, a header or a flag changes', { timeout: slow }, async () => {
    await mkdir(join(dir, 'inc dir'), { recursive: true });
    await writeFile(join(dir, 'inc dir', 'value.h'), '#define VALUE 1\n');
    await writeFile(join(dir, 'start.c'), '#include "value.h"\nint _start(void) { return VALUE; }\n');
    const options = { ...fresh('c1'), target: 'bare', toolchain: 'zig', includeDirs: ['inc dir'] } as const;
    const first = await compile('start.c', options);
    expect(first.cached).toBe(false);
    const second = await compile(['start.c'], options);
    expect(second).toEqual({ ...first, cached: true });
    expect((await compile('start.c', { ...options, defines: { X: 1 } })).cached).toBe(false);
    await writeFile(join(dir, 'inc dir', 'value.h'), '#define VALUE 2\n');
    const changed = await compile('start.c', options);
    expect(changed.cached).toBe(false);
    expect(changed.bytes).not.toEqual(first.bytes);
    await writeFile(join(dir, 'inc dir', 'value.h'), '#define VALUE 3\n');
    await writeFile(join(dir, 'start.c'), 'int _start(void) { return 4; }\n');
    expect((await compile('start.c', options)).cached).toBe(false);
  });

  test('and until a file changes that a flag names', { timeout: slow }, async () => {
    await writeFile(join(dir, 'scripted.c'), 'int _start(void) { return 0; }\n');
    const script = (at: string): Promise<void> =>
      writeFile(join(dir, 'at.ld'), `ENTRY(_start) SECTIONS { . = ${at}; .text : { *(.text*) } }\n`);
    for (const flag of ['-Tat.ld', '-Wl,-T,at.ld']) {
      await script('0x80010000');
      const options = { ...fresh('c6'), target: 'bare', toolchain: 'zig', flags: [flag] } as const;
      const first = await compile('scripted.c', options);
      expect((await compile('scripted.c', options)).cached).toBe(true);
      await script('0x80020000');
      const second = await compile('scripted.c', options);
      expect([first.cached, second.cached]).toEqual([false, false]);
      expect(second.bytes).not.toEqual(first.bytes);
    }
  });

  test('may run many times at once for the same program', { timeout: slow }, async () => {
    const options = { ...fresh('c2'), target: 'bare', toolchain: 'zig' } as const;
    const source = { name: 'same.c', text: 'void _start(void) {}\n' };
    const results = await Promise.all([1, 2, 3, 4].map(() => compile(source, options)));
    expect(new Set(results.map((result) => result.path)).size).toBe(1);
    expect(results.every((result) => result.bytes.length === results[0]?.bytes.length)).toBe(true);
    const files = await readdir(join(dir, 'c2', 'guest'));
    expect(files.map((name) => name.replace(/^[0-9a-f]{40}/, '')).sort()).toEqual(['.elf', '.json']);
  });

  test('takes headers and several sources as texts', { timeout: slow }, async () => {
    const sources = [
      { name: 'answer.h', text: 'int answer(void);\n' },
      { name: 'answer.c', text: answer },
      { name: 'sub/start.c', text: '#include "../answer.h"\nvoid _start(void) { answer(); }\n' },
    ];
    const options = { ...fresh('c3'), target: 'bare', toolchain: 'zig' } as const;
    expect((await compile(sources, options)).cached).toBe(false);
    expect((await compile(sources, options)).cached).toBe(true);
    const [header, ...others] = sources;
    const changed = [{ name: 'answer.h', text: `${header?.text}int more;\n` }, ...others];
    expect((await compile(changed, options)).cached).toBe(false);
  });

  test('passes on what the compiler prints: errors', { timeout: slow }, async () => {
    const text = 'int main(void)\n{\n  return missing;\n}\n';
    const failure = await compile({ name: 'wrong.c', text }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CompileError);
    const error = failure as CompileError;
    expect(error.message).toBe("cannot compile wrong.c: the compiler's exit status is 1");
    expect(error.output).toContain("wrong.c:3:10: error: use of undeclared identifier 'missing'");
    expect(error.output).toMatch(/1 error generated\.\n$/);
    expect(error.command).toContain('-target riscv32-linux-musl');
  });

  test('passes on what the compiler prints: warnings, also from the cache', { timeout: slow }, async () => {
    const source = { name: 'warn.c', text: 'void _start(void) { int unused; }\n' };
    const options = { ...fresh('c4'), target: 'bare', toolchain: 'zig', flags: ['-Wall'] } as const;
    const first = await compile(source, options);
    expect(first.output).toContain("warn.c:1:25: warning: unused variable 'unused'");
    const second = await compile(source, options);
    expect(second.cached).toBe(true);
    expect(second.output).toBe(first.output);
  });

  test('a source that is not there is the compiler\u2019s to report', { timeout: slow }, async () => {
    const failure = await compile('no-such-file.c', fresh('c5')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CompileError);
    expect((failure as CompileError).output).toContain('no-such-file.c');
  });

  test('refuses what makes no sense', async () => {
    await expect(compile([])).rejects.toThrow(RangeError);
    await expect(compile({ name: '/etc/passwd', text: '' })).rejects.toThrow(RangeError);
    await expect(compile({ name: '../up.c', text: '' })).rejects.toThrow(RangeError);
    await expect(compile('x.c', { target: 'native', softFloat: true })).rejects.toThrow(RangeError);
  });
});

describe('findToolchain', () => {
  test('says what to install when there is no compiler', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = dir;
    try {
      await expect(findToolchain('bare', 'gcc', dir)).rejects.toThrow(ToolchainError);
      await expect(findToolchain('bare', 'gcc', dir)).rejects.toThrow(/apt install gcc-riscv64-unknown-elf/);
      await expect(findToolchain('bare', 'clang', dir)).rejects.toThrow(/apt install clang lld/);
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('says so when a compiler cannot make a target', async () => {
    await expect(findToolchain('riscv32-linux-musl', 'gcc', dir)).rejects.toThrow(
      'gcc cannot compile for riscv32-linux-musl; use zig',
    );
  });

  test('takes clang only together with lld', async () => {
    const bin = join(dir, 'bin');
    await mkdir(bin, { recursive: true });
    const fake = async (name: string, text: string): Promise<void> => {
      await writeFile(join(bin, name), `#!/bin/sh\necho "${text}"\n`);
      await chmod(join(bin, name), 0o755);
    };
    const path = process.env['PATH'] ?? '';
    process.env['PATH'] = bin;
    try {
      await fake('clang', 'clang version 99.1');
      await expect(findToolchain('bare', 'clang', dir)).rejects.toThrow(ToolchainError);
      await fake('ld.lld', 'LLD 99.1');
      process.env['PATH'] = `${bin}:/bin:/usr/bin`;
      const found = await findToolchain('bare', 'clang', dir);
      expect(found).toMatchObject({
        name: 'clang',
        command: join(bin, 'clang'),
        version: 'clang version 99.1',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('commandLine', () => {
  test('user flags come last, defines and include directories before them', () => {
    const flags = commandLine('zig', 'riscv32-linux-musl', {
      optimize: '0',
      defines: { LOCKED: true, SIZE: 4096 },
      includeDirs: ['inc'],
      flags: ['-Wall'],
    });
    expect(flags.join(' ')).toBe(
      '-target riscv32-linux-musl -O0 -static -fno-sanitize=undefined -DLOCKED -DSIZE=4096 -Iinc -Wall',
    );
  });

  test('soft float drops F and D', () => {
    expect(commandLine('zig', 'riscv32-linux-musl', { softFloat: true })).toContain(
      '-mcpu=generic_rv32+m+a+c',
    );
    expect(commandLine('gcc', 'bare', { softFloat: true })).toContain('-mabi=ilp32');
    expect(commandLine('gcc', 'bare', {})).toContain('-mabi=ilp32d');
  });

  test('a linker script or specs file replaces the bare defaults', () => {
    const plain = commandLine('gcc', 'bare', {});
    expect(plain).toContain('-nostdlib');
    expect(plain).toContain('-Wl,-Ttext-segment=0x80000000');
    const own = commandLine('gcc', 'bare', { flags: ['--specs=picolibc.specs', '-T', 'link.ld'] });
    expect(own).not.toContain('-nostdlib');
    expect(own).not.toContain('-Wl,-Ttext-segment=0x80000000');
  });
});

test('parseRule reads a make rule as compilers write it', () => {
  expect(parseRule('a.o: a.c dir\\ x/b.h \\\n  c$$d.h \\\r\n e\\#f.h\n')).toEqual([
    'a.c',
    'dir x/b.h',
    'c$d.h',
    'e#f.h',
  ]);
  expect(parseRule('')).toEqual([]);
});
