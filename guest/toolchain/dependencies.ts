/** Which of the project's own headers a compilation reads, as the compiler itself tells (-MM). */
import { resolve } from 'node:path';

/** Runs the compiler with arguments; never throws. */
type Run = (args: readonly string[]) => Promise<{ readonly failed: boolean; readonly stdout: string }>;

/**
 * Absolute paths of the headers included by C sources, system headers excepted, sorted. A source that does not
 * preprocess has none: its compilation is about to fail, and failures are not cached.
 */
export async function headersOf(
  sources: readonly string[],
  flags: readonly string[],
  cwd: string,
  run: Run,
): Promise<readonly string[]> {
  // One run each: `zig cc -MM` with two sources prints the second one's only.
  const rules = await Promise.all(
    sources.filter((file) => /\.(c|S|sx|cc|cpp)$/.test(file)).map((file) => run([...flags, '-MM', file])),
  );
  const own = new Set(sources.map((file) => resolve(cwd, file)));
  const found = new Set<string>();
  for (const rule of rules) {
    if (rule.failed) continue;
    for (const path of parseRule(rule.stdout)) {
      const absolute = resolve(cwd, path);
      if (!own.has(absolute)) found.add(absolute);
    }
  }
  return [...found].sort();
}

/** The prerequisites of a make rule: `x.o: a.c \<newline> dir\ with\ space/b.h`. */
export function parseRule(text: string): string[] {
  const start = text.search(/:\s/);
  if (start < 0) return [];
  const names: string[] = [];
  let name = '';
  const rest = `${text.slice(start + 1).replace(/\\\r?\n/g, ' ')} `;
  for (let i = 0; i < rest.length; i++) {
    const c = rest.charAt(i);
    const next = rest.charAt(i + 1);
    if ((c === '\\' && (next === ' ' || next === '#')) || (c === '$' && next === '$')) {
      name += next;
      i++;
    } else if (/\s/.test(c)) {
      if (name !== '') names.push(name);
      name = '';
    } else {
      name += c;
    }
  }
  return names;
}
