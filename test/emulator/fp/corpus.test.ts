/** The committed answers of qemu-riscv32 (see campaign.ts), every computing row of F and D in every mode. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rv32d } from '../../../emulator/isa/d.ts';
import { rv32f } from '../../../emulator/isa/f.ts';
import { execute } from './machine.ts';

interface Section {
  readonly name: string;
  readonly mode: number;
  readonly cases: bigint[][];
}

const sections: Section[] = [];
for (const line of readFileSync(new URL('corpus.txt', import.meta.url), 'utf8').split('\n')) {
  const heading = /^(f[a-z.]+) (\d)$/.exec(line);
  if (heading) sections.push({ name: heading[1] ?? '', mode: Number(heading[2]), cases: [] });
  else if (line !== '' && !line.startsWith('#')) {
    sections.at(-1)?.cases.push(line.split(' ').map((w) => BigInt(`0x${w}`)));
  }
}

test('the corpus covers the rows of F and D', () => {
  const rows = [...rv32f, ...rv32d].filter((r) => !/^f(l|s)[wd]$/.test(r.name));
  expect(new Set(sections.map((s) => s.name))).toEqual(new Set(rows.map((r) => r.name)));
});

test.each(sections)('$name, mode $mode', ({ name, mode, cases }) => {
  for (const words of cases) {
    const flags = Number(words.at(-1));
    const expected = { bits: words.at(-2), flags };
    const operands = words.slice(0, -2);
    expect({ operands, ...execute(name, operands, mode) }).toEqual({ operands, ...expected });
    expect(execute(name, operands, mode, { accrued: 1, dynamic: true })?.flags).toBe(flags | 1);
  }
});
