import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CliError } from '../../cli/errors.ts';
import { loadPrograms, splitPrograms } from '../../cli/programs.ts';

const dir = mkdtempSync(join(tmpdir(), 'sameframe-programs-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const bytes = Uint8Array.from({ length: 100_000 }, (_byte, at) => (at * 7 + (at >>> 8)) & 0xff);

describe('the programs of a command line', () => {
  test('are apart by --, and none is missing', () => {
    expect(splitPrograms(['a', 'x', '--', 'b'])).toEqual([['a', 'x'], ['b']]);
    expect(() => splitPrograms(['a', '--'])).toThrow(CliError);
  });

  test('are read where somebody asks', async () => {
    const path = join(dir, 'program');
    writeFileSync(path, bytes);
    const [program] = await loadPrograms([path, 'x']);
    const { image, name, args } = program ?? expect.unreachable();
    expect([name, args, image.length]).toEqual(['program', ['x'], bytes.length]);
    const places = [
      [0, 4096],
      [10, 5],
      [0, bytes.length],
      [99_990, 4096],
      [32_760, 16],
      [60_000, 40_000],
      [bytes.length, 1],
      [5, 0],
    ] as const;
    for (const [at, length] of places)
      expect(Buffer.from(image.read(at, length))).toEqual(Buffer.from(bytes.subarray(at, at + length)));
  });

  test('that is a folder, missing or empty is one line', async () => {
    await expect(loadPrograms([dir])).rejects.toThrow(/^cannot run .*: is a directory$/);
    await expect(loadPrograms([join(dir, 'none')])).rejects.toThrow(/no such file/);
    writeFileSync(join(dir, 'empty'), '');
    expect((await loadPrograms([join(dir, 'empty')]))[0]?.image.length).toBe(0);
  });
});
