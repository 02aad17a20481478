/** Floating-point state of processes, through programs that look at the registers themselves. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, run, runAll } from '../system/guest.ts';

/** What each program has: fcsr and all f registers, read without a write to any, and some of them set. */
const REGISTERS = `
  #include <sched.h>
  #include <signal.h>
  #include <stdint.h>
  #include <stdio.h>
  #include <string.h>
  #include <sys/wait.h>
  #include <unistd.h>
  #define STORE(n) "fsd f" #n ", 8*" #n "(%1)\\n"
  struct fp { uint64_t f[32]; unsigned fcsr; };
  static __attribute__((noinline)) struct fp look(void) {
    struct fp s;
    __asm__ volatile("csrr %0, fcsr\\n"
      STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7) STORE(8) STORE(9) STORE(10)
      STORE(11) STORE(12) STORE(13) STORE(14) STORE(15) STORE(16) STORE(17) STORE(18) STORE(19) STORE(20)
      STORE(21) STORE(22) STORE(23) STORE(24) STORE(25) STORE(26) STORE(27) STORE(28) STORE(29) STORE(30) STORE(31)
      : "=&r"(s.fcsr) : "r"(s.f) : "memory");
    return s;
  }
  static int untouched(void) {
    static const struct fp zero;
    struct fp s = look();
    return memcmp(s.f, zero.f, sizeof s.f) == 0 && s.fcsr == 0;
  }
  static void touch(uint64_t value) {
    __asm__ volatile("fld fs0, 0(%0)\\n fld ft11, 0(%0)\\n csrwi fcsr, 0x11" :: "r"(&value) : "memory");
  }
  static int has(uint64_t value) {
    struct fp s = look();
    return s.f[8] == value && s.f[31] == value && s.fcsr == 0x11;
  }
  static int status(void) {
    int s;
    wait(&s);
    return WIFEXITED(s) ? WEXITSTATUS(s) : -1;
  }
`;

let alone: Uint8Array;
let family: Uint8Array;
let handler: Uint8Array;
let executed: Uint8Array;

beforeAll(async () => {
  [alone, family, handler, executed] = await Promise.all([
    build(`${REGISTERS}
      int main(int argc, char **argv) {
        int good = untouched();
        if (argc > 1) touch(argv[1][0]);
        for (int i = 0; i < 20; i++) {
          sched_yield();
          good &= argc > 1 ? has(argv[1][0]) : untouched();
        }
        return good ? 0 : 1;
      }`),
    build(`${REGISTERS}
      int main(void) {
        if (fork() == 0) _exit(untouched() ? 5 : 1);
        touch(7);
        int before = status();
        if (fork() == 0) {
          int same = has(7);
          touch(8);
          sched_yield();
          _exit(same && has(8) ? 6 : 1);
        }
        sched_yield();
        int mine = has(7), after = status();
        printf("%d %d %d %d\\n", before, mine, after, has(7));
      }`),
    build(`${REGISTERS}
      static volatile int inside = -1;
      static void on(int sig) { (void)sig; inside = untouched(); touch(9); }
      int main(void) {
        signal(SIGUSR1, on);
        raise(SIGUSR1);
        int clean = untouched(), first = inside;
        touch(7);
        raise(SIGUSR1);
        printf("%d %d %d %d\\n", first, clean, inside, has(7));
      }`),
    build(`${REGISTERS}
      int main(int argc, char **argv) {
        if (argc > 1) return untouched() ? 0 : 1;
        touch(7);
        return execl(argv[0], argv[0], "again", (char *)0);
      }`),
  ]);
});

describe.each([0, 1] as const)('tier %d', (tier) => {
  test('each process has its own f registers and fcsr, and those that it has not touched are 0', () => {
    const args = [['p'], ['p', 'a'], ['p'], ['p', 'b'], ['p']];
    const { processes } = runAll(
      args.map((list) => [alone, { name: '/bin/p', args: list }] as const),
      { tier },
    );
    expect(processes.map(({ exit }) => exit?.code)).toEqual([0, 0, 0, 0, 0]);
  });

  test('fork hands them on, and what one changes the other does not see', () => {
    expect(run(family, {}, { tier }).stdout).toBe('5 1 6 1\n');
  });

  test('a handler finds them as they were, and they are afterwards as they were', () => {
    expect(run(handler, {}, { tier }).stdout).toBe('1 1 0 1\n');
  });

  test('execve clears them', () => {
    const args = ['/bin/p'];
    expect(run(executed, { name: '/bin/p', args }, { tier }).exit?.code).toBe(0);
  });
});
