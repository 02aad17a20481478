import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
    include: ['test/**/*.test.ts'],
    // The first compile builds musl (about 35 s); two cores, so two workers.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
