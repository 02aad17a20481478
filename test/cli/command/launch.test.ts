/** The command with its caches as they are not meant to be: it starts more slowly, and does the same. */
import { appendFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { root, sameframe, scratchFolder } from './sameframe.ts';

const suite = scratchFolder();
const CACHES = [
  'quick.cache',
  'sameframe.cache',
  'emulator.cache',
  'jit.cache',
  'kernel.cache',
  'interpreter.cache',
];

const copy = (): string => join(suite.dir, 'dist/cli');
const program = (): string => join(suite.dir, 'sum');

const SOURCE = `
  #include <stdio.h>
  int main(int argc, char **argv) {
    unsigned sum = 0;
    for (unsigned i = 0; i < 100000; i++) sum = sum * 31 + (i ^ argc);
    printf("%u\\n", sum);
    return 7;
  }`;

beforeAll(async () => {
  writeFileSync(`${program()}.c`, SOURCE);
  await sameframe(['cc', `${program()}.c`, '-o', program()]);
});

/** Runs the program with the caches changed: without options, which has a bundle of its own, and with one. */
async function withCaches(change: (path: string) => void): Promise<unknown> {
  rmSync(copy(), { recursive: true, force: true });
  cpSync(join(root, 'dist/cli'), copy(), { recursive: true });
  for (const cache of CACHES) change(join(copy(), cache));
  const results = await Promise.all(
    [[], ['--tier=auto']].map(async (options) => {
      const words = [join(copy(), 'main.js'), 'run', ...options, program()];
      const { exitCode, stdout, stderr } = await execa(process.execPath, words, { reject: false });
      return { exitCode, stdout, stderr };
    }),
  );
  expect(results[0]).toEqual(results[1]);
  return results[0];
}

describe('the command', () => {
  let sum = 0;
  for (let i = 0; i < 100_000; i++) sum = (Math.imul(sum, 31) + (i ^ 1)) >>> 0;
  const expected = { exitCode: 7, stdout: String(sum), stderr: '' };

  test('runs with its caches, and brings them', async () => {
    expect(await withCaches((path) => expect(readFileSync(path).length).toBeGreaterThan(40_000))).toEqual(
      expected,
    );
  });

  test('is not warned of by Node, however strict it is about what is deprecated', async () => {
    for (const strictness of [['--pending-deprecation', '--throw-deprecation'], ['--no-deprecation']]) {
      const words = [...strictness, join(root, 'dist/cli/main.js'), 'run', program()];
      const { exitCode, stdout, stderr } = await execa(process.execPath, words, { reject: false });
      expect({ exitCode, stdout, stderr }).toEqual(expected);
    }
  });

  test('runs without caches', async () => {
    expect(await withCaches(rmSync)).toEqual(expected);
  });

  test('runs with empty caches, and with truncated ones', async () => {
    for (const length of [0, 100, 30_000]) {
      expect(
        await withCaches((path) => {
          truncateSync(path, length);
        }),
      ).toEqual(expected);
    }
  });

  test('reads bundles that are larger than the room it has for them', async () => {
    const large = await withCaches((path) => {
      const bundle = path.replace(/cache$/, 'cjs');
      if (!path.endsWith('interpreter.cache')) appendFileSync(bundle, ' '.repeat(3 << 20));
    });
    expect(large).toEqual(expected);
  });

  test('runs with the caches of another V8', async () => {
    expect(
      await withCaches((path) => {
        const file = readFileSync(path);
        const code = path.endsWith('interpreter.cache') ? 8 + file.readUInt32LE(0) : 0;
        file.subarray(code + 4, code + 8).fill(0xff);
        writeFileSync(path, file);
      }),
    ).toEqual(expected);
  });

  test('runs with flags of V8 under which the caches were not made', async () => {
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      ['--no-opt', '--stack-size=900', join(root, 'dist/cli/main.js'), 'run', program()],
      { reject: false },
    );
    expect({ exitCode, stdout, stderr }).toEqual(expected);
  });

  test('does the same with hardly any options, where it starts faster, as with others', async () => {
    writeFileSync(
      `${program()}2.c`,
      '#include <stdio.h>\nint main(int n, char **v) { for (int i = 1; i < n; i++) puts(v[i]); return n; }',
    );
    await sameframe(['cc', `${program()}2.c`, '-o', `${program()}2`]);
    const echo = `${program()}2`;
    const commands = [
      [echo, '--stats', '-h', '--tier', '0', 'x'],
      [echo, 'a', '--', echo, '--', program()],
      [echo, 'a', '--'],
      ['--code-cache', 'off', echo, '--code-cache', 'b'],
      ['--code-cache=off', echo, 'a'],
      ['--code-cache', echo],
      ['--code-cache', '', echo, 'x'],
      ['--code-cache='],
      ['--code-cache=', echo, 'a'],
      ['--code-cache'],
      [`${echo}.c`, ''],
      ['missing'],
      [''],
      [suite.dir],
      [join(root, 'package.json')],
    ];
    for (const words of commands) {
      const quick = await sameframe(['run', ...words]);
      expect(quick).toEqual(await sameframe(['run', '--tier=auto', ...words]));
      expect(quick.stdout + quick.stderr).not.toBe('');
    }
  });

  test('reports a bug of its own with the places of its sources, and status 70', async () => {
    rmSync(copy(), { recursive: true, force: true });
    cpSync(join(root, 'dist/cli'), copy(), { recursive: true });
    const bundle = join(copy(), 'quick.cjs');
    const text = readFileSync(bundle, 'latin1');
    // The last thing that cli/quick.ts does.
    const broken = text.replace(/process\.exitCode=\w+\.status/, 'process.exitCode=null.status');
    expect(broken).not.toBe(text);
    writeFileSync(bundle, broken, 'latin1');
    const words = [join(copy(), 'main.js'), 'run', program()];
    const { exitCode, stderr } = await execa(process.execPath, words, { reject: false });
    expect(exitCode).toBe(70);
    const lines = stderr.split('\n');
    expect(lines[0]).toBe("sameframe: this is a bug of sameframe's, please report it:");
    expect(lines[1]).toMatch(/^TypeError: Cannot read properties of null/);
    const { index = 0 } =
      /process\.exitCode = session\.status/.exec(readFileSync(join(root, 'cli/quick.ts'), 'utf8')) ?? {};
    const line = readFileSync(join(root, 'cli/quick.ts'), 'utf8').slice(0, index).split('\n').length;
    expect(lines[2]).toMatch(new RegExp(`^ {4}at cli/quick\\.ts:${String(line)}:\\d+$`));
  });
});
