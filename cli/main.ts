/** The command `sameframe`: its verbs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { EXIT } from './errors.ts';
import { finish } from './finish.ts';
import { printErr, printOut } from './io.ts';
import { bareCommand } from './verbs/bare.ts';
import { ccCommand } from './verbs/cc.ts';
import { diffCommand } from './verbs/diff.ts';
import { disCommand } from './verbs/dis.ts';
import { runCommand } from './verbs/run.ts';
import { viewCommands } from './verbs/views.ts';

const HELP = `
Examples:
  $ sameframe run hello.c
  $ sameframe run producer.c -- consumer.c
  $ sameframe diagram --until shmat producer.c
  $ sameframe <verb> --help

Exit status: see 'sameframe run --help'.`;

/** package.json lies one level above cli/, two above dist/cli/. */
function version(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found: unknown = JSON.parse(readFileSync(join(import.meta.dirname, up), 'utf8'));
      if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version);
    } catch {
      // Not there: the other one is.
    }
  }
  return 'unknown';
}

/** The whole command; for `run` only what it needs. */
function build(first: string | undefined): Command {
  const program = new Command('sameframe')
    .description(
      'Runs real RV32 Linux programs on a machine one can see through, with System V shared memory',
    )
    .enablePositionalOptions()
    .addHelpText('after', HELP)
    .addCommand(runCommand());
  if (first !== 'run') {
    program.version(version());
    for (const verb of [...viewCommands(), disCommand(), ccCommand(), bareCommand(), diffCommand()]) {
      program.addCommand(verb);
    }
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: printOut,
      writeErr: printErr,
      outputError: (text, write) => {
        write(
          `sameframe: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll(/\s*\n\s*/g, ' ')}\n`,
        );
      },
    });
  }
  return program;
}

/**
 * `--diagram` alone means `--diagram=exit`: commander would otherwise take the program's name for its value.
 * Only options before the program are ours to touch.
 */
function spellOut(words: readonly string[], program: Command): string[] {
  const verb = program.commands.find((command) => command.name() === words[0]);
  const result = [...words];
  if (verb === undefined) return result;
  for (let at = 1; at < result.length; at++) {
    const word = result[at] ?? '';
    if (!word.startsWith('-') || word === '--') break;
    const option = verb.options.find((one) => one.long === word || one.short === word);
    if (option?.optional) result[at] = `${word}=exit`;
    else if (option?.required) at++;
  }
  return result;
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const program = build(words[0]);
  try {
    await program.parseAsync(spellOut(words, program), { from: 'user' });
  } catch (error) {
    // Commander has said it.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  }
}

finish(main());
