/** BUG(): include/asm-generic/bug.h. */

/**
 * A mistake of ours to throw, with the number that it is about. A call, not a template: V8 takes the text of a number for a value that it may
 * compute ahead of the branch that needs it, and does, by a look into a table of half a megabyte (put_page() did, for each page).
 */
export function bug(what: string, which: number): Error {
  return new Error(`${what}: ${which}`);
}
