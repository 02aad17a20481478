/**
 * The two kernels that carry out a sequence: ours and this host's Linux. Both run the driver (guest/), which is given the
 * sequences on its standard input and answers on its standard output.
 */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { release, machine, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { compile, type CompileResult } from '../../guest/toolchain.ts';
import { boot, type RunResult, type System } from '../../kernel-ts/index.ts';
import { encode, type Sequence } from './operations.ts';

/** What each step of a sequence printed: its answer, and lines that tell what else it changed. */
export type Answers = readonly string[];

const folder = join(import.meta.dirname, 'guest');
const sources = [
  'coordinator.c',
  'observe.c',
  'worker.c',
  'operations.c',
  'futexes.c',
  'memory.c',
  'semmsg.c',
  'posix.c',
  'proc.c',
].map((file) => join(folder, file));

async function driver(target: 'riscv32-linux-musl' | 'native32'): Promise<CompileResult> {
  const result = await compile(sources, { target, flags: ['-Wall', '-Wextra'] });
  if (result.output !== '') throw new Error(result.output);
  return result;
}

/** The answers of each sequence of a run's output; what a driver that gave up has left unanswered is missing. */
export function answersOf(output: string): Answers[] {
  const found: Answers[] = [];
  let steps: string[] = [];
  for (const line of output.split('\n')) {
    if (line === 'end') {
      found.push(steps);
      steps = [];
    } else if (line.startsWith('  ') && steps.length > 0) {
      steps[steps.length - 1] += `\n${line}`;
    } else if (line !== '') {
      steps.push(line);
    }
  }
  if (steps.length > 0) found.push(steps);
  return found;
}

/** System calls after which every invariant has to hold. */
const CHECKED = /^(shm|m[a-z]*|clone|exec|exit|unshare|sem|msg|brk|ftruncate|fallocate|open|close|fcntl)/;

/** Instructions for a sequence; none needs a tenth of it. */
const MOST = 20_000_000;

const UNSHARE = ['--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** The size of our /dev/shm. */
const SCRIPT = 'mount -t tmpfs -o size=8m,nr_inodes=1k tmpfs /dev/shm && exec "$0" "$@"';

/** Our kernel, with its invariants checked after each call that a worker makes. */
export class OurKernel {
  private readonly image: Uint8Array;

  private constructor(image: Uint8Array) {
    this.image = image;
  }

  static async make(): Promise<OurKernel> {
    return new OurKernel((await driver('riscv32-linux-musl')).bytes);
  }

  /** The answers to each sequence. Where something of ours went wrong, the last line of an answer says what. */
  run(sequences: readonly Sequence[]): Answers[] {
    const problems: string[] = [];
    let output = '';
    const system: System = boot({
      ram: 64 << 20,
      hooks: {
        onSyscall: ({ phase, name }) => {
          // One broken invariant is enough to know.
          if (phase === 'enter' || problems.length > 0 || !CHECKED.test(name)) return;
          problems.push(
            ...system.checkInvariants().map((problem) => `  invariant, after ${name}: ${problem}`),
          );
        },
      },
    });
    const path = '/tmp/model';
    const process = system.spawn(this.image, {
      name: path,
      args: [path],
      stdin: sequences.map(encode).join(''),
    });
    let result: RunResult | null = null;
    try {
      result = system.run({ instructions: sequences.length * MOST });
    } catch (error) {
      problems.push(
        `  thrown by the kernel: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    output = process.stdout;
    if (problems.length > 0) output += `${problems.join('\n')}\n`;
    if (result === null) return answersOf(output);
    if (result.reason !== 'exited') output += `  ${JSON.stringify(result)}\n`;
    else if (process.exit?.status !== 0) output += `  the driver ended: ${JSON.stringify(process.exit)}\n`;
    problems.push(...system.checkInvariants());
    return answersOf(output);
  }
}

/**
 * The host's kernel; needs Linux and root. Everything of the driver runs on one processor in order of wake-up (SCHED_FIFO): when a step
 * wakes several sleepers that try again (msgctl's IPC_SET, room in a queue), who comes first is the scheduler's choice, and ours is
 * that order.
 */
export class HostKernel {
  readonly version = `Linux ${release()} ${machine()}, a 32-bit driver`;
  private readonly folder: string;
  private readonly program: string;
  /** The one that the driver runs on. */
  private readonly processor: string;

  private constructor(folder: string, program: string) {
    this.folder = folder;
    this.program = program;
    this.processor =
      /^Cpus_allowed_list:\t(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  }

  static async make(): Promise<HostKernel> {
    const folder = mkdtempSync(join(tmpdir(), 'model-'));
    // Workers that have become other users execute it again.
    chmodSync(folder, 0o755);
    const program = join(folder, 'model');
    copyFileSync((await driver('native32')).path, program);
    chmodSync(program, 0o755);
    return new HostKernel(folder, program);
  }

  async run(sequences: readonly Sequence[]): Promise<Answers[]> {
    const result = await execa(
      'unshare',
      [
        ...UNSHARE,
        'sh',
        '-c',
        SCRIPT,
        'chrt',
        '--fifo',
        '1',
        'taskset',
        '--cpu-list',
        this.processor,
        this.program,
      ],
      {
        input: sequences.map(encode).join(''),
        reject: false,
        stripFinalNewline: false,
        timeout: 60_000,
      },
    );
    if (result.exitCode === 0) return answersOf(result.stdout);
    return answersOf(`${result.stdout}  the driver ended: ${result.exitCode} ${result.stderr}\n`);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
