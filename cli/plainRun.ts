/**
 * Command lines of `sameframe run` that need no reading: programs and what belongs to them, behind `--code-cache` at most. Most are like
 * that, and those are to start fast. Means what verbs/run.ts makes of the same words (test/cli/command/launch.test.ts).
 */
export interface PlainRun {
  readonly words: readonly string[];
  readonly codeCache?: string;
}

const OPTION = '--code-cache';

/** Null: commander must read it. `words`: all behind the command's name. */
export function plainRun(words: readonly string[]): PlainRun | null {
  if (words[0] !== 'run') return null;
  const [, first = '', second = ''] = words;
  let codeCache = '';
  let at = 1;
  if (first === OPTION) {
    codeCache = second;
    at = 3;
  } else if (first.startsWith(`${OPTION}=`)) {
    codeCache = first.slice(OPTION.length + 1);
    at = 2;
  }
  const program = words[at];
  if (program === undefined || program.startsWith('-') || (at > 1 && codeCache === '')) return null;
  return { words: words.slice(at), ...(at > 1 ? { codeCache } : {}) };
}
