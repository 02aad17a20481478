/** Whole C programs: processes, signals, exec, shared memory, determinism. */
import { beforeAll, describe, expect, test } from 'vitest';
import { boot, BootError, type Picture, type SyscallEvent } from '../../../kernel-ts/index.ts';
import { build, run, runAll } from './guest.ts';

const HELLO = `
#include <stdio.h>
int main(int argc, char **argv) { printf("hello, %s\\n", argc > 1 ? argv[1] : "world"); return argc; }`;

describe('one program', () => {
  let hello: Uint8Array;
  beforeAll(async () => {
    hello = await build(HELLO);
  });

  test('prints and exits with its status', () => {
    const process = run(hello, { args: ['hello', 'you'] });
    expect(process.stdout).toBe('hello, you\n');
    expect(process.exit).toEqual({ code: 2, signal: null, signalName: null, status: 2, crash: null });
    expect(process.pid).toBe(1001);
  });

  test('streams its output when asked to', () => {
    const chunks: string[] = [];
    const process = run(hello, { stdout: (bytes) => chunks.push(new TextDecoder().decode(bytes)) });
    expect(chunks.join('')).toBe('hello, world\n');
    expect(process.stdout).toBe('');
  });

  test('lies in frames from the start as far as execve reads it, and whole once somebody has looked behind that', () => {
    const system = boot({ ram: 16 << 20 });
    const free = (): number => system.picture().ram.framesFree;
    const before = free();
    system.spawn(hello);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    const pages = Math.ceil(hello.length / 4096);
    expect(before - free()).toBeLessThan(pages);
    const spawned = free();
    expect(text(system.readFile('/bin/prog')) === text(hello)).toBe(true);
    expect(spawned - free()).toBeGreaterThan(pages / 2);
    const { base, size } = system.picture().ram;
    const frames = new Map<string, number>();
    for (let pfn = base / 4096; pfn < (base + size) / 4096; pfn++)
      frames.set(text(system.readFrame(pfn)), pfn);
    let last = -1;
    for (let at = 0; at < hello.length; at += 4096) {
      const page = new Uint8Array(4096);
      page.set(hello.subarray(at, at + 4096));
      last = frames.get(text(page)) ?? -1;
      expect(last).toBeGreaterThan(0);
    }
    system.writeFrame(last, Uint8Array.of(42), 7);
    const written = hello.slice();
    written[(Math.ceil(hello.length / 4096) - 1) * 4096 + 7] = 42;
    expect(text(system.readFile('/bin/prog')) === text(written)).toBe(true);
    expect(system.checkInvariants()).toEqual([]);
  });

  test('stops at a symbol, and goes on', () => {
    const system = boot();
    const { pid } = system.spawn(hello);
    expect(system.run({ until: { kind: 'symbol', name: 'main' } })).toEqual({ reason: 'until', pid });
    expect(system.registers(pid).pc).toBe(system.symbol(pid, 'main'));
    expect(system.symbolAt(pid, system.registers(pid).pc)).toBe('main');
    expect(system.run()).toEqual({ reason: 'exited' });
  });

  test('stops after so many instructions, exactly', () => {
    const system = boot();
    system.spawn(hello);
    expect(system.run({ instructions: 1234 })).toEqual({ reason: 'instructions' });
    expect(system.instructions).toBe(1234);
    expect(system.run({ until: { kind: 'instructions', count: 2000 } })).toMatchObject({ reason: 'until' });
    expect(system.instructions).toBe(2000);
  });

  test('stops after a system call', () => {
    const system = boot();
    const { pid } = system.spawn(hello);
    expect(system.run({ until: { kind: 'syscall', name: 'writev' } })).toEqual({ reason: 'until', pid });
    expect(system.processes[0]?.stdout).toBe('hello, world\n');
    expect(system.processes[0]?.exit).toBeNull();
  });

  test('is stepped one instruction at a time', () => {
    const system = boot();
    const { pid } = system.spawn(hello);
    for (let i = 0; i < 500; i++) system.step(pid);
    expect(system.instructions).toBeGreaterThan(450);
    system.run();
    expect(system.processes[0]?.stdout).toBe('hello, world\n');
  });

  test('gives the same trace twice, and the traced run ends as the fast one', () => {
    const hash = (): [number, number] => {
      const system = boot();
      let h = 0;
      let lines = 0;
      system.trace((line) => {
        lines++;
        for (let i = 0; i < line.length; i++) h = (Math.imul(h, 31) + line.charCodeAt(i)) | 0;
      });
      system.spawn(hello);
      system.run();
      expect(system.processes[0]?.stdout).toBe('hello, world\n');
      expect(system.instructions).toBe(lines);
      return [h, lines];
    };
    const first = hash();
    expect(hash()).toEqual(first);
    expect(runAll([[hello, {}]]).system.instructions).toBe(first[1]);
  });

  test('the trace is in the format of Spike', () => {
    const system = boot();
    const lines: string[] = [];
    system.trace((line) => lines.push(line));
    system.spawn(hello);
    system.run();
    const form =
      /^core {3}0: 0 0x[0-9a-f]{8} \(0x([0-9a-f]{8}|[0-9a-f]{4})\)( [xf]\d+ +0x[0-9a-f]{8,16})?( c768_mstatus 0x80006000)?( mem 0x[0-9a-f]{8}( 0x[0-9a-f]+)?)*$/;
    expect(lines.filter((line) => !form.test(line))).toEqual([]);
  });

  test('strace text of its calls', () => {
    const calls: string[] = [];
    const onSyscall = (event: SyscallEvent): void => {
      if (event.phase === 'exit' && event.text !== null) calls.push(event.text);
    };
    runAll([[hello, {}]], { hooks: { onSyscall } });
    expect(calls.at(-1)).toBe('exit_group(1) = ?');
    expect(calls).toContain(
      'writev(1, [{iov_base="hello, world", iov_len=12}, {iov_base="\\n", iov_len=1}], 2) = 13',
    );
    expect(
      calls.some((c) =>
        /^ioctl\(1, TIOCGWINSZ, 0x[0-9a-f]+\) = -1 ENOTTY \(Inappropriate ioctl for device\)$/.test(c),
      ),
    ).toBe(true);
  });

  test('what is no program is refused with one line', () => {
    const system = boot();
    expect(() => system.spawn(new TextEncoder().encode('#!/bin/sh\n'))).toThrow(
      new BootError('not an ELF file'),
    );
    expect(system.processes).toEqual([]);
    expect(system.checkInvariants()).toEqual([]);
    expect(() => boot({ ram: 12345 })).toThrow(RangeError);
  });
});

test('a crash is reported, and the others run on', async () => {
  const bad = await build(`
    #include <stdio.h>
    int main(void) { volatile int *p = (int *)0x124; puts("before"); fflush(stdout); return *p; }`);
  const good = await build(HELLO);
  const { processes } = runAll([
    [bad, { name: '/bin/bad' }],
    [good, { name: '/bin/good' }],
  ]);
  expect(processes[1]?.stdout).toBe('hello, world\n');
  const exit = processes[0]?.exit;
  expect(exit).toMatchObject({ signalName: 'SIGSEGV', status: 139, code: null });
  expect(exit?.crash).toMatchObject({ code: 'SEGV_MAPERR', address: 0x124, comm: 'bad' });
  expect(exit?.crash?.symbol).toMatch(/^main\+0x/);
  expect(exit?.crash?.explanation).toMatch(/read from 0x124: null pointer plus 0x124/);
});

test.each([
  ['an illegal instruction', '__asm__(".word 0");', 'SIGILL', 132],
  ['a breakpoint', '__asm__("ebreak");', 'SIGTRAP', 133],
  ['abort', '__builtin_trap();', null, null],
  ['a write to its own code', '*(volatile int *)main = 1;', 'SIGSEGV', 139],
  ['endless recursion', 'volatile char a[4096]; a[0] = (char)(long)a; return main() + a[0];', 'SIGSEGV', 139],
])('%s kills', async (_name, body, signal, status) => {
  const image = await build(`int main(void) { ${body} return 0; }`, { optimize: '1' });
  const process = run(image);
  if (signal !== null) expect(process.exit).toMatchObject({ signalName: signal, status });
  expect(process.exit?.crash).not.toBeNull();
});

const CHILD_SHM = `
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int id = shmget(0x1234, 8192, IPC_CREAT | 0600);
  char *p = shmat(id, 0, 0);
  if (argc > 1) { strcpy(p, "written by the first"); pause(); }
  while (p[0] == 0) ;
  printf("%s\\n", p);
  fflush(stdout);
  pause();
}`;

describe('two programs that attach one segment by its key', () => {
  let image: Uint8Array;
  beforeAll(async () => {
    image = await build(CHILD_SHM);
  });

  test('share one frame, and nothing stays attached when they are killed', () => {
    const system = boot();
    const writer = system.spawn(image, { args: ['writer', 'w'] });
    const reader = system.spawn(image, { args: ['reader'] });
    const result = system.run();
    expect(result).toMatchObject({ reason: 'deadlock' });
    expect(reader.stdout).toBe('written by the first\n');
    expect(system.ipcs()).toMatchObject([{ key: 0x1234, nattch: 2, bytes: 8192, perms: 0o600 }]);
    const attach = (pid: number): number => system.maps(pid).find((v) => v.shmid !== null)?.vmStart ?? 0;
    const one = system.walk(writer.pid, attach(writer.pid));
    const two = system.walk(reader.pid, attach(reader.pid));
    expect(one.pfn).not.toBeNull();
    expect(one.pfn).toBe(two.pfn);
    expect(one.satp).not.toBe(two.satp);
    expect(new TextDecoder().decode(system.readFrame(one.pfn ?? 0, 0, 20))).toBe('written by the first');
    expect(new TextDecoder().decode(system.readMemory(reader.pid, attach(reader.pid), 20))).toBe(
      'written by the first',
    );
    system.kill(writer.pid, 9);
    expect(writer.exit?.status).toBe(137);
    expect(system.ipcs()[0]?.nattch).toBe(1);
    system.kill(reader.pid, 9);
    expect(system.ipcs()[0]?.nattch).toBe(0);
    expect(system.checkInvariants()).toEqual([]);
    expect(system.run()).toEqual({ reason: 'exited' });
  });

  test('a condition on the picture stops the run', () => {
    const system = boot();
    system.spawn(image, { args: ['writer', 'w'] });
    system.spawn(image, { args: ['reader'] });
    const until = {
      kind: 'picture',
      predicate: (p: Picture) => p.namespaces[0]?.shmIds.entries[0]?.shmNattch === 2,
    } as const;
    expect(system.run({ until })).toMatchObject({ reason: 'until' });
    const picture = system.picture();
    expect(JSON.parse(JSON.stringify(picture))).toEqual(picture);
    const segment = picture.namespaces[0]?.shmIds.entries[0];
    const attached = picture.tasks.map((t) => t.mm?.mmap.find((v) => v.shmid === segment?.id));
    expect(attached.map((v) => v?.vmFile)).toEqual([segment?.shmFile, segment?.shmFile]);
    const file = picture.files.find((f) => f.file === segment?.shmFile);
    expect(picture.inodes.some((i) => i.inode === file?.inode)).toBe(true);
    expect(system.checkInvariants()).toEqual([]);
  });

  test('a system looked at runs like one left alone', () => {
    const end = (look: boolean): string => {
      const system = boot({ quantum: 997 });
      system.spawn(image, { args: ['writer', 'w'] });
      system.spawn(image, { args: ['reader'] });
      for (let i = 0; i < (look ? 50 : 0); i++) {
        system.run({ instructions: 101 });
        system.picture();
        system.readFile('/proc/sysvipc/shm');
        system.checkInvariants();
      }
      system.run();
      return JSON.stringify(system.picture());
    };
    expect(end(true) === end(false)).toBe(true);
  });
});

test('a thousand processes attach one segment', async () => {
  const image = await build(`
    #include <sys/shm.h>
    #include <unistd.h>
    int main(void) {
      int id = shmget(7, 4096, IPC_CREAT | 0600);
      volatile int *p = shmat(id, 0, 0);
      __sync_fetch_and_add(p, 1);
      while (*p < 1000) usleep(1000);
      return 0;
    }`);
  const system = boot();
  for (let i = 0; i < 1000; i++) system.spawn(image);
  const predicate = (p: Picture): boolean => p.namespaces[0]?.shmIds.entries[0]?.shmNattch === 1000;
  const all = { kind: 'picture', predicate } as const;
  expect(system.run({ until: all })).toMatchObject({ reason: 'until' });
  expect(system.checkInvariants()).toEqual([]);
  expect(system.run()).toEqual({ reason: 'exited' });
  expect(system.processes.every((p) => p.exit?.status === 0)).toBe(true);
  expect(system.ipcs()[0]?.nattch).toBe(0);
  expect(system.checkInvariants()).toEqual([]);
});

test('a deadlock says who waits for what', async () => {
  const image = await build(`
    #include <unistd.h>
    #include <sys/wait.h>
    int main(void) { if (fork() == 0) { pause(); } wait(0); return 0; }`);
  const { result } = runAll([[image, {}]]);
  expect(result).toEqual({
    reason: 'deadlock',
    tasks: [
      { pid: 1001, waiting: 'waitid' },
      { pid: 1002, waiting: expect.stringMatching(/ppoll|rt_sigsuspend/) as string },
    ],
  });
});

test('a stopped process is continued', async () => {
  const image = await build(`
    #include <signal.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
      int status;
      pid_t pid = fork();
      if (pid == 0) { raise(SIGSTOP); _exit(3); }
      waitpid(pid, &status, WUNTRACED);
      printf("%d %d\\n", WIFSTOPPED(status), WSTOPSIG(status));
      kill(pid, SIGCONT);
      waitpid(pid, &status, WCONTINUED);
      printf("%d\\n", WIFCONTINUED(status));
      waitpid(pid, &status, 0);
      printf("%d\\n", WEXITSTATUS(status));
      return 0;
    }`);
  expect(run(image).stdout).toBe('1 19\n1\n3\n');
});

describe('a crash in shared memory', () => {
  test('tells that the attach is read-only', async () => {
    const image = await build(`
      #include <sys/shm.h>
      int main(void) { char *p = shmat(shmget(5, 4096, IPC_CREAT | 0600), 0, SHM_RDONLY); *p = 1; return 0; }`);
    const crash = run(image).exit?.crash;
    expect(crash).toMatchObject({ signalName: 'SIGSEGV', code: 'SEGV_ACCERR' });
    expect(crash?.explanation).toMatch(/read-only attach of shmid 0: rw needed/);
  });

  test('tells how far behind the segment the access is', async () => {
    const image = await build(`
      #include <sys/shm.h>
      int main(void) { char *p = shmat(shmget(5, 4096, IPC_CREAT | 0600), 0, 0); p[4100] = 1; return 0; }`);
    const crash = run(image).exit?.crash;
    expect(crash).toMatchObject({ code: 'SEGV_MAPERR' });
    expect(crash?.explanation).toMatch(
      /0x4 bytes behind the end of 0x[0-9a-f]+-0x[0-9a-f]+ \/SYSV00000005 \(deleted\)/,
    );
  });
});

test('sleeping to the end of virtual time neither loses nor stops it', async () => {
  const image = await build(`
    #include <stdio.h>
    #include <time.h>
    #include <unistd.h>
    int main(void) {
      struct timespec t = { 2000000, 0 }, now;
      nanosleep(&t, 0);
      if (fork() == 0) { t.tv_sec = 0x7fffffffffff; nanosleep(&t, 0); _exit(1); }
      for (int i = 0; i < 3; i++) { t = (struct timespec){ 0, 1 }; nanosleep(&t, 0); }
      clock_gettime(CLOCK_MONOTONIC, &now);
      printf("%d\\n", now.tv_sec == 2000000);
      return 0;
    }`);
  const { processes, result } = runAll([[image, {}]]);
  expect(processes[0]?.stdout).toBe('1\n');
  expect(result).toEqual({ reason: 'deadlock', tasks: [{ pid: 1002, waiting: 'nanosleep' }] });
});
