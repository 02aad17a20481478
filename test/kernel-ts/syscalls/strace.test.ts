/** What strace shows, on a real program; the texts are strace(1)'s of the same calls. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, runAll } from '../system/guest.ts';
import { formatResult, quote } from '../../../kernel-ts/syscalls/strace.ts';

describe('strings', () => {
  test.each<[string, string]>([
    ['plain', '"plain"'],
    ['a\nb\t"\\', '"a\\nb\\t\\"\\\\"'],
    ['\x01\x07', '"\\1\\7"'],
    ['\x011', '"\\0011"'],
  ])('%j', (text, expected) => {
    expect(quote(new TextEncoder().encode(text))).toBe(expected);
  });
  test('a cut one ends in dots', () => {
    expect(quote(new TextEncoder().encode('abc'), true)).toBe('"abc"...');
  });
});

test('results', () => {
  expect(formatResult({ result: 'int' }, -13)).toBe('-1 EACCES (Permission denied)');
  expect(formatResult({ result: 'address' }, 0x95555000)).toBe('0x95555000');
  expect(formatResult({ result: 'int' }, 0xffffffff)).toBe('-1');
  expect(formatResult({ result: 'none' }, null)).toBe('?');
});

describe('calls', () => {
  const lines: string[] = [];
  beforeAll(async () => {
    const image = await build(`
      #define _GNU_SOURCE
      #include <fcntl.h>
      #include <sched.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/shm.h>
      #include <sys/wait.h>
      #include <time.h>
      #include <unistd.h>
      int main(void) {
        int id = shmget(0x1234, 10000, IPC_CREAT | IPC_EXCL | 0640);
        void *p = shmat(id, 0, SHM_RDONLY);
        struct shmid_ds ds;
        shmctl(id, IPC_STAT, &ds);
        shmctl(id, IPC_RMID, 0);
        shmdt(p);
        open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        int fd = open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
        write(fd, "0123456789012345678901234567890123456789", 40);
        lseek(fd, 5, SEEK_SET);
        char b[4];
        read(fd, b, 4);
        mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct timespec t = { 0, 5 };
        clock_nanosleep(CLOCK_MONOTONIC, 0, &t, 0);
        if (fork() == 0) _exit(3);
        wait(0);
        sched_yield();
        return 0;
      }`);
    runAll([[image, {}]], {
      hooks: { onSyscall: (e) => (e.phase === 'exit' && e.text !== null ? lines.push(e.text) : 0) },
    });
  });

  test.each([
    'shmget(0x1234, 10000, IPC_CREAT|IPC_EXCL|0640) = 0',
    'shmctl(0, IPC_RMID, NULL) = 0',
    'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_LARGEFILE|O_CLOEXEC) = -1 ENOENT (No such file or directory)',
    'openat(AT_FDCWD, "/tmp/f", O_RDWR|O_CREAT|O_TRUNC|O_LARGEFILE, 0600) = 3',
    'write(3, "01234567890123456789012345678901"..., 40) = 40',
    '_llseek(3, 0, 5, [5], SEEK_SET) = 0',
    'read(3, "5678", 4) = 4',
    'clock_nanosleep_time64(CLOCK_MONOTONIC, 0, {tv_sec=0, tv_nsec=5}, NULL) = 0',
    'clone(SIGCHLD, NULL) = 1002',
    'waitid(P_ALL, -1, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=1002, si_uid=0, si_status=3}, WEXITED, NULL) = 0',
    'sched_yield() = 0',
    'exit_group(0) = ?',
  ])('%s', (line) => {
    expect(lines).toContain(line);
  });

  test('addresses', () => {
    const shmat = lines.find((l) => l.startsWith('shmat'));
    expect(shmat).toMatch(/^shmat\(0, NULL, SHM_RDONLY\) = 0x9[0-9a-f]{7}$/);
    expect(lines.find((l) => l.startsWith('shmdt'))).toBe(`shmdt(${shmat?.split(' = ')[1] ?? ''}) = 0`);
    expect(lines.find((l) => l.startsWith('mmap2'))).toMatch(
      /^mmap2\(NULL, 4096, PROT_READ\|PROT_WRITE, MAP_SHARED\|MAP_ANONYMOUS, -1, 0x0\) = 0x9/,
    );
    expect(lines.find((l) => l.includes('IPC_STAT'))).toMatch(
      /^shmctl\(0, IPC_STAT, \{shm_perm=\{key=0x1234, uid=0, gid=0, cuid=0, cgid=0, mode=0640\}, shm_segsz=10000, shm_cpid=1001, shm_lpid=1001, shm_nattch=1\}\) = 0$/,
    );
  });
});
