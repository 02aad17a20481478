/** Bad input: one clear line on stderr, exit status 2, nothing on stdout, never a stack trace of ours. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { elf } from '../../kernel-ts/process/elfFixture.ts';
import { sameframe, scratchFolder } from './sameframe.ts';

const suite = scratchFolder();

/** An ELF header with fields changed: class, data, machine, type. */
function elfHeader(change: Partial<Record<'class' | 'data' | 'machine' | 'type', number>> = {}): Uint8Array {
  const bytes = new Uint8Array(52);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, change.class ?? 1, change.data ?? 1, 1]);
  const little = change.data !== 2;
  view.setUint16(16, change.type ?? 2, little);
  view.setUint16(18, change.machine ?? 243, little);
  view.setUint32(20, 1, little);
  return bytes;
}

beforeAll(() => {
  const file = (name: string, content: string | Uint8Array): void => {
    writeFileSync(join(suite.dir, name), content);
  };
  mkdirSync(join(suite.dir, 'folder'));
  mkdirSync(join(suite.dir, 'folder.c'));
  file('text', 'hello\n');
  file('empty', '');
  file('elf64', elfHeader({ class: 2 }));
  file('big', elfHeader({ data: 2 }));
  file('x86', elfHeader({ machine: 3 }));
  file('header-only', elfHeader());
  file('cut', elfHeader().subarray(0, 30));
  file('low.elf', elf());
  file('high.elf', elf({ segments: [{ vaddr: 0x80000000, bytes: new Uint8Array(4) }] }));
  file('bad.c', 'int main(void) { return missing; }\n');
  file('state.json', '{"version":1}');
  file('list.json', '[1]');
  file('null.json', 'null');
  file('old.json', '{"version":7}');
  file('broken.json', '{"version":');
});

const cases: readonly (readonly [string, RegExp])[] = [
  ['frob', /unknown command 'frob'/],
  ['run', /missing required argument 'prog'/],
  ['run --frob text', /unknown option '--frob'/],
  ['run missing', /cannot run missing: no such file or directory/],
  ['run missing.c', /cannot run missing\.c: no such file or directory/],
  ['run folder', /cannot run folder: is a directory/],
  ['run folder.c', /cannot run folder\.c: is a directory/],
  ['run text', /text: not an ELF file/],
  ['run empty', /empty: /],
  ['run elf64', /elf64: .*64/],
  ['run big', /big: .*big-endian/],
  ['run x86', /x86: .*x86/],
  ['run header-only', /header-only: /],
  ['run cut', /cut: /],
  ['run text --', /a program is missing beside '--'/],
  ['run --ram 1M text', /RAM|ram/],
  ['run --ram 4G text', /RAM|ram/],
  ['run --ram 64 text', /RAM|ram/],
  ['run --ram lots text', /--ram .* 'lots' is invalid/],
  ['run --quantum 0 text', /--quantum .*at least 1/],
  ['run --max-instructions x text', /--max-instructions .*whole number/],
  ['run --seed -1 text', /--seed/],
  ['run --env NAME text', /NAME=VALUE/],
  ['run --uid root text', /--uid .*whole number/],
  ['run --diagram=often text', /exit or steps/],
  ['run --trace no/such/dir text', /cannot write no\/such\/dir: no such file or directory/],
  ['run --state folder text', /cannot write folder: is a directory/],
  ['ipcs', /a state file or a program is wanted/],
  ['ipcs missing.json', /cannot read missing\.json: no such file/],
  ['ipcs state.json', /state\.json is not a state file: instructions is missing/],
  ['ipcs list.json', /list\.json is not a state file/],
  ['ipcs null.json', /null\.json is not a state file/],
  ['ipcs old.json', /old\.json is not a state file/],
  ['maps broken.json', /broken\.json is not a state file: not JSON/],
  ['maps --state text', /text is not a state file: not JSON/],
  ['pagetable --until main state.json', /--until needs a run/],
  ['pagetable --until @ text', /--until .*'@' is invalid/],
  ['pagetable --until syscall:frob text', /no system call frob/],
  ['maps --pid x text', /--pid .*whole number/],
  ['dis', /missing required argument 'prog'/],
  ['dis text', /text: not an ELF file/],
  ['bare', /missing required argument 'image'/],
  ['bare missing', /cannot run missing: no such file or directory/],
  ['bare missing.c', /cannot run missing\.c: no such file/],
  ['bare folder', /cannot run folder: is a directory/],
  ['bare text', /text: not an ELF file/],
  ['bare elf64', /elf64: .*64/],
  ['bare header-only', /header-only: no program headers/],
  ['bare --ram 1M text', /RAM must be/],
  ['bare --signature-granularity 3 text', /1, 2, 4, 8 or 16/],
  ['bare --misaligned maybe text', /--misaligned .*hardware, trap/],
  ['bare --ad maybe text', /--ad .*hardware, trap, menvcfg/],
  ['bare --pmp shut text', /--pmp .*off, open/],
  ['bare --max-instructions 0 text', /--max-instructions .*at least 1/],
  ['bare low.elf', /low\.elf: the segment 0x10000 to 0x10004 is not in RAM/],
  ['bare --isa rv64gc high.elf', /RV64 is not supported/],
  ['bare --isa rv32i_zfoo high.elf', /extension Zfoo is not supported/],
  ['bare --htif high.elf', /high\.elf has no symbol tohost/],
  ['bare --signature s high.elf', /high\.elf has no symbol begin_signature/],
  ['bare --trace no/such/dir high.elf', /cannot write no\/such\/dir/],
  ['diff', /missing required argument 'a\.log'/],
  ['diff text', /missing required argument 'b\.log'/],
  ['diff missing text', /cannot read missing: no such file/],
  ['diff folder text', /cannot read folder: is a directory/],
  ['diff text text', /text has no instruction of a commit log/],
  ['diff --context many text text', /--context .*whole number/],
  ['diff --elf text text text', /text: not an ELF file/],
  ['cc', /missing required argument 'file'/],
  ['cc missing.c', /cannot compile missing\.c: no such file/],
  ['cc folder.c', /cannot compile folder\.c: is a directory/],
  ['cc -O 9 bad.c', /-O, --optimize .*'9' is invalid/],
];

describe('a mistake', () => {
  test.concurrent.each(cases)('%s', async (line, message) => {
    const { status, stdout, stderr } = await sameframe(line.split(' '), { cwd: suite.dir });
    expect(stderr).toMatch(/^sameframe: .*\n$/);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('C that does not compile: the compiler in full, then our line', async () => {
    const { status, stdout, stderr } = await sameframe(['run', 'bad.c'], { cwd: suite.dir });
    expect(stderr).toMatch(/bad\.c:1:25: error: .*undeclared/);
    expect(stderr).toMatch(/\nsameframe: cannot compile bad\.c: .*\n$/);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('help', () => {
  test.each(['run', 'ipcs', 'maps', 'pagetable', 'diagram', 'dis', 'cc', 'bare', 'diff'])(
    '%s --help has examples',
    async (verb) => {
      const { status, stdout, stderr } = await sameframe([verb, '--help']);
      expect(stdout).toMatch(new RegExp(`^Usage: sameframe ${verb} .*Examples:\n  \\$ sameframe `, 's'));
      expect(stderr).toBe('');
      expect(status).toBe(0);
    },
  );

  test('--help and --version go to stdout, no verb is a mistake', async () => {
    expect(await sameframe(['--help'])).toMatchObject({ status: 0, stderr: '' });
    expect((await sameframe(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await sameframe([])).toMatchObject({ status: 2, stdout: '' });
  });
});
