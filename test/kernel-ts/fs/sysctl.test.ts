import { expect, test } from 'vitest';
import { EINVAL } from '../../../kernel-ts/abi/errno.ts';
import { parseNumbers } from '../../../kernel-ts/fs/sysctl.ts';

// The single numbers are those of guest/tests/shm_sysctl.c, which were seen on Linux.
const INT = { min: -0x8000_0000, max: 0x7fff_ffff };

test('several numbers, as of kernel.sem: what precedes a mistake has been read', () => {
  expect(parseNumbers('1\t2 3\n4 5', 4, INT)).toEqual({ values: [1, 2, 3, 4], consumed: 8, error: 0 });
  expect(parseNumbers(' 1 2 ', 4, INT)).toEqual({ values: [1, 2], consumed: 5, error: 0 });
  expect(parseNumbers('1 x', 4, INT)).toEqual({ values: [1], consumed: 2, error: -EINVAL });
  expect(parseNumbers('', 4, INT)).toEqual({ values: [], consumed: 0, error: -EINVAL });
});

test('octal ends at the first digit that is none, and a long number is none', () => {
  expect(parseNumbers('017', 1, INT).values).toEqual([15]);
  expect(parseNumbers('08', 1, INT).error).toBe(-EINVAL);
  expect(parseNumbers(`${'0'.repeat(20)}`, 1, INT).values).toEqual([0]);
  expect(parseNumbers(`${'0'.repeat(21)}`, 1, INT).error).toBe(-EINVAL);
  expect(parseNumbers('-2147483648', 1, INT).values).toEqual([-2147483648]);
  expect(parseNumbers('-2147483649', 1, INT).error).toBe(-EINVAL);
});
