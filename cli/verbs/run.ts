/** `sameframe run`: programs as processes, the guest's streams untouched, everything about them on request. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Hooks, Picture } from '../../kernel-ts/index.ts';
import { CodeStore } from '../codeStore.ts';
import { printCounters, printErr } from '../io.ts';
import { machineOptions } from '../options.ts';
import type { MachineChoices } from '../options.ts';
import { loadPrograms } from '../programs.ts';
import { Session } from '../session.ts';
import type { SessionResult } from '../session.ts';
import { OutputFile, stateText } from '../state.ts';
import { drawDiagram } from '../terminal.ts';
import { printable } from '../views/format.ts';
import { linkage } from '../views/linkage.ts';

interface RunChoices extends MachineChoices {
  readonly strace?: true;
  readonly trace?: string;
  readonly stats?: true;
  readonly diagram?: 'exit' | 'steps';
  readonly state?: string;
  readonly codeCache?: string;
}

const HELP = `
Each program is a static riscv32 ELF file or one .c file, which is compiled first. Options come before the
first program; everything after a program's name belongs to it, up to '--', which starts the next one.

Exit status: the program's own, 128 + signal when it was killed; with several programs the first that is not
zero. 2 for a wrong option or file, 70 for a bug of sameframe's, 124 when --max-instructions ran out, 125 for a
deadlock, 130 after Ctrl-C.

Examples:
  $ sameframe run hello.c                              compile and run
  $ sameframe run producer.c -- consumer.c             two processes, one after the other on the same machine
  $ sameframe run --strace a.elf x y 2>calls.txt       the system calls of a program
  $ sameframe run --diagram=steps producer.c -- consumer.c
  $ sameframe run --state end.json leak.c; sameframe ipcs end.json`;

export function runCommand(): Command {
  return machineOptions(
    new Command('run')
      .description('run programs as processes of one machine')
      .argument('<prog...>', "program and arguments, the next after '--'")
      .passThroughOptions()
      .addHelpText('after', HELP),
  )
    .option('--strace', 'every system call on stderr, as strace(1) prints it')
    .option('--trace <file>', "every retired instruction, a line each, in Spike's commit-log format")
    .option('--stats', 'counters, speed, and milliseconds in each tier, at the end, on stderr')
    .addOption(
      new Option(
        '--diagram [when]',
        'draw the shm structures on stderr: at the exit, or at every change (=steps)',
      ).argParser((when) => {
        if (when !== 'exit' && when !== 'steps') throw new InvalidArgumentError('exit or steps is wanted.');
        return when;
      }),
    )
    .option(
      '--code-cache <folder>',
      "where compiled code is kept for the program's next run, or off (default: sameframe in $XDG_CACHE_HOME or ~/.cache)",
    )
    .option('--state <file>', 'write the picture of the system at the end as JSON')
    .action(run);
}

async function run(words: string[], choices: RunChoices): Promise<void> {
  const programs = await loadPrograms(words);
  const trace = choices.trace === undefined ? null : new OutputFile(choices.trace);
  const state = choices.state === undefined ? null : new OutputFile(choices.state);
  const names = { several: programs.length > 1 };
  const images = programs.map(({ image }) => image);
  const store = CodeStore.open(choices.codeCache, images);
  const session = new Session(programs, {
    ...choices,
    codeMemory: store,
    ...(choices.strace ? { hooks: straceHooks(names) } : {}),
    beforeBlocking: () => trace?.flush(),
  });
  if (trace !== null) {
    session.system.trace((line) => {
      trace.line(line);
    });
  }
  const started = process.uptime();
  const result = choices.diagram === 'steps' ? await runInSteps(session) : await session.run();
  const seconds = process.uptime() - started;
  trace?.close();
  session.report(result);
  if (choices.diagram === 'exit') drawDiagram(session.system.picture(), 2);
  state?.line(stateText(session.system.picture()));
  state?.close();
  if (choices.stats) printStats(session, seconds);
  store?.save();
  process.exitCode = session.status(result);
}

/** Lines as strace(1) prints them; the pid in front as soon as there is more than one process. */
function straceHooks(names: { several: boolean }): Hooks {
  let first: number | null = null;
  const line = (pid: number, text: string): void => {
    first ??= pid;
    if (pid !== first) names.several = true;
    printErr(`${names.several ? `[pid ${String(pid)}] ` : ''}${printable(text)}\n`);
  };
  return {
    onSyscall: ({ pid, text }) => {
      if (text !== null) line(pid, text);
    },
    onSignal: ({ pid, name, text }) => {
      line(pid, `--- ${name} ${text} ---`);
    },
    onExit: ({ pid, exit }) => {
      line(
        pid,
        exit.signalName === null
          ? `+++ exited with ${String(exit.code)} +++`
          : `+++ killed by ${exit.signalName} +++`,
      );
    },
  };
}

/** Stops whenever a structure of the picture appears, changes or goes, and draws it. */
async function runInSteps(session: Session): Promise<SessionResult> {
  let drawn = linkage(session.system.picture());
  const changed = (picture: Picture): boolean => linkage(picture) !== drawn;
  for (;;) {
    const result = await session.run({ kind: 'picture', predicate: changed });
    const picture = session.system.picture();
    if (changed(picture)) drawDiagram(picture, 2);
    drawn = linkage(picture);
    if (result.reason !== 'until') return result;
  }
}

function printStats(session: Session, seconds: number): void {
  const { system } = session;
  const mips = system.instructions / Math.max(seconds, 1e-9) / 1e6;
  printCounters([
    ...Object.entries(system.stats).map(([name, value]) => [name, String(value)] as const),
    ['virtual seconds', (system.time / 1e9).toFixed(6)],
    ['host seconds', seconds.toFixed(3)],
    ['million instructions per second', mips.toFixed(0)],
  ]);
}
