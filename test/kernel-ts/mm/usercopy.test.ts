import { describe, expect, test } from 'vitest';
import { EFAULT, ENAMETOOLONG } from '../../../kernel-ts/abi/errno.ts';
import { TASK_SIZE } from '../../../kernel-ts/abi/mman.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import {
  clearUser,
  copyFromUser,
  copyFromUserPartial,
  copyToUser,
  copyToUserPartial,
  getUser32,
  getUser64,
  getUser8,
  putUser32,
  putUser64,
  putUser8,
  strncpyFromUser,
  userPage,
} from '../../../kernel-ts/mm/usercopy.ts';
import { walkPte } from '../../../kernel-ts/mm/pgtable.ts';
import { checkKernel, load, mmOf, TestKernel } from './machine.ts';

const P = 4096;
const k = new TestKernel(2 << 20);
const task = k.spawn();
const mm = mmOf(task);
/** Two pages read-write, then one read-only, then a hole. */
const a = ksysMmapPgoff(k, 0x2000_0000, 2 * P, 3, 0x32, -1, 0);
ksysMmapPgoff(k, a + 2 * P, P, 1, 0x32, -1, 0);

describe('usercopy', () => {
  test('faults pages in and crosses their borders', () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);
    expect(copyToUser(k, mm, a + 1000, bytes)).toBe(0);
    expect(copyFromUser(k, mm, a + 1000, 5000)).toEqual(bytes);
    expect(load(k, task, a + 1001)).toBe(1);
    // The MMU would have set A and D.
    expect(walkPte(k, mm, a).pte0 & 0xc0).toBe(0xc0);
    checkKernel(k);
  });

  test('stops where a program would get SIGSEGV', () => {
    expect(copyToUser(k, mm, a + 2 * P - 4, new Uint8Array(8))).toBe(-EFAULT);
    expect(copyToUserPartial(k, mm, a + 2 * P - 4, new Uint8Array(8))).toBe(4);
    expect(copyFromUser(k, mm, a + 3 * P - 4, 8)).toBe(-EFAULT);
    expect(copyFromUserPartial(k, mm, a + 3 * P - 4, 8).length).toBe(4);
    expect(copyFromUser(k, mm, TASK_SIZE - 4, 8)).toBe(-EFAULT);
    expect(copyFromUser(k, mm, 0xffff_fff0, 0xffff_ffff)).toBe(-EFAULT);
    expect(copyToUser(k, mm, 0, Uint8Array.of(1))).toBe(-EFAULT);
    expect(clearUser(k, mm, a + P, 2 * P)).toBe(-EFAULT);
    expect(clearUser(k, mm, a, 2 * P)).toBe(0);
  });

  test('words, aligned or not', () => {
    expect(putUser32(k, mm, a + 4, 0xdead_beef)).toBe(0);
    expect(getUser32(k, mm, a + 4)).toBe(0xdead_beef);
    expect(putUser32(k, mm, a + P - 2, 0x1234_5678)).toBe(0);
    expect(getUser32(k, mm, a + P - 2)).toBe(0x1234_5678);
    expect(getUser8(k, mm, a + P)).toBe(0x34);
    expect(putUser64(k, mm, a + 8, 1, 2)).toBe(0);
    expect(getUser64(k, mm, a + 8)).toEqual({ lo: 1, hi: 2 });
    expect(putUser8(k, mm, a + 2 * P, 1)).toBe(-EFAULT);
    expect(putUser32(k, mm, a + 2 * P - 2, 1)).toBe(-EFAULT);
    expect(getUser32(k, mm, 0)).toBeNull();
  });

  test('strings end at their NUL, the limit or the mapping', () => {
    copyToUser(k, mm, a + P - 3, new TextEncoder().encode('héllo\0'));
    expect(strncpyFromUser(k, mm, a + P - 3, 100)).toBe('héllo');
    expect(strncpyFromUser(k, mm, a + P - 3, 4)).toBe(-ENAMETOOLONG);
    clearUser(k, mm, a, 2 * P);
    copyToUser(k, mm, a, new Uint8Array(2 * P).fill(65));
    expect(strncpyFromUser(k, mm, a, 100_000)).toBe('A'.repeat(2 * P));
    expect(strncpyFromUser(k, mm, 0x100, 10)).toBe(-EFAULT);
  });

  test('userPage names the frame', () => {
    const page = userPage(k, mm, a, 'write');
    expect(page).toBe(walkPte(k, mm, a).pte0 >>> 10);
    expect(userPage(k, mm, a + 2 * P, 'write')).toBe(-EFAULT);
  });
});
