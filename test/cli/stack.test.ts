import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sourceStack } from '../../cli/stack.ts';

const dir = mkdtempSync(join(tmpdir(), 'sameframe-stack-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('places in a bundle become places in its sources', () => {
  const bundle = join(dir, 'b.cjs');
  // Line 1, column 5 (from 0) of the bundle is line 3, column 2 of cli/session.ts.
  const map = { version: 3, sources: ['../../cli/session.ts'], names: [], mappings: ';KAEE' };
  writeFileSync(`${bundle}.map`, JSON.stringify(map));
  const stack = [
    'Error: no',
    `    at x (${bundle}:2:6)`,
    `    at async ${bundle}:2:9`,
    `    at ${bundle}:2:6`,
    '    at node:internal/main:1:1',
  ];
  expect(sourceStack(stack.join('\n')).split('\n')).toEqual([
    'Error: no',
    '    at cli/session.ts:3:3',
    '    at async cli/session.ts:3:3',
    '    at cli/session.ts:3:3',
    '    at node:internal/main:1:1',
  ]);
});

test('without a map the trace stays as it is', () => {
  const stack = `Error: no\n    at x (${join(dir, 'none.cjs')}:2:6)`;
  expect(sourceStack(stack)).toBe(stack);
  writeFileSync(join(dir, 'bad.cjs.map'), '{');
  const bad = `Error: no\n    at x (${join(dir, 'bad.cjs')}:2:6)`;
  expect(sourceStack(bad)).toBe(bad);
});
