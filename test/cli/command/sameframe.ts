/** Runs the command as a user does after a build: `node dist/cli/main.js`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const main = join(root, 'dist/cli/main.js');

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for each test file, gone afterwards. */
export function scratchFolder(): { readonly dir: string } {
  const place = { dir: '' };
  beforeAll(() => {
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
    // Compiled code shall not outlive the tests in the home of whoever runs them.
    env: { NO_COLOR: '1', XDG_CACHE_HOME: join(root, '.cache') },
  });
  return { status: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
}
