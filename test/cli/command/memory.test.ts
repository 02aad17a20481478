/** The host's memory: below 150 MB resident beyond the guest RAM that is touched, Node itself included, however much code there is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { main, root, scratchFolder } from './sameframe.ts';

const suite = scratchFolder();
const LIMIT = 150;

beforeAll(() => {
  const report = 'process.on("exit", () => console.error("maxrss", process.resourceUsage().maxRSS));';
  writeFileSync(join(suite.dir, 'report.cjs'), report);
});

interface Resident {
  readonly stdout: string;
  /** The most that was resident. */
  readonly megabytes: number;
  /** Regions that tier 1 has made. */
  readonly regions: number;
}

async function resident(...args: string[]): Promise<Resident> {
  const node = ['-r', join(suite.dir, 'report.cjs'), main, 'run', '--stats', ...args];
  const { stdout, stderr } = await execa(process.execPath, node, {
    cwd: root,
    env: { XDG_CACHE_HOME: suite.dir },
  });
  const numberIn = (line: RegExp): number => Number(line.exec(stderr)?.[1]);
  return { stdout, megabytes: numberIn(/^maxrss (\d+)$/m) / 1024, regions: numberIn(/^regions +(\d+)$/m) };
}

const generator = 'guest/bench/generator.c';

test('a small program', async () => {
  const { stdout, megabytes } = await resident('guest/examples/hello.c');
  expect(stdout).toBe('hello from RV32');
  expect(megabytes).toBeLessThan(LIMIT);
});

test('a thousand hot functions', async () => {
  const { stdout, megabytes, regions } = await resident(generator, '1000', '3500', '1');
  expect(stdout).toMatch(/^generator [0-9a-f]{8}$/);
  expect(regions).toBeGreaterThan(900);
  expect(megabytes).toBeLessThan(LIMIT);
});

test('more hot functions than tier 1 keeps', async () => {
  const { megabytes, regions } = await resident(generator, '2200', '6500', '1');
  expect(regions).toBeGreaterThan(2100);
  expect(megabytes).toBeLessThan(LIMIT);
});

test('functions made anew again and again: more of them cost no more', async () => {
  const { megabytes, regions } = await resident(generator, '20', '3500', '100');
  expect(regions).toBeGreaterThan(500);
  expect(megabytes).toBeLessThan(LIMIT);
});

test('guest RAM counts as far as it is touched', async () => {
  const touch = join(suite.dir, 'touch.c');
  writeFileSync(
    touch,
    `#include <stdlib.h>
    int main(void) {
      volatile char *p = malloc(200 << 20);
      for (long i = 0; i < 100 << 20; i += 4096) p[i] = 1;
      return 0;
    }`,
  );
  const { megabytes } = await resident(touch);
  expect(megabytes).toBeGreaterThan(100);
  expect(megabytes).toBeLessThan(100 + LIMIT);
});
