import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const command = 'test/cli/command/**/*.test.ts';

export default defineConfig({
  resolve: {
    // The tests import the package by its name, as its users do, and get the sources.
    alias: [
      { find: /^sameframe$/, replacement: source('./kernel-ts/index.ts') },
      { find: /^sameframe\/emulator$/, replacement: source('./emulator/index.ts') },
      { find: /^sameframe\/toolchain$/, replacement: source('./guest/toolchain.ts') },
    ],
  },
  test: {
    // The first compile builds musl (about 35 s); two cores, so two workers.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [command] } },
      // Needs dist/, built once before the first of these tests.
      {
        extends: true,
        test: { name: 'command', include: [command], globalSetup: 'test/cli/command/build.ts' },
      },
    ],
  },
});
