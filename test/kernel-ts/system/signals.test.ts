/** What of signals a C test that also runs on another architecture cannot see: the frame, the trampoline, and the host's view. */
import { expect, test } from 'vitest';
import { boot, type Hooks } from '../../../kernel-ts/index.ts';
import { build, run } from './guest.ts';

/** Runs a program whose checks end it with another status than 0. */
async function passes(text: string): Promise<void> {
  expect(run(await build(text)).exit?.status).toBe(0);
}

test('the frame is a riscv32 rt_sigframe: siginfo, ucontext and sigcontext where the headers say', () =>
  passes(`
    #include <signal.h>
    #include <string.h>
    #include <stdint.h>
    #include <ucontext.h>
    #include <unistd.h>
    static uint32_t frame[236], below, args[3];
    static void handler(int sig, siginfo_t *info, void *context) {
      args[0] = sig; args[1] = (uint32_t)info; args[2] = (uint32_t)context;
      memcpy(frame, info, sizeof frame);
    }
    int main(void) {
      struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
      sigaddset(&action.sa_mask, SIGUSR2);
      sigset_t blocked;
      sigemptyset(&blocked);
      sigaddset(&blocked, 40);
      sigprocmask(SIG_BLOCK, &blocked, 0);
      uint32_t sp, pc;
      long tid = getpid();
      register uint32_t s5 __asm__("s5") = 0x5a5a1234;
      register double f18 __asm__("fs2") = 1.5;
      action.sa_flags |= SA_RESETHAND;
      sigaction(SIGUSR1, &action, 0);
      register long a7 __asm__("a7") = 130;
      register long a0 __asm__("a0") = tid, a1 __asm__("a1") = SIGUSR1;
      __asm__ volatile("mv %1, sp; la %2, 1f; csrwi fcsr, 0x11; 1: ecall" : "+r"(a0), "=&r"(sp), "=&r"(pc)
        : "r"(a7), "r"(a1), "r"(s5), "f"(f18) : "memory");
      below = args[1];
      if (args[0] != SIGUSR1) return 1;
      /* 944 bytes below the stack pointer, aligned to 16; the context follows the siginfo. */
      if (below != ((sp - 944) & ~15u) || args[2] != below + 128) return 2;
      if (frame[0] != SIGUSR1 || frame[2] != (uint32_t)SI_TKILL) return 3;
      if (frame[32] != 0 || frame[33] != 0 || frame[35] != SS_DISABLE) return 4;
      if (frame[37] != 0 || frame[38] != 1u << 7) return 5;
      /* pc behind the ecall, sp, s5 = x21, a0 = the result. */
      if (frame[72] != pc + 4 || frame[72 + 2] != sp || frame[72 + 21] != 0x5a5a1234 || frame[72 + 10] != 0) return 6;
      double saved;
      memcpy(&saved, &frame[104 + 2 * 18], 8);
      if (saved != 1.5 || frame[168] != 0x11) return 7;
      /* No extension: reserved, END_MAGIC, END_HDR_SIZE. */
      if (frame[233] != 0 || frame[234] != 0 || frame[235] != 0) return 8;
      ucontext_t *uc = (ucontext_t *)&frame[32];
      if (sizeof(ucontext_t) != 816 || uc->uc_mcontext.__gregs[2] != sp) return 9;
      return 0;
    }`));

test('a handler can change what it returns to: pc, registers, floating point; a frame with an unknown extension is refused', () =>
  passes(`
    #include <setjmp.h>
    #include <signal.h>
    #include <string.h>
    #include <ucontext.h>
    static sigjmp_buf out;
    static volatile int bad, code;
    static void skip(int sig, siginfo_t *info, void *context) {
      ucontext_t *uc = context;
      (void)sig; (void)info;
      uc->uc_mcontext.__gregs[0] += 4;
      uc->uc_mcontext.__gregs[21] = 77;
      double x = 2.25;
      memcpy((char *)context + 160 + 128 + 8 * 18, &x, 8);
      if (bad) ((unsigned *)((char *)context - 128))[bad] = 1;
    }
    static void refused(int sig, siginfo_t *info, void *context) {
      (void)sig; (void)context;
      code = info->si_code;
      siglongjmp(out, 1);
    }
    int main(void) {
      struct sigaction action = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO }, segv = action;
      segv.sa_sigaction = refused;
      sigaction(SIGTRAP, &action, 0);
      sigaction(SIGSEGV, &segv, 0);
      register int s5 __asm__("s5") = 1;
      register double f18 __asm__("fs2") = 1.0;
      __asm__ volatile(".option push; .option norvc; ebreak; .option pop" : "+r"(s5), "+f"(f18));
      if (s5 != 77 || f18 != 2.25) return 1;
      for (bad = 233; bad < 236; bad++) {
        code = 0;
        if (sigsetjmp(out, 1) == 0) {
          __asm__ volatile(".option push; .option norvc; ebreak; .option pop" : : : "s5", "fs2");
          return 2;
        }
        if (code != SI_KERNEL) return 3;
      }
      return 0;
    }`));

test('the trampoline is a [vdso] page, one frame for all, and its loss is a SIGSEGV', async () => {
  const image = await build(`
    #include <signal.h>
    #include <sys/mman.h>
    #include <unistd.h>
    static unsigned ra;
    static void handler(int sig) { (void)sig; ra = (unsigned)__builtin_return_address(0); }
    int main(int argc, char **argv) {
      (void)argv;
      signal(SIGUSR1, handler);
      raise(SIGUSR1);
      if (((unsigned *)ra)[0] != 0x08b00893 || ((unsigned *)ra)[1] != 0x73) return 1;
      if (argc > 1) { munmap((void *)(ra & ~4095u), 4096); raise(SIGUSR1); return 2; }
      for (;;) pause();
    }`);
  const system = boot();
  const [a, b] = [system.spawn(image), system.spawn(image)];
  expect(system.run()).toMatchObject({ reason: 'deadlock' });
  const page = (pid: number) => {
    const vma = system.maps(pid).find((v) => v.name === '[vdso]');
    return { perms: vma?.perms, pfn: vma?.ptes[0]?.pfn, pages: vma?.ptes.length };
  };
  expect(page(a.pid)).toEqual({ perms: 'r-xp', pfn: expect.any(Number), pages: 1 });
  expect(page(b.pid)).toEqual(page(a.pid));
  const maps = new TextDecoder().decode(system.readFile(`/proc/${a.pid}/maps`));
  expect(maps).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8} r-xp 00000000 00:00 0 +\[vdso\]$/m);
  const lost = run(image, { args: ['prog', 'unmap'] });
  expect(lost.exit).toMatchObject({ signalName: 'SIGSEGV', crash: { code: 'SEGV_MAPERR' } });
});

test('hooks are told of signals as strace prints them, and of calls that they interrupt', async () => {
  const image = await build(`
    #include <signal.h>
    #include <setjmp.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static sigjmp_buf out;
    static void handler(int sig) { if (sig == SIGSEGV) siglongjmp(out, 1); }
    int main(void) {
      char c;
      int fd[2];
      signal(SIGSEGV, handler);
      signal(SIGALRM, handler);
      signal(SIGCHLD, handler);
      if (sigsetjmp(out, 1) == 0) *(volatile int *)0x88 = 1;
      sigqueue(getpid(), SIGCHLD, (union sigval){ 7 });
      if (fork() == 0) _exit(3);
      wait(0);
      pipe(fd);
      siginterrupt(SIGALRM, 1);
      alarm(1);
      read(fd[0], &c, 1);
      raise(SIGTERM);
    }`);
  const lines: string[] = [];
  const hooks: Hooks = {
    onSyscall: ({ text }) => void (text !== null && lines.push(text)),
    onSignal: ({ pid, name, text }) => void (pid === 1001 && lines.push(`--- ${name} ${text} ---`)),
  };
  const system = boot({ hooks });
  const process = system.spawn(image);
  expect(system.run({ instructions: 1e6 })).toEqual({ reason: 'exited' });
  for (const line of [
    '--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x88} ---',
    '--- SIGCHLD {si_signo=SIGCHLD, si_code=SI_QUEUE, si_pid=1001, si_uid=0, si_value={sival_int=7, sival_ptr=0x7}} ---',
    '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=1002, si_uid=0, si_status=3, si_utime=0, si_stime=0} ---',
    '--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---',
    '--- SIGTERM {si_signo=SIGTERM, si_code=SI_TKILL, si_pid=1001, si_uid=0} ---',
    'rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)',
  ])
    expect(lines).toContain(line);
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^read\(3, 0x[0-9a-f]+, 1\) = \? ERESTARTSYS \(To be restarted if SA_RESTART is set\)$/,
    ),
  );
  expect(process.exit?.signalName).toBe('SIGTERM');
});
