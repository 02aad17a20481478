/** Opens an instruction log and finds out by its content what it is. */
import { CliError } from '../errors.ts';
import { CommitReader, isCommit } from './commits.ts';
import { LineReader } from './lines.ts';
import { isDump, StateReader } from './states.ts';
import type { StepReader } from './step.ts';

/** A log that has said nothing we know after so many lines is something else. */
const PATIENCE = 100_000;

/** @throws CliError when the file cannot be read, or is no log that we know */
export function openLog(path: string): StepReader {
  const lines = new LineReader(path);
  let found: 'commits' | 'states' | null = null;
  while (found === null && lines.number < PATIENCE) {
    const line = lines.next();
    if (line === null) break;
    if (isCommit(line)) found = 'commits';
    else if (isDump(line)) found = 'states';
  }
  lines.close();
  if (found === null) {
    throw new CliError(
      `${path} has no instruction of a commit log (spike --log-commits, sameframe --trace) or of QEMU's -d cpu`,
    );
  }
  const again = new LineReader(path);
  return found === 'commits' ? new CommitReader(again) : new StateReader(again);
}
