/** `sameframe ipcs`, `maps`, `pagetable` and `diagram`: a picture from a state file or from a run, as text. */
import { Command, Option } from 'commander';
import type { Picture, Until } from '../../kernel-ts/index.ts';
import { CliError, EXIT } from '../errors.ts';
import { printErr } from '../io.ts';
import { machineOptions, parseUntil, wholeNumber } from '../options.ts';
import type { MachineChoices } from '../options.ts';
import { loadPrograms } from '../programs.ts';
import { Session } from '../session.ts';
import type { SessionResult } from '../session.ts';
import { readState } from '../state.ts';
import { drawDiagram, show } from '../terminal.ts';
import { ipcsView, type IpcKind } from '../views/ipcs.ts';
import { mapsView } from '../views/maps.ts';
import { pagetableView } from '../views/pagetable.ts';

interface ViewChoices extends MachineChoices {
  readonly state?: string;
  readonly until?: Until;
  readonly pid?: number;
  readonly queues?: boolean;
  readonly memory?: boolean;
  readonly semaphores?: boolean;
  readonly posixShmems?: boolean;
}

const KINDS: readonly IpcKind[] = ['queues', 'memory', 'semaphores', 'posixShmems'];

interface View {
  readonly name: string;
  readonly description: string;
  readonly byPid: boolean;
  readonly show: (picture: Picture, choices: ViewChoices) => void;
}

const VIEWS: readonly View[] = [
  {
    name: 'ipcs',
    description: 'message queues, shared memory and semaphores of every namespace, as ipcs(1) shows them',
    byPid: false,
    show: (picture, choices) => {
      const asked = KINDS.filter((kind) => choices[kind] === true);
      // Without a question: what there is of POSIX, and the three tables of old in any case.
      const all = KINDS.filter((kind) => kind !== 'posixShmems' || picture.sharedObjects.length > 0);
      show(ipcsView(picture, asked.length > 0 ? asked : all), picture, 1);
    },
  },
  {
    name: 'maps',
    description: 'the VMAs of every process, as /proc/PID/maps shows them',
    byPid: true,
    show: (picture, { pid }) => {
      show(mapsView(picture, pid ?? null), picture, 1);
    },
  },
  {
    name: 'pagetable',
    description: 'the Sv32 page tables of every process, walk by walk',
    byPid: true,
    show: (picture, { pid }) => {
      show(pagetableView(picture, pid ?? null), picture, 1);
    },
  },
  {
    name: 'diagram',
    description: 'the linkage from ipc_namespace to the frames and back up to every mm',
    byPid: false,
    show: (picture) => {
      drawDiagram(picture, 1);
    },
  },
];

const help = (name: string): string => `
Shows a state file (written by 'run --state FILE'), or a run of programs stopped at --until; without --until
at its end. What the programs print goes to stderr, so that stdout holds the view alone.

--until takes
  shmat            a system call: stops when it has returned
  main             a symbol: stops before its first instruction; 'symbol:NAME' when a call has the same name
  0x10094          a pc
  5000             a count of instructions
Exit status: 0; 1 when the run ended before --until; 2 for a wrong option or file.

Examples:
  $ sameframe ${name} end.json
  $ sameframe ${name} --until shmat producer.c -- consumer.c`;

export function viewCommands(): Command[] {
  return VIEWS.map((view) => {
    const command = machineOptions(
      new Command(view.name)
        .description(view.description)
        .argument(
          '[what...]',
          "a state file ending in .json, or programs with arguments, the next after '--'",
        )
        .passThroughOptions()
        .addHelpText('after', help(view.name)),
    )
      .option('--state <file>', 'show this state file')
      .addOption(new Option('--until <where>', 'stop the run there').argParser(parseUntil));
    if (view.byPid) command.addOption(new Option('--pid <n>', 'one process only').argParser(wholeNumber(1)));
    if (view.name === 'ipcs')
      command
        .option('-q, --queues', 'message queues')
        .option('-m, --memory', 'shared memory segments')
        .option('-s, --semaphores', 'semaphore arrays')
        .option('-M, --posix-shmems', 'files of /dev/shm, memfds and shared anonymous memory');
    return command.action((words: string[], choices: ViewChoices) => showView(view, words, choices));
  });
}

async function showView(view: View, words: string[], choices: ViewChoices): Promise<void> {
  const [first] = words;
  const file = choices.state ?? (first?.endsWith('.json') ? first : undefined);
  if (file !== undefined) {
    if (choices.until !== undefined) throw new CliError('--until needs a run, not a state file');
    if (words.length > (choices.state === undefined ? 1 : 0)) throw new CliError('a state file stands alone');
    view.show(readState(file), choices);
    return;
  }
  if (first === undefined)
    throw new CliError(`${view.name}: a state file or a program is wanted (see --help)`);
  const session = new Session(await loadPrograms(words), { ...choices, stdoutFd: 2 });
  const result = await runUntil(session, choices.until);
  view.show(session.system.picture(), choices);
  process.exitCode = concluded(session, result, choices.until);
}

async function runUntil(session: Session, until: Until | undefined): Promise<SessionResult> {
  if (until?.kind === 'symbol') {
    const known = session.processes.some((one) => session.system.symbol(one.pid, until.name) !== null);
    if (!known)
      throw new CliError(`--until: no program has a symbol ${until.name}, and no system call has that name`);
  }
  return session.run(until);
}

function concluded(session: Session, result: SessionResult, until: Until | undefined): number {
  if (result.reason === 'until') return 0;
  session.report(result);
  if (until === undefined) return result.reason === 'exited' ? 0 : session.status(result);
  if (result.reason === 'exited') printErr('sameframe: the run ended before it came to --until\n');
  return result.reason === 'exited' ? EXIT.notReached : session.status(result);
}
