/**
 * Installs the dependencies when they are missing or older than the lock file, and says nothing otherwise.
 * Run before `npm start` and `npm test`, so it is plain JavaScript and needs Node and npm alone.
 */
import { spawnSync } from 'node:child_process';
import { statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installed = `${root}node_modules/.package-lock.json`;
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modified(installed) === 0 || modified(`${root}package-lock.json`) > modified(installed)) {
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env['npm_execpath'];
  process.stderr.write('Installing dependencies (npm install)...\n');
  const { status } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status !== 0) {
    process.stderr.write('sameframe: npm install failed\n');
    process.exit(status ?? 1);
  }
  // npm leaves the file alone when nothing changed; without a new date it would be asked every time.
  const now = new Date();
  utimesSync(installed, now, now);
}
