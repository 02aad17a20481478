/** The library's door: it needs WebAssembly and nothing of Node's, so that it runs in a browser. */
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type { boot } from '../../kernel-ts/index.ts';
import { compile } from '../../guest/toolchain.ts';

test('bundled for a browser, it runs a program where there is neither Node nor a document', async () => {
  const root = new URL('../../', import.meta.url).pathname;
  // A module of Node's is an error to esbuild here.
  const { outputFiles } = await build({
    entryPoints: [`${root}kernel-ts/index.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'sameframe',
    platform: 'browser',
    logLevel: 'silent',
  });
  const realm = createContext({ WebAssembly, TextDecoder, TextEncoder });
  runInContext(outputFiles[0]?.text ?? '', realm);
  const library = runInContext('sameframe', realm) as { boot: typeof boot };
  const hello = await compile(`${root}guest/examples/hello.c`);

  for (const tier of [0, 1, 'auto'] as const) {
    const system = library.boot({ tier });
    const process = system.spawn(hello.bytes);
    expect(system.run()).toEqual({ reason: 'exited' });
    expect(process.stdout).toBe('hello from RV32\n');
    expect(system.checkInvariants()).toEqual([]);
  }
});
