/**
 * The C tests of guest/tests under our kernel: each prints what it printed on a real Linux (the transcript, recorded by
 * guest/tests/record.ts), and leaves a system in which every invariant holds. In tier 1, where whatever is executed twice is
 * compiled, as well; `npx tsx test/guest/tierCampaign.ts` compares all tiers to the bit, with more quanta.
 */
import { describe, expect, test } from 'vitest';
import { boot } from '../../kernel-ts/index.ts';
import { DEFAULT_QUANTUM } from '../../kernel-ts/system/createKernel.ts';
import { C_TESTS, compileTest, LIMIT, outcome, transcript, TRANSCRIPTS, type Conditions } from './tiers.ts';

async function check(name: string, conditions: Conditions): Promise<void> {
  const { bytes, output } = await compileTest(name);
  expect(output).toBe('');
  const system = boot(conditions);
  const path = `/bin/${name}`;
  const process = system.spawn(bytes, { name: path, args: [path] });
  const result = system.run({ instructions: LIMIT });
  expect(process.stdout).toBe(transcript(name));
  expect(result.reason).toBe('exited');
  expect(process.exit?.status).toBe(0);
  expect(system.checkInvariants()).toEqual([]);
}

// With a short quantum the processes meet at other points; what they print must not change.
describe.each<[string, Conditions]>([
  ['as users have it', { tier: 'auto' }],
  ['tier 1, quantum 997', { tier: 1, quantum: 997 }],
])('C tests print what they print on Linux, %s', (_, conditions) => {
  test.each(C_TESTS)('%s', { timeout: 300_000 }, (name) => check(name, conditions));
});

/** Those that change code and mappings, and those whose processes depend most on when they take turns. */
const MORE = [
  'code_pages',
  'cow',
  'exec',
  'hot_calls',
  'mapped_truncate',
  'signal_handlers',
  'semop',
  'threads',
];

describe.each<Conditions>([
  { tier: 1, quantum: 2 },
  { tier: 1, quantum: 5003 },
])('some again, tier $tier, $quantum', (conditions) => {
  test.each(MORE)('%s', { timeout: 300_000 }, (name) => check(name, conditions));
});

// NO_HZ: whether the only runnable task stops at the end of each of its turns cannot be seen by anybody.
test.each([...MORE, 'signal_timers', 'futex', 'clock', 'ipc_eintr'])(
  'turns of a task that is alone: %s',
  { timeout: 300_000 },
  async (name) => {
    const { bytes } = await compileTest(name);
    const asIs = outcome(name, bytes, { tier: 'auto' });
    const stopping = outcome(name, bytes, { tier: 'auto', quantum: DEFAULT_QUANTUM });
    expect(asIs.outcome).toEqual(stopping.outcome);
  },
);

test('every C test has a transcript, and every transcript a C test', () => {
  expect(TRANSCRIPTS).toEqual(C_TESTS);
});
