import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the tests in the README are those that run here', () => {
  expect(read('../../README.md')).toContain(`\`\`\`ts\n${read('./shm.test.ts')}\`\`\`\n`);
});

test('what the README shows of `npm start` is what it prints', async () => {
  const [, shown = ''] = /From its output:\n\n```text\n(.*?)```/s.exec(read('../../README.md')) ?? [];
  const cwd = new URL('../../', import.meta.url);
  const demo = await execa(process.execPath, ['--import', 'tsx', 'cli/demo.ts'], {
    cwd,
    env: { NO_COLOR: '1' },
  });
  const printed = new Set(demo.stdout.split('\n').map((line) => line.trimEnd()));
  const lines = shown.split('\n').filter((line) => line !== '' && line !== '...');
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter((line) => !printed.has(line))).toEqual([]);
});
