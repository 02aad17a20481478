/** How the command ends: its exit statuses and the errors that are the user's to mend. */

/** Exit statuses of our own; a program's own status passes through (128 + signal when killed). */
export const EXIT = {
  /** --until was not reached before the run ended. */
  notReached: 1,
  /** A wrong option or file, C that does not compile. */
  usage: 2,
  /** A bug of ours: EX_SOFTWARE of sysexits.h. */
  bug: 70,
  /** --max-instructions ran out. */
  limit: 124,
  /** Every process waits for another. */
  deadlock: 125,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** The reader of our output is gone: 128 + SIGPIPE. */
  brokenPipe: 141,
} as const;

/** Something the user can mend: one line on stderr, no stack trace. `before` is printed verbatim above it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly status: number;
  readonly before: string;

  constructor(message: string, options: { readonly status?: number; readonly before?: string } = {}) {
    super(message);
    this.status = options.status ?? EXIT.usage;
    this.before = options.before ?? '';
  }
}

/** Nobody reads our standard output any more: the command ends without a word, as a filter does. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on the device',
  EFBIG: 'file too large',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'file name too long',
  EMFILE: 'too many open files',
  EIO: 'input/output error',
};

/** The code of a failed file operation ("ENOENT"), or an empty string for any other error. */
export function errnoCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** A failed file operation as the user's error: "cannot read x: no such file or directory". A name that cannot be seen is quoted. */
export function fileError(verb: string, path: string, error: unknown): CliError {
  const code = errnoCode(error);
  const name = path.trim() === '' ? `'${path}'` : path;
  return new CliError(`cannot ${verb} ${name}: ${REASONS[code] ?? (code === '' ? String(error) : code)}`);
}
