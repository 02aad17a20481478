/**
 * The ways to run a kernel: by the command as built, under qemu-riscv32, natively, and in the library without flags of V8. Each answers with
 * processor seconds.
 *
 * The processor time of a child is that of wait4(2), by way of cpu.c: of the whole process, what Node itself takes to start included.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { compile } from '../../guest/toolchain.ts';

const here = import.meta.dirname;
const sources = join(here, '../../guest/bench');

/** One finished run. */
export interface Run {
  readonly seconds: number;
  readonly stdout: string;
  /** Guest instructions retired; null where nobody counts. */
  readonly instructions: number | null;
  /** Seconds of the clock. */
  readonly elapsed: number;
}

/** A run that did not work, and why, in a few words. */
export interface Failure {
  readonly failure: string;
}

/** The command, as `npm run build` makes it. */
export const COMMAND = join(here, '../../dist/cli/main.js');

export type Runner = (args: readonly string[]) => Promise<Run | Failure>;

/** The program of a kernel for a target. */
export async function build(name: string, target: 'riscv32-linux-musl' | 'native'): Promise<string> {
  const program = await compile(join(sources, `${name}.c`), { target, flags: ['-lm', '-Wall', '-Wextra'] });
  return program.path;
}

/** Path of an installed program, or null. */
export function which(program: string): string | null {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    if (dir !== '' && existsSync(join(dir, program))) return join(dir, program);
  }
  return null;
}

/** Builds the helper that measures children. */
export async function buildCpu(): Promise<string> {
  return (await compile(join(here, 'cpu.c'), { target: 'native' })).path;
}

/** Runs a command as a child, measured. `count`: takes the guest's instructions from what it writes to stderr. */
export function measured(
  cpu: string,
  command: readonly string[],
  count: (stderr: string) => number | null = () => null,
): Runner {
  return async (args) => {
    const start = performance.now();
    const result = await execa(cpu, [...command, ...args], {
      // Node 20 reads these certificates at each start, for 30 ms, which belong to no run.
      env: { NODE_EXTRA_CA_CERTS: undefined },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      reject: false,
      timeout: 600_000,
    });
    const [user = NaN, system = NaN, status = NaN] = String(result.stdio[3] ?? '')
      .split(' ')
      .map(Number);
    if (result.failed || Number.isNaN(status)) return { failure: 'did not run' };
    if (status !== 0) {
      const how = (status & 0x7f) !== 0 ? `signal ${status & 0x7f}` : `exit ${status >> 8}`;
      return { failure: how };
    }
    const elapsed = (performance.now() - start) / 1000;
    const instructions = count(String(result.stderr));
    return { seconds: (user + system) / 1e6, stdout: String(result.stdout), instructions, elapsed };
  };
}

/** Words of the command that runs a program and keeps no code. */
export function commandFor(elf: string, codeCache = 'off', ...options: readonly string[]): readonly string[] {
  return [process.execPath, COMMAND, 'run', '--code-cache', codeCache, ...options, elf];
}

/**
 * Runs a program by the command. The first run counts instructions too, which takes a little longer, and so is one that warms caches up when
 * there are several.
 */
export function byCommand(cpu: string, elf: string): Runner {
  const counting = measured(cpu, commandFor(elf, 'off', '--stats'), (stderr) => {
    const found = /^instructions +(\d+)$/m.exec(stderr);
    return found === null ? null : Number(found[1]);
  });
  const running = measured(cpu, commandFor(elf));
  let first = true;
  return (args) => {
    const run = first ? counting : running;
    first = false;
    return run(args);
  };
}

/** Runs a program in the library, without flags of V8, in a Node process of its own; the time is that of the run inside. */
export function byLibrary(elf: string): Runner {
  const node = ['--import', 'tsx', join(here, 'child.ts'), elf];
  return async (args) => {
    const result = await execa(process.execPath, [...node, ...args], {
      cwd: join(here, '../..'),
      reject: false,
      timeout: 600_000,
    });
    if (result.failed) return { failure: lastLine(result.stderr) || 'did not run' };
    const answer = JSON.parse(result.stdout) as Run & { status: number | null; reason: string };
    if (answer.status !== 0)
      return { failure: answer.status === null ? answer.reason : `exit ${answer.status}` };
    const { seconds, elapsed, instructions } = answer;
    return { seconds, stdout: answer.stdout.trimEnd(), instructions, elapsed };
  };
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /error/i.test(line));
  return (lines[0] ?? '').trim().slice(0, 60);
}
