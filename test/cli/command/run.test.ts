/** The command on real programs: what passes through, what it says, and how it ends. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { main, sameframe, scratchFolder } from './sameframe.ts';

const suite = scratchFolder();

const SOURCES: Readonly<Record<string, string>> = {
  show: `
    #include <stdio.h>
    #include <unistd.h>
    extern char **environ;
    int main(int argc, char **argv) {
      for (int i = 1; i < argc; i++) printf("arg %s\\n", argv[i]);
      for (char **e = environ; *e; e++) printf("env %s\\n", *e);
      printf("uid %d gid %d\\n", getuid(), getgid());
      fprintf(stderr, "to stderr\\n");
      return argc > 1 ? argv[1][0] - '0' : 0;
    }`,
  copy: `
    #include <unistd.h>
    int main(void) {
      char b[4096];
      for (ssize_t n; (n = read(0, b, sizeof b)) > 0; )
        if (write(1, b, n) != n) return 1;
      return 0;
    }`,
  lines: `
    #include <stdio.h>
    int main(void) {
      for (int i = 0; i < 50000; i++) printf("line %d\\n", i);
      fflush(stdout);
      fputs("done\\n", stderr);
      return 9;
    }`,
  loop: 'int main(void) { for (volatile int i = 0;; i++) ; }',
  count: '#include <stdio.h>\nint main(void) { for (int i = 0;; i++) printf("%d\\n", i); }',
  crash: `
    #include <stdio.h>
    int main(void) { puts("before"); fflush(stdout); *(volatile int *)0x50 = 1; puts("after"); }`,
  aborts: '#include <stdlib.h>\nint main(void) { abort(); }',
  stuck: `
    #include <linux/futex.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static int word;
    int main(void) { syscall(SYS_futex, &word, FUTEX_WAIT, 0, 0, 0, 0); return 0; }`,
  attached: `
    #include <stdio.h>
    #include <sys/shm.h>
    int main(void) {
      char *p = shmat(shmget(0x77, 8192, IPC_CREAT | 0600), 0, 0);
      p[4096] = 1;
      char line[256];
      FILE *maps = fopen("/proc/self/maps", "r");
      while (fgets(line, sizeof line, maps)) fputs(line, stdout);
      fflush(stdout);
      shmdt(p);
      return 0;
    }`,
};

/** Path of a program of this file. */
const program = (name: string): string => join(suite.dir, `${name}.c`);
const example = (name: string): string => `guest/examples/${name}.c`;
const PAIR = [example('producer'), '--', example('consumer')];

beforeAll(async () => {
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(program(name), text);
  // The first compile on this machine may build musl: not part of any test's time.
  await sameframe(['run', example('hello')]);
});

describe('run', () => {
  test('arguments, environment, uid, streams and exit status are the program’s', async () => {
    const got = await sameframe([
      'run',
      '--env',
      'A=1',
      '--env',
      'B=x=y',
      '--uid',
      '1000',
      program('show'),
      '5',
      '--strace',
    ]);
    expect(got).toEqual({
      status: 5,
      stdout: 'arg 5\narg --strace\nenv A=1\nenv B=x=y\nuid 1000 gid 1000\n',
      stderr: 'to stderr\n',
    });
  });

  test('standard input passes through, whatever its bytes', async () => {
    const input = Array.from({ length: 9000 }, (_, i) => String.fromCodePoint(i % 128)).join('');
    expect(await sameframe(['run', program('copy')], { input })).toEqual({
      status: 0,
      stdout: input,
      stderr: '',
    });
  });

  test('two programs share a segment', async () => {
    const { status, stdout, stderr } = await sameframe(['run', ...PAIR]);
    expect(stdout).toContain('producer: wrote "record 3" with 9\n');
    expect(stdout).toContain('consumer: read "record 3" with 9\n');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('the first status that is not zero is the command’s', async () => {
    const words = [program('show'), '0', '--', program('show'), '3', '--', program('show'), '4'];
    expect((await sameframe(['run', ...words])).status).toBe(3);
  });

  test('a quantum of one instruction gives the same answers', async () => {
    const { status, stdout } = await sameframe(['run', '--quantum', '1', '--ram', '16M', ...PAIR]);
    expect(stdout).toContain('consumer: read "record 3" with 9\n');
    expect(status).toBe(0);
  });
});

describe('how a run ends', () => {
  test('a crash is explained, and the other process runs on', async () => {
    const { status, stdout, stderr } = await sameframe(['run', program('crash'), '--', program('show')]);
    expect(stdout).toBe('before\nuid 0 gid 0\n');
    const lines = stderr.split('\n');
    expect(lines[0]).toMatch(
      /^sameframe: crash \(pid 1001\) killed by SIGSEGV \(SEGV_MAPERR\) at pc 0x[0-9a-f]{8} <main\+0x[0-9a-f]+>, address 0x00000050$/,
    );
    expect(lines[1]).toMatch(/^ {2}\S/);
    expect(lines[2]).toMatch(/^ {2}zero 0x00000000 +ra 0x[0-9a-f]{8} +sp 0x[0-9a-f]{8} +gp 0x[0-9a-f]{8}$/);
    expect(lines.slice(2, 10).every((line) => line.match(/0x[0-9a-f]{8}/g)?.length === 4)).toBe(true);
    expect(status).toBe(139);
  });

  test('a write through a read-only attach names the segment', async () => {
    const { status, stderr } = await sameframe(['run', example('readonly')]);
    expect(stderr).toContain('SEGV_ACCERR');
    expect(stderr).toContain('read-only attach of shmid 0');
    expect(status).toBe(139);
  });

  test('a signal without a fault is one line', async () => {
    const { status, stderr } = await sameframe(['run', program('aborts')]);
    expect(stderr).toMatch(/^sameframe: \S*aborts \(pid 1001\) killed by SIGABRT\n$/);
    expect(status).toBe(134);
  });

  test('a deadlock says who waits for what: 125', async () => {
    const { status, stderr } = await sameframe(['run', program('stuck')]);
    expect(stderr).toMatch(
      /^sameframe: deadlock: no process can ever run again\n {2}pid 1001 \(stuck\) waits for futex 0x[0-9a-f]+\n$/,
    );
    expect(status).toBe(125);
  });

  test('the instruction limit says where everybody was: 124', async () => {
    const { status, stderr } = await sameframe(['run', '--max-instructions', '1_000_000', program('loop')]);
    expect(stderr).toMatch(
      /^sameframe: stopped after 1000000 instructions \(--max-instructions\)\n {2}pid 1001 \(loop\) at 0x[0-9a-f]+ <main.*>\n$/,
    );
    expect(status).toBe(124);
  });

  test('a reader that goes away ends the command without a word', async () => {
    const child = spawn(process.execPath, [main, 'run', program('count')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
  });

  test('SIGINT ends the run: 130', async () => {
    const child = spawn(process.execPath, [main, 'run', program('crash'), '--', program('loop')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toMatch(/\nsameframe: interrupted after \d+ instructions\n$/);
    expect(status).toBe(130);
  });
});

describe('a run whose output is read slowly', () => {
  test('loses none of it, and not its exit status', async () => {
    const child = spawn(process.execPath, [main, 'run', program('lines')], { stdio: 'pipe' });
    const texts = { stdout: '', stderr: '' };
    child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
    // The pipe is full long before the reader begins.
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
    const status = await new Promise((resolve) => child.once('close', resolve));
    const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('');
    expect(texts).toEqual({ stdout: lines, stderr: 'done\n' });
    expect(status).toBe(9);
  });
});

describe('a run that waits for input', () => {
  test('SIGINT kills it as it kills cat', async () => {
    const child = spawn(process.execPath, [main, 'run', program('copy')], { stdio: 'pipe' });
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    child.stdin.write('typed\n');
    const ended = await new Promise((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal })),
    );
    expect(ended).toEqual({ code: null, signal: 'SIGINT' });
  });
});

describe('what a run shows', () => {
  test('--strace: one process without pids, several with', async () => {
    const one = await sameframe(['run', '--strace', example('leak')]);
    expect(one.stderr).toContain('\nshmget(0x1eaf, 10000, IPC_CREAT|0644) = 0\n');
    expect(one.stderr).toMatch(/\nexit_group\(0\) += \?\n\+\+\+ exited with 0 \+\+\+\n$/);
    const two = await sameframe(['run', '--strace', ...PAIR]);
    expect(two.stderr).toContain('[pid 1001] shmget(0x1234, 136, IPC_CREAT|IPC_EXCL|0600) = 0\n');
    expect(two.stderr).toContain('[pid 1002] shmat(0, NULL, 0) = 0x');
    expect(
      two.stderr
        .trimEnd()
        .split('\n')
        .every((line) => /^\[pid 100[12]\] /.test(line)),
    ).toBe(true);
  });

  test('--trace: a line per instruction, the same on every run; --stats counts them', async () => {
    const file = join(suite.dir, 'trace');
    const { stderr } = await sameframe(['run', '--stats', '--trace', file, example('hello')]);
    const trace = readFileSync(file, 'utf8');
    await sameframe(['run', '--trace', file, example('hello')]);
    expect(readFileSync(file, 'utf8')).toBe(trace);
    const lines = trace.trimEnd().split('\n');
    expect(lines.every((line) => /^core {3}0: 0 0x[0-9a-f]{8} \(0x[0-9a-f]{4,8}\)/.test(line))).toBe(true);
    expect(stderr).toMatch(new RegExp(`^instructions +${String(lines.length)}$`, 'm'));
  });

  test('--tier changes nothing but who executes', async () => {
    const counted = async (tier: string): Promise<{ stdout: string; total: number; compiled: number }> => {
      const { stdout, stderr } = await sameframe(['run', '--stats', '--tier', tier, example('ring')]);
      const counter = (name: string): number =>
        Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(stderr)?.[1]);
      return { stdout, total: counter('instructions'), compiled: counter('instructionsInTier1') };
    };
    const [never, always] = [await counted('0'), await counted('1')];
    expect(never.compiled).toBe(0);
    expect(always.compiled).toBeGreaterThan(always.total / 2);
    expect({ ...always, compiled: 0 }).toEqual(never);
    const wrong = await sameframe(['run', '--tier', '2', example('ring')]);
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toContain('0, 1 or auto is wanted.');
  });

  test('--code-cache: the second run takes what the first has compiled, and does the same', async () => {
    const hot = join(suite.dir, 'hot.c');
    writeFileSync(
      hot,
      `#include <stdio.h>
      int main(void) {
        unsigned sum = 0;
        for (unsigned i = 0; i < 3000000; i++) sum = sum * 31 + (i ^ sum >> 3);
        printf("%u\\n", sum);
      }`,
    );
    const cache = join(suite.dir, 'cache');
    const once = async (
      ...options: string[]
    ): Promise<{ stdout: string; counter: (name: string) => number }> => {
      const { stdout, stderr } = await sameframe(['run', '--stats', ...options, hot]);
      return { stdout, counter: (name) => Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(stderr)?.[1]) };
    };
    const first = await once('--code-cache', cache);
    expect(first.counter('regions')).toBeGreaterThan(0);
    expect(first.counter('regionsRecalled')).toBe(0);
    const second = await once('--code-cache', cache);
    expect(second.counter('regionsRecalled')).toBe(second.counter('regions'));
    expect(second.counter('regions')).toBeGreaterThan(0);
    const without = await once('--code-cache', 'off');
    expect(without.counter('regionsRecalled')).toBe(0);
    for (const { stdout, counter } of [first, second])
      expect([stdout, counter('instructions')]).toEqual([without.stdout, without.counter('instructions')]);
    writeFileSync(join(suite.dir, 'file'), '');
    expect(await once('--code-cache', join(suite.dir, 'file'))).toMatchObject({ stdout: without.stdout });
  });

  test('--diagram=steps: a drawing per change, the first with a segment, the last without', async () => {
    const { stdout, stderr } = await sameframe(['run', '--diagram=steps', ...PAIR]);
    const drawings = stderr.split(/^(?=═+\n +SYSTEM V)/m);
    expect(drawings.length).toBeGreaterThan(5);
    expect(drawings[0]).toContain('shm_nattch = 0');
    expect(drawings.some((one) => one.includes('⇒ identical physical page: ppn 0x'))).toBe(true);
    expect(drawings.at(-1)).toContain('no segment');
    expect(stdout).toBe((await sameframe(['run', ...PAIR])).stdout);
  });

  test('--diagram alone means at the exit', async () => {
    const { stderr } = await sameframe(['run', '--diagram', example('leak')]);
    expect(stderr.match(/SYSTEM V SHARED MEMORY/g)).toHaveLength(1);
    expect(stderr).toContain('no process has it attached');
  });
});

describe('views', () => {
  test('of a state file', async () => {
    const state = join(suite.dir, 'state.json');
    await sameframe(['run', '--state', state, example('leak')]);
    const ipcs = await sameframe(['ipcs', '-m', state]);
    expect(ipcs.stdout).toContain('0x00001eaf 0          root       644        10000      0\n');
    expect((await sameframe(['maps', '--state', state])).stdout).toBe('no process\n');
    expect((await sameframe(['pagetable', state])).stdout).toBe('no process\n');
    expect((await sameframe(['diagram', state])).stdout).toContain('shm_segsz  = 10000 bytes');
  });

  test('of a run stopped at a system call, a symbol, a pc and a count', async () => {
    const at = async (verb: string, until: string, ...words: string[]) =>
      sameframe([verb, '--until', until, ...words]);
    expect((await at('ipcs', 'shmat', ...PAIR)).stdout).toContain(
      '0x00001234 0          root       600        136        1',
    );
    expect((await at('ipcs', 'shmget', ...PAIR)).stdout).toContain(
      '0x00001234 0          root       600        136        0',
    );
    expect((await at('maps', 'main', example('hello'))).stdout).toContain('r-xp');
    const { stdout } = await sameframe(['dis', example('hello'), 'main']);
    const pc = `0x${/([0-9a-f]{8}) <main>:/.exec(stdout)?.[1] ?? ''}`;
    expect(await at('pagetable', pc, example('hello'))).toEqual(
      await at('pagetable', 'main', example('hello')),
    );
    expect((await at('pagetable', '100', example('hello'))).stdout).toContain('satp 0x8');
  });

  test('what the programs print stays out of stdout; an --until that never comes is status 1', async () => {
    const { status, stdout, stderr } = await sameframe(['ipcs', '--until', 'shmdt', example('leak')]);
    expect(stderr).toMatch(/^segment 0 holds .*\nsameframe: the run ended before it came to --until\n$/);
    expect(stdout).toContain('0x00001eaf');
    expect(status).toBe(1);
  });

  test('an --until that no program has', async () => {
    const { status, stdout, stderr } = await sameframe(['ipcs', '--until', 'frobnicate', example('leak')]);
    expect(stderr).toMatch(/^sameframe: --until: no program has a symbol frobnicate.*\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('maps are what the guest reads in /proc/self/maps', async () => {
    const { stdout, stderr } = await sameframe([
      'maps',
      '--until',
      'shmdt',
      '--pid',
      '1001',
      program('attached'),
    ]);
    const guest = stderr.split('\n').filter((line) => !line.includes('SYSV'));
    expect(stderr).toMatch(/rw-s .* \/SYSV00000077 \(deleted\)\n/);
    expect(stdout.split('\n').slice(1, -1)).toEqual(guest.slice(0, -1));
  });
});

describe('cc and dis', () => {
  test('a compiled program runs, and its instructions are shown', async () => {
    const output = join(suite.dir, 'shown');
    expect(await sameframe(['cc', '-O0', '-o', output, program('show')])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect((await sameframe(['run', output, '7'])).status).toBe(7);
    const { stdout } = await sameframe(['dis', output, 'main']);
    expect(stdout).toMatch(/^\n[0-9a-f]{8} <main>:\n( {2}[0-9a-f]{8}: [0-9a-f]{4,8} +\S.*\n)+$/);
    const all = await sameframe(['dis', output]);
    expect(all.stdout).toContain(stdout.trim());
  });
});
