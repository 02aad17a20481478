/** The two ways a compilation fails: the C is wrong, or there is no compiler. */

/** The compiler or linker refused the sources. `message` is one line; `output` is everything it printed. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  /** The command as it could be pasted into a shell. */
  readonly command: string;
  /** null when the compiler could not be started or was killed. */
  readonly exitCode: number | null;
  /** stdout and stderr of the compiler, interleaved, exactly as printed. */
  readonly output: string;

  constructor(details: {
    readonly command: string;
    readonly exitCode: number | null;
    readonly output: string;
    readonly sources: readonly string[];
    readonly reason: string;
  }) {
    const cause =
      details.reason === '' ? `the compiler's exit status is ${details.exitCode}` : details.reason;
    super(`cannot compile ${details.sources.join(' ')}: ${cause}`);
    this.command = details.command;
    this.exitCode = details.exitCode;
    this.output = details.output;
  }
}

/** No installed compiler makes the wanted target. The message names what to install. */
export class ToolchainError extends Error {
  override readonly name = 'ToolchainError';
}
