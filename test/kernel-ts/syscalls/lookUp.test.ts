import { describe, expect, test } from 'vitest';
import { LIBC_ROWS } from '../../../kernel-ts/syscalls/libcRows.ts';
import { syscallRow } from '../../../kernel-ts/syscalls/lookUp.ts';
import { SYSCALL_ROWS, unknownRow, unsupportedRows } from '../../../kernel-ts/syscalls/table.ts';

describe('looking up a row of the system-call table', () => {
  test('finds every supported call by its number, whichever comes first', () => {
    for (const row of LIBC_ROWS) expect(syscallRow(row.number)).toBe(row);
    for (const row of SYSCALL_ROWS) expect(syscallRow(row.number)).toBe(row);
  });

  test('finds what Linux has and this kernel has not', () => {
    for (const { number, name } of unsupportedRows()) {
      expect(syscallRow(number).name).toBe(name);
      expect(syscallRow(number).support).toBe('none');
    }
  });

  test('answers with one row for what Linux does not know', () => {
    for (const number of [79, 511, 512, 0x7fff_ffff, 0xffff_ffff])
      expect(syscallRow(number)).toBe(unknownRow());
  });
});
