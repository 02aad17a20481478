/** The bench harness's arithmetic. Its runs are too slow for a test. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { argumentsOf, kernels } from '../bench/kernels.ts';
import { geometricMean, median, render, renderStartUps, rowOf } from '../bench/report.ts';

describe('kernels', () => {
  test.each(kernels.map((kernel) => kernel.name))('%s has a source', (name) => {
    expect(existsSync(join(import.meta.dirname, `../../guest/bench/${name}.c`))).toBe(true);
  });

  test('scale multiplies the iterations, at least to one', () => {
    expect(argumentsOf({ name: 'x', iterations: 100, operation: null }, 0.1)).toEqual(['10']);
    expect(argumentsOf({ name: 'x', iterations: 100, operation: null }, 0.0001)).toEqual(['1']);
    expect(argumentsOf({ name: 'x', iterations: 30, operation: null, scalable: false }, 0.1)).toEqual(['30']);
  });
});

describe('report', () => {
  test('median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNull();
  });

  test('geometric mean leaves out what was not measured', () => {
    expect(geometricMean([1, null, 4])).toBeCloseTo(2);
    expect(geometricMean([null])).toBeNull();
  });

  test('ratios are above 1 where sameframe is faster', () => {
    const seconds = { sameframe: 2, qemu: 1, native: null };
    const kernel = { name: 'k', iterations: 10, operation: 'page', perIteration: 4 };
    const row = rowOf(kernel, 10, seconds, 600e6, { native: 'exit 1' });
    expect(row.ratios).toEqual({ qemu: 0.5, native: null });
    expect(row.mips).toBe(300);
    const text = render([row]);
    expect(text).toContain('k: us per page: sameframe 50000.00, qemu 25000.00, native n/a');
    expect(text).toContain('k: native: exit 1');
  });
});

test('whole processes are compared with Node and QEMU together, and those of a size have a mean', () => {
  const run = { size: '10 M', node: 20, qemu: 10, native: null };
  const text = renderStartUps([
    { ...run, size: 'hello', kernel: 'hello', sameframe: 33, again: 33 },
    { ...run, kernel: 'fib', sameframe: 30, again: null },
    { ...run, kernel: 'vm', sameframe: 120, again: 60 },
  ]);
  const rows = text.split('\n').map((line) => line.split('│').map((cell) => cell.trim()));
  const row = (name: string): readonly string[] | undefined =>
    rows.find((cells) => cells[1] === name)?.slice(2, 9);
  expect(row('hello')).toEqual(['20', '10', 'n/a', '33', '1.10', '33', '1.10']);
  expect(row('10 M vm')).toEqual(['20', '10', 'n/a', '120', '4.00', '60', '2.00']);
  expect(row('10 M geometric mean')).toEqual(['', '', '', '', '2.00', '', '2.00']);
  expect(rows.some((cells) => cells[1] === 'hello geometric mean')).toBe(false);
});
