import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the tests in the README are those that run here', () => {
  expect(read('../../README.md')).toContain(`\`\`\`ts\n${read('./shm.test.ts')}\`\`\`\n`);
});
