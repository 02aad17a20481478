/**
 * Fault injection: the n-th frame, the n-th kernel object cannot be allocated, for every n. A guest program tries each call, says what it
 * answered when it failed, and tries again: the second time has to work, since nothing may be half done; and in the end nothing has leaked.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { boot, type System } from '../../../kernel-ts/index.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import { build } from './guest.ts';

/** Errors that a lack of memory may show as: ENOMEM; ENOSPC for an inode of shmem; ENFILE for one of a pipe; EAGAIN of mlock; EFAULT of the buffer. */
const NO_MEMORY: ReadonlyMap<string, readonly string[]> = new Map([
  ['shmget', ['ENOMEM', 'ENOSPC']],
  ['memfd', ['ENOMEM', 'ENOSPC']],
  ['create', ['ENOMEM', 'ENOSPC']],
  ['pipe', ['ENOMEM', 'ENFILE']],
  ['anonymous', ['ENOMEM', 'ENOSPC']],
  ['read', ['ENOMEM', 'EFAULT']],
  ['write', ['ENOMEM', 'EFAULT']],
  ['IPC_STAT', ['EFAULT']],
  ['mlock', ['ENOMEM', 'EAGAIN']],
  ['msgsnd', ['ENOMEM', 'EFAULT']],
  ['msgrcv', ['EFAULT']],
]);

let image: Uint8Array;
let self: Uint8Array;

beforeAll(async () => {
  self = await build('int main(void) { return 0; }');
  image = await build(`
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdlib.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/msg.h>
    #include <sys/sem.h>
    #include <sys/shm.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>

    #define PAGE 4096
    /* A call that may fail once. */
    #define TRY(name, call) ({ \\
      errno = 0; \\
      long r_ = (long)(call); \\
      if (r_ == -1) { \\
        say(name, errno); \\
        r_ = (long)(call); \\
        if (r_ == -1) { say("again: " name, errno); _exit(3); } \\
      } \\
      r_; })

    static void say(const char *name, int error) {
      const char *text = error == ENOMEM ? "ENOMEM" : error == ENOSPC ? "ENOSPC" : error == ENFILE ? "ENFILE"
        : error == EFAULT ? "EFAULT" : error == EAGAIN ? "EAGAIN" : "another errno";
      char line[80];
      int n = snprintf(line, sizeof line, "%s %s\\n", name, text);
      write(1, line, n);
    }
    static long nattch(int id) {
      static struct shmid_ds ds;
      TRY("IPC_STAT", shmctl(id, IPC_STAT, &ds));
      return ds.shm_nattch;
    }
    static void want(int line, int condition) {
      char text[40];
      if (condition) return;
      write(1, text, snprintf(text, sizeof text, "line %d does not hold\\n", line));
      _exit(4);
    }
    /* musl's sbrk moves nothing. */
    static int grow(void) {
      long now = syscall(SYS_brk, 0);
      if (syscall(SYS_brk, now + 64 * PAGE) == now + 64 * PAGE) return 0;
      errno = ENOMEM;
      return -1;
    }
    #define WANT(condition) want(__LINE__, condition)

    int main(int argc, char **argv) {
      char buffer[64], *p, *q;
      int status, pipes[2];
      if (argc > 1) return 7;

      int id = TRY("shmget", shmget(1, 5 * PAGE, IPC_CREAT | 0600));
      WANT(nattch(id) == 0);
      p = (char *)TRY("shmat", shmat(id, NULL, 0));
      WANT(nattch(id) == 1);
      p[0] = 'a';
      p[4 * PAGE] = 'e';
      TRY("mprotect", mprotect(p + PAGE, PAGE, PROT_READ));
      WANT(nattch(id) == 3);
      TRY("munmap", munmap(p + 3 * PAGE, PAGE));
      WANT(nattch(id) == 4);
      WANT(p[0] == 'a' && p[4 * PAGE] == 'e');
      q = (char *)TRY("shmat over it", shmat(id, p, SHM_REMAP));
      WANT(q == p && nattch(id) == 1 && p[0] == 'a');
      q = (char *)TRY("mremap", mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
      /* "OOM: unable to split vma": then the old page is still mapped. */
      WANT(q != p && nattch(id) >= 2);
      q[PAGE - 1] = 'q';
      TRY("mlock", mlock(p + 2 * PAGE, 2 * PAGE));
      TRY("munlock", munlock(p + 2 * PAGE, 2 * PAGE));

      /* A mapping that is to be replaced stays when it cannot be. */
      char *m = (char *)TRY("mmap", mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      memset(m, 'm', 3 * PAGE);
      char *n = mmap(m + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      if (n == MAP_FAILED) {
        say("mmap", errno);
        WANT(m[0] == 'm' && m[PAGE] == 'm' && m[2 * PAGE] == 'm');
        n = (char *)TRY("again: mmap", mmap(m + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
      }
      WANT(n == m + PAGE && n[0] == 0 && m[0] == 'm' && m[2 * PAGE] == 'm');
      TRY("munmap", munmap(m, 3 * PAGE));
      char *s = (char *)TRY("anonymous", mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
      s[PAGE] = 's';

      int fd = TRY("memfd", memfd_create("m", 0));
      TRY("ftruncate", ftruncate(fd, 2 * PAGE));
      TRY("write", pwrite(fd, "hello", 5, PAGE));
      TRY("read", pread(fd, buffer, 5, PAGE));
      WANT(memcmp(buffer, "hello", 5) == 0);
      TRY("fallocate", fallocate(fd, 0, 0, 4 * PAGE));
      TRY("close", close(fd));
      fd = TRY("create", open("/tmp/file", O_RDWR | O_CREAT | O_EXCL, 0600));
      TRY("close", close(fd));
      TRY("unlink", unlink("/tmp/file"));
      TRY("pipe", pipe(pipes));
      fd = TRY("open", open("/proc/sysvipc/shm", O_RDONLY));

      /* Semaphores and messages. */
      struct sembuf op = { 1, 1, SEM_UNDO };
      struct { long type; char text[5000]; } message = { 1, "message" };
      int sem = TRY("semget", semget(IPC_PRIVATE, 3, 0600)), queue = TRY("msgget", msgget(IPC_PRIVATE, 0600));
      TRY("semop", semop(sem, &op, 1));
      TRY("msgsnd", msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT));
      TRY("msgrcv", msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT));
      WANT(strcmp(message.text, "message") == 0);
      TRY("semctl", semctl(sem, 0, IPC_RMID));
      TRY("msgctl", msgctl(queue, IPC_RMID, NULL));

      long before = nattch(id);
      pid_t pid = TRY("fork", fork());
      if (pid == 0) {
        p[1] = 'b';
        s[0] = 'c';
        TRY("unshare", unshare(CLONE_NEWIPC));
        TRY("shmget", shmget(1, PAGE, IPC_CREAT | IPC_EXCL | 0600));
        char *args[] = { argv[0], "again", NULL };
        execv("/bin/prog", args);
        say("execve", errno);
        execv("/bin/prog", args);
        _exit(5);
      }
      while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {}
      /* An execve that fails beyond the point of no return ends in SIGKILL or SIGSEGV. */
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) say("child", WIFSIGNALED(status) ? ENOMEM : 0);
      WANT(nattch(id) == before);
      WANT(p[1] == 'b' && s[0] == 'c' && s[PAGE] == 's');
      TRY("brk", grow());
      TRY("shmdt", shmdt(p));
      TRY("IPC_RMID", shmctl(id, IPC_RMID, NULL));
      return 0;
    }`);
});

type Kind = 'frame' | 'object';

const kernelOf = (system: System): Kernel => (system as unknown as { kernel: Kernel }).kernel;

function run(
  kind: Kind,
  n: number,
): { readonly system: System; readonly out: string; readonly code: number | null } {
  const system = boot({ ram: 16 << 20, failNth: { [kind]: n }, files: { '/bin/other': self } });
  const process = system.spawn(image, { name: '/bin/prog', args: ['prog'] });
  expect(system.run({ instructions: 20_000_000 }).reason).toBe('exited');
  expect(system.checkInvariants()).toEqual([]);
  return { system, out: process.stdout + process.stderr, code: process.exit?.code ?? null };
}

/** How many allocations the program makes when none fails. */
function count(kind: Kind): number {
  const far = 1_000_000;
  const { system, out, code } = run(kind, far);
  expect([out, code]).toEqual(['', 0]);
  const { memMap, slab } = kernelOf(system);
  return far - (kind === 'frame' ? memMap : slab).fault.nth;
}

describe.each<Kind>(['frame', 'object'])('each %s in turn', (kind) => {
  test('fails cleanly, and works when tried again', { timeout: 120_000 }, () => {
    const total = count(kind);
    expect(total).toBeGreaterThan(20);
    const free = kernelOf(run(kind, total + 1).system).memMap.freeFrames;
    const seen = new Set<string>();
    for (let n = 1; n <= total; n++) {
      const { system, out, code } = run(kind, n);
      const at = `${kind} ${n}: ${out.trim()}`;
      expect(`${at} exit ${code}`).toBe(`${at} exit 0`);
      const lines = out
        .trim()
        .split('\n')
        .filter((line) => line !== '');
      // A failure that no call reports is a page fault that was repeated.
      expect(lines.length, at).toBeLessThanOrEqual(kind === 'frame' ? 2 : 1);
      for (const line of lines) {
        const [, name = '', error = ''] = /^(.*) (\S+)$/.exec(line) ?? [];
        expect(NO_MEMORY.get(name) ?? ['ENOMEM'], at).toContain(error);
        seen.add(name);
      }
      expect(system.stats['faultsInjected'], at).toBe(1);
      expect(kernelOf(system).memMap.freeFrames, at).toBe(free);
      expect(kernelOf(system).ipcNs.shmIds.inUse, at).toBe(0);
    }
    // What can fail has failed.
    const some =
      kind === 'frame'
        ? ['fork', 'execve', 'mlock']
        : [
            'semget',
            'semop',
            'msgget',
            'msgsnd',
            'shmget',
            'shmat',
            'mprotect',
            'munmap',
            'mremap',
            'fork',
            'unshare',
            'pipe',
            'open',
          ];
    for (const name of some) expect([...seen]).toContain(name);
  });
});
