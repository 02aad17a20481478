/**
 * The C tests in all tiers: tier 0, tier 1 and auto must do the same, to the bit, with each quantum, and print the transcript.
 *
 *     npx tsx test/guest/tierCampaign.ts [--quantum 1,2,997,5003] [name...]
 *
 * Prints a line for each test that differs, and for each quantum what was compared and how long each tier took; exits with 1 when
 * something differs. The suite has the cheaper half (ctests.test.ts).
 */
import { parseArgs } from 'node:util';
import { isDeepStrictEqual } from 'node:util';
import { C_TESTS, compileTest, outcome, transcript, type Outcome } from './tiers.ts';

const TIERS = [0, 1, 'auto'] as const;

const { values, positionals } = parseArgs({
  options: {
    quantum: { type: 'string', default: '1,2,997,5003' },
    verbose: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : C_TESTS;

/** Fields in which the outcomes differ. */
function differences(a: Outcome, b: Outcome): string[] {
  return (Object.keys(a) as (keyof Outcome)[]).filter((key) => !isDeepStrictEqual(a[key], b[key]));
}

let failures = 0;
for (const quantum of values.quantum.split(',').map(Number)) {
  const seconds = [0, 0, 0];
  let instructions = 0;
  let inRegions = 0;
  for (const name of names) {
    const { bytes } = await compileTest(name);
    const outcomes = TIERS.map((tier, index) => {
      const start = process.cpuUsage().user;
      const result = outcome(name, bytes, { tier, quantum });
      const spent = (process.cpuUsage().user - start) / 1e6;
      seconds[index] = (seconds[index] ?? 0) + spent;
      if (values.verbose) console.log(`${name} quantum ${quantum} tier ${tier}: ${spent.toFixed(2)} s`);
      if (tier === 1) inRegions += result.retired;
      return result.outcome;
    });
    const [zero, ...others] = outcomes as [Outcome, ...Outcome[]];
    instructions += zero.instructions;
    const wrong = others.flatMap((other, i) =>
      differences(zero, other).map((key) => `tier ${TIERS[i + 1]}: ${key}`),
    );
    if (zero.stdout !== transcript(name)) wrong.push('the transcript');
    if (zero.reason !== 'exited' || zero.violations.length > 0) wrong.push(zero.reason, ...zero.violations);
    if (wrong.length === 0) continue;
    failures++;
    console.log(`${name}, quantum ${quantum} differs in ${wrong.join(', ')}`);
  }
  console.log(
    `quantum ${quantum}: ${names.length} tests, ${instructions} instructions, ${inRegions} of them in regions of tier 1; ` +
      `seconds in tiers 0, 1, auto: ${seconds.map((s) => s.toFixed(1)).join(', ')}`,
  );
}
console.log(failures === 0 ? 'all tiers agree' : `${failures} differ`);
process.exitCode = failures === 0 ? 0 : 1;
