/** The library as the build makes it (.ci/library.ts): the names and the values that its source exports. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import * as emulator from 'sameframe/emulator';
import * as kernel from 'sameframe';
import { root } from './sameframe.ts';

const DOORS = [
  ['kernel-ts', kernel],
  ['emulator', emulator],
] as const;

test.each(DOORS)('dist/%s exports what its source exports', async (room, source) => {
  const built = (await import(join(root, 'dist', room, 'index.js'))) as Record<string, unknown>;
  expect(Object.keys(built).sort()).toEqual(Object.keys(source).sort());
  for (const [name, value] of Object.entries(source)) expect(typeof built[name], name).toBe(typeof value);
});

test('both doors open onto one library, under Node alone', async () => {
  const program = `
    import { boot, SymbolTable } from ${JSON.stringify(join(root, 'dist/kernel-ts/index.js'))};
    import { SymbolTable as same } from ${JSON.stringify(join(root, 'dist/emulator/index.js'))};
    const { reason } = boot().run();
    console.log(reason, SymbolTable === same);`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toBe('exited true');
});
