/**
 * `sameframe run` without options, which is what most runs are and what is to start fast: the same as verbs/run.ts makes of it, without
 * all that reads and explains a command line. A bundle of its own (launch.ts, .ci/bundle.ts).
 */
import { CodeStore, defaultFolder } from './codeStore.ts';
import { finish } from './finish.ts';
import { loadPrograms } from './programs.ts';
import { Session } from './session.ts';

async function quick(words: readonly string[]): Promise<void> {
  const programs = await loadPrograms(words);
  const store = CodeStore.open(
    defaultFolder(),
    programs.map(({ image }) => image),
  );
  const session = new Session(programs, { env: [], codeMemory: store });
  const result = await session.run();
  session.report(result);
  store?.save();
  process.exitCode = session.status(result);
}

finish(quick(process.argv.slice(3)));
