import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDump, readPerfMap, type Counts } from './callgrind.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sameframe-callgrind-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const MAP = [
  '1000 40 JS:*exitMmap file:///dist/library.js:18029:20',
  '2000 10 JS:~early node:internal:1:1',
  '2000 20 Builtin:KeyedLoadIC',
];

test('a place in the map of V8 has the name of the last function there', () => {
  const nameOf = readPerfMap(file('map', MAP));
  expect([0xfff, 0x1000, 0x103f, 0x1040, 0x201f].map(nameOf)).toEqual([
    null,
    'exitMmap',
    'exitMmap',
    null,
    'Builtin:KeyedLoadIC',
  ]);
});

test('costs go to the function that they arose in, and calls to none', () => {
  const dump = file('dump', [
    'version: 1',
    'positions: instr line',
    'events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw',
    'fn=(1) below main',
    '0x1000 0 10 3 2 0 1 1',
    '+4 * 5',
    'cfn=(2) malloc',
    'calls=1 0x9000',
    '* * 1000 100 100 9 9 9 9 9 9',
    'fn=(2)',
    '0x9000 0 7 0 0 0 2 0 0 1 1',
    '-8 +3 1',
  ]);
  const counts = new Map<string, Counts>();
  const nameOf = readPerfMap(file('map', MAP));
  readDump(dump, nameOf, counts);
  readDump(dump, nameOf, counts);
  expect(Object.fromEntries(counts)).toEqual({
    exitMmap: { instructions: 30, beyondL2: 4, beyondL3: 0 },
    malloc: { instructions: 16, beyondL2: 4, beyondL3: 4 },
  });
});
