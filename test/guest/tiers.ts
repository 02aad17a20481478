/**
 * The C tests, and what one did, to the bit, so that tiers can be compared: what it printed and how it ended, every trap with the
 * instruction count at which it came, and all of RAM at the end, where whatever the processes had in their frames still lies.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compile } from '../../guest/toolchain.ts';
import { boot } from '../../kernel-ts/index.ts';

const tests = join(import.meta.dirname, '../../guest/tests');

/** The C tests of guest/tests, by name. */
export const C_TESTS: readonly string[] = readdirSync(tests)
  .filter((file) => file.endsWith('.c'))
  .map((file) => basename(file, '.c'))
  .sort();

/** The transcripts, by the name of the test that each belongs to. */
export const TRANSCRIPTS: readonly string[] = readdirSync(join(tests, 'transcripts'))
  .map((file) => basename(file, '.txt'))
  .sort();

/** The transcript without its first line, which tells how it was made. */
export function transcript(name: string): string {
  const text = readFileSync(join(tests, 'transcripts', `${name}.txt`), 'utf8');
  return text.slice(text.indexOf('\n') + 1);
}

/** Compiles a C test; `output`: the compiler's warnings. */
export async function compileTest(name: string): Promise<{ bytes: Uint8Array; output: string }> {
  return compile(join(tests, `${name}.c`), {
    includeDirs: [join(tests, '../include')],
    flags: ['-Wall', '-Wextra', '-lm'],
  });
}

export interface Conditions {
  readonly tier: 0 | 1 | 'auto';
  /** Default: as a user has it, whose only runnable task does not stop at the end of each turn. */
  readonly quantum?: number;
}

/** How a run ended, for people; every field must be the same in all tiers. */
export interface Outcome {
  readonly stdout: string;
  readonly status: number | undefined;
  readonly reason: string;
  readonly violations: readonly string[];
  readonly instructions: number;
  readonly time: number;
  /** Traps and their hash: pid, cause, tval, pc, instructions retired before it. */
  readonly traps: number;
  readonly trapHash: string;
  /** Hash of RAM. */
  readonly memory: string;
}

/** No test needs a tenth of this; a hang ends as a failure. */
export const LIMIT = 5_000_000_000;
const PAGE = 4096;
const RAM_FRAMES = 0x8_0000;

function hashOfRam(read: (pfn: number) => Uint8Array, bytes: number): string {
  const hash = createHash('sha1');
  for (let pfn = RAM_FRAMES; pfn < RAM_FRAMES + bytes / PAGE; pfn++) hash.update(read(pfn));
  return hash.digest('hex');
}

/** Runs the image of a C test. `retired`: instructions that regions retired, which only the tier decides. */
export function outcome(
  name: string,
  image: Uint8Array,
  conditions: Conditions,
): { readonly outcome: Outcome; readonly retired: number } {
  const ram = 256 << 20;
  const hash = createHash('sha1');
  let traps = 0;
  const note = new Float64Array(5);
  const system = boot({
    // So that 'auto' has something to do.
    compileAfter: 0,
    ...conditions,
    ram,
    hooks: {
      onTrap: ({ pid, cause, tval, pc }) => {
        traps++;
        note.set([pid, cause, tval, pc, system.instructions]);
        hash.update(note);
      },
    },
  });
  const path = `/bin/${name}`;
  const process = system.spawn(image, { name: path, args: [path] });
  const { reason } = system.run({ instructions: LIMIT });
  return {
    outcome: {
      stdout: process.stdout,
      status: process.exit?.status,
      reason,
      violations: system.checkInvariants(),
      instructions: system.instructions,
      time: system.time,
      traps,
      trapHash: hash.digest('hex'),
      memory: hashOfRam((pfn) => system.readFrame(pfn), ram),
    },
    retired: system.stats['instructionsInTier1'] ?? 0,
  };
}
