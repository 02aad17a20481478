/** A run as the command does it: boot, spawn, run in slices so that Ctrl-C is heard, and say how it went. */
import { boot, BootError } from '../kernel-ts/index.ts';
import type { CodeMemory } from '../kernel-ts/index.ts';
import type { ExitStatus, Hooks, Process, RunResult, System, Until } from '../kernel-ts/index.ts';
import { CliError, EXIT } from './errors.ts';
import { printErr, readStdin, writeFully } from './io.ts';
import { KEEPS_CODE } from './moduleCache.ts';
import type { MachineChoices } from './options.ts';
import type { Program } from './programs.ts';
import { crashView } from './views/crash.ts';
import { printable } from './views/format.ts';

/** Instructions between two looks at the event loop: a tenth of a second or two. */
const SLICE = 40_000_000;

export interface SessionOptions extends MachineChoices {
  readonly hooks?: Hooks;
  readonly codeMemory?: CodeMemory | null;
  /** Measures where the host's time goes, which costs a little of it. */
  readonly stats?: true;
  /** Descriptor that takes the guest's fd 1: the views keep stdout for themselves. Default 1. */
  readonly stdoutFd?: number;
  /** Called before a process blocks on the host's stdin and when the run is interrupted: flush what is buffered. */
  readonly beforeBlocking?: () => void;
}

/**
 * Instructions before hot code is compiled, where V8 gives no machine code of the interpreter that a start could take: what it makes in
 * haste takes four times as long, and compiling pays the sooner (Node 26: 100 M 0.875 of the time, 10 M 1.04).
 */
const COMPILE_AFTER = 1_000_000;

export type SessionResult = RunResult | { readonly reason: 'interrupted' };

export class Session {
  readonly system: System;
  /** Those named on the command line, in order. */
  readonly processes: readonly Process[];
  private readonly limit: number;
  private readonly beforeBlocking: () => void;
  private interrupted = false;
  private readonly onInterrupt = (): void => {
    this.interrupted = true;
  };

  constructor(programs: readonly Program[], options: SessionOptions) {
    this.limit = options.maxInstructions ?? Number.POSITIVE_INFINITY;
    this.beforeBlocking = options.beforeBlocking ?? ((): void => {});
    const stdoutFd = options.stdoutFd ?? 1;
    try {
      this.system = boot({
        sharedMemory: true,
        ...(KEEPS_CODE ? {} : { compileAfter: COMPILE_AFTER }),
        ...(options.stats === true ? { clock: () => performance.now() } : {}),
        ...(options.codeMemory ? { codeMemory: options.codeMemory } : {}),
        ...(options.tier === undefined ? {} : { tier: options.tier }),
        ...(options.ram === undefined ? {} : { ram: options.ram }),
        ...(options.quantum === undefined ? {} : { quantum: options.quantum }),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        log: (line) => {
          printErr(`sameframe: ${printable(line)}\n`);
        },
        hooks: {
          ...options.hooks,
          onExit: (event) => {
            options.hooks?.onExit?.(event);
            this.reportDeath(event.pid, event.exit);
          },
        },
      });
    } catch (error) {
      if (error instanceof RangeError) throw new CliError(error.message);
      throw error;
    }
    this.processes = programs.map((program) => this.spawn(program, options, stdoutFd));
  }

  private spawn(program: Program, options: SessionOptions, stdoutFd: number): Process {
    try {
      return this.system.spawn(program.image, {
        args: [program.path, ...program.args],
        env: options.env,
        name: `/bin/${program.name}`,
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
        stdin: (max) => this.blocking(() => readStdin(max)),
        stdout: (bytes) => {
          writeFully(stdoutFd, bytes);
        },
        stderr: (bytes) => {
          writeFully(2, bytes);
        },
      });
    } catch (error) {
      if (error instanceof BootError) throw new CliError(`${program.path}: ${error.message}`);
      throw error;
    }
  }

  /** Without handlers (ours, and those of libraries) SIGINT has its usual effect: the only way out of a blocking read. */
  private blocking<T>(read: () => T): T {
    this.beforeBlocking();
    const handlers = process.listeners('SIGINT');
    for (const handler of handlers) process.off('SIGINT', handler);
    try {
      return read();
    } finally {
      for (const handler of handlers) process.on('SIGINT', handler);
    }
  }

  /** Runs until every process has ended, to `until`, to the instruction limit, a deadlock or Ctrl-C. */
  async run(until?: Until): Promise<SessionResult> {
    process.on('SIGINT', this.onInterrupt);
    try {
      for (;;) {
        const left = this.limit - this.system.instructions;
        if (left <= 0) return { reason: 'instructions' };
        const result = this.system.run({
          instructions: Math.min(SLICE, left),
          ...(until === undefined ? {} : { until }),
        });
        if (result.reason !== 'instructions') return result;
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        if (this.interrupted) return { reason: 'interrupted' };
      }
    } finally {
      process.off('SIGINT', this.onInterrupt);
      this.beforeBlocking();
    }
  }

  /** As a shell tells of a job that a signal killed; ends by exit(2) are nobody's business. */
  private reportDeath(pid: number, exit: ExitStatus): void {
    if (exit.crash !== null) {
      printErr(crashView(exit.crash));
    } else if (exit.signalName !== null && exit.signalName !== 'SIGPIPE') {
      const name = this.system.processes.find((one) => one.pid === pid)?.name ?? '';
      const who = name === '' ? `pid ${String(pid)}` : `${printable(name)} (pid ${String(pid)})`;
      printErr(`sameframe: ${who} killed by ${exit.signalName}\n`);
    }
  }

  /** Says on stderr why a run did not end by itself. */
  report(result: SessionResult): void {
    if (result.reason === 'deadlock') {
      printErr('sameframe: deadlock: no process can ever run again\n');
      const names = new Map(this.system.picture().tasks.map(({ pid, comm }) => [pid, comm]));
      listed(result.tasks, ({ pid, waiting }) => {
        const name = names.get(pid);
        const who = `pid ${String(pid)}${name === undefined ? '' : ` (${printable(name)})`}`;
        return `${who} waits for ${printable(waiting)}`;
      });
    } else if (result.reason === 'instructions') {
      printErr(
        `sameframe: stopped after ${String(this.system.instructions)} instructions (--max-instructions)\n`,
      );
      const alive = this.system.picture().tasks.filter((one) => one.state !== 'Z');
      listed(alive, (task) => {
        const symbol = this.system.symbolAt(task.pid, task.pc);
        const doing = task.waiting === '' ? 'at' : `waits for ${printable(task.waiting)} at`;
        const place = symbol === '' ? '' : ` <${printable(symbol)}>`;
        return `pid ${String(task.pid)} (${printable(task.comm)}) ${doing} 0x${task.pc.toString(16)}${place}`;
      });
    } else if (result.reason === 'interrupted') {
      printErr(`sameframe: interrupted after ${String(this.system.instructions)} instructions\n`);
    }
  }

  /** The exit status of the command after a run. */
  status(result: SessionResult): number {
    if (result.reason === 'deadlock') return EXIT.deadlock;
    if (result.reason === 'instructions') return EXIT.limit;
    if (result.reason === 'interrupted') return EXIT.interrupted;
    return this.processes.map((process) => process.exit?.status ?? 0).find((status) => status !== 0) ?? 0;
  }
}

/** Processes that a report names one by one. */
const LISTED = 20;

/** A line on stderr for each of the first items, and one for the rest. */
function listed<T>(items: readonly T[], line: (item: T) => string): void {
  for (const item of items.slice(0, LISTED)) printErr(`  ${line(item)}\n`);
  if (items.length > LISTED) printErr(`  … and ${String(items.length - LISTED)} more\n`);
}
