import { expect, test } from 'vitest';
import { plainRun } from '../../cli/plainRun.ts';

test.each([
  ['run a b -- c', { words: ['a', 'b', '--', 'c'] }],
  ['run a --stats', { words: ['a', '--stats'] }],
  ['run --code-cache off a --stats', { words: ['a', '--stats'], codeCache: 'off' }],
  ['run --code-cache=x/y a', { words: ['a'], codeCache: 'x/y' }],
  ['run', null],
  ['ipcs a', null],
  ['run --stats a', null],
  ['run -- a', null],
  ['run --code-cache off', null],
  ['run --code-cache off --stats a', null],
  ['run --code-cache= a', null],
  ['run --code-cache off --code-cache off a', null],
  ['', null],
])('%s', (line, expected) => {
  expect(plainRun(line.split(' '))).toEqual(expected);
});
