/** Instruction logs: what is read from each format, and the first difference of two. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseEffects } from '../../cli/logs/commits.ts';
import { Comparison, type CompareOptions, type Verdict } from '../../cli/logs/compare.ts';
import { openLog } from '../../cli/logs/open.ts';

const dir = mkdtempSync(join(tmpdir(), 'sameframe-logs-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

let files = 0;
function log(text: string): string {
  const path = join(dir, `${String(++files)}.log`);
  writeFileSync(path, text);
  return path;
}

/** Compares two logs to their end. */
function compare(a: string, b: string, options: CompareOptions = {}): { verdict: Verdict; count: number } {
  const readers = [openLog(log(a)), openLog(log(b))] as const;
  const comparison = new Comparison(...readers, options);
  let verdict: Verdict | null;
  do verdict = comparison.step(comparison.take('a'), comparison.take('b'));
  while (verdict === null);
  for (const reader of readers) reader.close();
  return { verdict, count: comparison.count };
}

/** What differs, as [what, a, b]. */
function differences(
  a: string,
  b: string,
  options: CompareOptions = {},
): (readonly [string, string, string])[] {
  const { verdict } = compare(a, b, options);
  return verdict.kind === 'different' ? verdict.differences.map((d) => [d.what, d.a, d.b]) : [];
}

const SPIKE = `core   0: 3 0x80000000 (0x00000297) x5  0x80000000
core   0: 3 0x80000004 (0x557d) x10 0xffffffff
core   0: 3 0x80000006 (0x340515f3) x11 0x00000000 c832_mscratch 0xffffffff
core   0: 3 0x8000000a (0x00a2a023) mem 0x80000000 0xffffffff
core   0: 3 0x8000000e (0x12e7f7d3) c1_fflags 0x00000001 f15 0x3ff0888888888888
`;

/** A register dump of QEMU 7.2 at `pc`. */
function dump(
  pc: number,
  x: Readonly<Record<number, number>> = {},
  csrs: Readonly<Record<string, number>> = {},
  f15 = 0n,
): string {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const all = { mstatus: 0, mip: 0x80, mtvec: 0x80000100, mepc: 0, mcause: 0, mscratch: 0, ...csrs };
  const lines = [' V      =   0', ` pc       ${hex(pc)}`];
  for (const [name, value] of Object.entries(all)) lines.push(` ${name.padEnd(8)} ${hex(value)}`);
  for (let i = 0; i < 32; i += 4) {
    lines.push(
      [0, 1, 2, 3].map((j) => ` x${String(i + j)}/r${' '.repeat(4)} ${hex(x[i + j] ?? 0)}`).join(''),
    );
  }
  for (let i = 0; i < 32; i += 4) {
    const value = (n: number): string => (n === 15 ? f15 : 0n).toString(16).padStart(16, '0');
    lines.push([0, 1, 2, 3].map((j) => ` f${String(i + j)}/r    ${value(i + j)}`).join(''));
  }
  return `${lines.join('\n')}\n`;
}

const ALL = { 5: 0x80000000, 10: 0xffffffff };
const QEMU = [
  `----------------\nIN: \nPriv: 3; Virt: 0\n0x00001000:  00000297          auipc t0,0\n\n`,
  dump(0x1000, { 11: 0x87e00000 }),
  `IN: \n0x80000000:  00000297          auipc t0,0\n\n`,
  dump(0x80000000, { 11: 0x87e00000 }),
  dump(0x80000004, { 5: 0x80000000, 11: 0x87e00000 }),
  dump(0x80000006, { ...ALL, 11: 0x87e00000 }),
  dump(0x8000000a, ALL, { mscratch: 0xffffffff }),
  dump(0x8000000e, ALL, { mscratch: 0xffffffff, mip: 0 }),
  dump(0x80000012, ALL, { mscratch: 0xffffffff, fflags: 1 }, 0x3ff0888888888888n),
].join('');

test('the changes that a commit line lists', () => {
  const { registers, csrs, memory } = parseEffects(
    ' x5  0x0000000A f10 0xffffffff3f800000 c768_mstatus 0x80006000 mem 0x80001000 mem 0x80001004 0x00000002',
  );
  expect([...registers]).toEqual([
    ['x5', 'a'],
    ['f10', 'ffffffff3f800000'],
  ]);
  expect([...csrs]).toEqual([['mstatus', '80006000']]);
  expect(memory).toEqual(['80001000', '80001004 2']);
});

describe('two commit logs', () => {
  test('agree with themselves, whatever stands between the commits', () => {
    const noisy = SPIKE.replaceAll(
      /^/gm,
      'core   0: 0x80000000 (0x00000297) auipc   t0, 0x0\ncore   0: exception trap_machine_ecall, epc 0x0\n',
    ).replaceAll('\n', '\r\n');
    expect(compare(SPIKE, SPIKE)).toEqual({ verdict: { kind: 'equal' }, count: 5 });
    expect(compare(SPIKE, noisy)).toEqual({ verdict: { kind: 'equal' }, count: 5 });
  });

  test('the boot ROM is passed over', () => {
    const rom = 'core   0: 3 0x00001000 (0x00000297) x5  0x00001000\ncore   0: 3 0x00001010 (0x00028067)\n';
    expect(compare(rom + SPIKE, SPIKE)).toEqual({ verdict: { kind: 'equal' }, count: 5 });
  });

  test('older spellings mean the same', () => {
    const old = SPIKE.replaceAll('core   0: ', '').replace('x5 ', 'x 5').replace('(0x557d)', '(0x0000557d)');
    expect(compare(SPIKE, old).verdict).toEqual({ kind: 'equal' });
  });

  test.each([
    ['0x80000006', '0x80000008', [['pc', '0x80000006', '0x80000008']]],
    ['x10 0xffffffff', 'x10 0xfffffffe', [['x10', '0xffffffff', '0xfffffffe']]],
    [
      'x10 0xffffffff',
      'x11 0xffffffff',
      [
        ['x10', '0xffffffff', 'not written'],
        ['x11', 'not written', '0xffffffff'],
      ],
    ],
    ['(0x557d)', '(0x557f)', [['instruction', '0x0000557d', '0x0000557f']]],
    ['3 0x80000004', '0 0x80000004', [['privilege', '3', '0']]],
    [
      'mem 0x80000000 0xffffffff',
      'mem 0x80000000 0xfffffffe',
      [['memory', '0x80000000 0xffffffff', '0x80000000 0xfffffffe']],
    ],
    [' mem 0x80000000 0xffffffff', '', [['memory', '0x80000000 0xffffffff', 'no access']]],
    ['c1_fflags 0x00000001 ', '', [['fflags', '0x1', 'not written']]],
    ['f15 0x3ff0', 'f15 0x3ff1', [['f15', '0x3ff0888888888888', '0x3ff1888888888888']]],
  ])('%s against "%s"', (from, to, expected) => {
    expect(differences(SPIKE, SPIKE.replace(from, to))).toEqual(expected);
  });

  test('what Spike’s versions do not agree on is no difference', () => {
    const mret = 'core   0: 3 0x80000000 (0x30200073) c768_mstatus 0x00000080';
    expect(differences(`${mret}\n`, `${mret} c784_mstatush 0x00000000 c1957_tcontrol 0x00000000\n`)).toEqual(
      [],
    );
  });

  test('one is the beginning of the other', () => {
    const short = SPIKE.split('\n').slice(0, 3).join('\n'); // and no newline at its end
    expect(compare(short, SPIKE)).toEqual({ verdict: { kind: 'prefix', ended: 'a' }, count: 3 });
    expect(compare(SPIKE, short)).toEqual({ verdict: { kind: 'prefix', ended: 'b' }, count: 3 });
  });

  test('counters can be ignored', () => {
    const one = 'core   0: 3 0x80000000 (0xb00025f3) x11 0x00000007\n';
    const other = one.replace('07\n', '09\n');
    expect(differences(one, other)).toEqual([['x11', '0x7', '0x9']]);
    expect(differences(one, other, { ignoreCounters: true })).toEqual([]);
  });
});

describe('QEMU’s dumps', () => {
  test('agree with the commit log of the same instructions, on either side', () => {
    expect(compare(SPIKE, QEMU).count).toBe(5);
    expect(differences(SPIKE, QEMU)).toEqual([]);
    expect(differences(QEMU, SPIKE)).toEqual([]);
    expect(compare(QEMU, QEMU)).toEqual({ verdict: { kind: 'equal' }, count: 6 });
  });

  test.each([
    ['x5  0x80000000', 'x5  0x80000001', [['x5', '0x80000001', '0x80000000']]],
    ['c832_mscratch 0xffffffff', 'c832_mscratch 0x1', [['mscratch', '0x1', '0xffffffff']]],
    ['f15 0x3ff0', 'f15 0x3ff1', [['f15', '0x3ff1888888888888', '0x3ff0888888888888']]],
  ])('differ in %s', (from, to, expected) => {
    expect(differences(SPIKE.replace(from, to), QEMU)).toEqual(expected);
  });

  test('a register that only QEMU changed is found', () => {
    expect(differences(SPIKE.replace('x10 0xffffffff', 'x11 0x00000000'), QEMU)).toEqual([
      ['x11', '0x0', '0x87e00000'],
    ]);
  });

  test('an instruction that traps has a dump and no commit; a jump to itself counts once', () => {
    const commits = `core   0: 3 0x80000000 (0x557d) x10 0xffffffff
core   0: 3 0x80000100 (0x00100513) x10 0x00000001
core   0: 3 0x80000104 (0xa001)
core   0: 3 0x80000104 (0xa001)
`;
    const trapped = { mepc: 0x80000002, mcause: 11 };
    const dumps = [
      dump(0x80000000),
      dump(0x80000002, { 10: 0xffffffff }),
      dump(0x80000100, { 10: 0xffffffff }, trapped),
      dump(0x80000104, { 10: 1 }, trapped),
      dump(0x80000104, { 10: 1 }, trapped),
      dump(0x80000104, { 10: 1 }, trapped),
    ].join('');
    expect(compare(commits, dumps)).toEqual({ verdict: { kind: 'equal' }, count: 3 });
  });

  test('blocks of several instructions are refused', () => {
    const block = '0x80000000:  00000297          auipc t0,0\n0x80000004:  557d              li a0,-1\n';
    expect(() => compare(SPIKE, block + QEMU)).toThrow(/-singlestep/);
  });
});

test('a file of something else is refused', () => {
  expect(() => openLog(log('hello\n'))).toThrow(/no instruction/);
  expect(() => openLog(log(''))).toThrow(/no instruction/);
});
