/**
 * The C tests of guest/tests under our kernel: each prints what it printed on a real Linux (the transcript, recorded by
 * guest/tests/record.ts), and leaves a system in which every invariant holds.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../guest/toolchain.ts';
import { boot } from '../../kernel-ts/index.ts';

const tests = join(import.meta.dirname, '../../guest/tests');
const names = readdirSync(tests)
  .filter((file) => file.endsWith('.c'))
  .map((file) => basename(file, '.c'))
  .sort();

/** No test needs a tenth of this; a hang ends as a failure. */
const limit = 5_000_000_000;

/** The transcript without its first line, which tells how it was made. */
function transcript(name: string): string {
  const text = readFileSync(join(tests, 'transcripts', `${name}.txt`), 'utf8');
  return text.slice(text.indexOf('\n') + 1);
}

// With a short quantum the processes meet at other points; what they print must not change.
describe.each([{ quantum: 100_000 }, { quantum: 997 }])(
  'C tests print what they print on Linux, $quantum',
  ({ quantum }) => {
    test.each(names)('%s', { timeout: 300_000 }, async (name) => {
      const program = await compile(join(tests, `${name}.c`), {
        includeDirs: [join(tests, '../include')],
        flags: ['-Wall', '-Wextra', '-lm'],
      });
      expect(program.output).toBe('');
      const system = boot({ quantum });
      const path = `/bin/${name}`;
      const process = system.spawn(program.bytes, { name: path, args: [path] });
      const result = system.run({ instructions: limit });
      expect(process.stdout).toBe(transcript(name));
      expect(result.reason).toBe('exited');
      expect(process.exit?.status).toBe(0);
      expect(system.checkInvariants()).toEqual([]);
    });
  },
);

test('every C test has a transcript, and every transcript a C test', () => {
  const recorded = readdirSync(join(tests, 'transcripts')).map((file) => basename(file, '.txt'));
  expect(recorded.sort()).toEqual(names);
});
