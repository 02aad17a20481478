/** Runs the command as a user does after a build: `node dist/cli/main.js`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist/cli/main.js');

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for each test file, gone afterwards; the command built before the first test. */
export function commandSuite(): { readonly dir: string } {
  const place = { dir: '' };
  beforeAll(() => {
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
    place.dir = mkdtempSync(join(tmpdir(), 'sameframe-cli-'));
  });
  afterAll(() => {
    rmSync(place.dir, { recursive: true, force: true });
  });
  return place;
}

export async function sameframe(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<Outcome> {
  const result = await execa(process.execPath, [main, ...args], {
    cwd: options.cwd ?? root,
    input: options.input ?? '',
    reject: false,
    stripFinalNewline: false,
    env: { NO_COLOR: '1' },
  });
  return { status: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
}
