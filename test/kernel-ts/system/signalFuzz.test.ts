/**
 * Hostile use of signals: frames of garbage for rt_sigreturn, alternate stacks at odd places, handlers anywhere, nested and
 * queued signals, timers, stops. The host survives, the invariants hold, a kill still kills, and the memory of a process that has
 * nothing to do with it stays as it was. Seeded: a failure names the seed that shows it again.
 */
import { beforeAll, expect, test } from 'vitest';
import { boot } from '../../../kernel-ts/index.ts';
import { build } from './guest.ts';

/** Everything that a guest can do to signals, at random; handlers do the same again. */
const HOSTILE = `
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static unsigned s;
static unsigned rnd(void) { s ^= s << 13; s ^= s >> 17; s ^= s << 5; return s; }
static char page[16384] __attribute__((aligned(4096)));
static long call(long n, long a, long b, long c, long d) {
  register long a7 __asm__("a7") = n;
  register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = 0, a5 __asm__("a5") = 0;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
}
static long place(void) {
  switch (rnd() % 8) {
  case 0: return rnd();
  case 1: return 0;
  case 2: return -16;
  case 3: return 0x9dc00000 - rnd() % 4096;
  case 4: return (long)__builtin_frame_address(0) - rnd() % 8192;
  case 5: return (long)page + 16384 - rnd() % 2048;
  default: return (long)page + rnd() % 16384;
  }
}
static void act(void);
static void handler(int sig) { (void)sig; if (rnd() % 4) act(); }
static void act(void) {
  long *w = (long *)(page + rnd() % 1024 * 4);
  long sig = rnd() % 66, me = call(172, 0, 0, 0, 0);
  switch (rnd() % 20) {
  case 0: case 1: case 2: {
    long action[4] = { rnd() % 16 ? (long)handler : rnd() % 4 ? 0 : place(), (long)rnd() & (rnd() % 2 ? -1l : 0x58000004l), rnd(), rnd() };
    call(134, sig, (long)action, rnd() % 2 ? (long)w : 0, 8);
    break;
  }
  case 3: case 4: call(129, rnd() % 8 ? me : (long)rnd() % 3 - 1 ? me : 0, sig, 0, 0); break;
  case 5: call(130, me, sig, 0, 0); break;
  case 6: case 7: w[2] = -1 - (long)(rnd() % 3); for (int i = 0; i < 40; i++) call(138, me, 34 + rnd() % 30, (long)page, 0); break;
  case 8: call(135, rnd() % 4, (long)w, (long)page, 8); break;
  case 9: { long ss[3] = { place(), rnd() % 4 ? 0 : (long)rnd(), rnd() % 4 ? 2048 + rnd() % 8192 : rnd() }; call(132, (long)ss, 0, 0, 0); break; }
  case 10: { long v[4] = { 0, rnd() % 50, 0, rnd() % 50 + 1 }; call(103, rnd() % 3, (long)v, 0, 0); break; }
  case 11: { long long t[2] = { 0, rnd() % 20000 }; call(421, (long)w, (long)page, (long)t, 8); break; }
  case 12: { long long t[2] = { 0, rnd() % 20000 }; call(414, 0, 0, (long)t, rnd() % 2 ? (long)w : 0); break; }
  case 13: { long ev[16] = { 7, 1 + rnd() % 64, 0, 0 }; call(107, rnd() % 2, (long)ev, (long)page, 0); break; }
  case 14: { long long v[4] = { 0, rnd() % 9000, 0, rnd() % 9000 }; call(409, rnd() % 4, rnd() % 2, (long)v, 0); break; }
  case 15: if (rnd() % 3 == 0) call(139, 0, 0, 0, 0); break;
  case 16: {
    /* A frame of nearly good values: the registers as they are, one word of it changed. */
    long frame[236];
    memset(frame, 0, sizeof frame);
    for (int i = 0; i < 32; i++) frame[72 + i] = rnd() % 32 ? (long)page + rnd() % 16384 : (long)rnd();
    frame[72] = (long)handler;
    frame[rnd() % 236] = rnd();
    register long sp __asm__("t0") = rnd() % 8 ? (long)frame : place();
    __asm__ volatile("mv sp, %0; li a7, 139; ecall" : : "r"(sp) : "memory");
    break;
  }
  case 17: { static int forks; if (forks++ < 6) call(220, rnd() % 2 ? 17 : 0x100 | 0x10000 | 0x800, (long)page + 8192, 0, 0); break; }
  case 18: memset(page + rnd() % 8192, (int)rnd(), rnd() % 4096); break;
  default: for (int i = 0; i < 4; i++) w[i] = rnd();
  }
}
int main(int argc, char **argv) {
  s = atoi(argv[1]) * 2654435761u | 1;
  /* Most of them live on through most of what they do. */
  long ss[3] = { (long)page, 0, 8192 };
  call(132, (long)ss, 0, 0, 0);
  for (long sig = 1; sig < 65; sig++) {
    long action[4] = { (long)handler, (long)(rnd() & 0x58000004), 0, 0 };
    if (rnd() % 16) call(134, sig, (long)action, 0, 8);
  }
  for (;;) act();
}`;

/** Fills its memory with a pattern and waits for good. */
const SENTINEL = `
#include <unistd.h>
unsigned data[16384];
int main(void) { for (unsigned i = 0; i < 16384; i++) data[i] = i * 2654435761u; for (;;) pause(); }`;

let hostile: Uint8Array;
let sentinel: Uint8Array;

beforeAll(async () => {
  hostile = await build(HOSTILE);
  sentinel = await build(SENTINEL);
});

test('hostile signals', () => {
  const system = boot({ ram: 64 * 2 ** 20, quantum: 5000 });
  const guard = system.spawn(sentinel, { name: '/bin/sentinel' });
  expect(system.run()).toMatchObject({ reason: 'deadlock' });
  const memory = (): string => {
    let hash = 0;
    for (const area of system.maps(guard.pid))
      for (const { pfn } of area.ptes)
        for (const byte of system.readFrame(pfn)) hash = (Math.imul(hash, 31) + byte) | 0;
    return `${hash} ${JSON.stringify(system.registers(guard.pid))}`;
  };
  const before = memory();
  let signals = 0;
  for (let seed = 1; seed <= 400; seed++) {
    try {
      system.spawn(hostile, { args: ['hostile', String(seed)], uid: 1000 });
      system.run({ instructions: 100_000 });
      for (;;) {
        const victim = system.picture().tasks.find((t) => t.pid !== guard.pid && t.state !== 'Z');
        if (victim === undefined) break;
        system.kill(victim.pid, 9);
      }
      expect(system.picture().tasks.map((t) => t.pid)).toEqual([guard.pid]);
      if (seed % 20 === 0) expect(system.checkInvariants()).toEqual([]);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    signals = system.stats['signals'] ?? 0;
  }
  expect(signals).toBeGreaterThan(10_000);
  expect(system.checkInvariants()).toEqual([]);
  expect(memory()).toBe(before);
});

/** Sends itself blocked real-time signals with as high a limit as root may set, until one is refused. */
const FLOOD = `
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void) {
  struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
  sigset_t set;
  long sent = 0;
  sigfillset(&set);
  sigprocmask(SIG_BLOCK, &set, 0);
  if (setrlimit(RLIMIT_SIGPENDING, &all)) return 1;
  while (sigqueue(getpid(), 40, (union sigval){ 0 }) == 0) sent++;
  return errno == EAGAIN && sent == 65536 ? 0 : 2;
}`;

test('a queue without a limit has one, and its end gives everything back', async () => {
  const image = await build(FLOOD);
  const system = boot();
  const process = system.spawn(image);
  expect(system.run({ instructions: 2e9 })).toEqual({ reason: 'exited' });
  expect(process.exit?.code).toBe(0);
  expect(system.checkInvariants()).toEqual([]);
});
