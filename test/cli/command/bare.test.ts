/** `sameframe bare` and `sameframe diff` as a user meets them, on an image that zig compiles. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../../guest/toolchain.ts';
import { main, sameframe, scratchFolder } from './sameframe.ts';

const suite = scratchFolder();

const SCRIPT = `
OUTPUT_ARCH(riscv)
ENTRY(_start)
SECTIONS {
  . = 0x80000000;
  .text : { *(.text.init) *(.text*) }
  . = ALIGN(0x1000);
  .tohost : { *(.tohost) }
  . = ALIGN(0x1000);
  .data : { *(.data*) *(.sdata*) *(.rodata*) *(.srodata*) *(.bss*) *(.sbss*) }
  . = ALIGN(16);
  . += 0x4000;
  stack = .;
}`;

const START = `
__asm__(".section .text.init\\n.globl _start\\n_start: la sp, stack\\n li t0, 0x6000\\n csrs mstatus, t0\\n"
        " call main\\n1: wfi\\n j 1b\\n.text");
static void uart(char c) { *(volatile char *)0x10000000 = c; }
static int ready(void) { return *(volatile char *)0x10000005 & 1; }
static char get(void) { return *(volatile char *)0x10000000; }
static void print(const char *p) { while (*p) uart(*p++); }
`;

const HTIF = `
__attribute__((section(".tohost"), aligned(64))) volatile unsigned long long tohost, fromhost;
static void put(char c) {
  while (tohost) {}
  tohost = 1ull << 56 | 1ull << 48 | (unsigned char)c;
}
static void finish(int code) { for (;;) tohost = (unsigned)code << 1 | 1; }
`;

const SOURCES: Readonly<Record<string, string>> = {
  hello: `${HTIF}
    unsigned begin_signature[6] = {1, 0xdeadbeef, 3, 4, 5, 6};
    __asm__(".globl end_signature\\nend_signature = begin_signature + 20");
    void main(void) {
      put('h'); put('i'); put('\\n');
      print("uart\\n");
      volatile double third = 1.0;
      begin_signature[0] = (unsigned)(third / 3 * 1e6);
      finish(7);
    }`,
  echo: 'void main(void) { for (;;) { while (!ready()) {} char c = get(); uart(c); if (c == 10) return; } }',
  loop: 'void main(void) { print("on and on\\n"); for (;;) {} }',
  idle: `${HTIF} void main(void) { tohost = 0; print("waits\\n"); }`,
  lost: 'void main(void) { __asm__ volatile("la t0, 1f; csrw mtvec, t0; .balign 4; 1: ecall"); }',
};

const image = (name: string): string => join(suite.dir, `${name}.elf`);

beforeAll(async () => {
  const script = join(suite.dir, 'link.ld');
  writeFileSync(script, SCRIPT);
  for (const [name, text] of Object.entries(SOURCES)) {
    const { bytes } = await compile(
      { name: `${name}.c`, text: START + text },
      { target: 'bare', toolchain: 'zig', flags: ['-nostdlib', '-T', script, '-Wno-main-return-type'] },
    );
    writeFileSync(image(name), bytes);
  }
});

describe('bare', () => {
  test('prints through HTIF and the UART, and exits with the code in tohost', async () => {
    const result = await sameframe(['bare', '--htif', image('hello')]);
    expect(result).toEqual({ status: 7, stdout: 'hi\nuart\n', stderr: '' });
  });

  test('compiles C, and cc --bare makes an image', async () => {
    const output = join(suite.dir, 'bare.elf');
    const example = 'guest/examples/bare.c';
    expect(
      await sameframe(['cc', '--bare', '-o', output, example, '--', '-Tguest/examples/bare.ld']),
    ).toMatchObject({ status: 0, stderr: '' });
    // e_entry: where QEMU's virt machine begins, whatever the file says.
    expect(readFileSync(output).readUInt32LE(24)).toBe(0x8000_0000);
    for (const path of [example, output]) {
      const result = await sameframe(['bare', '--max-instructions', '10000', path]);
      expect(result.stdout).toBe('hello from machine mode\ntrap, cause 11\ntrap, cause 2\ndone\n');
      expect([result.status, result.stderr]).toEqual([3, '']);
    }
  });

  test.each([
    [[], '0000000400000003deadbeef00051615\n00000000000000000000000000000005\n'],
    [['--signature-granularity', '4'], '00051615\ndeadbeef\n00000003\n00000004\n00000005\n'],
    [['--signature-granularity', '8'], 'deadbeef00051615\n0000000400000003\n0000000000000005\n'],
  ])('writes the signature %j', async (options, text) => {
    const file = join(suite.dir, `signature${String(options.length)}${options.join('')}`);
    const { status } = await sameframe(['bare', '--signature', file, ...options, image('hello')]);
    expect(status).toBe(7);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('standard input is the UART’s; an image without tohost ends at WFI: 0', async () => {
    expect(await sameframe(['bare', image('echo')], { input: 'typed\nnot read' })).toEqual({
      status: 0,
      stdout: 'typed\n',
      stderr: '',
    });
  });

  test('input may come late', async () => {
    const child = spawn(process.execPath, [main, 'bare', image('echo')], { stdio: 'pipe' });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    setTimeout(() => child.stdin.write('late\n'), 300);
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'late\n' });
  });

  test('the instruction limit says where it was: 124', async () => {
    const { status, stdout, stderr } = await sameframe([
      'bare',
      '--max-instructions',
      '10_000',
      image('loop'),
    ]);
    expect(stdout).toBe('on and on\n');
    expect(stderr).toMatch(
      /^sameframe: stopped after 10000 instructions \(--max-instructions\) at 0x800000[0-9a-f]{2} <main.*>\n$/,
    );
    expect(status).toBe(124);
  });

  test.each([
    ['idle', 'waits\n', /^sameframe: WFI before 0x[0-9a-f]{8} <.*>, and nothing can end it\n$/],
    ['lost', '', /^sameframe: the trap handler at 0x[0-9a-f]{8} <main.*> traps into itself: .*, tval 0x0\n$/],
  ])('%s can never go on: 125', async (name, printed, message) => {
    const { status, stdout, stderr } = await sameframe(['bare', image(name)]);
    expect(stdout).toBe(printed);
    expect(stderr).toMatch(message);
    expect(status).toBe(125);
  });

  test('--stats counts', async () => {
    const { stderr } = await sameframe(['bare', '--stats', image('hello')]);
    expect(stderr).toMatch(
      /^instructions +68\ninstructions in tier 1 +0\nregions +0\npages of code dropped +\d+\nmilliseconds compiling +\d+\nmilliseconds in tier 0 +\d+\nmilliseconds in tier 1 +\d+\nhost seconds +[\d.]+\nmillion instructions per second +\d+\n$/,
    );
  });
});

describe('diff', () => {
  const path = (name: string): string => join(suite.dir, name);

  beforeAll(async () => {
    await sameframe(['bare', '--trace', path('a.log'), image('hello')]);
    const lines = readFileSync(path('a.log'), 'utf8').split('\n');
    writeFileSync(path('short.log'), lines.slice(0, 10).join('\n'));
    writeFileSync(
      path('b.log'),
      lines.map((line, i) => (i === 2 ? line.replace('6000', '7000') : line)).join('\n'),
    );
  });

  test('of a log and itself: 0', async () => {
    const { status, stdout } = await sameframe(['diff', path('a.log'), path('a.log')]);
    expect(stdout).toMatch(/^no difference in \d+ instructions\n$/);
    expect(status).toBe(0);
  });

  test('shows the first difference with its surroundings, from both: 1', async () => {
    const options = ['--elf', image('hello'), '--context', '2'];
    const { status, stdout } = await sameframe(['diff', ...options, 'a.log', 'b.log'], { cwd: suite.dir });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('the first difference is in instruction 3: line 3 of a.log, line 3 of b.log');
    expect(lines[1]).toMatch(/^ {2}0x800000[0-9a-f]{2} <_start\+0x8> {2}6299 {6}c\.lui t0, 0x6$/);
    expect(lines[2]).toBe('  x5  0x6000 | 0x7000');
    expect(lines.slice(4, 10).map((line) => line.replace(/ 0x[0-9a-f]{8}( <.*?>).*/, '$1'))).toEqual([
      'a.log:',
      '          1  <_start>',
      '          2  <_start+0x4>',
      ' >        3  <_start+0x8>',
      '          4  <_start+0xa>',
      '          5  <_start+0xe>',
    ]);
    expect(lines[11]).toBe('b.log:');
    expect(lines[14]).toMatch(/^ > .*x5 {2}0x00007000$/);
    expect(status).toBe(1);
  });

  test('one that is the beginning of the other: 1', async () => {
    const { status, stdout } = await sameframe(['diff', 'a.log', 'short.log'], { cwd: suite.dir });
    expect(stdout).toMatch(/^short\.log ends after 10 instructions that agree; a\.log goes on at line 11\n/);
    expect(stdout).toContain('\n   (the end)\n');
    expect(status).toBe(1);
  });
});
