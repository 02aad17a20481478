/** What the benches' command lines have in common. */
import { Argument, Command, InvalidArgumentError } from 'commander';

/** A command that takes names out of `names`; a mistake is one line and exit status 2. */
export function benchCommand(name: string, description: string, names: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .addArgument(new Argument('[name...]', 'all, when none is named').choices(names))
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is needed');
  return value;
}
