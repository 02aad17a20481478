/** The one place where errors become a line and an exit status, and the end of the process. */
import { BrokenPipe, CliError, EXIT } from './errors.ts';
import { printErr } from './io.ts';
import { sourceStack } from './stack.ts';

/** Prints what the user can mend; anything else is a bug of ours, with its stack trace. */
function explain(error: unknown): number {
  if (error instanceof BrokenPipe) return EXIT.brokenPipe;
  if (error instanceof CliError) {
    const { before } = error;
    printErr(`${before}${before === '' || before.endsWith('\n') ? '' : '\n'}sameframe: ${error.message}\n`);
    return error.status;
  }
  const trace = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  printErr(`sameframe: this is a bug of sameframe's, please report it:\n${sourceStack(trace)}\n`);
  return EXIT.bug;
}

/**
 * Nothing is left to do: all output is written. Node 20 would now take the machine's memory apart, which costs as much as a short run.
 * From Node 22 on it is left to Node: with Maglev on other threads shutting down may hang (nodejs/node#54918).
 */
function leave(): void {
  if (process.versions.node.startsWith('20.')) process.exit();
}

/** Waits for what the command does, and ends it. */
export function finish(done: Promise<void>): void {
  void done
    .catch((error: unknown) => {
      process.exitCode = explain(error);
    })
    .then(leave);
}
