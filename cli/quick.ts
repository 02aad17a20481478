/**
 * `sameframe run` where there is nothing to be read on the command line (plainRun.ts): the same as verbs/run.ts makes of it, without all
 * that reads and explains options. A bundle of its own (launch.ts, .ci/bundle.ts).
 */
import { CodeStore } from './codeStore.ts';
import { finish } from './finish.ts';
import { plainRun, type PlainRun } from './plainRun.ts';
import { loadPrograms } from './programs.ts';
import { Session } from './session.ts';

async function quick({ words, codeCache }: PlainRun): Promise<void> {
  const programs = await loadPrograms(words);
  const store = CodeStore.open(
    codeCache,
    programs.map(({ image }) => image),
  );
  const session = new Session(programs, { env: [], codeMemory: store });
  const result = await session.run();
  session.report(result);
  store?.save();
  process.exitCode = session.status(result);
}

const plain = plainRun(process.argv.slice(2));
if (plain === null) throw new Error('the launcher takes a command line for a plain one');
finish(quick(plain));
