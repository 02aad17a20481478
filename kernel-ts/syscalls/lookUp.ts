/** From a number to its row of the system-call table. Most programs need few rows, so the others are asked for when one is called. */
import { LIBC_ROWS } from './libcRows.ts';
import type { SyscallRow } from './row.ts';
import { supportedRows, unknownRow, unsupportedRows } from './table.ts';

/** Indexed by number, below 512. Null: no row, or it has not been asked for. */
const TABLE: (SyscallRow | null)[] = Array<SyscallRow | null>(512).fill(null);

const enter = (rows: readonly SyscallRow[]): void => {
  for (const one of rows) TABLE[one.number] = one;
};

enter(LIBC_ROWS);

/** What has been entered beside LIBC_ROWS. */
let entered: 'none' | 'supported' | 'all' = 'none';

function rareRow(number: number): SyscallRow {
  if (entered === 'none') {
    enter(supportedRows());
    entered = 'supported';
    const found = TABLE[number];
    if (found) return found;
  }
  if (entered === 'supported') {
    enter(unsupportedRows());
    entered = 'all';
  }
  return TABLE[number] ?? unknownRow();
}

/** What the number in a7 runs, a u32. */
export function syscallRow(number: number): SyscallRow {
  return TABLE[number] ?? rareRow(number);
}
