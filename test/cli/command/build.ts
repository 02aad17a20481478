/** Before the first test of the command: what `npm run build` does, so that the tests see dist/ as users do. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { root } from './sameframe.ts';

export function setup(): void {
  const { resolve } = createRequire(import.meta.url);
  const node = (...args: string[]): void => {
    execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  };
  node(resolve('typescript/bin/tsc'), '-b', 'tsconfig.build.json');
  node('--import', 'tsx', '.ci/library.ts');
  node('--import', 'tsx', '.ci/bundle.ts');
}
