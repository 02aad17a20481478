/** What strace shows, on a real program; the texts are strace(1)'s of the same calls. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, runAll } from '../system/guest.ts';
import { formatResult } from '../../../kernel-ts/syscalls/strace.ts';
import { quote } from '../../../kernel-ts/syscalls/straceText.ts';

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

test('semaphores and messages', async () => {
  const lines: string[] = [];
  const image = await build(`
    #define _GNU_SOURCE
    #include <sys/msg.h>
    #include <sys/sem.h>
    #include <time.h>
    union semun { int val; void *p; };
    int main(void) {
      int id = semget(0x5a, 3, IPC_CREAT | IPC_EXCL | 0600);
      struct sembuf s[2] = { { 0, 1, SEM_UNDO }, { 1, 2, IPC_NOWAIT | SEM_UNDO } };
      semop(id, s, 2);
      s[0].sem_op = -7;
      semtimedop(id, s, 1, &(struct timespec){ 0, 1000 });
      semctl(id, 1, SETVAL, (union semun){ .val = 3 });
      semctl(id, 1, GETVAL);
      struct semid_ds ds;
      semctl(id, 0, IPC_STAT, (union semun){ .p = &ds });
      semctl(id, 0, IPC_SET, (union semun){ .p = &ds });
      struct seminfo si;
      semctl(0, 0, SEM_INFO, (union semun){ .p = &si });
      semctl(id, 0, IPC_RMID);
      int q = msgget(0x77, IPC_CREAT | 0600);
      struct { long type; char text[64]; } m = { 5, "hello" };
      msgsnd(q, &m, 6, 0);
      msgsnd(q, &m, 40, IPC_NOWAIT);
      msgrcv(q, &m, 64, -5, MSG_NOERROR | MSG_EXCEPT);
      msgrcv(q, &m, 2, 0, 0);
      struct msqid_ds qd;
      msgctl(q, IPC_STAT, &qd);
      msgctl(q, IPC_SET, &qd);
      struct { int i[8]; } mi;
      msgctl(0, 12, (struct msqid_ds *)&mi);
      return 0;
    }`);
  runAll([[image, {}]], { hooks: { onSyscall: ({ text }) => text !== null && lines.push(text) } });
  const seconds = /\d{10}/g;
  const shown = lines
    .filter((line) => /^(sem|msg)/.test(line))
    .map((line) => line.replaceAll(seconds, 'T').replace(/0x9\w{7}/, 'ADDRESS'));
  expect(shown).toEqual([
    'semget(0x5a, 3, IPC_CREAT|IPC_EXCL|0600) = 0',
    'semop(0, [{sem_num=0, sem_op=1, sem_flg=SEM_UNDO}, {sem_num=1, sem_op=2, sem_flg=SEM_UNDO|IPC_NOWAIT}], 2) = 0',
    'semtimedop_time64(0, [{sem_num=0, sem_op=-7, sem_flg=SEM_UNDO}], 1, {tv_sec=0, tv_nsec=1000}) = -1 EAGAIN (Resource temporarily unavailable)',
    'semctl(0, 1, SETVAL, 0x3) = 0',
    'semctl(0, 1, GETVAL, NULL) = 3',
    'semctl(0, 0, IPC_STAT, {sem_perm={uid=0, gid=0, mode=0600, key=90, cuid=0, cgid=0}, sem_otime=T, sem_ctime=T, sem_nsems=3}) = 0',
    'semctl(0, 0, IPC_SET, {sem_perm={uid=0, gid=0, mode=0600}}) = 0',
    'semctl(0, 0, SEM_INFO, {semmap=T, semmni=32000, semmns=T, semmnu=T, semmsl=32000, semopm=500, semume=500, semusz=1, semvmx=32767, semaem=3}) = 0',
    'semctl(0, 0, IPC_RMID, NULL) = 0',
    'msgget(0x77, IPC_CREAT|0600) = 0',
    'msgsnd(0, {mtype=5, mtext="hello\\0"}, 6, 0) = 0',
    'msgsnd(0, {mtype=5, mtext="hello\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"...}, 40, IPC_NOWAIT) = 0',
    'msgrcv(0, {mtype=5, mtext="hello\\0"}, 64, -5, MSG_NOERROR|MSG_EXCEPT) = 6',
    'msgrcv(0, ADDRESS, 2, 0, 0) = -1 E2BIG (Argument list too long)',
    'msgctl(0, IPC_STAT, {msg_perm={uid=0, gid=0, mode=0600, key=119, cuid=0, cgid=0}, msg_stime=T, msg_rtime=T, msg_ctime=T, msg_qnum=1, msg_qbytes=16384, msg_lspid=1001, msg_lrpid=1001}) = 0',
    'msgctl(0, IPC_SET, {msg_perm={uid=0, gid=0, mode=0600}, msg_qbytes=16384}) = 0',
    'msgctl(0, MSG_INFO, {msgpool=1, msgmap=1, msgmax=8192, msgmnb=16384, msgmni=32000, msgssz=16, msgtql=40, msgseg=65535}) = 0',
  ]);
});
