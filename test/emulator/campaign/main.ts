/**
 * Long seeded comparisons with QEMU: random programs until a number of instructions is reached, each in the interpreter and in
 * tier 1. (Tier 1 alone against the interpreter, with other programs: GRAPHS=5000 npx vitest run test/emulator/jit/graphs.test.ts.)
 *
 *     npx tsx test/emulator/campaign/main.ts --group I|M|A|F|D|C|Zba|...|priv [--instructions 1000000] [--seed 1]
 *
 * Needs qemu-riscv32 (Debian: qemu-user), for `priv` qemu-system-riscv32 (qemu-system-misc); the environment variables
 * QEMU_RISCV32 and QEMU_SYSTEM_RISCV32 name others than those of the PATH. Prints the seeds, the count of
 * compared instructions, and every seed whose outcomes differ; exits with 1 when there is one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generate, hasFocus } from '../differential/generator.ts';
import { DifferentialMachine, MODES } from '../differential/machine.ts';
import {
  knowsYoung,
  qemuVersion as userQemuVersion,
  runUnderQemu as runUserUnderQemu,
} from '../differential/qemu.ts';
import { generate as generatePrivileged } from '../privileged/generator.ts';
import { runProgram } from '../privileged/machine.ts';
import { isYoung, qemuVersion, runUnderQemu } from '../privileged/qemu.ts';

interface Comparison {
  readonly instructions: number;
  readonly same: boolean;
}

type Compare = (seed: number, folder: string) => Comparison;

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function userMode(group: string): Compare {
  if (!hasFocus(group)) throw new Error(`no group is named ${group}`);
  const young = knowsYoung();
  const modes = MODES.filter(({ budgets }) => budgets[0] !== 0);
  const auto = new DifferentialMachine();
  const one = new DifferentialMachine(1);
  return (seed, folder) => {
    const program = generate(seed, group);
    const expected = runUserUnderQemu(program, folder, young);
    const before = auto.retired + one.retired;
    const outputs = modes.map((mode) => (mode.tier === 1 ? one : auto).run(program, mode));
    const instructions = (auto.retired + one.retired - before) / outputs.length;
    return { instructions, same: outputs.every((output) => equal(output, expected)) };
  };
}

function privileged(): Compare {
  const young = isYoung();
  return (seed, folder) => {
    const program = generatePrivileged(seed, young);
    const expected = runUnderQemu(program, folder);
    const { output, instructions } = runProgram(program, seed % 4 === 0 ? 'step' : 'run');
    return {
      instructions,
      same: equal(output, expected) && equal(runProgram(program, 'jit').output, expected),
    };
  };
}

const { values } = parseArgs({
  options: {
    group: { type: 'string', default: 'priv' },
    instructions: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
});
const compare = values.group === 'priv' ? privileged() : userMode(values.group);
const oracle = values.group === 'priv' ? qemuVersion() : userQemuVersion();
const first = Number(values.seed);
const wanted = Number(values.instructions);
const folder = mkdtempSync(join(tmpdir(), 'campaign-'));
const differing: number[] = [];
let instructions = 0;
let seed = first;
try {
  for (; instructions < wanted; seed++) {
    const result = compare(seed, folder);
    instructions += result.instructions;
    if (!result.same) {
      differing.push(seed);
      console.log(`seed ${seed} differs`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(
  `${values.group}: seeds ${first}..${seed - 1}, ${Math.floor(instructions)} instructions compared with ${oracle}, ` +
    `${differing.length} programs differ`,
);
process.exitCode = differing.length === 0 ? 0 : 1;
