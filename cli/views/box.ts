/** Boxes drawn with lines, as in the picture of Linux 2.6.20's shm structures. */
import { cell } from './format.ts';

/** A box: a title, then groups of lines with a rule between them. `width` counts the borders. */
export function box(title: string, groups: readonly (readonly string[])[], width: number): string[] {
  const inner = width - 2;
  const left = Math.max(0, Math.floor((inner - title.length) / 2));
  const lines = [`┌${'─'.repeat(inner)}┐`, `│${cell(' '.repeat(left) + title, inner)}│`];
  for (const group of groups) {
    if (group.length === 0) continue;
    lines.push(`│${'-'.repeat(inner)}│`, ...group.map((line) => `│${cell(` ${line}`, inner)}│`));
  }
  lines.push(`└${'─'.repeat(inner)}┘`);
  return lines;
}

/** Indents every line. */
export function indent(lines: readonly string[], columns: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(columns) + line));
}

/** The arrow between two boxes, at a column. */
export function arrowDown(column: number): string[] {
  return [`${' '.repeat(column)}│`, `${' '.repeat(column)}▼`];
}

/** One line that fans out from a box's middle to the middle of each column under it. */
export function fanOut(from: number, to: readonly number[]): string[] {
  const ends = [...to].sort((a, b) => a - b);
  const first = Math.min(from, ends[0] ?? from);
  const last = Math.max(from, ends.at(-1) ?? from);
  const up = ' '.repeat(from) + '▲';
  if (first === last) return [up, `${' '.repeat(from)}│`];
  const glyph = (column: number): string => {
    const down = ends.includes(column);
    if (column === from) {
      if (column === first) return down ? '├' : '└';
      if (column === last) return down ? '┤' : '┘';
      return down ? '┼' : '┴';
    }
    if (!down) return '─';
    if (column === first) return '┌';
    return column === last ? '┐' : '┬';
  };
  const line = Array.from({ length: last - first + 1 }, (_, offset) => glyph(first + offset)).join('');
  const feet = Array.from({ length: last + 1 }, (_, column) => (ends.includes(column) ? '│' : ' '))
    .join('')
    .trimEnd();
  return [up, ' '.repeat(first) + line, feet];
}
