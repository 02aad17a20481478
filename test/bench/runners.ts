/**
 * The ways to run a kernel: in sameframe, under qemu-riscv32, natively. Each answers with processor seconds.
 *
 * The processor time of a child is that of wait4(2), by way of cpu.c.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { V8_FLAGS } from '../../cli/v8Flags.ts';
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

/** Runs a command as a child, measured. */
export function measured(cpu: string, command: readonly string[]): Runner {
  return async (args) => {
    const start = performance.now();
    const result = await execa(cpu, [...command, ...args], {
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
    return { seconds: (user + system) / 1e6, stdout: String(result.stdout), instructions: null, elapsed };
  };
}

/** Runs a program in sameframe, in a Node process of its own; the time is that of the run inside. */
export function inSameframe(elf: string, v8Flags: boolean): Runner {
  const node = [...(v8Flags ? V8_FLAGS : []), '--import', 'tsx', join(here, 'child.ts'), elf];
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
