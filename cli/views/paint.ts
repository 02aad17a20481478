/** Colours for a finished view. Layout knows nothing of them, so a view is the same text with and without. */
import type { Colors } from 'picocolors/types.js';

/** Titles in bold, arrows dim, the given numbers (frames that are shared) in green. */
export function paint(text: string, colours: Colors, emphasised: readonly string[] = []): string {
  if (!colours.isColorSupported) return text;
  const strong = new Set(emphasised);
  return text
    .replaceAll(/\[[a-z][^\]\n]*\]/g, (title) => colours.bold(title))
    .replaceAll(/0x[0-9a-f]+/g, (number) => (strong.has(number) ? colours.green(number) : number))
    .replaceAll(/SHM_DEST|\(deleted\)/g, (word) => colours.yellow(word));
}
